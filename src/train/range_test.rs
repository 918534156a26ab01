//! The learning-rate range test: a short training in which the rate grows from nearly nothing until the loss explodes.
//!
//! Smith, "Cyclical learning rates for training neural networks", WACV 2017; the exponential growth, the smoothing and the
//! stop are those of fastai's `lr_find` (Howard and Gugger, 2018). The model is thrown away.

mod curve;

use std::ops::ControlFlow;

pub use curve::{RangeCurve, RangePoint};

use super::Metrics;
use super::training::Training;
use crate::backend::Backend;
use crate::data::Dataset;
use crate::error::Error;
use crate::run::config::Config;
use crate::settings::{SettingError, is_positive};

/// Which rates are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeTestOptions {
    /// Rate of the first update.
    pub from: f64,
    /// Rate of the last.
    pub to: f64,
    /// Updates, each at a constant factor above the one before. They take as many passes over the training data as it needs, so
    /// that small sets have as fine a curve as large ones.
    pub updates: usize,
}

impl Default for RangeTestOptions {
    fn default() -> RangeTestOptions {
        RangeTestOptions { from: 1e-6, to: 10.0, updates: 200 }
    }
}

/// Trains a new model as `config` says, but at growing rates, and records the losses.
///
/// # Errors
/// Settings that make no sense or do not fit the data, or a device that fails. A loss that explodes is no error.
pub fn range_test(
    config: &Config,
    dataset: &Dataset,
    backend: &dyn Backend,
    options: &RangeTestOptions,
) -> Result<RangeCurve, Error> {
    options.check()?;
    let mut trainer = Training::begin(config, dataset, backend)?;
    let base = config.optimizer.learning_rate();
    let mut curve = RangeCurve::default();
    let (mut done, mut flow) = (0, ControlFlow::Continue(()));
    for epoch in 1.. {
        let factors = (done..options.updates).map(|update| options.rate(update) / base);
        let steps = trainer.steps(epoch, done as u64, factors);
        if steps.is_empty() || flow.is_break() {
            break;
        }
        // An update may be made from several batches.
        let mut of_update = Metrics::default();
        let mut ends = steps.iter().map(|step| step.updates != 0);
        trainer.run_steps(&steps, &mut |batches| {
            flow = batches.iter().try_for_each(|batch| {
                of_update.add(batch);
                if ends.next() != Some(true) {
                    return ControlFlow::Continue(());
                }
                curve.add(options.rate(curve.points.len()), std::mem::take(&mut of_update).loss())
            });
            flow
        })?;
        done += steps.iter().filter(|step| step.updates != 0).count();
    }
    Ok(curve)
}

impl RangeTestOptions {
    /// The rate of an update, counted from 0: `from (to / from)^(update / (updates - 1))`.
    fn rate(&self, update: usize) -> f64 {
        self.from * (self.to / self.from).powf(update as f64 / (self.updates - 1) as f64)
    }

    /// Checks them.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), SettingError> {
        let must = "a learning rate must be a positive f32, such as 0.001";
        SettingError::unless(is_positive(self.from), "from", format!("{:?}", self.from), must)?;
        SettingError::unless(is_positive(self.to), "to", format!("{:?}", self.to), must)?;
        let must = "a curve needs from 10 to 10,000 updates";
        SettingError::unless((10..=10_000).contains(&self.updates), "updates", self.updates, must)?;
        if self.from >= self.to {
            let why = format!("the rate grows, but not from {:?} to {:?}", self.from, self.to);
            return Err(SettingError::Contradiction { keys: ["from", "to"], why });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_grow_by_one_factor() {
        let options = RangeTestOptions { from: 1e-4, to: 1.0, updates: 41 };
        for (update, rate) in [(0, 1e-4), (10, 1e-3), (40, 1.0)] {
            assert!((options.rate(update) / rate - 1.0).abs() < 1e-12, "{update}");
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let sound = RangeTestOptions::default();
        assert_eq!(sound.check(), Ok(()));
        for (options, says) in [
            (RangeTestOptions { from: 0.0, ..sound }, "`from` is 0.0"),
            (RangeTestOptions { to: f64::NAN, ..sound }, "`to` is NaN"),
            (RangeTestOptions { to: 1e39, ..sound }, "`to` is 1e39"),
            (RangeTestOptions { updates: 9, ..sound }, "`updates` is 9"),
            (RangeTestOptions { from: 1.0, to: 1.0, ..sound }, "not from 1.0 to 1.0"),
        ] {
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
