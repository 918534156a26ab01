//! The arenas of a plan: all parameters in one buffer, all gradients in another, and so the optimizer's state.

use super::TrainingOptions;
use crate::kernels::kernel::DType;
use crate::nn::layers::{Layer, LayerTensors, Parameter};
use crate::nn::optim::FusedUpdate;
use crate::plan::{Arena, PlanBuilder, Role, Tensor};

/// The arenas of a plan.
pub(super) struct Arenas {
    /// All trainable parameters.
    pub parameters: Arena,
    /// The other parameters, a buffer each.
    pub untrained: Vec<Tensor>,
    /// The gradients that are in memory, if there are any.
    pub gradients: Option<Arena>,
    /// The optimizer's.
    pub state: Vec<Tensor>,
}

impl Arenas {
    /// Declares them for these parameters; gradients and state only for training.
    pub fn declare(
        plan: &mut PlanBuilder,
        named: &[(String, Parameter)],
        training: Option<&TrainingOptions>,
    ) -> Arenas {
        let parameters = arena(plan, "parameters", Role::Param, "", named, |_| true).expect("a network has parameters");
        let untrained = named.iter().filter(|(_, parameter)| !parameter.trainable);
        let untrained: Vec<Tensor> =
            untrained.map(|(name, parameter)| plan.tensor(name, &parameter.shape, DType::F32, Role::Param)).collect();
        let gradients = training.and_then(|options| {
            let is_in_memory = |parameter: &Parameter| !(options.fuses() && parameter.fuses);
            arena(plan, "gradients", Role::Grad, ".grad", named, is_in_memory)
        });
        let state = training.map_or_else(Vec::new, |options| options.optimizer.state(plan, &parameters));
        Arenas { parameters, untrained, gradients, state }
    }
}

/// An arena with a tensor for each trainable parameter that `is_in`, if there is any. Regularized ones lie at its
/// front, so that one launch runs over them.
fn arena(
    plan: &mut PlanBuilder,
    name: &str,
    role: Role,
    suffix: &str,
    named: &[(String, Parameter)],
    is_in: impl Fn(&Parameter) -> bool,
) -> Option<Arena> {
    let named: Vec<_> = named.iter().filter(|(_, parameter)| parameter.trainable && is_in(parameter)).collect();
    if named.is_empty() {
        return None;
    }
    let mut order: Vec<usize> = (0..named.len()).collect();
    order.sort_by_key(|&number| !named[number].1.regularized);
    let part = |&number: &usize| (format!("{}{suffix}", named[number].0), named[number].1.shape.clone());
    let arena = plan.arena(name, role, &order.iter().map(part).collect::<Vec<_>>());
    // Handles in the order of the parameters again.
    let mut parts = arena.parts.clone();
    for (&number, &tensor) in order.iter().zip(&arena.parts) {
        parts[number] = tensor;
    }
    Some(Arena { parts, ..arena })
}

/// A layer's tensors, by their names. Where parameters are updated where their gradients are made, `fused` says how,
/// with the optimizer's state.
pub(super) fn layer_tensors(
    plan: &mut PlanBuilder,
    layer: &dyn Layer,
    scope: &str,
    fused: Option<(&TrainingOptions, &[Tensor])>,
) -> LayerTensors {
    let of_layer = layer.parameters();
    let names: Vec<String> = of_layer.iter().map(|parameter| format!("{scope}.{}", parameter.name)).collect();
    let parameters: Vec<Tensor> = names.iter().flat_map(|name| plan.find(name)).collect();
    let gradients = names.iter().flat_map(|name| plan.find(&format!("{name}.grad"))).collect();
    let fused = fused.filter(|_| of_layer.first().is_some_and(|first| first.fuses));
    let update = fused.map(|(options, state)| {
        let TrainingOptions { optimizer, regularization, .. } = options;
        let rule = (*optimizer, regularization.penalties(optimizer, 1.0));
        let whole = plan.span(scope.to_string(), &parameters);
        FusedUpdate::new(plan, rule, whole, state)
    });
    LayerTensors { parameters, gradients, update }
}
