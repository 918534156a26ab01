//! The learning-rate range test: a short training in which the rate grows from nearly nothing until the loss explodes.
//!
//! Smith, "Cyclical learning rates for training neural networks", WACV 2017; the exponential growth, the smoothing and the
//! stop are those of fastai's `lr_find` (Howard and Gugger, 2018). The model is thrown away.

mod curve;

use std::ops::ControlFlow;

pub use curve::{RangeCurve, RangePoint};

use super::trainer::epoch_steps;
use crate::backend::Backend;
use crate::config::{Config, ConfigError, is_positive};
use crate::data::{Dataset, Normalization, Part};
use crate::error::Error;
use crate::model::{Model, TrainingOptions};
use crate::plan::Phase;

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
    config.validate()?;
    dataset.check_arch(&config.arch)?;
    let examples = dataset.part(Part::Train).len();
    let batch = config.batch.min(examples.max(1));
    let model = Model::new(&config.arch);
    let training = TrainingOptions { batch, optimizer: config.optimizer, ..TrainingOptions::default() };
    let recording = model.record_training(dataset.shape(Normalization::UNIT), &training)?;
    let mut program = backend.load(&recording.plan)?;
    recording.upload(program.as_mut(), dataset)?;
    model.initialize(&recording, program.as_mut(), config.seed)?;

    let mut curve = RangeCurve::default();
    let (mut done, mut flow) = (0, ControlFlow::Continue(()));
    for epoch in 1.. {
        let mut steps = epoch_steps(config, batch, examples, epoch, done as u64);
        steps.truncate(options.updates - done);
        if steps.is_empty() || flow.is_break() {
            break;
        }
        for (step, update) in steps.iter_mut().zip(done..) {
            step.learning_rate = options.rate(update) as f32;
        }
        program.run(Phase::Shuffle, &steps[..1], &mut |_| ControlFlow::Continue(()))?;
        program.run(Phase::Train, &steps, &mut |batches| {
            flow = batches.iter().try_for_each(|batch| {
                let loss = f64::from(batch.loss_sum) / f64::from(batch.rows);
                curve.add(options.rate(curve.points.len()), loss)
            });
            flow
        })?;
        done += steps.len();
    }
    Ok(curve)
}

impl RangeTestOptions {
    /// The rate of an update, counted from 0: `from (to / from)^(update / (updates - 1))`.
    fn rate(&self, update: usize) -> f64 {
        self.from * (self.to / self.from).powf(update as f64 / (self.updates - 1) as f64)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let must = "a learning rate must be a positive f32, such as 0.001";
        ConfigError::unless(is_positive(self.from), "range_test.from", format!("{:?}", self.from), must)?;
        ConfigError::unless(is_positive(self.to), "range_test.to", format!("{:?}", self.to), must)?;
        let must = "a curve needs at least 10 updates";
        ConfigError::unless(self.updates >= 10, "range_test.updates", self.updates, must)?;
        if self.from >= self.to {
            let why = format!("the rate grows, but not from {:?} to {:?}", self.from, self.to);
            return Err(ConfigError::Contradiction { keys: ["range_test.from", "range_test.to"], why });
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
            (RangeTestOptions { from: 0.0, ..sound }, "`range_test.from` is 0.0"),
            (RangeTestOptions { to: f64::NAN, ..sound }, "`range_test.to` is NaN"),
            (RangeTestOptions { to: 1e39, ..sound }, "`range_test.to` is 1e39"),
            (RangeTestOptions { updates: 9, ..sound }, "`range_test.updates` is 9"),
            (RangeTestOptions { from: 1.0, to: 1.0, ..sound }, "not from 1.0 to 1.0"),
        ] {
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
