//! How the examples of an epoch become batches, and batches become updates.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SettingError;

/// Examples per batch as a user asks for them: a number, or `full`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// This many.
    Rows(usize),
    /// The whole training set: one update per epoch.
    Full,
}

/// The most examples that pass through the network at once when an update takes the whole training set. It bounds the memory of the
/// device, and activations of this many examples still fit in caches.
const FULL_BATCH_ROWS: usize = 2000;

/// An epoch cut into batches and updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Examples per batch; the last batch of an epoch may have fewer.
    pub rows: usize,
    /// Batches whose gradients add up to one update; the last update of an epoch may have fewer.
    pub per_update: usize,
    /// Examples per epoch.
    pub examples: usize,
}

impl BatchSize {
    pub(super) fn check(self, accumulate: usize) -> Result<(), SettingError> {
        let must = "an update needs the gradients of at least one batch";
        SettingError::unless(accumulate > 0, "accumulate", accumulate, must)?;
        let must = "shaders count in 32 bits";
        SettingError::unless(u32::try_from(accumulate).is_ok(), "accumulate", accumulate, must)?;
        match self {
            BatchSize::Rows(rows) => {
                SettingError::unless(rows > 0, "batch", rows, "a batch needs at least one example")?;
                SettingError::unless(u32::try_from(rows).is_ok(), "batch", rows, must)
            }
            BatchSize::Full if accumulate > 1 => {
                let why = "a full batch is the whole training set, so nothing is left to add to it".to_string();
                Err(SettingError::Contradiction { keys: ["batch", "accumulate"], why })
            }
            BatchSize::Full => Ok(()),
        }
    }
}

impl Batching {
    /// The batches of an epoch over `examples` training examples.
    pub fn new(batch: BatchSize, accumulate: usize, examples: usize) -> Batching {
        // A batch larger than the training set would be padding.
        let most = examples.max(1);
        match batch {
            BatchSize::Rows(rows) => Batching { rows: rows.min(most), per_update: accumulate, examples },
            BatchSize::Full => {
                let batches = most.div_ceil(FULL_BATCH_ROWS);
                Batching { rows: most.div_ceil(batches), per_update: batches, examples }
            }
        }
    }

    /// Updates per epoch.
    pub fn updates(&self) -> usize {
        self.examples.div_ceil(self.rows.saturating_mul(self.per_update))
    }
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchSize::Rows(rows) => rows.fmt(f),
            BatchSize::Full => f.write_str("full"),
        }
    }
}

impl FromStr for BatchSize {
    type Err = String;

    fn from_str(text: &str) -> Result<BatchSize, String> {
        match text.parse() {
            Ok(rows) => Ok(BatchSize::Rows(rows)),
            Err(_) if text == "full" => Ok(BatchSize::Full),
            Err(_) => Err("a batch is a number of examples, or `full` for the whole training set".to_string()),
        }
    }
}

/// In a recipe, a number or the word.
impl Serialize for BatchSize {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            BatchSize::Rows(rows) => serializer.serialize_u64(*rows as u64),
            BatchSize::Full => serializer.serialize_str("full"),
        }
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<BatchSize, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = BatchSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of examples, or `full`")
            }

            fn visit_u64<E: serde::de::Error>(self, rows: u64) -> Result<BatchSize, E> {
                usize::try_from(rows).map(BatchSize::Rows).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, rows: i64) -> Result<BatchSize, E> {
                let found = serde::de::Unexpected::Signed(rows);
                usize::try_from(rows).map(BatchSize::Rows).map_err(|_| E::invalid_value(found, &self))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<BatchSize, E> {
                text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_cover_the_epoch() {
        let batching = |batch, accumulate, examples| Batching::new(batch, accumulate, examples);
        for (batch, accumulate, examples, rows, updates) in [
            (BatchSize::Rows(10), 1, 95, 10, 10),
            (BatchSize::Rows(10), 3, 95, 10, 4),
            (BatchSize::Rows(100), 1, 95, 95, 1),
            (BatchSize::Rows(10), 100, 95, 10, 1),
            (BatchSize::Full, 1, 95, 95, 1),
            (BatchSize::Full, 1, 50_000, 2000, 1),
            (BatchSize::Full, 1, 55_001, 1965, 1),
            (BatchSize::Full, 1, 2001, 1001, 1),
            (BatchSize::Rows(10), usize::MAX, 95, 10, 1),
            (BatchSize::Rows(10), 1, 0, 1, 0),
        ] {
            let found = batching(batch, accumulate, examples);
            assert_eq!((found.rows, found.updates()), (rows, updates), "{batch}, {accumulate}, {examples}");
        }
    }
}
