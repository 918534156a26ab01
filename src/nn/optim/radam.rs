//! RAdam.

use serde::{Deserialize, Serialize};

use super::adam::{STATE, check_rates};
use super::rule::{Corrections, Rule, Update, bias_correction};
use crate::kernels::{self, AdamRates};
use crate::settings::SettingError;

/// [`Adam`](super::Adam) that does without the second moment until enough gradients have gone into it, and that warms up by itself:
/// `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`, and in update t, with `m_hat = m / (1 - beta1^t)`,
/// `p -= learning_rate * r(t) * m_hat * sqrt(1 - beta2^t) / (sqrt(v) + epsilon)` where `rho(t) > 5`, else `p -= learning_rate * m_hat`. Here
/// `rho(t) = rho_inf - 2 t beta2^t / (1 - beta2^t)`, `rho_inf = 2 / (1 - beta2) - 1`, and
/// `r(t)^2 = (rho(t) - 4) (rho(t) - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho(t))`: Liu et al., "On the variance of the adaptive learning
/// rate and beyond", ICLR 2020, algorithm 2, with PyTorch's bound of 5 where the paper has 4.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RAdam {
    /// Step size; 0.001.
    pub learning_rate: f64,
    /// Decay of the first moment; 0.9.
    pub beta1: f64,
    /// Decay of the second moment; 0.999.
    pub beta2: f64,
    /// Added to the root of the second moment; 1e-8.
    pub epsilon: f64,
}

impl Default for RAdam {
    fn default() -> RAdam {
        RAdam { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// The second moment is of use where its average is as good as one of more gradients than this.
const LEAST_LENGTH: f64 = 5.0;

impl RAdam {
    /// The rectification `r(t)`; `None` where the second moment is of no use yet.
    fn rectification(&self, t: u64) -> Option<f64> {
        let (steps, power) = (t as f64, self.beta2.powf(t as f64));
        let limit = 2.0 / (1.0 - self.beta2) - 1.0;
        let length = limit - 2.0 * steps * power / (1.0 - power);
        let squared = (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length);
        (length > LEAST_LENGTH).then(|| squared.sqrt())
    }
}

impl Rule for RAdam {
    fn title(&self) -> &'static str {
        "RAdam"
    }

    fn check(&self) -> Result<(), SettingError> {
        check_rates(self.beta1, self.beta2, self.epsilon)
    }

    /// The second moment's is 0 where an update does without it.
    fn corrections(&self, t: u64) -> Corrections {
        let of_first = bias_correction(self.beta1, t);
        let (first_moment, second_moment) = match self.rectification(t) {
            Some(rectification) => (of_first * rectification * (1.0 - self.beta2.powf(t as f64)).sqrt(), 1.0),
            None => (of_first, 0.0),
        };
        Corrections { first_moment, second_moment, ..Corrections::default() }
    }

    fn state_of_each(&self) -> &'static [&'static str] {
        STATE
    }

    fn record(&self, update: &mut Update<'_>) {
        let rates = AdamRates::new(self.beta1, self.beta2, self.epsilon);
        update.launch(kernels::RAdam { rates, length: update.length() }, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by hand from the formulas with beta2 = 0.9, so that rho_inf = 19.
    #[test]
    fn updates_are_rectified_once_there_are_enough_gradients() {
        let settings = RAdam { beta2: 0.9, ..RAdam::default() };
        // rho(1) = 19 - 2 * 0.9 / 0.1 = 1; rho(5) = 19 - 10 * 0.59049 / 0.40951 = 4.58; rho(6) = 19 - 12 * 0.531441 / 0.468559 = 5.39.
        assert_eq!([1, 5].map(|t| settings.rectification(t)), [None, None]);
        let length = 19.0 - 12.0 * 0.531441 / 0.468559;
        let squared = (length - 4.0) * (length - 2.0) * 19.0 / (15.0 * 17.0 * length);
        assert!((settings.rectification(6).unwrap().powi(2) - squared).abs() < 1e-12);
        // In the end it is Adam, whose second moment lacks nothing.
        assert_eq!(settings.rectification(1_000_000), Some(1.0));
        assert_eq!(settings.corrections(1_000_000), Corrections::default());
        // An average over one gradient, or a few, is never enough.
        for beta2 in [0.0, 0.5] {
            assert!((1..1000).all(|t| RAdam { beta2, ..settings }.rectification(t).is_none()), "{beta2}");
        }
    }
}
