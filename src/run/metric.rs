//! The validation metric by which schedules and early stopping judge an epoch.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::run::history::EpochRecord;

/// A metric on the validation set. The test set never influences training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Mean loss on the validation set; lower is better.
    #[default]
    ValLoss,
    /// Accuracy on the validation set, 0 to 1; higher is better.
    ValAccuracy,
}

impl Metric {
    /// The metric's value in an epoch; `None` without a validation set.
    pub fn of(self, record: &EpochRecord) -> Option<f64> {
        match self {
            Metric::ValLoss => record.val_loss,
            Metric::ValAccuracy => record.val_accuracy,
        }
    }

    /// The values of a history in order. A missing value is NaN, which improves on nothing.
    pub(crate) fn values(self, history: &[EpochRecord]) -> impl Iterator<Item = f64> {
        history.iter().map(move |record| self.of(record).unwrap_or(f64::NAN))
    }

    /// A value that every number improves on.
    pub(crate) fn worst(self) -> f64 {
        match self {
            Metric::ValLoss => f64::INFINITY,
            Metric::ValAccuracy => f64::NEG_INFINITY,
        }
    }

    /// How much better `value` is than `best`: negative if it is worse, NaN if it is NaN.
    pub(crate) fn gain(self, value: f64, best: f64) -> f64 {
        match self {
            Metric::ValLoss => best - value,
            Metric::ValAccuracy => value - best,
        }
    }

    /// The epoch, counted from 1, with the best value; the first of equals. `None` if every value is NaN or infinitely
    /// bad.
    pub fn best_epoch(self, history: &[EpochRecord]) -> Option<usize> {
        let (mut best, mut epoch) = (self.worst(), None);
        for (record, value) in history.iter().zip(self.values(history)) {
            if self.gain(value, best) > 0.0 {
                (best, epoch) = (value, Some(record.epoch));
            }
        }
        epoch
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Metric::ValLoss => "validation loss",
            Metric::ValAccuracy => "validation accuracy",
        })
    }
}

/// A history in which `metric` has these values and all other figures are NaN.
#[cfg(test)]
pub(crate) fn history_of(metric: Metric, values: &[f64]) -> Vec<EpochRecord> {
    let record = |(index, &value): (usize, &f64)| {
        let mut record = EpochRecord {
            epoch: index + 1,
            train_loss: f64::NAN,
            train_accuracy: f64::NAN,
            val_loss: None,
            val_accuracy: None,
            learning_rate: f64::NAN,
            seconds: f64::NAN,
        };
        match metric {
            Metric::ValLoss => record.val_loss = Some(value),
            Metric::ValAccuracy => record.val_accuracy = Some(value),
        }
        record
    };
    values.iter().enumerate().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_epoch_is_the_first_of_equals() {
        let best = |metric: Metric, values: &[f64]| metric.best_epoch(&history_of(metric, values));
        assert_eq!(best(Metric::ValLoss, &[0.5, 0.3, 0.4, 0.3]), Some(2));
        assert_eq!(best(Metric::ValAccuracy, &[0.5, 0.3, 0.9, 0.9]), Some(3));
        assert_eq!(best(Metric::ValLoss, &[f64::NAN, 0.3, f64::NAN]), Some(2));
        assert_eq!(best(Metric::ValLoss, &[f64::NAN, f64::INFINITY]), None);
        assert_eq!(best(Metric::ValAccuracy, &[]), None);
    }
}
