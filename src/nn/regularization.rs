//! Regularization: what keeps weights small.

use serde::{Deserialize, Serialize};

use crate::kernels::{MaxNorm, Penalties};
use crate::nn::optim::Optimizer;
use crate::plan::{PlanBuilder, Tensor};
use crate::settings::{SettingError, is_positive};

/// What keeps the weights w of a network small; biases are left alone. All of it is off by default. Losses are reported without
/// the penalties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regularization {
    /// Adds `l1 sum |w|` to the mean loss of a batch, and so `l1 sign(w)` to gradients: Tibshirani, "Regression shrinkage and
    /// selection via the lasso", 1996.
    pub l1: f64,
    /// Adds `l2 / 2 sum w^2` to the mean loss of a batch, and so `l2 w` to gradients. Optimizers that scale gradients scale
    /// this, too.
    pub l2: f64,
    /// Takes `learning_rate * weight_decay * w` away before each update, whatever the optimizer: Loshchilov and Hutter,
    /// "Decoupled weight decay regularization", ICLR 2019. `None` is what the optimizer comes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// After each update, scales the weights that come into a unit down to this norm where theirs is larger: Srivastava et
    /// al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014, section 5.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_norm: Option<f64>,
}

/// No usual factor comes near: Lion's weight decays, the largest there are, end at 10.
const LARGEST: f64 = 100.0;

impl Regularization {
    /// Checks its settings.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), SettingError> {
        let factors = [
            ("regularization.l1", self.l1),
            ("regularization.l2", self.l2),
            ("regularization.weight_decay", self.weight_decay.unwrap_or(0.0)),
        ];
        for (key, factor) in factors {
            let ok = factor == 0.0 || (is_positive(factor) && factor <= LARGEST);
            let must = format!("it must be 0, or a positive f32 up to {LARGEST}, such as 0.0001");
            SettingError::unless(ok, key, format!("{factor:?}"), must)?;
        }
        let Some(norm) = self.max_norm else { return Ok(()) };
        let must = "the largest norm of a unit's weights must be a positive f32, such as 3 (leave it out for none)";
        SettingError::unless(is_positive(norm), "regularization.max_norm", format!("{norm:?}"), must)
    }

    /// The weight decay beside `optimizer`.
    pub fn weight_decay(&self, optimizer: &Optimizer) -> f64 {
        self.weight_decay.unwrap_or(optimizer.default_weight_decay())
    }

    /// What comes before the update of weights, as kernels have it; their learning rate is so many times the step's.
    pub(crate) fn penalties(&self, optimizer: &Optimizer, rate_factor: f64) -> Penalties {
        let weight_decay = self.weight_decay(optimizer) * rate_factor;
        let [l1, l2, weight_decay] = [self.l1, self.l2, weight_decay].map(|factor| factor as f32);
        Penalties { l1, l2, weight_decay }
    }

    /// Appends what comes after the update, for each weight `[outputs, inputs]`.
    pub(crate) fn record_after(&self, plan: &mut PlanBuilder, weights: &[Tensor], loss_scale: Tensor) {
        let Some(max_norm) = self.max_norm else { return };
        for &weight in weights {
            let (len, outputs) = (plan.info(weight).len(), plan.info(weight).shape[0]);
            let kernel = MaxNorm { outputs: outputs as u32, inputs: (len / outputs) as u32, max_norm: max_norm as f32 };
            plan.launch_update(kernel, &[], &[weight, loss_scale]);
        }
    }
}
