//! `history.csv`: a row an epoch.

use serde::{Deserialize, Serialize};

/// What an epoch came to. The names are the columns of `history.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean loss of the training batches while they were learnt.
    pub train_loss: f64,
    /// Share of training examples told right while they were learnt, 0 to 1.
    pub train_accuracy: f64,
    /// Mean loss of the validation part after the epoch.
    pub val_loss: f64,
    /// Share of the validation part told right.
    pub val_accuracy: f64,
    /// Learning rate.
    pub learning_rate: f64,
    /// Wall time of training and validation.
    pub seconds: f64,
}

/// Records as CSV, under the names of their fields.
pub(crate) fn to_csv<T: Serialize>(records: &[T]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.serialize(record).map_err(std::io::Error::other)?;
    }
    writer.into_inner().map_err(std::io::Error::other)
}
