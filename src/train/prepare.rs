//! What comes before training: the plan, and whether it can be.

use crate::backend::Backend;
use crate::data::{DataError, Dataset, Normalization, Part};
use crate::error::Error;
use crate::nn::arch::Arch;
use crate::nn::model::{Model, Recording, TrainingOptions};
use crate::run::config::{Batching, Config};
use crate::run::schedule::Decay;
use crate::settings::SettingError;

/// Whether [`super::train`] could begin, found without loading or writing anything.
///
/// # Errors
/// Settings that make no sense, do not fit the data, or ask for more than the device can have.
pub fn check(config: &Config, dataset: &Dataset, backend: &dyn Backend) -> Result<(), Error> {
    // The constants of a normalization are no part of the plan.
    let normalization = config.normalization.without_constants();
    Ok(backend.check(&record(config, dataset, normalization, backend)?.1.plan)?)
}

/// How the training set is cut into batches.
pub(super) fn batching(config: &Config, dataset: &Dataset) -> Batching {
    Batching::new(config.batch, config.accumulate, dataset.part(Part::Train).len())
}

/// The network and its plan for a device.
///
/// # Errors
/// Settings that make no sense or do not fit the data.
pub(super) fn record(
    config: &Config,
    dataset: &Dataset,
    normalization: Normalization,
    backend: &dyn Backend,
) -> Result<(Model, Recording), Error> {
    config.validate()?;
    config.arch.check_data(dataset)?;
    check_parts(config, dataset)?;
    check_batch_norm(&config.arch, batching(config, dataset))?;
    let model = Model::of(&config.network());
    let data = dataset.shape(normalization);
    let weights = config.class_weights.as_ref().map(|weights| weights.resolve(&dataset.class_counts(Part::Train)));
    let options = config.training_options(batching(config, dataset));
    let fuse_updates = options.fuse_updates && backend.fuses_updates();
    let options = TrainingOptions { class_weights: weights.transpose()?, fuse_updates, ..options };
    let recording = model.record_training(data, &options)?.with_shared_buffers();
    Ok((model, recording))
}

/// Training needs training examples, and validation examples where a figure of theirs has a say.
fn check_parts(config: &Config, dataset: &Dataset) -> Result<(), Error> {
    if dataset.part(Part::Train).is_empty() {
        return Err(DataError::NoPart { data: dataset.name.clone(), part: Part::Train.name() }.into());
    }
    let judges = [
        ("early_stopping", config.early_stopping.is_some()),
        ("schedule", matches!(config.schedule.decay, Decay::Plateau(_))),
    ];
    match judges.into_iter().find(|&(_, judges)| judges && dataset.part(Part::Validation).is_empty()) {
        Some((key, _)) => {
            let why = format!("{} has no validation set to judge epochs by", dataset.name);
            Err(SettingError::Contradiction { keys: [key, "validation"], why }.into())
        }
        None => Ok(()),
    }
}

/// No batch may leave batch normalization a single value of a channel: whatever it is, it would become zero.
fn check_batch_norm(arch: &Arch, Batching { rows, examples, .. }: Batching) -> Result<(), SettingError> {
    let least = arch.layers().iter().map(|layer| layer.least_examples()).max().unwrap_or(1);
    let leaves_one = |rows: usize| rows == 1 || examples % rows == 1;
    if least == 1 || !leaves_one(rows) {
        return Ok(());
    }
    let others = (rows..=examples).chain((2..rows).rev());
    let such_as =
        others.into_iter().find(|&rows| !leaves_one(rows)).map_or(String::new(), |rows| format!(", such as {rows}"));
    let why = format!(
        "{examples} training examples in batches of {rows} leave batch normalization a batch of one, in which every feature is its \
         own mean; use another batch size{such_as}"
    );
    Err(SettingError::Contradiction { keys: ["arch", "batch"], why })
}
