//! `checkpoint.bin`: all that continues a run as if it had never stopped.
//!
//! Random numbers are a function of seed, epoch and index, so that no generator state is needed. The format is bincode's,
//! behind a signature and a version; nothing outside this file knows it.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::files::FileError;
use crate::run::history::EpochRecord;

/// What the file begins with: a name and the version of the structure behind it.
const SIGNATURE: &[u8; 16] = b"gpunet checkpt 2";

/// Bytes of the CRC-32 of the content, which follows the signature.
const SUM: usize = 4;

/// Where the content begins.
const CONTENT: usize = SIGNATURE.len() + SUM;

/// The most bytes that a checkpoint may claim to hold: parameters, those of the best epoch and two
/// moments of the largest network allowed, and room for the rest.
const LIMIT: usize = 20 << 30;

/// A run after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    /// Its settings, as in `config.toml`.
    pub config: String,
    /// What [`crate::data::Dataset::fingerprint`] says of the data.
    pub data: u32,
    /// All epochs so far.
    pub history: Vec<EpochRecord>,
    /// Updates made so far: the optimizer's bias corrections depend on them.
    pub updates: u64,
    /// Values in the order of [`crate::nn::model::Model::parameters`].
    pub parameters: Cow<'a, [Vec<f32>]>,
    /// Those of the best epoch, where early stopping keeps them.
    pub best: Option<Cow<'a, [Vec<f32>]>>,
    /// The optimizer's state, an arena each.
    pub state: Vec<Vec<f32>>,
}

impl Checkpoint<'_> {
    /// The file's content; `path` is for errors.
    pub(super) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, StoreError> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; SUM]);
        bincode::serde::encode_into_std_write(self, &mut bytes, configuration())
            .map_err(|error| FileError::new("write", path)(std::io::Error::other(error)))?;
        let sum = crc32fast::hash(&bytes[CONTENT..]).to_le_bytes();
        bytes[SIGNATURE.len()..CONTENT].copy_from_slice(&sum);
        Ok(bytes)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read or is no whole checkpoint of this version.
    pub fn load(path: &Path) -> Result<Checkpoint<'static>, StoreError> {
        let bytes = std::fs::read(path).map_err(FileError::new("read", path))?;
        let bad = |problem: &str| StoreError::BadCheckpoint { path: path.to_path_buf(), problem: problem.to_string() };
        if !bytes.starts_with(SIGNATURE) {
            return Err(bad("it does not begin as one of this version of gpunet does"));
        }
        let damaged = || bad("it was cut short or damaged");
        let content = bytes.get(CONTENT..).ok_or_else(damaged)?;
        if crc32fast::hash(content).to_le_bytes() != bytes[SIGNATURE.len()..CONTENT] {
            return Err(damaged());
        }
        let decoded = bincode::serde::decode_from_slice(content, configuration());
        let (checkpoint, _): (Checkpoint<'static>, usize) = decoded.map_err(|_| damaged())?;
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
            val_loss: Some(0.25),
            val_accuracy: None,
            learning_rate: 0.1,
            seconds: 2.0,
        };
        let (parameters, state) = (vec![vec![1.0, -0.0], vec![f32::MIN_POSITIVE]], vec![vec![3.0; 5]]);
        Checkpoint {
            config: "seed = 1".into(),
            data: 7,
            history: vec![record],
            updates: 550,
            best: Some(vec![vec![0.5; 2], vec![4.0]].into()),
            parameters: parameters.into(),
            state,
        }
    }

    #[test]
    fn checkpoints_round_trip_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.bin");
        let sound = sample().to_bytes(&path).unwrap();
        std::fs::write(&path, &sound).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), sample());
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            matches!(Checkpoint::load(&path), Err(StoreError::BadCheckpoint { .. }))
        };
        for length in 0..sound.len() {
            assert!(refused(&sound[..length]), "{length} bytes");
        }
        assert!(refused(&[&sound[..], &[0]].concat()), "a byte too many");
        for byte in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[byte] ^= 0x10;
            assert!(refused(&damaged), "byte {byte}");
        }
        // A length that claims more than there is must not be believed, even under a right sum.
        let mut absurd = sound;
        absurd[CONTENT..CONTENT + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        let sum = crc32fast::hash(&absurd[CONTENT..]).to_le_bytes();
        absurd[SIGNATURE.len()..CONTENT].copy_from_slice(&sum);
        assert!(refused(&absurd), "an absurd length");
    }
}
