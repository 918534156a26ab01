//! What can go wrong by a user's doing or a machine's: what it is, where, and what to do about it.

use thiserror::Error;

use crate::backend::DeviceError;
use crate::data::DataError;
use crate::nn::arch::{ArchError, FitError};
use crate::nn::model::RecordError;
use crate::run::config::RecipeError;
use crate::settings::{SettingError, SpecError};
use crate::store::StoreError;

/// Any error of the library.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// An architecture that does not parse.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// An architecture that does not fit the data.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A setting that makes no sense.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A setting's text that does not parse.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A recipe that does not parse.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// Data that is missing, broken or does not fit.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A device that is missing, refuses or fails.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A network that cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Training that left the finite numbers.
    #[error(
        "training diverged: the loss became {loss} in step {step} of epoch {epoch}, at a learning rate of \
         {learning_rate:?}; files of earlier epochs stay as they are"
    )]
    Diverged {
        /// The loss.
        loss: f32,
        /// Epoch, from 1.
        epoch: usize,
        /// Step within the epoch, from 1.
        step: usize,
        /// Learning rate.
        learning_rate: f64,
    },
    /// Parameters that left the finite numbers while the losses had not yet.
    #[error(
        "training diverged: a parameter became {value} in epoch {epoch}, at a learning rate of \
         {learning_rate:?}; files of earlier epochs stay as they are"
    )]
    ParameterDiverged {
        /// Its value.
        value: f32,
        /// Epoch, from 1.
        epoch: usize,
        /// Learning rate.
        learning_rate: f64,
    },
    /// A validation loss that is no number, though the training losses were.
    #[error(
        "training diverged: the validation loss became {loss} in epoch {epoch}, at a learning rate of \
         {learning_rate:?}; files of earlier epochs stay as they are"
    )]
    ValidationDiverged {
        /// The loss.
        loss: f64,
        /// Epoch, from 1.
        epoch: usize,
        /// Learning rate.
        learning_rate: f64,
    },
    /// A model that overflows on the data it is evaluated on.
    #[error(
        "the model's loss on this data is {loss}: its outputs pass the range of f32, so that nothing can be said of it"
    )]
    LossNotFinite {
        /// The loss.
        loss: f64,
    },
    /// A model whose outputs for an example overflow.
    #[error("the model's output for example {example} is {output}: it exceeds the range of f32")]
    OutputNotFinite {
        /// The example, counted from 0.
        example: usize,
        /// The output.
        output: f32,
    },
    /// A run that would go on with other settings.
    #[error("a run that goes on keeps its settings: only epochs, device and threads may be changed")]
    OtherSettings,
    /// A run that would go on with other data.
    #[error("{data} is not the data that this run was trained on so far: its examples differ")]
    OtherData {
        /// The data set's name.
        data: String,
    },
    /// A checkpoint whose values are not those of its own network.
    #[error(
        "the checkpoint does not hold the parameters and optimizer state that its settings call for; train the run anew"
    )]
    CheckpointMisfit,
    /// A benchmark whose step is wrong, so that its time means nothing.
    #[error(
        "nothing was timed, since the device computes wrongly: the loss of step {step} is {loss}, the CPU's in f64 {expected}"
    )]
    WrongResult {
        /// Step, from 1.
        step: usize,
        /// The device's loss.
        loss: f64,
        /// The reference.
        expected: f64,
    },
}

impl Error {
    /// Whether the numbers of a training run were lost: other settings may do better, and nothing else is wrong.
    pub fn is_divergence(&self) -> bool {
        use Error::{Diverged, LossNotFinite, ParameterDiverged, ValidationDiverged};
        matches!(self, Diverged { .. } | ParameterDiverged { .. } | ValidationDiverged { .. } | LossNotFinite { .. })
    }
}
