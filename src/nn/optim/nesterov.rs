//! Gradient descent with Nesterov's momentum.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Update, check_decay};
use crate::kernels::{self, DenseUpdate, MomentumRates};
use crate::plan::Launch;
use crate::settings::SettingError;

/// `v = momentum v + g`, `p -= learning_rate * (g + momentum v)`: Nesterov, "A method for solving the convex programming problem
/// with convergence rate O(1/k^2)", 1983, in the form of Sutskever, Martens, Dahl and Hinton, "On the importance of
/// initialization and momentum in deep learning", ICML 2013, as PyTorch writes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nesterov {
    /// Step size; 0.03, as [`super::Momentum`]'s.
    pub learning_rate: f64,
    /// What is left of a velocity after a step; 0.9.
    pub momentum: f64,
}

impl Default for Nesterov {
    fn default() -> Nesterov {
        Nesterov { learning_rate: 0.03, momentum: 0.9 }
    }
}

impl Nesterov {
    fn rates(&self) -> MomentumRates {
        MomentumRates::new(self.momentum, false)
    }
}

impl Rule for Nesterov {
    fn title(&self) -> &'static str {
        "Nesterov momentum"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_decay("optimizer.momentum", "a momentum", self.momentum)
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        &["velocities"]
    }

    fn record(&self, update: &mut Update<'_>) {
        update.launch(kernels::Momentum { rates: self.rates(), length: update.length() }, &[1]);
    }

    fn fused(&self, parameters: DenseUpdate) -> Option<Launch> {
        Some(Launch::of(kernels::DenseMomentum { parameters, rates: self.rates() }, &[1], &[]))
    }
}
