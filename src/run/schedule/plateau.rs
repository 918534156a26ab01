//! Reductions of the learning rate when a validation metric stops improving.

use serde::{Deserialize, Serialize};

use crate::run::history::EpochRecord;
use crate::run::metric::Metric;
use crate::settings::SettingError;

/// PyTorch's `ReduceLROnPlateau` with a relative threshold. It is computed from the history, so there is no state to
/// save.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// The metric that must improve.
    pub metric: Metric,
    /// Each reduction multiplies the rate by this.
    pub factor: f64,
    /// Epochs without an improvement that are tolerated; the next one reduces the rate.
    pub patience: usize,
    /// An improvement must exceed this share of the best value so far.
    pub threshold: f64,
    /// Epochs after a reduction in which patience does not count.
    pub cooldown: usize,
    /// Smallest factor on the base rate.
    pub minimum: f64,
}

impl Default for Plateau {
    fn default() -> Plateau {
        Plateau { metric: Metric::ValLoss, factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, minimum: 0.0 }
    }
}

impl Plateau {
    /// The factor on the base rate after the epochs of `history`.
    pub(super) fn factor(&self, history: &[EpochRecord]) -> f64 {
        let (mut factor, mut best) = (1.0f64, self.metric.worst());
        let (mut waited, mut cooling) = (0, 0);
        for value in self.metric.values(history) {
            if self.is_better(value, best) {
                (best, waited) = (value, 0);
            } else {
                waited += 1;
            }
            if cooling > 0 {
                (cooling, waited) = (cooling - 1, 0);
            }
            if waited > self.patience {
                factor = (factor * self.factor).max(self.minimum);
                (cooling, waited) = (self.cooldown, 0);
            }
        }
        factor
    }

    fn is_better(&self, value: f64, best: f64) -> bool {
        match self.metric {
            Metric::ValLoss => value < best * (1.0 - self.threshold),
            Metric::ValAccuracy => value > best * (1.0 + self.threshold),
        }
    }

    /// Checks the settings.
    pub(super) fn check(&self) -> Result<(), SettingError> {
        let must = "it must be more than 0 and less than 1";
        SettingError::unless(self.factor > 0.0 && self.factor < 1.0, "schedule.factor", self.factor, must)?;
        let must = "it must be 0 or more and less than 1";
        SettingError::unless((0.0..1.0).contains(&self.threshold), "schedule.threshold", self.threshold, must)?;
        let must = "it must be 0 or more and less than 1";
        SettingError::unless((0.0..1.0).contains(&self.minimum), "schedule.minimum", self.minimum, must)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::metric::history_of;

    /// The factor after each epoch.
    fn factors(plateau: Plateau, values: &[f64]) -> Vec<f64> {
        let history = history_of(plateau.metric, values);
        (1..=values.len()).map(|epochs| plateau.factor(&history[..epochs])).collect()
    }

    #[test]
    fn patience_cooldown_and_minimum_are_counted_in_epochs() {
        let plateau = Plateau { factor: 0.5, patience: 1, ..Plateau::default() };
        assert_eq!(factors(plateau, &[1.0, 1.0, 1.0, 1.0, 1.0]), [1.0, 1.0, 0.5, 0.5, 0.25]);
        let impatient = Plateau { patience: 0, minimum: 0.3, ..plateau };
        assert_eq!(factors(impatient, &[1.0, 1.0, 1.0, 1.0]), [1.0, 0.5, 0.3, 0.3]);
        let cooling = Plateau { patience: 0, cooldown: 2, ..plateau };
        assert_eq!(factors(cooling, &[1.0, 1.0, 1.0, 1.0, 1.0, 0.5]), [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
        let accuracy = Plateau { metric: Metric::ValAccuracy, patience: 0, ..plateau };
        assert_eq!(factors(accuracy, &[0.0, 0.5, 0.4, 0.6]), [1.0, 1.0, 0.5, 0.5]);
        assert_eq!(factors(plateau, &[f64::NAN; 3]), [1.0, 0.5, 0.5], "a NaN is no improvement");
    }

    #[test]
    fn improvements_are_relative_to_the_best() {
        let plateau = Plateau { factor: 0.5, patience: 0, threshold: 0.25, ..Plateau::default() };
        assert_eq!(factors(plateau, &[8.0, 6.0]), [1.0, 0.5]);
        assert_eq!(factors(plateau, &[8.0, 5.9]), [1.0, 1.0]);
        let plateau = Plateau { metric: Metric::ValAccuracy, ..plateau };
        assert_eq!(factors(plateau, &[0.4, 0.5]), [1.0, 0.5]);
        assert_eq!(factors(plateau, &[0.4, 0.51]), [1.0, 1.0]);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let sound = Plateau::default();
        assert_eq!(sound.check(), Ok(()));
        for (key, plateau) in [
            ("factor", Plateau { factor: 0.0, ..sound }),
            ("factor", Plateau { factor: 1.0, ..sound }),
            ("threshold", Plateau { threshold: -0.1, ..sound }),
            ("threshold", Plateau { threshold: f64::NAN, ..sound }),
            ("threshold", Plateau { threshold: 1.0, ..sound }),
            ("minimum", Plateau { minimum: 1.0, ..sound }),
        ] {
            let error = plateau.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`schedule.{key}` is ")), "{error}");
        }
    }
}
