//! Adagrad.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Update, check_epsilon};
use crate::kernels;
use crate::settings::SettingError;

/// `v += g^2`, `p -= learning_rate * g / (sqrt(v) + epsilon)`: Duchi, Hazan and Singer, "Adaptive subgradient methods for online
/// learning and stochastic optimization", JMLR 12, 2011.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adagrad {
    /// Step size; 0.01.
    pub learning_rate: f64,
    /// Added to the root of the sum of squares; 1e-10.
    pub epsilon: f64,
}

impl Default for Adagrad {
    fn default() -> Adagrad {
        Adagrad { learning_rate: 0.01, epsilon: 1e-10 }
    }
}

impl Rule for Adagrad {
    fn title(&self) -> &'static str {
        "Adagrad"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_epsilon(self.epsilon)
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        &["square_sums"]
    }

    fn record(&self, update: &mut Update<'_>) {
        update.launch(kernels::Adagrad { length: update.length(), epsilon: self.epsilon as f32 }, &[]);
    }
}
