//! What training came to.

use std::path::PathBuf;

use super::Model;
use crate::data::{DataError, Part};
use crate::error::Error;
use crate::run::history::EpochRecord;
use crate::train::{Ending, Metrics};

/// What training came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run {
    /// The trained model: of the last epoch, or of the best with early stopping.
    pub model: Model,
    /// Every whole epoch, in order.
    pub history: Vec<EpochRecord>,
    /// Why there are no more epochs.
    pub ending: Ending,
    /// The epoch that the model is of, counted from 1; 0 if no epoch was completed.
    pub kept_epoch: usize,
    /// Loss and accuracy on the test set, evaluated once, with the model that is kept; `None` without a test set.
    pub test: Option<Metrics>,
    /// Updates that were skipped because gradients exceeded the range of half precision; 0 in other precisions.
    pub left_out: u64,
    /// The run folder, if one was asked for.
    pub folder: Option<PathBuf>,
    /// Name of the data set.
    pub(super) data: String,
}

impl Run {
    /// Loss and accuracy on the test set.
    ///
    /// # Errors
    /// [`DataError::NoPart`] if the data set has no test set.
    pub fn test(&self) -> Result<Metrics, Error> {
        let missing = || DataError::NoPart { data: self.data.clone(), part: Part::Test.name() };
        Ok(self.test.ok_or_else(missing)?)
    }
}
