//! The end of a step: from gradients to new parameters.

use super::TrainingOptions;
use crate::layers::Parameter;
use crate::loss::LossScale;
use crate::plan::{Arena, PlanBuilder, Tensor};

/// Appends it to the training phase, in PyTorch's order: the loss scale's, clipping, penalties and weight decay, the optimizer, max-norm.
/// Returns the optimizer's state.
///
/// `named` describes the parts of both arenas; the regularized ones lie at the front.
pub(super) fn record(
    plan: &mut PlanBuilder,
    options: &TrainingOptions,
    [parameters, gradients]: [&Arena; 2],
    loss_scale: &LossScale,
    named: &[(String, Parameter)],
) -> Vec<Tensor> {
    let TrainingOptions { optimizer, regularization, clipping, .. } = options;
    let regularized = named.iter().zip(&parameters.parts).filter(|((_, parameter), _)| parameter.regularized);
    let weights: Vec<Tensor> = regularized.map(|(_, &tensor)| tensor).collect();
    let front = weights.iter().map(|&weight| plan.info(weight).range().end).max().unwrap_or(0);

    loss_scale.record(plan, gradients.whole);
    clipping.record(plan, gradients.whole);
    regularization.record_before(plan, optimizer, front, [parameters.whole, gradients.whole], loss_scale.tensor);
    let state = optimizer.record(plan, [parameters.whole, gradients.whole], loss_scale.tensor);
    regularization.record_after(plan, &weights, loss_scale.tensor);
    state
}
