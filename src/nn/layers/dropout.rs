//! Dropout.

use super::{Layer, LayerTensors, Parameter, Recorder, Values};
use crate::kernels::{Dropout as DropoutKernel, DropoutGrad};
use crate::plan::{Phase, Tensor};

/// Inverted dropout (Srivastava et al., JMLR 2014) on `[batch, features]`: in training each value is dropped with
/// probability `rate`, and those that are kept are divided by `1 - rate`, so that evaluation, which passes values on as
/// they are, sees the same mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Columns.
    pub features: usize,
    /// Where in the network it is, from 0: each place draws its own numbers.
    pub site: usize,
    /// Probability to drop, in `[0, 1)`.
    pub rate: f64,
}

impl Dropout {
    fn kernel(&self, recorder: &Recorder<'_>) -> DropoutKernel {
        DropoutKernel::new(recorder.batch, self.features, self.site, self.rate)
    }
}

impl Layer for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn describe(&self) -> String {
        format!("dropout {}", self.rate)
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn forward_flops(&self) -> u64 {
        0
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, _tensors: &LayerTensors) -> Values {
        if recorder.phase == Phase::Eval {
            return input;
        }
        let output = recorder.activation("output", &recorder.features(self.features));
        recorder.launch(self.kernel(recorder), &[], &[input.tensor, output]);
        Values::plain(output)
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        _tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        wants_input_grad.then(|| {
            let input_grad = recorder.activation("input_grad", &recorder.features(self.features));
            let kernel = DropoutGrad(self.kernel(recorder));
            recorder.launch(kernel, &[input.activation.constant()], &[output_grad, input.kept, input_grad]);
            input_grad
        })
    }
}
