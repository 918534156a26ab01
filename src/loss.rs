//! The loss: softmax cross-entropy, the mean over a batch of `-log softmax(logits)[target]`.

use crate::kernel::DType;
use crate::kernels::{LogBatch, SoftmaxCrossEntropy};
use crate::layers::{Recorder, Values};
use crate::plan::{LOG_ROWS, Role, Tensor};

/// What the loss leaves behind.
#[derive(Clone, Copy, Debug)]
pub struct LossTensors {
    /// Gradient of `loss_scale` times the mean loss, `[batch, classes]`.
    pub logits_grad: Tensor,
    /// Loss of each row, `[batch]`.
    pub losses: Tensor,
    /// Predicted class by position in the order, `[examples]`.
    pub predictions: Tensor,
}

/// Appends loss, its gradient, predictions and the batch's log row.
pub(crate) fn record(recorder: &mut Recorder<'_>, logits: Values, targets: Tensor, loss_scale: f32) -> LossTensors {
    let (batch, examples) = (recorder.batch, recorder.plan.step_bounds().positions);
    let classes = recorder.plan.info(logits.tensor).shape[1];
    let logits_grad = recorder.tensor("logits_grad", &[batch, classes], DType::F32, Role::Activation);
    let ones = vec![1.0; classes];
    let class_weights = recorder
        .plan
        .find("class_weights")
        .unwrap_or_else(|| recorder.plan.constant("class_weights", ones, Role::Data));
    let losses = recorder.tensor("losses", &[batch], DType::F32, Role::Metric);
    let predictions = recorder.tensor("predictions", &[examples], DType::U32, Role::Metric);
    let log = recorder.tensor("batch_log", &[LOG_ROWS, 2], DType::F32, Role::Metric);
    recorder.plan.set_log(log);

    let [batch, classes, examples] = [batch, classes, examples].map(|n| n as u32);
    let kernel = SoftmaxCrossEntropy { batch, classes, examples, loss_scale, label_smoothing: 0.0 };
    recorder.launch(kernel, &[], &[logits.tensor, targets, class_weights, logits_grad, losses, predictions]);
    let kernel = LogBatch { batch, examples, log_rows: LOG_ROWS as u32 };
    recorder.launch(kernel, &[], &[losses, targets, predictions, log]);
    LossTensors { logits_grad, losses, predictions }
}
