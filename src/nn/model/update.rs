//! The end of a step: from gradients to new parameters.

use std::ops::Range;

use super::TrainingOptions;
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
    let front = weights.iter().map(|&weight| plan.info(weight).range().end).max().unwrap_or(0);

    let update = |plan: &mut PlanBuilder, pair: [Tensor; 2], state: &[Tensor], regularized: usize| {
        if regularized > 0 {
            regularization.record_before(plan, optimizer, regularized, pair, loss_scale.tensor);
        }
        let [parameters, gradients] = pair;
        optimizer.record(&mut Update { plan, parameters, gradients, state, loss_scale: loss_scale.tensor });
    };
    match gradients {
        Some(gradients) if gradients.parts.len() == parameters.parts.len() => {
            loss_scale.record(plan, gradients.whole);
            clipping.record(plan, gradients.whole);
            update(plan, [parameters.whole, gradients.whole], state, front);
        }
        // Nothing that looks at all gradients is asked for where some are in no memory.
        Some(gradients) => {
            for [of_parameters, of_gradients] in runs(plan, parameters) {
                let mut part = |whole: Tensor, range: &Range<usize>| {
                    let name = format!("{}[{}..{}]", plan.info(whole).name, range.start, range.end);
                    plan.part(name, whole, range.clone())
                };
                let pair = [part(parameters.whole, &of_parameters), part(gradients.whole, &of_gradients)];
                let state: Vec<Tensor> = state.iter().map(|&state| part(state, &of_parameters)).collect();
                let regularized = of_parameters.end.min(front).saturating_sub(of_parameters.start);
                update(plan, pair, &state, regularized);
            }
        }
        None => {}
    }
    regularization.record_after(plan, &weights, loss_scale.tensor);
}

/// The elements of both arenas that one launch can update: as few ranges as there can be of parameters that have a gradient.
fn runs(plan: &PlanBuilder, parameters: &Arena) -> Vec<[Range<usize>; 2]> {
    let mut parts: Vec<_> = parameters.parts.iter().map(|&part| plan.info(part)).collect();
    parts.sort_by_key(|part| part.offset);
    let mut runs: Vec<[Range<usize>; 2]> = Vec::new();
    let mut goes_on = false;
    for part in parts {
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
