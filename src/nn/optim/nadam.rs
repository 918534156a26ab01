//! NAdam.

use serde::{Deserialize, Serialize};

use super::adam::{STATE, check_rates};
use super::rule::{Corrections, Rule, Update, bias_correction};
use crate::kernels::{self, AdamRates};
use crate::settings::SettingError;

/// [`Adam`](super::Adam) with Nesterov's momentum, and a momentum that grows: `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`,
/// and in update t `p -= learning_rate * m_hat / (sqrt(v / (1 - beta2^t)) + epsilon)` with
/// `m_hat = (1 - mu(t)) g / (1 - P(t)) + mu(t + 1) m / (1 - P(t + 1))`, where `mu(t) = beta1 (1 - 0.5 * 0.96^(t momentum_decay))` and
/// `P(t) = mu(1) mu(2) .. mu(t)`: Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop, as PyTorch writes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NAdam {
    /// Step size; 0.002.
    pub learning_rate: f64,
    /// Decay of the first moment, and what the momentum grows to; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Added to the root of the second moment; 1e-8.
    pub epsilon: f64,
    /// How quickly the momentum grows from half of `beta1`; 0.004.
    pub momentum_decay: f64,
}

impl Default for NAdam {
    fn default() -> NAdam {
        NAdam { learning_rate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum_decay: 0.004 }
    }
}

impl NAdam {
    /// How much of `beta1` the momentum of update t lacks; it halves and halves again.
    fn lack(&self, t: f64) -> f64 {
        0.5 * 0.96f64.powf(t * self.momentum_decay)
    }

    /// The momentum of update t.
    fn momentum(&self, t: u64) -> f64 {
        self.beta1 * (1.0 - self.lack(t as f64))
    }

    /// The product of the momenta of updates 1 to t. What changes no further digit is not computed: an update of any number takes at most a few
    /// thousand multiplications.
    fn product(&self, t: u64) -> f64 {
        let mut product = 1.0;
        for update in 1..=t {
            // Beside 1, which it is taken from.
            if product < f64::EPSILON / 4.0 {
                return 0.0;
            }
            // From here on all momenta are beta1.
            if self.lack(update as f64) < f64::EPSILON / 4.0 {
                return product * self.beta1.powf((t - update + 1) as f64);
            }
            product *= self.momentum(update);
        }
        product
    }
}

impl Rule for NAdam {
    fn title(&self) -> &'static str {
        "NAdam"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_rates(self.beta1, self.beta2, self.epsilon)?;
        let (decay, must) = (self.momentum_decay, "it must be 0 or a positive number, such as 0.004");
        let ok = decay >= 0.0 && decay.is_finite();
        SettingError::unless(ok, "optimizer.momentum_decay", format!("{decay:?}"), must)
    }

    fn corrections(&self, t: u64) -> Corrections {
        let (product, next) = (self.product(t), self.momentum(t + 1));
        Corrections {
            gradient: (1.0 - self.momentum(t)) / (1.0 - product),
            first_moment: next / (1.0 - product * next),
            second_moment: bias_correction(self.beta2, t),
        }
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        STATE
    }

    fn record(&self, update: &mut Update<'_>) {
        let rates = AdamRates::new(self.beta1, self.beta2, self.epsilon);
        update.launch(kernels::NAdam { rates, length: update.length() }, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition, with every factor.
    #[test]
    fn products_of_momenta_follow_the_definition() {
        for (beta1, momentum_decay) in [(0.9, 0.004), (0.9, 2.0), (0.999_999, 3.0), (0.5, 0.0), (0.0, 0.004)] {
            let settings = NAdam { beta1, momentum_decay, ..NAdam::default() };
            let mut product = 1.0;
            for t in 1..=5000 {
                product *= beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * momentum_decay));
                let found = settings.product(t);
                assert!(
                    (found - product).abs() <= 1e-12 * product + 1e-16,
                    "{settings:?}, {t}: {found}, not {product}"
                );
            }
        }
    }

    /// All but the first few factors of a million are out of reach of an f64, or are `beta1`.
    #[test]
    fn corrections_of_late_updates_come_quickly_and_end_at_their_limits() {
        let late = 1_000_000_000_000;
        let Corrections { gradient, first_moment, second_moment } = NAdam::default().corrections(late);
        assert!((gradient - 0.1).abs() < 1e-15 && (first_moment - 0.9).abs() < 1e-15 && second_moment == 1.0);
        // The product has yet to vanish: beta1^t, with what the first momenta lacked.
        let slow = NAdam { beta1: 1.0 - 1e-7, momentum_decay: 10.0, ..NAdam::default() };
        assert!((slow.product(1_000_000) / slow.product(500_000) - (-0.05f64).exp()).abs() < 1e-6);
    }
}
