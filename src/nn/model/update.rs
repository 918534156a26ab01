//! The end of a step: from gradients to new parameters.

use std::ops::Range;

use super::TrainingOptions;
use crate::kernels::{Penalties, Regularize};
use crate::nn::layers::Parameter;
use crate::nn::loss::LossScale;
use crate::nn::optim::Update;
use crate::plan::{Arena, PlanBuilder, Tensor};

/// Appends it to the training phase, in PyTorch's order: the loss scale's, clipping, penalties and weight decay, the optimizer, max-norm.
///
/// `named` describes the parts of both arenas; the regularized ones lie at the front. The arena of gradients is without those of
/// parameters that were updated before, and there is none where all were.
pub(super) fn record(
    plan: &mut PlanBuilder,
    options: &TrainingOptions,
    (parameters, gradients): (&Arena, Option<&Arena>),
    state: &[Tensor],
    loss_scale: &LossScale,
    named: &[(String, Parameter)],
) {
    let TrainingOptions { optimizer, regularization, clipping, .. } = options;
    let regularized = named.iter().zip(&parameters.parts).filter(|((_, parameter), _)| parameter.regularized);
    let weights: Vec<Tensor> = regularized.map(|(_, &tensor)| tensor).collect();
    let in_order = parameters.in_order(plan);

    let update = |plan: &mut PlanBuilder, pair: [Tensor; 2], state: &[Tensor]| {
        let [parameters, gradients] = pair;
        let whole = plan.info(parameters).range();
        let is_inside = |part: &Tensor| whole.contains(&plan.info(*part).offset);
        let parts: Vec<Tensor> = in_order.iter().copied().filter(is_inside).collect();
        // Weights lie at the front; those whose learning rate is alike are one launch.
        let weights: Vec<Tensor> = parts.iter().copied().filter(|part| weights.contains(part)).collect();
        for (rate_factor, range) in plan.neighbours(&weights, |info| optimizer.rate_factor(&info.shape)) {
            let range = range.start - whole.start..range.end - whole.start;
            let penalties = regularization.penalties(optimizer, rate_factor);
            penalize(plan, penalties, pair, range, loss_scale.tensor);
        }
        optimizer.record(&mut Update { plan, parameters, gradients, parts, state, loss_scale: loss_scale.tensor });
    };
    match gradients {
        Some(gradients) if gradients.parts.len() == parameters.parts.len() => {
            loss_scale.record(plan, gradients.whole);
            clipping.record(plan, gradients.whole);
            update(plan, [parameters.whole, gradients.whole], state);
        }
        // Nothing that looks at all gradients is asked for where some are in no memory.
        Some(gradients) => {
            for [of_parameters, of_gradients] in runs(plan, parameters) {
                let mut part = |whole: Tensor, range: &Range<usize>| plan.range(whole, range.clone());
                let pair = [part(parameters.whole, &of_parameters), part(gradients.whole, &of_gradients)];
                let state: Vec<Tensor> = state.iter().map(|&state| part(state, &of_parameters)).collect();
                update(plan, pair, &state);
            }
        }
        None => {}
    }
    regularization.record_after(plan, &weights, loss_scale.tensor);
}

/// Appends penalties on a range of parameters and their gradients, where there are any.
fn penalize(plan: &mut PlanBuilder, penalties: Penalties, pair: [Tensor; 2], range: Range<usize>, loss_scale: Tensor) {
    if penalties != Penalties::default() {
        let [parameters, gradients] = pair.map(|tensor| match range.start {
            // The kernel goes no further than its length.
            0 => tensor,
            _ => plan.range(tensor, range.clone()),
        });
        let kernel = Regularize { penalties, length: range.len() as u32 };
        plan.launch_update(kernel, &[], &[parameters, gradients, loss_scale]);
    }
}

/// The elements of both arenas that one launch can update: as few ranges as there can be of parameters that have a gradient.
fn runs(plan: &PlanBuilder, parameters: &Arena) -> Vec<[Range<usize>; 2]> {
    let mut runs: Vec<[Range<usize>; 2]> = Vec::new();
    let mut goes_on = false;
    for part in parameters.in_order(plan).into_iter().map(|part| plan.info(part)) {
        let gradient = plan.find(&format!("{}.grad", part.name)).map(|gradient| plan.info(gradient).range());
        match (&gradient, runs.last_mut()) {
            (Some(gradient), Some([of_parameters, of_gradients])) if goes_on => {
                (of_parameters.end, of_gradients.end) = (part.range().end, gradient.end);
            }
            (Some(gradient), _) => runs.push([part.range(), gradient.clone()]),
            (None, _) => {}
        }
        goes_on = gradient.is_some();
    }
    runs
}
