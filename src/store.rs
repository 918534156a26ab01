//! What is kept on disk: run folders and model files.

mod checkpoint;
mod history;
mod model_file;
mod run;

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

pub use checkpoint::Checkpoint;
pub use history::EpochRecord;
pub(crate) use history::to_csv;
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
    #[error("{} points at {}, which is gone; name a run folder or model file", link.display(), target.display())]
    Dangling { link: PathBuf, target: PathBuf },
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

/// Writes files whole or not at all: a reader, or a run that is killed, finds the old content or the new.
///
/// All are on disk, under other names, before the first takes its place: a full disk changes nothing, and what is left of the
/// time in which some are new and some old is that of a few renames.
pub(crate) fn write_atomically(files: &[(PathBuf, &[u8])]) -> Result<(), FileError> {
    let mut written = Vec::new();
    for (path, content) in files {
        let file = write_beside(path, content).map_err(FileError::new("write", path))?;
        written.push((path, file));
    }
    for (path, file) in written {
        file.persist(path).map_err(|error| FileError::new("write", path)(error.error))?;
    }
    Ok(())
}

/// What temporary files begin with; one that is left behind was being written when a run was killed.
pub(crate) const TEMPORARY: &str = ".gpunet-";

/// Writes content to a temporary file in the folder of `path`.
fn write_beside(path: &Path, content: &[u8]) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Temporary files are their owner's alone; what they become is an ordinary file, under the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(TEMPORARY).tempfile_in(folder)?;
    let raw = file.as_file_mut();
    raw.write_all(content)?;
    raw.sync_all()?;
    Ok(file)
}
