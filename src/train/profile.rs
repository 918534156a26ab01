//! Where the time of a run's steps goes.

use super::training::Training;
use crate::backend::Backend;
use crate::data::Dataset;
use crate::error::Error;
use crate::plan::Phase;
use crate::profile::{Profile, TIMED_STEPS, WARM_UP_STEPS};
use crate::run::config::Config;

/// Times the launches of a run's first steps; nothing of what they learn is kept.
///
/// # Errors
/// As [`super::train`] and [`Profile::measure`].
pub fn profile(config: &Config, dataset: &Dataset, backend: &dyn Backend) -> Result<Profile, Error> {
    let mut trainer = Training::begin(config, dataset, backend)?;
    let steps = trainer.steps(1, 0, std::iter::repeat(1.0));
    let few = &steps[..steps.len().min(WARM_UP_STEPS + TIMED_STEPS)];
    Ok(Profile::measure(Phase::Train, few, trainer.program(), backend)?)
}
