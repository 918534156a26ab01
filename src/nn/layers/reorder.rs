//! Between features and maps: `[batch, features]` and `[features, batch]`.
//!
//! Maps have their examples innermost, features outermost; as images and classes do. The features of maps are channels,
//! then rows, then columns, as in PyTorch's `flatten`.

use super::{Layer, LayerTensors, Parameter, Recorder, Values};
use crate::kernels::Transpose;
use crate::math::shape::Shape;
use crate::plan::{Phase, Tensor};

/// Brings values into the order that the next layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorder {
    /// Shape of an example's values.
    pub shape: Shape,
    /// Whether maps become features, or features maps.
    pub flattens: bool,
}

impl Reorder {
    /// The kernel that flattens, or its inverse.
    fn kernel(&self, batch: usize, flattens: bool) -> Transpose {
        let [batch, features] = [batch, self.shape.len()].map(|n| n as u32);
        if flattens {
            Transpose { rows: features, columns: batch }
        } else {
            Transpose { rows: batch, columns: features }
        }
    }

    /// Dimensions of what is features, or of what is maps.
    fn dims(&self, recorder: &Recorder<'_>, flat: bool) -> Vec<usize> {
        if flat { recorder.features(self.shape.len()) } else { recorder.maps(self.shape) }
    }
}

impl Layer for Reorder {
    fn kind(&self) -> &'static str {
        if self.flattens { "flatten" } else { "to_maps" }
    }

    fn describe(&self) -> String {
        if self.flattens { format!("flatten to {}", self.shape.len()) } else { "to maps".to_string() }
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn forward_flops(&self) -> u64 {
        0
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, _tensors: &LayerTensors) -> Values {
        let kernel = self.kernel(recorder.batch, self.flattens);
        let dims = self.dims(recorder, self.flattens);
        let output = recorder.activation("output", &dims);
        recorder.launch(kernel, &[], &[input.tensor, output]);
        if input.kept == input.tensor || recorder.phase == Phase::Eval {
            return Values { tensor: output, activation: input.activation, kept: output };
        }
        // What the derivative takes is brought into the same order.
        let kept = recorder.activation("pre_activation", &dims);
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
            let input_grad = recorder.activation("input_grad", &self.dims(recorder, !self.flattens));
            recorder.launch(self.kernel(recorder.batch, !self.flattens), &[], &[output_grad, input_grad]);
            input_grad
        })
    }
}
