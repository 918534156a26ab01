//! Learning-rate schedules: factors on the base learning rate, as a pure function of the run so far.
//!
//! A schedule is an optional linear warm-up followed by a [`Decay`]. It keeps no state: a decay that depends on the
//! past reads the run's history. So a resumed run uses the same rates as one that was never interrupted.

mod decay;
mod plateau;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use decay::Decay;
use decay::Elapsed;
pub use plateau::Plateau;

use crate::run::history::EpochRecord;
use crate::settings::SettingError;
use crate::settings::{self, SpecError};

/// How the learning rate changes during a run. In a recipe, warm-up and decay share one table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Schedule {
    /// Length of the warm-up in epochs; fractions are allowed. The rate rises linearly to its full value (Goyal et al.,
    /// "Accurate, large minibatch SGD", 2017). With W = round(warmup * updates per epoch), update u, counted from 0,
    /// has the factor (u + 1) / W.
    pub warmup: f64,
    /// The decay after the warm-up. It counts epochs and updates from the end of the warm-up.
    #[serde(flatten)]
    pub decay: Decay,
}

/// Planned length of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLength {
    /// Parameter updates per epoch.
    pub updates_per_epoch: u64,
    /// Epochs of the whole run. Decays that end with the run depend on this number: extending a run makes the rate jump
    /// to that of the longer schedule.
    pub epochs: usize,
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule { warmup: 0.0, decay: Decay::Constant {} }
    }
}

impl Schedule {
    /// Names of all decays.
    pub const NAMES: [&'static str; 9] = [
        "constant",
        "step",
        "exponential",
        "inverse-time",
        "inverse-sqrt",
        "polynomial",
        "cosine",
        "one-cycle",
        "plateau",
    ];

    /// The schedule with this decay, default settings and no warm-up.
    ///
    /// # Errors
    /// Unknown names; [`Schedule::NAMES`] lists the known ones.
    pub fn named(name: &str) -> Result<Schedule, SpecError> {
        let table = toml::Table::from_iter([("name".to_string(), name.into())]);
        Schedule::try_from(table)
    }

    /// Parses `step:every=10:factor=0.5:warmup=2`; see [`settings::parse`].
    ///
    /// # Errors
    /// Unknown decays or settings.
    pub fn parse(text: &str) -> Result<Schedule, SpecError> {
        settings::parse(text)
    }

    /// The decay's name.
    pub fn name(&self) -> &'static str {
        self.decay.name()
    }

    /// Factors on the base learning rate for the epoch after `history`, one per update.
    pub fn factors(&self, length: RunLength, history: &[EpochRecord]) -> impl Iterator<Item = f64> + use<> {
        let Schedule { warmup, decay } = *self;
        let RunLength { updates_per_epoch, epochs } = length;
        let warmup = (warmup * updates_per_epoch as f64).round() as u64;
        let decaying = (updates_per_epoch * epochs as u64).saturating_sub(warmup);
        // Only epochs that began after the warm-up show whether the full rate still helps.
        let judged = history.get(warmup.div_ceil(updates_per_epoch.max(1)) as usize..).unwrap_or(&[]);
        let reduced = if let Decay::Plateau(plateau) = decay { plateau.factor(judged) } else { 1.0 };

        let first = history.len() as u64 * updates_per_epoch;
        (first..first + updates_per_epoch).map(move |update| {
            let Some(done) = update.checked_sub(warmup) else {
                return (update + 1) as f64 / warmup as f64;
            };
            reduced * decay.factor(Elapsed { epochs: done / updates_per_epoch, updates: done, of: decaying })
        })
    }

    /// Checks the settings for a run of `epochs` epochs.
    ///
    /// # Errors
    /// The first setting out of its range, or a warm-up as long as the run.
    pub fn check(&self, epochs: usize) -> Result<(), SettingError> {
        let sound = self.warmup >= 0.0 && self.warmup.is_finite();
        SettingError::unless(sound, "schedule.warmup", self.warmup, "a warm-up lasts 0 or more epochs")?;
        if self.warmup >= epochs as f64 {
            let why =
                format!("a warm-up of {} leaves nothing of a run of {}", plural(self.warmup), plural(epochs as f64));
            return Err(SettingError::Contradiction { keys: ["schedule.warmup", "epochs"], why });
        }
        self.decay.check()
    }
}

