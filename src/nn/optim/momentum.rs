//! Gradient descent with momentum.

use serde::{Deserialize, Serialize};

use super::rule::{Corrections, Rule, Update, bias_correction, check_decay};
use crate::kernels::{self, DenseUpdate, MomentumRates};
use crate::plan::Launch;
use crate::settings::SettingError;

/// `v = momentum v + g`, `p -= learning_rate * v`: Polyak, "Some methods of speeding up the convergence of iteration methods",
/// USSR Computational Mathematics and Mathematical Physics 4(5), 1964, as PyTorch writes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Momentum {
    /// Step size; 0.03, which reaches as far as gradient descent's 0.3, since a gradient counts `1 / (1 - momentum)` times.
    pub learning_rate: f64,
    /// What is left of a velocity after a step; 0.9.
    pub momentum: f64,
    /// Whether the velocity is a moving average, `v = momentum v + (1 - momentum) g`; no. It wants a learning rate
    /// `1 / (1 - momentum)` times as large.
    pub average: bool,
    /// Whether the moving average, which begins at zero, is divided by `1 - momentum^t` in update t; no.
    pub bias_correction: bool,
}

impl Default for Momentum {
    fn default() -> Momentum {
        Momentum { learning_rate: 0.03, momentum: 0.9, average: false, bias_correction: false }
    }
}

impl Momentum {
    fn rates(&self) -> MomentumRates {
        MomentumRates::new(self.momentum, self.average)
    }
}

impl Rule for Momentum {
    fn title(&self) -> &'static str {
        "momentum"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_decay("optimizer.momentum", "a momentum", self.momentum)?;
        if self.bias_correction && !self.average {
            let keys = ["optimizer.bias_correction", "optimizer.average"];
            let why = "only a moving average has a bias to correct; set both or neither".to_string();
            return Err(SettingError::Contradiction { keys, why });
        }
        Ok(())
    }

    fn corrections(&self, t: u64) -> Corrections {
        let first_moment = if self.bias_correction { bias_correction(self.momentum, t) } else { 1.0 };
        Corrections { first_moment, ..Corrections::default() }
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        &["velocities"]
    }

    fn record(&self, update: &mut Update<'_>) {
        update.launch(kernels::Momentum { rates: self.rates(), length: update.length() }, &[0]);
    }

    fn fused(&self, parameters: DenseUpdate) -> Option<Launch> {
        Some(Launch::of(kernels::DenseMomentum { parameters, rates: self.rates() }, &[0], &[]))
    }
}
