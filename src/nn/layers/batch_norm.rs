//! Batch normalization.

use toml::Table;

use super::notation::{exactly, no_settings};
use super::{Layer, LayerTensors, Notation, Parameter, Part, Place, Recorder, SectionError, Unread, Values, activated};
use crate::kernels::activation::Activation;
use crate::kernels::{
    AddPartials, BatchNorm as BatchNormKernel, BatchNormGrad, BatchNormStats, BatchNormSums, ChannelSizes,
};
use crate::math::shape::Shape;
use crate::nn::init::Init;
use crate::plan::{Phase, Role, Tensor};

/// `y = activation((x - mean) / sqrt(variance + epsilon) * weight + bias)`, channel by channel: mean and variance of
/// the batch in training, running averages in evaluation (Ioffe and Szegedy, ICML 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Shape of an example.
    pub shape: Shape,
    /// Applied to the output.
    pub activation: Activation,
}

/// Added to variances, as in PyTorch.
const EPSILON: f32 = 1e-5;

/// Weight of a batch in the running mean and variance, likewise.
const MOMENTUM: f32 = 0.1;

impl BatchNorm {
    fn sizes(&self, batch: usize) -> ChannelSizes {
        ChannelSizes::new(batch, self.shape)
    }

    /// A tensor with a value a channel.
    fn of_channels(&self, recorder: &mut Recorder<'_>, name: &str) -> Tensor {
        recorder.scratch(name, &[self.shape.channels()], Role::Activation)
    }

    /// Mean and variance of the batch.
    fn moments(&self, recorder: &mut Recorder<'_>) -> [Tensor; 2] {
        ["mean", "variance"].map(|name| self.of_channels(recorder, name))
    }
}

impl Notation for BatchNorm {
    const KIND: &'static str = "batch-norm";
    const MEANING: &'static str = "batch normalization (BN)";
    const PART: Part = Part::Normalization;

    fn parse(token: &str, input: Shape) -> Result<BatchNorm, Unread> {
        exactly("BN", token)?;
        Ok(BatchNorm { shape: input, activation: Activation::Identity })
    }

    fn token_of_section(settings: &Table) -> Result<String, SectionError> {
        no_settings(settings)?;
        Ok("BN".to_string())
    }

    fn token(&self) -> String {
        "BN".to_string()
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn takes_maps(&self) -> bool {
        matches!(self.shape, Shape::Maps { .. })
    }

    fn placed(self, Place { activation, .. }: Place) -> BatchNorm {
        BatchNorm { activation, ..self }
    }
}

impl Layer for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch_norm"
    }

    fn describe(&self) -> String {
        format!("batch norm {}, {}", self.shape, self.activation.name())
    }

    fn parameters(&self) -> Vec<Parameter> {
        let shape = || vec![self.shape.channels()];
        vec![
            Parameter::plain("weight", shape(), Init::Ones),
            Parameter::plain("bias", shape(), Init::Zeros),
            Parameter { trainable: false, ..Parameter::plain("running_mean", shape(), Init::Zeros) },
            Parameter { trainable: false, ..Parameter::plain("running_var", shape(), Init::Ones) },
        ]
    }

    fn forward_flops(&self) -> u64 {
        8 * self.shape.len() as u64
    }

    /// Of a single value of a channel, its mean is itself: the output would be the bias, whatever the input.
    fn least_examples(&self) -> usize {
        if self.shape.len() == self.shape.channels() { 2 } else { 1 }
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, tensors: &LayerTensors) -> Values {
        let sizes = self.sizes(recorder.batch);
        let [weight, bias, running_mean, running_var] = tensors.parameters[..] else {
            unreachable!("a batch normalization has four parameters")
        };
        let mut moments = [running_mean, running_var];
        if recorder.phase == Phase::Train {
            moments = self.moments(recorder);
            let [mean, variance] = moments;
            let arguments = [input.tensor, mean, variance, running_mean, running_var];
            recorder.launch(BatchNormStats { sizes, momentum: MOMENTUM }, &[], &arguments);
        }
        let [mean, variance] = moments;
        let dims = recorder.dims(self.shape);
        activated(recorder, &dims, self.activation, |recorder, activation, output| {
            let arguments = [input.tensor, mean, variance, weight, bias, output];
            recorder.launch(BatchNormKernel { sizes, epsilon: EPSILON }, &[activation.constant()], &arguments);
        })
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        let (sizes, [mean, variance]) = (self.sizes(recorder.batch), self.moments(recorder));
        let [weight_grad, bias_grad] = tensors.gradients[..] else { unreachable!("two of which have gradients") };
        // Of this batch alone, apart from the gradients: those of an update may add up over several.
        let sums = ["weight_sums", "bias_sums"].map(|name| self.of_channels(recorder, name));
        recorder.launch(
            BatchNormSums { sizes, epsilon: EPSILON },
            &[],
            &[output_grad, input.tensor, mean, variance, sums[0], sums[1]],
        );
        for (sums, gradient) in sums.into_iter().zip([weight_grad, bias_grad]) {
            recorder.launch(AddPartials { length: sizes.channels, slices: 1 }, &[], &[sums, gradient]);
        }
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", &recorder.dims(self.shape));
            let weight = tensors.parameters[0];
            let arguments = [output_grad, input.tensor, mean, variance, weight, sums[0], sums[1], input_grad];
            recorder.launch(BatchNormGrad { sizes, epsilon: EPSILON }, &[], &arguments);
            input_grad
        })
    }
}
