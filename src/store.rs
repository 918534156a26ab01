//! What is kept on disk: run folders and model files.

mod checkpoint;
mod history;
mod model_file;
mod run;

use std::io::Write;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use checkpoint::Checkpoint;
pub use history::EpochRecord;
pub use model_file::{ModelMetadata, SavedModel};
pub(crate) use run::to_toml;
pub use run::{RunFolder, find_model, load_config, point_latest};

/// A file or folder that cannot be read or written.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} already holds a run; choose another --out, or replace it with --force", path.display())]
    HoldsRun { path: PathBuf },
    #[error("{} is a file; --out takes a folder", path.display())]
    NotAFolder { path: PathBuf },
    #[error("there is no run yet in {}: train one with `gpunet train`, or name a run folder or model file", path.display())]
    NoRuns { path: PathBuf },
    #[error("there is no model at {}: it must be a run folder with model.safetensors or a model file", path.display())]
    NoModel { path: PathBuf },
    #[error("{} is no gpunet model: {problem}", path.display())]
    BadModel { path: PathBuf, problem: String },
    #[error("{} is no checkpoint to go on from: {problem}", path.display())]
    BadCheckpoint { path: PathBuf, problem: String },
    #[error("{} holds no run to go on with: there is no checkpoint.bin", path.display())]
    NoCheckpoint { path: PathBuf },
    #[error("{} does not parse: {problem}", path.display())]
    BadConfig { path: PathBuf, problem: String },
}

/// An operation on a file that failed, as a sentence.
#[derive(Debug, Error)]
#[error("could not {action} {}: {cause}", path.display())]
pub struct FileError {
    /// `read`, `write`, `create`.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub cause: std::io::Error,
}

impl FileError {
    /// For `map_err`: the error of doing `action` to `path`.
    pub fn new(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> FileError {
        let path = path.into();
        move |cause| FileError { action, path, cause }
    }
}

/// Writes a file whole or not at all: a reader, or a run that is killed, finds the old content or the new.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut builder = tempfile::Builder::new();
        // Temporary files are their owner's alone; what they become is an ordinary file, under the user's umask.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(".gpunet-").tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(FileError::new("write", path))
}
