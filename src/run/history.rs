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
    /// Mean loss on the validation set after the epoch; `None` where there is none.
    #[serde(with = "optional")]
    pub val_loss: Option<f64>,
    /// Accuracy on the validation set after the epoch, 0 to 1; `None` where there is none.
    #[serde(with = "optional")]
    pub val_accuracy: Option<f64>,
    /// Learning rate of the epoch's last update.
    pub learning_rate: f64,
    /// Seconds of wall time for training and validation.
    pub seconds: f64,
}

/// Figures that may be missing: an empty field of text, NaN in binary files, whose layout is older than the choice.
mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            value.serialize(serializer)
        } else {
            value.unwrap_or(f64::NAN).serialize(serializer)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        let value = if deserializer.is_human_readable() {
            Option::deserialize(deserializer)?
        } else {
            Some(f64::deserialize(deserializer)?)
        };
        Ok(value.filter(|value: &f64| !value.is_nan()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn record(val_loss: Option<f64>) -> EpochRecord {
        let (train_loss, train_accuracy, val_accuracy) = (0.5, 0.75, val_loss.map(|_| 0.25));
        EpochRecord { epoch: 1, train_loss, train_accuracy, val_loss, val_accuracy, learning_rate: 0.1, seconds: 2.0 }
    }

    #[test]
    fn figures_that_are_missing_are_empty_fields() {
        let records = [record(None), record(Some(1.5))];
        let csv = to_csv(&records).unwrap();
        let rows = "1,0.5,0.75,,,0.1,2.0\n1,0.5,0.75,1.5,0.25,0.1,2.0\n";
        assert_eq!(String::from_utf8(csv.clone()).unwrap(), format!("{}\n{rows}", COLUMNS.join(",")));
        assert_eq!(from_csv(&csv).unwrap(), records);
        assert_eq!(serde_json::to_value(record(None)).unwrap()["val_loss"], serde_json::Value::Null);
    }
}
