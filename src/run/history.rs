//! `history.csv`: one row per epoch.

use serde::{Deserialize, Serialize};

/// The results of one epoch. The field names are the columns of `history.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Mean loss over the training batches, each taken before its update.
    pub train_loss: f64,
    /// Accuracy on the training batches, each taken before its update, 0 to 1.
    pub train_accuracy: f64,
    /// Mean loss on the validation set after the epoch.
    pub val_loss: f64,
    /// Accuracy on the validation set after the epoch, 0 to 1.
    pub val_accuracy: f64,
    /// Learning rate of the epoch's last update.
    pub learning_rate: f64,
    /// Seconds of wall time for training and validation.
    pub seconds: f64,
}

/// The records as CSV, with their field names as the header.
pub(crate) fn to_csv<T: Serialize>(records: &[T]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.serialize(record).map_err(std::io::Error::other)?;
    }
    writer.into_inner().map_err(std::io::Error::other)
}

/// Parses the content of `history.csv`.
pub(crate) fn from_csv(bytes: &[u8]) -> Result<Vec<EpochRecord>, csv::Error> {
    let mut reader = csv::Reader::from_reader(bytes);
    // Checked by hand: deserializing a file without rows would accept any header.
    let header = reader.headers()?;
    if !COLUMNS.iter().all(|column| header.iter().any(|name| name == *column)) {
        let problem = format!("its columns are not {}", COLUMNS.join(", "));
        return Err(csv::Error::from(std::io::Error::new(std::io::ErrorKind::InvalidData, problem)));
    }
    reader.deserialize().collect()
}

/// The field names of [`EpochRecord`].
const COLUMNS: [&str; 7] =
    ["epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"];
