//! Learning rates compared with PyTorch's schedulers, at every update of short runs. `golden/schedules.py` computed the
//! expected values.

use gpunet::low_level::run::history::EpochRecord;
use gpunet::low_level::run::schedule::{RunLength, Schedule};
use serde::Deserialize;

/// As in `golden/schedules.py`.
const RATE: f64 = 0.3;

/// PyTorch computes each rate from the previous one, with a few roundings of 1e-16 each. Near the end of a cosine,
/// where 1 + cos is small, the error is about 500 times as large.
const RELATIVE: f64 = 1e-12;

/// A run under one schedule. The docstring of `golden/schedules.py` describes the fields.
#[derive(Deserialize)]
struct Case {
    schedule: String,
    from: String,
    updates_per_epoch: u64,
    epochs: usize,
    val_loss: Option<Vec<f64>>,
    val_accuracy: Option<Vec<f64>>,
    rates: Vec<f64>,
}

impl Case {
    fn load() -> Vec<Case> {
        serde_json::from_str(include_str!("../golden/schedules.json")).unwrap()
    }

    /// The records of the whole run. Every field that a schedule must not use is NaN.
    fn history(&self) -> Vec<EpochRecord> {
        let value = |values: &Option<Vec<f64>>, epoch: usize| values.as_ref().map(|values| values[epoch]);
        let record = |epoch| EpochRecord {
            epoch: epoch + 1,
            train_loss: f64::NAN,
            train_accuracy: f64::NAN,
            val_loss: value(&self.val_loss, epoch),
            val_accuracy: value(&self.val_accuracy, epoch),
            learning_rate: f64::NAN,
            seconds: f64::NAN,
        };
        (0..self.epochs).map(record).collect()
    }
}

#[test]
fn every_update_has_the_rate_of_pytorch() {
    for case in Case::load() {
        let schedule = Schedule::parse(&case.schedule).unwrap();
        assert_eq!(schedule.check(case.epochs), Ok(()), "{}", case.schedule);
        let length = RunLength { updates_per_epoch: case.updates_per_epoch, epochs: case.epochs };
        let history = case.history();
        let rates: Vec<f64> = (0..case.epochs)
            .flat_map(|epoch| schedule.factors(length, &history[..epoch]))
            .map(|factor| RATE * factor)
            .collect();
        assert_eq!(rates.len(), case.rates.len(), "{}", case.schedule);
        let mut worst = 0.0f64;
        for (update, (&rate, &expected)) in rates.iter().zip(&case.rates).enumerate() {
            let error = (rate - expected).abs() / expected;
            worst = worst.max(error);
            assert!(
                error <= RELATIVE,
                "{}: update {update} has rate {rate:e}, {} has {expected:e}",
                case.schedule,
                case.from
            );
        }
        println!("{}: off by at most {worst:.1e} of {}", case.schedule, case.from);
    }
}

#[test]
fn every_schedule_is_compared() {
    let compared: Vec<&str> = Case::load().iter().map(|case| Schedule::parse(&case.schedule).unwrap().name()).collect();
    for name in Schedule::NAMES {
        assert!(compared.contains(&name), "{name} is not compared");
    }
}
