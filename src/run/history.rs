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

/// The records of a file's content.
pub(crate) fn from_csv(bytes: &[u8]) -> Result<Vec<EpochRecord>, csv::Error> {
    let mut reader = csv::Reader::from_reader(bytes);
    // A file without a row has nothing else that could be wrong.
    let header = reader.headers()?;
    if !COLUMNS.iter().all(|column| header.iter().any(|name| name == *column)) {
        let problem = format!("its columns are not {}", COLUMNS.join(", "));
        return Err(csv::Error::from(std::io::Error::new(std::io::ErrorKind::InvalidData, problem)));
    }
    reader.deserialize().collect()
}

/// The fields of [`EpochRecord`].
const COLUMNS: [&str; 7] =
    ["epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"];
