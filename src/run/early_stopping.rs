//! Early stopping: training ends when a validation metric stops improving.
//!
//! Prechelt, "Early stopping - but when?", in Neural networks: tricks of the trade, 1998. Both functions depend on the
//! history alone, so resuming a run needs no further state.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::run::history::EpochRecord;
use crate::run::metric::Metric;
use crate::settings::SettingError;

/// When to stop before the last epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// The metric that must improve.
    pub metric: Metric,
    /// Number of epochs without an improvement after which training stops, at least 1.
    pub patience: usize,
    /// An improvement must be larger than this, in the metric's own units.
    pub min_delta: f64,
}

impl Default for EarlyStopping {
    fn default() -> EarlyStopping {
        EarlyStopping { metric: Metric::ValLoss, patience: 5, min_delta: 0.0 }
    }
}

impl EarlyStopping {
    /// The epoch, counted from 1, whose model is kept: the best of all, even if it is better by less than `min_delta`.
    pub fn best_epoch(&self, history: &[EpochRecord]) -> Option<usize> {
        self.metric.best_epoch(history)
    }

    /// Whether training stops after the last epoch of `history`: whether at least `patience` epochs have passed since
    /// the last improvement by more than `min_delta`.
    pub fn stops(&self, history: &[EpochRecord]) -> bool {
        let (mut best, mut waited) = (self.metric.worst(), 0);
        for value in self.metric.values(history) {
            if self.metric.gain(value, best) > self.min_delta {
                (best, waited) = (value, 0);
            } else {
                waited += 1;
            }
        }
        waited >= self.patience
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its range.
    pub fn check(&self) -> Result<(), SettingError> {
        let must = "it must be 1 epoch or more";
        SettingError::unless(self.patience > 0, "early_stopping.patience", self.patience, must)?;
        let sound = self.min_delta >= 0.0 && self.min_delta.is_finite();
        let must = "it must be 0 or more";
        SettingError::unless(sound, "early_stopping.min_delta", self.min_delta, must)
    }
}

impl fmt::Display for EarlyStopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epochs = if self.patience == 1 { "epoch" } else { "epochs" };
        write!(f, "stopping after {} {epochs} without a better {}", self.patience, self.metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::metric::history_of;

    /// The number of epochs after which training stops, if it does.
    fn stops_after(stopping: EarlyStopping, values: &[f64]) -> Option<usize> {
        let history = history_of(stopping.metric, values);
        (0..=values.len()).find(|&epochs| stopping.stops(&history[..epochs]))
    }

    #[test]
    fn training_stops_after_epochs_without_an_improvement() {
        let stopping = EarlyStopping { patience: 2, ..EarlyStopping::default() };
        assert_eq!(stops_after(stopping, &[0.5, 0.4, 0.3, 0.2]), None);
        assert_eq!(
            stops_after(stopping, &[0.5, 0.6, 0.4, 0.45, 0.4, 0.1]),
            Some(5),
            "an equal value is no improvement"
        );
        assert_eq!(stops_after(stopping, &[0.5, 0.6, 0.7, 0.1]), Some(3));
        assert_eq!(stops_after(stopping, &[f64::NAN, 0.5, f64::NAN, f64::NAN]), Some(4));
        let accuracy = EarlyStopping { metric: Metric::ValAccuracy, ..stopping };
        assert_eq!(stops_after(accuracy, &[0.5, 0.6, 0.7, 0.1]), None);
        assert_eq!(stops_after(accuracy, &[0.7, 0.6, 0.5, 0.8]), Some(3));
        assert_eq!(stops_after(EarlyStopping { patience: 1, ..stopping }, &[0.5, 0.5]), Some(2));
    }

    #[test]
    fn small_improvements_do_not_count_until_they_add_up() {
        let stopping = EarlyStopping { patience: 2, min_delta: 0.125, ..EarlyStopping::default() };
        assert_eq!(stops_after(stopping, &[1.0, 0.875, 0.75, 0.75, 0.625]), Some(5));
        assert_eq!(stops_after(stopping, &[1.0, 0.875, 0.8125, 0.75]), None, "0.8125 is 0.1875 less than 1");
        let history = history_of(Metric::ValLoss, &[1.0, 0.875, 0.9]);
        assert!(stopping.stops(&history));
        assert_eq!(stopping.best_epoch(&history), Some(2), "the best model counts by any margin");
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let refused = |stopping: EarlyStopping| stopping.check().unwrap_err().to_string();
        assert_eq!(EarlyStopping::default().check(), Ok(()));
        let nothing = EarlyStopping { patience: 0, ..EarlyStopping::default() };
        assert!(refused(nothing).contains("`early_stopping.patience` is 0"));
        for min_delta in [-1.0, f64::NAN, f64::INFINITY] {
            let error = refused(EarlyStopping { min_delta, ..EarlyStopping::default() });
            assert!(error.contains(&format!("`early_stopping.min_delta` is {min_delta}")), "{error}");
        }
    }

    #[test]
    fn settings_are_a_table() {
        let stopping: EarlyStopping = toml::from_str("metric = \"val-accuracy\"\npatience = 3").unwrap();
        assert_eq!(stopping, EarlyStopping { metric: Metric::ValAccuracy, patience: 3, min_delta: 0.0 });
        assert_eq!(stopping.to_string(), "stopping after 3 epochs without a better validation accuracy");
        assert!(toml::from_str::<EarlyStopping>("patients = 3").is_err());
    }
}
