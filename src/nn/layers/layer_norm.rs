//! Layer normalization.

use toml::Table;

use super::notation::{exactly, no_settings};
use super::{Layer, LayerTensors, Notation, Parameter, Part, Place, Recorder, SectionError, Unread, Values, activated};
use crate::kernels::activation::Activation;
use crate::kernels::{ExampleSizes, LayerNorm as LayerNormKernel, LayerNormGrad, LayerNormSums};
use crate::math::shape::Shape;
use crate::nn::init::Init;
use crate::plan::{Role, Tensor};

/// `y = activation((x - mean) / sqrt(variance + epsilon) * weight + bias)`, with the mean and the biased variance of
/// all values of an example, in training as in evaluation (Ba, Kiros and Hinton, "Layer normalization", 2016). Weight
/// and bias have the shape of an example, as in PyTorch's `LayerNorm(shape)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    /// Shape of an example.
    pub shape: Shape,
    /// Applied to the output.
    pub activation: Activation,
}

/// Added to variances, as in PyTorch.
const EPSILON: f32 = 1e-5;

impl LayerNorm {
    fn sizes(&self, batch: usize) -> ExampleSizes {
        ExampleSizes::new(batch, self.shape)
    }

    /// Mean and variance of each example.
    fn moments(&self, recorder: &mut Recorder<'_>) -> [Tensor; 2] {
        ["mean", "variance"].map(|name| recorder.scratch(name, &[recorder.batch], Role::Activation))
    }
}

impl Notation for LayerNorm {
    const KIND: &'static str = "layer-norm";
    const MEANING: &'static str = "layer normalization (LN)";
    const PART: Part = Part::Normalization;

    fn parse(token: &str, input: Shape) -> Result<LayerNorm, Unread> {
        exactly("LN", token)?;
        Ok(LayerNorm { shape: input, activation: Activation::Identity })
    }

    fn token_of_section(settings: &Table) -> Result<String, SectionError> {
        no_settings(settings)?;
        Ok("LN".to_string())
    }

    fn token(&self) -> String {
        "LN".to_string()
    }

    fn output(&self) -> Shape {
        self.shape
    }

    fn takes_maps(&self) -> bool {
        matches!(self.shape, Shape::Maps { .. })
    }

    fn placed(self, Place { activation, .. }: Place) -> LayerNorm {
        LayerNorm { activation, ..self }
    }
}

impl Layer for LayerNorm {
    fn kind(&self) -> &'static str {
        "layer_norm"
    }

    fn describe(&self) -> String {
        format!("layer norm {}, {}", self.shape, self.activation.name())
    }

    fn parameters(&self) -> Vec<Parameter> {
        let shape = || match self.shape {
            Shape::Features(features) => vec![features],
            Shape::Maps { channels, height, width } => vec![channels, height, width],
        };
        vec![Parameter::plain("weight", shape(), Init::Ones), Parameter::plain("bias", shape(), Init::Zeros)]
    }

    fn forward_flops(&self) -> u64 {
        8 * self.shape.len() as u64
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, tensors: &LayerTensors) -> Values {
        let (sizes, [mean, variance]) = (self.sizes(recorder.batch), self.moments(recorder));
        let [weight, bias] = tensors.parameters[..] else { unreachable!("a layer normalization has two parameters") };
        let dims = recorder.dims(self.shape);
        activated(recorder, &dims, self.activation, |recorder, activation, output| {
            let arguments = [input.tensor, weight, bias, output, mean, variance];
            recorder.launch(LayerNormKernel { sizes, epsilon: EPSILON }, &[activation.constant()], &arguments);
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
        let [weight_at, bias_at] = [0, 1].map(|part| recorder.plan.info(tensors.gradients[part]).offset);
        let gradients = recorder.plan.span(format!("{}.grad", recorder.scope), &tensors.gradients);
        let kernel = LayerNormSums { sizes, epsilon: EPSILON, bias_at: (bias_at - weight_at) as u32 };
        recorder.launch(kernel, &[], &[output_grad, input.tensor, mean, variance, gradients]);
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", &recorder.dims(self.shape));
            let arguments = [output_grad, input.tensor, mean, variance, tensors.parameters[0], input_grad];
            recorder.launch(LayerNormGrad { sizes, epsilon: EPSILON }, &[], &arguments);
            input_grad
        })
    }
}
