//! Adam, and AdamW.

use serde::{Deserialize, Serialize};

use super::{Rule, Update, bias_correction, check_decay, check_epsilon};
use crate::kernels::{self, AdamRates, DenseUpdate};
use crate::plan::Launch;
use crate::settings::SettingError;

/// `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`, `p -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)`, where
/// update t has `m_hat = m / (1 - beta1^t)` and `v_hat = v / (1 - beta2^t)`: Kingma and Ba, "Adam: a method for stochastic
/// optimization", ICLR 2015, algorithm 1.
///
/// AdamW has the same settings: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. What it adds, a weight
/// decay of 0.01 unless another is asked for, is [`crate::nn::regularization::Regularization`]'s and open to every optimizer.
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

impl Rule for Adam {
    fn check(&self) -> Result<(), SettingError> {
        check_decay("optimizer.beta1", "a decay", self.beta1)?;
        check_decay("optimizer.beta2", "a decay", self.beta2)?;
        check_epsilon(self.epsilon)
    }

    fn bias_corrections(&self, t: u64) -> [f64; 2] {
        [self.beta1, self.beta2].map(|beta| bias_correction(beta, t))
    }

    fn state(&self) -> &'static [&'static str] {
        &["first_moments", "second_moments"]
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
        let [first, second] = Adam::default().bias_corrections(1);
        assert!((first - 10.0).abs() < 1e-12 && (second - 1000.0).abs() < 1e-9);
        let [first, second] = Adam::default().bias_corrections(1_000_000);
        assert!(first == 1.0 && (second - 1.0).abs() < 1e-12);
    }
}
