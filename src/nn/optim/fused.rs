//! Updates without gradients in memory.

use super::Optimizer;
use crate::kernels::{DenseGrad, DenseUpdate, Penalties};
use crate::plan::{Launch, Phase, PlanBuilder, Tensor};

/// How the parameters of a layer are updated where their gradient is made.
#[derive(Clone, Debug)]
pub struct FusedUpdate {
    optimizer: Optimizer,
    penalties: Penalties,
    /// The parameters, then the state that the optimizer keeps of them.
    tensors: Vec<Tensor>,
}

impl FusedUpdate {
    /// That of `parameters`, one tensor, by an optimizer after penalties, whose `state` lies in arenas like the one that they are in.
    pub(crate) fn new(
        plan: &mut PlanBuilder,
        (optimizer, penalties): (Optimizer, Penalties),
        parameters: Tensor,
        state: &[Tensor],
    ) -> FusedUpdate {
        let info = plan.info(parameters).clone();
        let mut part = |&of: &Tensor| plan.part(format!("{} of {}", plan.info(of).name, info.name), of, info.range());
        let tensors = [parameters].into_iter().chain(state.iter().map(&mut part)).collect();
        FusedUpdate { optimizer, penalties, tensors }
    }

    /// Appends it to the training phase: `output_grad` and `input` are the operands of the product that is the gradient. Nothing
    /// that comes later in the step sees the parameters as they were.
    pub(crate) fn record(&self, plan: &mut PlanBuilder, gradient: DenseGrad, operands: [Tensor; 2]) {
        let parameters = DenseUpdate { gradient, penalties: self.penalties };
        let launch = self.optimizer.fused(parameters).expect("only optimizers that have such a launch come here");
        let args = [&operands[..], &self.tensors].concat();
        plan.launch_erased(Phase::Train, Launch { args, ..launch });
    }
}
