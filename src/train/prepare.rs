//! What comes before training: the plan, and whether it can be.

use crate::backend::Backend;
use crate::config::{Batching, Config};
use crate::data::{Dataset, Normalization, Part};
use crate::error::Error;
use crate::model::{Model, Recording, TrainingOptions};

/// Whether [`super::train`] could begin, found without loading or writing anything.
///
/// # Errors
/// Settings that make no sense, do not fit the data, or ask for more than the device can have.
pub fn check(config: &Config, dataset: &Dataset, backend: &dyn Backend) -> Result<(), Error> {
    // The constants of a normalization are no part of the plan.
    backend.check(&record(config, dataset, config.normalization.without_constants())?.1.plan)
}

/// How the training part is cut into batches.
pub(super) fn batching(config: &Config, dataset: &Dataset) -> Batching {
    Batching::new(config.batch, config.accumulate, dataset.part(Part::Train).len())
}

/// The network and its plan.
///
/// # Errors
/// Settings that make no sense or do not fit the data.
pub(super) fn record(
    config: &Config,
    dataset: &Dataset,
    normalization: Normalization,
) -> Result<(Model, Recording), Error> {
    config.validate()?;
    dataset.check_arch(&config.arch)?;
    let model = Model::of(&config.network());
    let data = dataset.shape(normalization);
    let weights = config.class_weights.as_ref().map(|weights| weights.resolve(&dataset.class_counts(Part::Train)));
    let options = config.training_options(batching(config, dataset).rows);
    let options = TrainingOptions { class_weights: weights.transpose()?, ..options };
    let recording = model.record_training(data, &options)?;
    Ok((model, recording))
}
