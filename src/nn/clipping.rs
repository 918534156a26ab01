//! Clipping: what keeps gradients from exploding.

use serde::{Deserialize, Serialize};

use crate::kernels::kernel::DType;
use crate::kernels::{ClipNorm, ClipValue, GradientNorm};
use crate::plan::{PlanBuilder, Role, Tensor};
use crate::settings::{SettingError, is_positive};

/// Bounds on the gradients g of a mean loss, of weights and biases alike; by value first where both are set. Off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clipping {
    /// `g *= min(1, norm / (|g| + 1e-6))`, where |g| is the norm of all gradients together: Pascanu, Mikolov and Bengio, "On the
    /// difficulty of training recurrent neural networks", ICML 2013, as PyTorch's `clip_grad_norm_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm: Option<f64>,
    /// `g = min(max(g, -value), value)`: Mikolov, "Statistical language models based on neural networks", 2012, section 3.2.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

impl Clipping {
    /// Checks its settings.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), SettingError> {
        for (key, bound) in [("clipping.norm", self.norm), ("clipping.value", self.value)] {
            let Some(bound) = bound else { continue };
            let must = "a bound on gradients must be a positive f32, such as 1 (leave it out for none)";
            SettingError::unless(is_positive(bound), key, format!("{bound:?}"), must)?;
        }
        Ok(())
    }

    /// Appends it to the training phase, over a whole arena.
    pub(crate) fn record(&self, plan: &mut PlanBuilder, gradients: Tensor) {
        let length = plan.info(gradients).len() as u32;
        if let Some(value) = self.value {
            plan.launch_update(ClipValue { length, max_value: value as f32 }, &[], &[gradients]);
        }
        if let Some(max_norm) = self.norm {
            let norm = GradientNorm::new(length);
            let partials = plan.tensor("gradient_norm.partials", &[norm.pieces()], DType::F32, Role::Grad);
            plan.launch_update(norm, &[], &[gradients, partials]);
            plan.launch_update(ClipNorm::new(norm, max_norm), &[], &[partials, gradients]);
        }
    }
}
