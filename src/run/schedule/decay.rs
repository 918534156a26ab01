//! How the learning rate falls after the warm-up.

use std::f64::consts::PI;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Plateau, plural};
use crate::settings::SettingError;

/// A decay with its settings, as a factor on the base learning rate.
///
/// In the formulas, t is the number of whole epochs since the end of the warm-up, from 0. p = s / S is the share of the
/// updates after the warm-up that are done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Decay {
    /// 1. The variant has braces because serde accepts unknown settings for unit variants.
    Constant {},
    /// `factor^floor(t / every)`.
    Step {
        /// Epochs between two steps.
        #[serde(default = "default::every")]
        every: usize,
        /// What each step multiplies the rate by.
        #[serde(default = "default::step_factor")]
        factor: f64,
    },
    /// `factor^t`.
    Exponential {
        /// What each epoch multiplies the rate by.
        #[serde(default = "default::epoch_factor")]
        factor: f64,
    },
    /// `1 / (1 + decay t)`. Robbins and Monro, "A stochastic approximation method", 1951, explain why rates should fall
    /// like 1 / t. With `compounding`, the product of `1 / (1 + decay i)` over all i < t: the end of epoch i, counted
    /// from 0, divides the rate by `1 + decay i`.
    InverseTime {
        /// Decay per epoch.
        #[serde(default = "default::decay")]
        decay: f64,
        /// Whether the divisors of all past epochs multiply.
        #[serde(default)]
        compounding: bool,
    },
    /// `1 / sqrt(t + 1)`.
    InverseSqrt {},
    /// `(1 - p)^power (1 - end) + end`.
    Polynomial {
        /// Exponent; 1 is a linear decay.
        #[serde(default = "default::power")]
        power: f64,
        /// Final factor.
        #[serde(default)]
        end: f64,
    },
    /// `end + (1 - end) (1 + cos(pi p)) / 2` (Loshchilov and Hutter, "SGDR", ICLR 2017), without restarts.
    Cosine {
        /// Final factor.
        #[serde(default)]
        end: f64,
    },
    /// Half a cosine up to the base rate, the maximum, then half a cosine down to nearly zero (Smith and Topin,
    /// "Super-convergence", 2018). As PyTorch's `OneCycleLR`, but momentum does not change.
    OneCycle {
        /// Share of the updates in which the rate rises.
        #[serde(default = "default::rise")]
        rise: f64,
        /// The first update uses the base rate divided by this.
        #[serde(default = "default::start_divisor")]
        start_divisor: f64,
        /// The last update uses the first update's rate divided by this.
        #[serde(default = "default::end_divisor")]
        end_divisor: f64,
    },
    /// Reductions when the validation metric stops improving.
    Plateau(Plateau),
}

/// Default settings as functions, for serde. Where PyTorch has a default, this is the same.
mod default {
    macro_rules! defaults {
        ($($name:ident: $kind:ty = $value:expr;)*) => {
            $(pub const fn $name() -> $kind { $value })*
        };
    }

    defaults! {
        every: usize = 10;
        step_factor: f64 = 0.1;
        epoch_factor: f64 = 0.95;
        decay: f64 = 0.1;
        power: f64 = 1.0;
        rise: f64 = 0.3;
        start_divisor: f64 = 25.0;
        end_divisor: f64 = 1e4;
    }
}

/// Progress after the warm-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elapsed {
    /// Whole epochs done: t in the formulas.
    pub epochs: u64,
    /// Updates done: s.
    pub updates: u64,
    /// All updates after the warm-up: S.
    pub of: u64,
}

