//! Adam.

use serde::{Deserialize, Serialize};

use super::rule::{Corrections, Rule, Update, bias_correction, check_decay, check_epsilon};
use crate::kernels::{self, AdamRates, DenseUpdate};
use crate::plan::Launch;
use crate::settings::SettingError;

/// `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`, `p -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)`, where
/// update t has `m_hat = m / (1 - beta1^t)` and `v_hat = v / (1 - beta2^t)`: Kingma and Ba, "Adam: a method for stochastic
/// optimization", ICLR 2015, algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Step size; 0.001.
    pub learning_rate: f64,
    /// Decay of the first moment; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Added to the root of the second moment; 1e-8.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Adam {
        Adam { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Adam {
    fn rates(&self) -> AdamRates {
        AdamRates::new(self.beta1, self.beta2, self.epsilon)
    }
}

/// What it keeps of each parameter.
pub(super) const STATE: &[&str] = &["first_moments", "second_moments"];

/// Checks both decays and epsilon.
pub(super) fn check_rates(beta1: f64, beta2: f64, epsilon: f64) -> Result<(), SettingError> {
    check_decay("optimizer.beta1", "a decay", beta1)?;
    check_decay("optimizer.beta2", "a decay", beta2)?;
    check_epsilon(epsilon)
}

impl Rule for Adam {
    fn title(&self) -> &'static str {
        "Adam"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_rates(self.beta1, self.beta2, self.epsilon)
    }

    fn corrections(&self, t: u64) -> Corrections {
        let [first_moment, second_moment] = [self.beta1, self.beta2].map(|beta| bias_correction(beta, t));
        Corrections { first_moment, second_moment, ..Corrections::default() }
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        STATE
    }

    fn record(&self, update: &mut Update<'_>) {
        update.launch(kernels::Adam { rates: self.rates(), length: update.length() }, &[]);
    }

    fn fused(&self, parameters: DenseUpdate) -> Option<Launch> {
        Some(Launch::of(kernels::DenseAdam { parameters, rates: self.rates() }, &[], &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_corrections_follow_the_paper() {
        let of = |t| Adam::default().corrections(t);
        assert!((of(1).first_moment - 10.0).abs() < 1e-12 && (of(1).second_moment - 1000.0).abs() < 1e-9);
        assert!(of(1_000_000).first_moment == 1.0 && (of(1_000_000).second_moment - 1.0).abs() < 1e-12);
    }
}