impl TryFrom<toml::Table> for Schedule {
    type Error = SpecError;

    /// Done by hand: with serde's `flatten`, error messages would not list `warmup` among the known settings.
    fn try_from(mut table: toml::Table) -> Result<Schedule, SpecError> {
        #[derive(Deserialize)]
        struct Warmup {
            #[serde(default)]
            warmup: f64,
        }
        let Warmup { warmup } = settings::from_table(&table)?;
        table.remove("warmup");
        let decay = settings::from_table(&table).map_err(|error| error.or_key("warmup"))?;
        Ok(Schedule { warmup, decay })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decay.fmt(f)?;
        if self.warmup > 0.0 { write!(f, " after {} of warm-up", plural(self.warmup)) } else { Ok(()) }
    }
}

/// A number of epochs with its unit.
fn plural(epochs: f64) -> String {
    format!("{epochs} {}", if epochs == 1.0 { "epoch" } else { "epochs" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::metric::{Metric, history_of};

    /// The factors of all updates of a run.
    fn factors(text: &str, updates_per_epoch: u64, epochs: usize) -> Vec<f64> {
        let schedule = Schedule::parse(text).unwrap();
        let history = history_of(Metric::ValLoss, &vec![1.0; epochs]);
        let length = RunLength { updates_per_epoch, epochs };
        (0..epochs).flat_map(|done| schedule.factors(length, &history[..done])).collect()
    }

    #[test]
    fn the_warm_up_is_linear_and_the_decay_begins_after_it() {
        assert_eq!(
            factors("constant:warmup=1.5", 4, 2),
            [1.0 / 6.0, 2.0 / 6.0, 0.5, 4.0 / 6.0, 5.0 / 6.0, 1.0, 1.0, 1.0]
        );
        assert_eq!(factors("step:every=1:factor=0.5:warmup=0.5", 2, 3), [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]);
        assert_eq!(factors("polynomial:warmup=1", 2, 3), [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]);
        assert_eq!(factors("constant:warmup=0.3", 4, 1), [1.0; 4], "1.2 updates round to 1");
        assert_eq!(factors("polynomial:warmup=0.9", 1, 1), [1.0], "a warm-up may round to the whole run");
    }

    #[test]
    fn factors_are_from_0_to_1_even_in_short_runs() {
        for name in Schedule::NAMES {
            for (updates, epochs) in [(1, 1), (1, 2), (10, 1), (3, 7), (10, 3)] {
                for factor in factors(name, updates, epochs) {
                    assert!((0.0..=1.0).contains(&factor), "{name}, {epochs} epochs of {updates}: {factor}");
                }
            }
        }
        // The peak of this cycle is the very first update.
        assert_eq!(factors("one-cycle:rise=0.25", 4, 1)[0], 1.0);
        assert!(factors("cosine", 0, 3).is_empty());
    }

    #[test]
    fn a_plateau_is_counted_from_the_end_of_the_warm_up() {
        let at = |text: &str, losses: &[f64]| {
            let length = RunLength { updates_per_epoch: 4, epochs: 10 };
            Schedule::parse(text).unwrap().factors(length, &history_of(Metric::ValLoss, losses)).last().unwrap()
        };
        assert_eq!(at("plateau:patience=1", &[1.0, 1.0, 1.0]), 0.1);
        // The second epoch begins during the warm-up, so the third is the first that counts.
        assert_eq!(at("plateau:patience=1:warmup=1.25", &[1.0, 1.0, 2.0, 2.0]), 1.0);
        assert_eq!(at("plateau:patience=1:warmup=1.25", &[1.0, 1.0, 2.0, 2.0, 2.0]), 0.1);
    }

    #[test]
    fn tables_are_flat_and_round_trip() {
        let schedule: Schedule = toml::from_str("name = \"cosine\"\nwarmup = 2\nend = 0.01").unwrap();
        assert_eq!(schedule, Schedule { warmup: 2.0, decay: Decay::Cosine { end: 0.01 } });
        for name in Schedule::NAMES {
            let schedule = Schedule { warmup: 0.5, ..Schedule::named(name).unwrap() };
            assert_eq!(schedule.name(), name);
            let text = toml::to_string(&schedule).unwrap();
            assert_eq!(toml::from_str::<Schedule>(&text).unwrap(), schedule, "{text}");
            assert_eq!(Schedule::parse(&format!("{name}:warmup=0.5")).unwrap(), schedule);
        }
        assert_eq!(Schedule::named("constant"), Ok(Schedule::default()));
    }

    #[test]
    fn unknown_names_and_settings_are_refused() {
        let says = |text: &str| Schedule::parse(text).unwrap_err().to_string();
        assert_eq!(says("cosin"), "there is no `cosin`; did you mean `cosine`?");
        assert_eq!(says("none"), format!("there is no `none`; choose from {}", Schedule::NAMES.join(", ")));
        assert_eq!(says("constant:x=1"), "there is no setting `x`; choose from warmup");
        assert_eq!(says("inverse-sqrt:wramup=1"), "there is no setting `wramup`; did you mean `warmup`?");
        assert_eq!(says("plateau:patiense=1"), "there is no setting `patiense`; did you mean `patience`?");
        assert_eq!(says("plateau:metric=train-loss"), "there is no `train-loss`; choose from val-loss, val-accuracy");
        assert_eq!(says("cosine:warmup=x"), "`warmup` is \"x\"; it must be a number");
        assert_eq!(says("step:every=-1"), "`every` is -1; it must be a whole number, 0 or more");
        let error = toml::from_str::<Schedule>("name = \"step\"\nevry = 3").unwrap_err();
        assert!(error.message().contains("did you mean `every`?"), "{error}");
    }

    #[test]
    fn warm_ups_that_make_no_sense_are_refused() {
        let check = |text: &str| Schedule::parse(text).unwrap().check(3).map_err(|error| error.to_string());
        for name in Schedule::NAMES {
            assert_eq!(check(name), Ok(()));
        }
        assert_eq!(check("constant:warmup=2.5"), Ok(()));
        assert_eq!(
            check("constant:warmup=-1"),
            Err("`schedule.warmup` is -1; a warm-up lasts 0 or more epochs".into())
        );
        for nonsense in ["nan", "inf"] {
            assert!(check(&format!("constant:warmup={nonsense}")).unwrap_err().contains("0 or more epochs"));
        }
        assert!(
            check("constant:warmup=3")
                .unwrap_err()
                .contains("a warm-up of 3 epochs leaves nothing of a run of 3 epochs")
        );
    }

    #[test]
    fn schedules_are_described_in_one_line() {
        let phrase = |text: &str| Schedule::parse(text).unwrap().to_string();
        assert_eq!(phrase("constant"), "constant rate");
        assert_eq!(phrase("cosine:warmup=1"), "cosine decay after 1 epoch of warm-up");
        assert_eq!(phrase("polynomial:power=2:end=0.01"), "polynomial decay of power 2 to 0.01 of the rate");
        assert_eq!(phrase("inverse-time:compounding=true"), "compounding inverse-time decay by 0.1");
        assert_eq!(
            phrase("plateau:warmup=0.5"),
            "rate times 0.1 on plateaus of validation loss after 0.5 epochs of warm-up"
        );
    }
}
