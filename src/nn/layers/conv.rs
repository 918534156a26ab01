//! The convolutional layer.

use super::{Layer, LayerTensors, Parameter, Recorder, Values, activated};
use crate::kernels::activation::Activation;
use crate::kernels::{AddPartials, ConvForward, ConvInputGrad, ConvSizes, ConvWeightGrad, MapSums};
use crate::math::shape::{Shape, Window};
use crate::nn::init::{Fan, Init};
use crate::plan::{Role, Tensor};

/// `y = activation(W * x + b)`: x maps of `input`, W `[maps, channels, size, size]`, b `[maps]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// Shape of an example's input.
    pub input: Shape,
    /// Maps of the output.
    pub maps: usize,
    /// What each of them sees.
    pub window: Window,
    /// Whether it has biases; before a batch normalization they would do nothing.
    pub has_bias: bool,
    /// Applied to the output.
    pub activation: Activation,
    /// What the weights start from; biases start from zero.
    pub init: Init,
}

impl Conv {
    fn sizes(&self, batch: usize) -> ConvSizes {
        ConvSizes::new(batch, self.input, self.maps, self.window)
    }

    /// Shape of an example's output.
    fn output(&self) -> Shape {
        let ConvSizes { out_height, out_width, .. } = self.sizes(1);
        Shape::Maps { channels: self.maps, height: out_height as usize, width: out_width as usize }
    }
}

impl Layer for Conv {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn describe(&self) -> String {
        let Window { size, stride, padding } = self.window;
        let mut text = format!("conv {size}x{size}, {} -> {}", self.input, self.output());
        if stride > 1 {
            text += &format!(", stride {stride}");
        }
        if padding > 0 {
            text += &format!(", padding {padding}");
        }
        text + ", " + self.activation.name()
    }

    fn parameters(&self) -> Vec<Parameter> {
        let area = self.window.size * self.window.size;
        let fan = Fan { fan_in: self.input.channels() * area, fan_out: self.maps * area };
        let shape = vec![self.maps, self.input.channels(), self.window.size, self.window.size];
        let bias = self.has_bias.then(|| Parameter::plain("bias", vec![self.maps], Init::Zeros));
        [Parameter::weight(shape, self.init, fan)].into_iter().chain(bias).collect()
    }

    fn forward_flops(&self) -> u64 {
        self.sizes(1).flops()
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, tensors: &LayerTensors) -> Values {
        let sizes = self.sizes(recorder.batch);
        let bias = match tensors.parameters[1..] {
            [bias] => bias,
            _ => recorder.constant("no_bias", vec![0.0; self.maps]),
        };
        let arguments = [input.tensor, tensors.parameters[0], bias];
        let dims = recorder.maps(self.output());
        activated(recorder, &dims, self.activation, |recorder, activation, output| {
            recorder.launch(ConvForward(sizes), &[activation.constant()], &[&arguments[..], &[output]].concat());
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
        let sizes = self.sizes(recorder.batch);
        let kernel = ConvWeightGrad::new(sizes);
        let (slices, length) = (kernel.slices(), recorder.plan.info(tensors.parameters[0]).len());
        let partials = recorder.scratch("weight_partials", &[slices as usize, length], Role::Grad);
        recorder.launch(kernel, &[], &[output_grad, input.tensor, partials]);
        recorder.launch(AddPartials { length: length as u32, slices }, &[], &[partials, tensors.gradients[0]]);
        if let [bias_grad] = tensors.gradients[1..] {
            let length = (recorder.batch * self.output().len() / self.maps) as u32;
            recorder.launch(MapSums { channels: sizes.out_channels, length }, &[], &[output_grad, bias_grad]);
        }
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", &recorder.maps(self.input));
            let arguments = [output_grad, tensors.parameters[0], input.kept, input_grad];
            recorder.launch(ConvInputGrad(sizes), &[input.activation.constant()], &arguments);
            input_grad
        })
    }
}
