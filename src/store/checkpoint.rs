//! `checkpoint.bin`: all that continues a run as if it had never stopped.
//!
//! Random numbers are a function of seed, epoch and index, so that no generator state is needed. The format is bincode's,
//! behind a signature and a version; nothing outside this file knows it.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{EpochRecord, FileError, StoreError, write_atomically};

/// What the file begins with: a name and the version of the structure behind it.
const SIGNATURE: &[u8; 16] = b"gpunet checkpt 1";

/// The most bytes that a checkpoint may claim to hold: parameters and two moments of the largest network allowed.
const LIMIT: usize = 16 << 30;

/// A run after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    /// Its settings, as in `config.toml`.
    pub config: String,
    /// All epochs so far.
    pub history: Vec<EpochRecord>,
    /// Steps trained so far: the optimizer's bias corrections depend on them.
    pub steps: u64,
    /// Values in the order of [`crate::model::Model::parameters`].
    pub parameters: Cow<'a, [Vec<f32>]>,
    /// The optimizer's state, an arena each.
    pub state: Vec<Vec<f32>>,
}

impl Checkpoint<'_> {
    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        let mut bytes = SIGNATURE.to_vec();
        bincode::serde::encode_into_std_write(self, &mut bytes, configuration())
            .map_err(|error| FileError::new("write", path)(std::io::Error::other(error)))?;
        Ok(write_atomically(path, &bytes)?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read or is no whole checkpoint of this version.
    pub fn load(path: &Path) -> Result<Checkpoint<'static>, StoreError> {
        let bytes = std::fs::read(path).map_err(FileError::new("read", path))?;
        let bad = |problem: String| StoreError::BadCheckpoint { path: path.to_path_buf(), problem };
        let content = bytes
            .strip_prefix(SIGNATURE)
            .ok_or_else(|| bad("it does not begin as one of this version of gpunet does".to_string()))?;
        let (checkpoint, read): (Checkpoint<'static>, usize) =
            bincode::serde::decode_from_slice(content, configuration())
                .map_err(|error| bad(format!("it was cut short or damaged ({error})")))?;
        if read != content.len() {
            return Err(bad(format!("{} bytes follow its end", content.len() - read)));
        }
        Ok(checkpoint)
    }
}

fn configuration() -> impl bincode::config::Config {
    bincode::config::standard().with_fixed_int_encoding().with_limit::<LIMIT>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Checkpoint<'static> {
        let record = EpochRecord {
            epoch: 1,
            train_loss: 0.5,
            train_accuracy: 0.75,
            val_loss: 0.25,
            val_accuracy: 0.875,
            learning_rate: 0.1,
            seconds: 2.0,
        };
        let (parameters, state) = (vec![vec![1.0, -0.0], vec![f32::MIN_POSITIVE]], vec![vec![3.0; 5]]);
        Checkpoint {
            config: "seed = 1".into(),
            history: vec![record],
            steps: 550,
            parameters: parameters.into(),
            state,
        }
    }

    #[test]
    fn checkpoints_round_trip_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.bin");
        sample().save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), sample());
        let sound = std::fs::read(&path).unwrap();
        for length in 0..sound.len() {
            std::fs::write(&path, &sound[..length]).unwrap();
            assert!(matches!(Checkpoint::load(&path), Err(StoreError::BadCheckpoint { .. })), "{length} bytes");
        }
        std::fs::write(&path, [&sound[..], &[0]].concat()).unwrap();
        assert!(Checkpoint::load(&path).is_err(), "a byte too many");
        // A length that claims more than there is must not be believed.
        let mut absurd = sound;
        absurd[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        std::fs::write(&path, absurd).unwrap();
        assert!(Checkpoint::load(&path).is_err(), "an absurd length");
    }
}
