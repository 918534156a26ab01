//! Between features and maps: `[batch, features]` and `[features, batch]`.
//!
//! Maps have their examples innermost, features outermost; as images and classes do. The features of maps are channels, then rows,
//! then columns, as in PyTorch's `flatten`.

use super::{Layer, LayerTensors, Parameter, Recorder, Values};
use crate::kernels::Transpose;
use crate::plan::Tensor;

/// Brings values into the order that the next layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorder {
    /// Values of an example.
    pub features: usize,
    /// Whether maps become features, or features maps.
    pub flattens: bool,
}

impl Reorder {
    /// The kernel that flattens, or its inverse.
    fn kernel(&self, batch: usize, flattens: bool) -> Transpose {
        let [batch, features] = [batch, self.features].map(|n| n as u32);
        if flattens {
            Transpose { rows: features, columns: batch }
        } else {
            Transpose { rows: batch, columns: features }
        }
    }
}

impl Layer for Reorder {
    fn kind(&self) -> &'static str {
        if self.flattens { "flatten" } else { "to_maps" }
    }

    fn describe(&self) -> String {
        if self.flattens { format!("flatten to {}", self.features) } else { "to maps".to_string() }
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn forward_flops(&self) -> u64 {
        0
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, _tensors: &LayerTensors) -> Values {
        let kernel = self.kernel(recorder.batch, self.flattens);
        let output = recorder.activation("output", self.features);
        recorder.launch(kernel, &[], &[input.tensor, output]);
        if input.kept == input.tensor {
            return Values { tensor: output, activation: input.activation, kept: output };
        }
        // What the derivative takes is brought into the same order.
        let kept = recorder.activation("pre_activation", self.features);
        recorder.launch(kernel, &[], &[input.kept, kept]);
        Values { tensor: output, activation: input.activation, kept }
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        _input: Values,
        output_grad: Tensor,
        _tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", self.features);
            recorder.launch(self.kernel(recorder.batch, !self.flattens), &[], &[output_grad, input_grad]);
            input_grad
        })
    }
}
