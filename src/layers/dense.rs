//! The fully connected layer.

use super::{Layer, LayerTensors, Parameter, Recorder, Values};
use crate::activation::Activation;
use crate::init::{Fan, Init};
use crate::kernels::{Activate, BiasGrad, DenseForward, DenseInputGrad, DenseWeightGrad};
use crate::plan::Tensor;

/// `y = activation(x W^T + b)`: x `[batch, inputs]`, W `[outputs, inputs]`, b `[outputs]`, y `[batch, outputs]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense {
    /// Fan-in.
    pub inputs: usize,
    /// Units.
    pub outputs: usize,
    /// Applied to the output.
    pub activation: Activation,
    /// What the weights start from; biases start from zero.
    pub init: Init,
}

impl Layer for Dense {
    fn kind(&self) -> &'static str {
        "dense"
    }

    fn describe(&self) -> String {
        format!("dense {} -> {}, {}", self.inputs, self.outputs, self.activation.name())
    }

    fn parameters(&self) -> Vec<Parameter> {
        let fan = Fan { fan_in: self.inputs, fan_out: self.outputs };
        vec![
            Parameter {
                name: "weight",
                shape: vec![self.outputs, self.inputs],
                init: self.init,
                fan,
                regularized: true,
            },
            Parameter { name: "bias", shape: vec![self.outputs], init: Init::Zeros, fan, regularized: false },
        ]
    }

    fn forward_flops(&self) -> u64 {
        2 * self.inputs as u64 * self.outputs as u64
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, tensors: &LayerTensors) -> Values {
        let activation = self.activation;
        let output = recorder.activation("output", self.outputs);
        let kernel =
            DenseForward { rows: recorder.batch as u32, inputs: self.inputs as u32, outputs: self.outputs as u32 };
        let [weight, bias] = tensors.parameters[..] else { unreachable!("a dense layer has two parameters") };
        if !activation.keeps_pre_activation() {
            recorder.launch(kernel, &[activation.constant()], &[input.tensor, weight, bias, output]);
            return Values { tensor: output, activation, kept: output };
        }
        let kept = recorder.activation("pre_activation", self.outputs);
        recorder.launch(kernel, &[Activation::Identity.constant()], &[input.tensor, weight, bias, kept]);
        let length = (recorder.batch * self.outputs) as u32;
        recorder.launch(Activate { length }, &[activation.constant()], &[kept, output]);
        Values { tensor: output, activation, kept }
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        let [rows, inputs, outputs] = [recorder.batch, self.inputs, self.outputs].map(|n| n as u32);
        let [weight, _] = tensors.parameters[..] else { unreachable!("a dense layer has two parameters") };
        let [weight_grad, bias_grad] = tensors.gradients[..] else { unreachable!("and as many gradients") };

        recorder.launch(DenseWeightGrad { rows, inputs, outputs }, &[], &[output_grad, input.tensor, weight_grad]);
        recorder.launch(BiasGrad { rows, outputs }, &[], &[output_grad, bias_grad]);
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", self.inputs);
            let kernel = DenseInputGrad { rows, inputs, outputs };
            recorder.launch(kernel, &[input.activation.constant()], &[output_grad, weight, input.kept, input_grad]);
            input_grad
        })
    }
}
