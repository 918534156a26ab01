//! AdamW.

use serde::{Deserialize, Serialize};

use super::Adam;
use super::rule::{Corrections, Rule, Update};
use crate::kernels::DenseUpdate;
use crate::plan::Launch;
use crate::settings::SettingError;

/// [`Adam`] with decoupled weight decay: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
///
/// It updates as Adam does. What it adds is a weight decay of 0.01 unless another is asked for, which is
/// [`Regularization`](crate::nn::regularization::Regularization)'s and open to every optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Step size; 0.001.
    pub learning_rate: f64,
    /// Decay of the first moment; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Added to the root of the second moment; 1e-8.
    pub epsilon: f64,
}

impl Default for AdamW {
    fn default() -> AdamW {
        let Adam { learning_rate, beta1, beta2, epsilon } = Adam::default();
        AdamW { learning_rate, beta1, beta2, epsilon }
    }
}

impl AdamW {
    /// What it does but for weight decay.
    fn adam(&self) -> Adam {
        let AdamW { learning_rate, beta1, beta2, epsilon } = *self;
        Adam { learning_rate, beta1, beta2, epsilon }
    }
}

impl Rule for AdamW {
    fn title(&self) -> &'static str {
        "AdamW"
    }

    fn default_weight_decay(&self) -> f64 {
        0.01
    }

    fn check(&self) -> Result<(), SettingError> {
        self.adam().check()
    }

    fn corrections(&self, t: u64) -> Corrections {
        self.adam().corrections(t)
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        self.adam().state_of_each()
    }

    fn record(&self, update: &mut Update<'_>) {
        self.adam().record(update);
    }

    fn fused(&self, parameters: DenseUpdate) -> Option<Launch> {
        self.adam().fused(parameters)
    }
}
