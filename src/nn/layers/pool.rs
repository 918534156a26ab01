//! Pooling layers.

use super::{Layer, LayerTensors, Parameter, Recorder, Values};
use crate::kernels::kernel::DType;
use crate::kernels::{AvgPool, AvgPoolGrad, MaxPool, MaxPoolGrad, PoolSizes};
use crate::math::shape::{Shape, Window};
use crate::plan::{Role, Tensor};

/// What becomes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Its greatest value.
    Max,
    /// Its mean.
    Average,
}

/// One value for each window of each map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// Shape of an example's input.
    pub input: Shape,
    /// Where the windows are; `None` is one over the whole of each map.
    pub window: Option<Window>,
    /// What becomes of them.
    pub pooling: Pooling,
}

impl Pool {
    /// Shape of an example's output.
    fn output(&self) -> Shape {
        let PoolSizes { channels, out_height, out_width, .. } = PoolSizes::new(1, self.input, self.window);
        let [channels, height, width] = [channels, out_height, out_width].map(|n| n as usize);
        Shape::Maps { channels, height, width }
    }

    /// Where the greatest values stood.
    fn indices(&self, recorder: &mut Recorder<'_>) -> Tensor {
        let name = format!("{}.indices", recorder.scope);
        recorder.tensor(&name, &recorder.maps(self.output()), DType::U32, Role::Activation)
    }
}

impl Layer for Pool {
    fn kind(&self) -> &'static str {
        match self.pooling {
            Pooling::Max => "max_pool",
            Pooling::Average => "avg_pool",
        }
    }

    fn describe(&self) -> String {
        let PoolSizes { window_height, window_width, stride, padding, .. } = PoolSizes::new(1, self.input, self.window);
        let name = self.kind().replace('_', " ");
        let mut text = format!("{name} {window_height}x{window_width}, {} -> {}", self.input, self.output());
        if self.window.is_some_and(|window| window.stride != window.size) {
            text += &format!(", stride {stride}");
        }
        if padding > 0 {
            text += &format!(", padding {padding}");
        }
        text
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn forward_flops(&self) -> u64 {
        self.output().len() as u64 * PoolSizes::new(1, self.input, self.window).window_len() as u64
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, _tensors: &LayerTensors) -> Values {
        let sizes = PoolSizes::new(recorder.batch, self.input, self.window);
        let output = recorder.activation("output", &recorder.maps(self.output()));
        match self.pooling {
            Pooling::Max => {
                let indices = self.indices(recorder);
                recorder.launch(MaxPool(sizes), &[], &[input.tensor, output, indices]);
            }
            Pooling::Average => recorder.launch(AvgPool(sizes), &[], &[input.tensor, output]),
        }
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
            let sizes = PoolSizes::new(recorder.batch, self.input, self.window);
            let input_grad = recorder.activation("input_grad", &recorder.maps(self.input));
            let activation = [input.activation.constant()];
            match self.pooling {
                Pooling::Max => {
                    let indices = self.indices(recorder);
                    recorder.launch(MaxPoolGrad(sizes), &activation, &[output_grad, indices, input.kept, input_grad]);
                }
                Pooling::Average => {
                    recorder.launch(AvgPoolGrad(sizes), &activation, &[output_grad, input.kept, input_grad]);
                }
            }
            input_grad
        })
    }
}
