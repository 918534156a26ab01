//! RMSprop.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Update, check_decay, check_epsilon};
use crate::kernels;
use crate::settings::SettingError;

/// `v = rho v + (1 - rho) g^2`, `p -= learning_rate * g / (sqrt(v) + epsilon)`: Tieleman and Hinton, "Lecture 6e: rmsprop:
/// divide the gradient by a running average of its recent magnitude", Coursera: Neural networks for machine learning, 2012.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Step size; 0.001.
    pub learning_rate: f64,
    /// Decay of the second moment; 0.9.
    pub rho: f64,
    /// Added to the root of the second moment; 1e-8.
    pub epsilon: f64,
}

impl Default for RmsProp {
    fn default() -> RmsProp {
        RmsProp { learning_rate: 0.001, rho: 0.9, epsilon: 1e-8 }
    }
}

impl Rule for RmsProp {
    fn title(&self) -> &'static str {
        "RMSprop"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_decay("optimizer.rho", "a decay", self.rho)?;
        check_epsilon(self.epsilon)
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        &["second_moments"]
    }

    fn record(&self, update: &mut Update<'_>) {
        update.launch(kernels::RmsProp::new(update.length(), self.rho, self.epsilon), &[]);
    }
}
