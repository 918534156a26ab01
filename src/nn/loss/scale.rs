//! The factor on the loss whose gradient is made.

use crate::kernels::kernel::DType;
use crate::kernels::precision::Precision;
use crate::kernels::{AdjustScale, GradientNorm, Unscale, loss_scale};
use crate::plan::{PlanBuilder, Role, Tensor};

/// Where the scale begins: PyTorch's, and of losses that are means far from what overflows.
const FIRST: f32 = 65_536.0;

/// A loss scale in a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossScale {
    /// What kernels read of it, `[5]` (`kernels/shared/loss_scale.rs`).
    pub tensor: Tensor,
    changes: bool,
}

impl LossScale {
    /// A constant in single precision; in half precision, one that changes from update to update and begins with
    /// [`LossScale::first_values`].
    pub fn new(plan: &mut PlanBuilder, precision: Precision, constant: f32) -> LossScale {
        let values = loss_scale::values(constant);
        match precision {
            Precision::F32 | Precision::F32Split => {
                LossScale { tensor: plan.constant("loss_scale", values, Role::Data), changes: false }
            }
            Precision::F16 => {
                let tensor = plan.tensor("loss_scale", &[values.len()], DType::F32, Role::State);
                LossScale { tensor, changes: true }
            }
        }
    }

    /// What a scale that changes holds at first.
    pub fn first_values() -> Vec<f32> {
        loss_scale::values(FIRST)
    }

    /// The tensor of a scale that changes: state that training needs to go on.
    pub fn state(&self) -> Option<Tensor> {
        Some(self.tensor).filter(|_| self.changes)
    }

    /// Appends what takes a changing scale off the gradients, and sets it for the next update, to the training phase.
    pub fn record(&self, plan: &mut PlanBuilder, gradients: Tensor) {
        if !self.changes {
            return;
        }
        let norm = GradientNorm::new(plan.info(gradients).len() as u32);
        let partials = plan.tensor("loss_scale.partials", &[norm.pieces()], DType::F32, Role::Grad);
        plan.launch_update(norm, &[], &[gradients, partials]);
        plan.launch_update(Unscale::new(norm), &[], &[partials, self.tensor, gradients]);
        plan.launch_update(AdjustScale::new(norm), &[], &[partials, self.tensor]);
    }
}