impl Decay {
    /// Its name in a recipe.
    pub fn name(&self) -> &'static str {
        match self {
            Decay::Constant {} => "constant",
            Decay::Step { .. } => "step",
            Decay::Exponential { .. } => "exponential",
            Decay::InverseTime { .. } => "inverse-time",
            Decay::InverseSqrt {} => "inverse-sqrt",
            Decay::Polynomial { .. } => "polynomial",
            Decay::Cosine { .. } => "cosine",
            Decay::OneCycle { .. } => "one-cycle",
            Decay::Plateau(_) => "plateau",
        }
    }

    /// The factor at this point. [`Decay::Plateau`] gives 1 here, because its reductions come from the history.
    pub(super) fn factor(&self, elapsed: Elapsed) -> f64 {
        let t = elapsed.epochs as f64;
        let share = (elapsed.updates as f64 / elapsed.of as f64).min(1.0);
        match *self {
            Decay::Constant {} | Decay::Plateau(_) => 1.0,
            Decay::Step { every, factor } => factor.powf((elapsed.epochs / every as u64) as f64),
            Decay::Exponential { factor } => factor.powf(t),
            Decay::InverseTime { decay, compounding: false } => 1.0 / (1.0 + decay * t),
            Decay::InverseTime { decay, compounding: true } => {
                (0..elapsed.epochs).fold(1.0, |rate, i| rate / (1.0 + decay * i as f64))
            }
            Decay::InverseSqrt {} => 1.0 / (t + 1.0).sqrt(),
            Decay::Polynomial { power, end } => end + (1.0 - end) * (1.0 - share).powf(power),
            Decay::Cosine { end } => cosine(1.0, end, share),
            Decay::OneCycle { rise, start_divisor, end_divisor } => {
                let start = 1.0 / start_divisor;
                // Counted as in PyTorch: the last update has the last rate, not the end of the run.
                let (update, last) = (elapsed.updates as f64, elapsed.of as f64 - 1.0);
                let peak = rise * elapsed.of as f64 - 1.0;
                if update < peak {
                    cosine(start, 1.0, update / peak)
                } else {
                    cosine(1.0, start / end_divisor, ((update - peak) / (last - peak)).min(1.0))
                }
            }
        }
    }

    /// Checks the settings.
    pub(super) fn check(&self) -> Result<(), SettingError> {
        let factor_is_sound = |factor: f64| {
            let (sound, must) = (factor > 0.0 && factor <= 1.0, "it must be more than 0 and at most 1");
            SettingError::unless(sound, "schedule.factor", factor, must)
        };
        let end_is_sound =
            |end: f64| SettingError::unless((0.0..=1.0).contains(&end), "schedule.end", end, "it must be from 0 to 1");
        match *self {
            Decay::Constant {} | Decay::InverseSqrt {} => Ok(()),
            Decay::Step { every, factor } => {
                SettingError::unless(every > 0, "schedule.every", every, "it must be 1 epoch or more")?;
                factor_is_sound(factor)
            }
            Decay::Exponential { factor } => factor_is_sound(factor),
            Decay::InverseTime { decay, .. } => {
                let must = "it must be 0 or more";
                SettingError::unless(decay >= 0.0 && decay.is_finite(), "schedule.decay", decay, must)
            }
            Decay::Polynomial { power, end } => {
                let must = "it must be more than 0";
                SettingError::unless(power > 0.0 && power.is_finite(), "schedule.power", power, must)?;
                end_is_sound(end)
            }
            Decay::Cosine { end } => end_is_sound(end),
            Decay::OneCycle { rise, start_divisor, end_divisor } => {
                let must = "it must be more than 0 and less than 1";
                SettingError::unless(rise > 0.0 && rise < 1.0, "schedule.rise", rise, must)?;
                let divisors = [("schedule.start_divisor", start_divisor), ("schedule.end_divisor", end_divisor)];
                divisors.into_iter().try_for_each(|(key, divisor)| {
                    SettingError::unless(divisor >= 1.0 && divisor.is_finite(), key, divisor, "it must be 1 or more")
                })
            }
            Decay::Plateau(plateau) => plateau.check(),
        }
    }
}

/// The value at `share` of half a cosine between `from` and `to`.
fn cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * share).cos()) / 2.0
}

impl fmt::Display for Decay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = |end: f64| if end > 0.0 { format!(" to {end} of the rate") } else { String::new() };
        match *self {
            Decay::Constant {} => write!(f, "constant rate"),
            Decay::Step { every: 1, factor } | Decay::Exponential { factor } => {
                write!(f, "rate times {factor} every epoch")
            }
            Decay::Step { every, factor } => write!(f, "rate times {factor} every {}", plural(every as f64)),
            Decay::InverseTime { decay, compounding } => {
                write!(f, "{}inverse-time decay by {decay}", if compounding { "compounding " } else { "" })
            }
            Decay::InverseSqrt {} => write!(f, "inverse-square-root decay"),
            Decay::Polynomial { power: 1.0, end } => write!(f, "linear decay{}", to(end)),
            Decay::Polynomial { power, end } => write!(f, "polynomial decay of power {power}{}", to(end)),
            Decay::Cosine { end } => write!(f, "cosine decay{}", to(end)),
            Decay::OneCycle { .. } => write!(f, "one cycle"),
            Decay::Plateau(Plateau { factor, metric, .. }) => write!(f, "rate times {factor} on plateaus of {metric}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Schedule;

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for (text, says) in [
            ("step:every=0", "`schedule.every` is 0"),
            ("step:factor=0", "`schedule.factor` is 0"),
            ("step:factor=1.5", "`schedule.factor` is 1.5"),
            ("exponential:factor=nan", "`schedule.factor` is NaN"),
            ("exponential:factor=-0.5", "`schedule.factor` is -0.5"),
            ("inverse-time:decay=-1", "`schedule.decay` is -1"),
            ("inverse-time:decay=inf", "`schedule.decay` is inf"),
            ("polynomial:power=0", "`schedule.power` is 0"),
            ("polynomial:power=inf", "`schedule.power` is inf"),
            ("polynomial:end=1.1", "`schedule.end` is 1.1"),
            ("cosine:end=-0.1", "`schedule.end` is -0.1"),
            ("one-cycle:rise=0", "`schedule.rise` is 0"),
            ("one-cycle:rise=1", "`schedule.rise` is 1"),
            ("one-cycle:start_divisor=0.5", "`schedule.start_divisor` is 0.5"),
            ("one-cycle:end_divisor=inf", "`schedule.end_divisor` is inf"),
        ] {
            let error = Schedule::parse(text).unwrap().check(3).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        for text in ["step:every=1:factor=1", "polynomial:end=1", "inverse-time:decay=0", "one-cycle:start_divisor=1"] {
            assert_eq!(Schedule::parse(text).unwrap().check(3), Ok(()), "{text}");
        }
    }
}
