//! Updates without gradients in memory.

use super::Optimizer;
use crate::kernels::{DenseWeightGrad, DenseWeightUpdate, Penalties};
use crate::plan::{Launch, Phase, PlanBuilder, Tensor};

/// How the weights of a layer are updated where their gradient is made.
#[derive(Clone, Debug)]
pub struct FusedUpdate {
    optimizer: Optimizer,
    penalties: Penalties,
    /// The weights, then the state that the optimizer keeps of them.
    tensors: Vec<Tensor>,
}

impl FusedUpdate {
    /// That of `weight` by an optimizer, after penalties, whose `state` lies in arenas like the one that the weight is in.
    pub(crate) fn new(
        plan: &mut PlanBuilder,
        (optimizer, penalties): (Optimizer, Penalties),
        weight: Tensor,
        state: &[Tensor],
    ) -> FusedUpdate {
        let info = plan.info(weight).clone();
        let mut part = |&of: &Tensor| plan.part(format!("{} of {}", plan.info(of).name, info.name), of, info.range());
        let tensors = [weight].into_iter().chain(state.iter().map(&mut part)).collect();
        FusedUpdate { optimizer, penalties, tensors }
    }

    /// Appends it to the training phase: `output_grad` and `input` are the operands of the product that is the gradient. Nothing
    /// that comes later in the step sees the weights as they were.
    pub(crate) fn record(&self, plan: &mut PlanBuilder, product: DenseWeightGrad, operands: [Tensor; 2]) {
        let weights = DenseWeightUpdate { product, penalties: self.penalties };
        let launch = self.optimizer.fused(weights).expect("only optimizers that have such a launch come here");
        let args = [&operands[..], &self.tensors].concat();
        plan.launch_erased(Phase::Train, Launch { args, ..launch });
    }
}
