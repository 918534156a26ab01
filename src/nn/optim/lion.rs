//! Lion.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Update, check_decay};
use crate::kernels;
use crate::settings::SettingError;

/// `p -= learning_rate * sign(beta1 m + (1 - beta1) g)`, then `m = beta2 m + (1 - beta2) g`: Chen et al., "Symbolic discovery of
/// optimization algorithms", NeurIPS 2023, algorithm 2. Next to AdamW's, the paper's learning rates are three to ten times smaller
/// and its weight decays as many times larger.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lion {
    /// Step size, the same for all parameters; 0.0001.
    pub learning_rate: f64,
    /// Weight of the moment in the direction; 0.9.
    pub beta1: f64,
    /// Decay of the moment; 0.99.
    pub beta2: f64,
}

impl Default for Lion {
    fn default() -> Lion {
        Lion { learning_rate: 0.0001, beta1: 0.9, beta2: 0.99 }
    }
}

impl Rule for Lion {
    fn title(&self) -> &'static str {
        "Lion"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_decay("optimizer.beta1", "a decay", self.beta1)?;
        check_decay("optimizer.beta2", "a decay", self.beta2)
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        &["first_moments"]
    }

    fn record(&self, update: &mut Update<'_>) {
        update.launch(kernels::Lion::new(update.length(), self.beta1, self.beta2), &[]);
    }
}
