//! What is kept on disk: run folders and model files.

mod checkpoint;
mod model_file;
mod run;
mod saved_run;
mod summary;

use std::path::PathBuf;

use thiserror::Error;

use crate::files::FileError;
use crate::run::config::RecipeError;

pub use checkpoint::Checkpoint;
pub use model_file::{ModelMetadata, SavedModel};
pub use run::{LATEST, RunFolder, find_model, load_config};
pub use saved_run::{Progress, SavedRun, TestRecord, find_runs};
pub use summary::{Best, Summary, short_names};

/// A file or folder that cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} already holds a run", path.display())]
    HoldsRun { path: PathBuf },
    #[error("{} is a file, not a folder", path.display())]
    NotAFolder { path: PathBuf },
    #[error("{} points at {}, which is gone; name a run folder or model file", link.display(), target.display())]
    Dangling { link: PathBuf, target: PathBuf },
    #[error("there is no model at {}: it must be a run folder with model.safetensors or a model file", path.display())]
    NoModel { path: PathBuf },
    #[error("{} is no run, nor a folder with runs in it: a run folder has a history.csv", path.display())]
    NoRun { path: PathBuf },
    #[error("{} is no gpunet model: {problem}", path.display())]
    BadModel { path: PathBuf, problem: String },
    #[error("{} is no checkpoint to go on from: {problem}", path.display())]
    BadCheckpoint { path: PathBuf, problem: String },
    #[error("{} holds no run to go on with: there is no checkpoint.bin", path.display())]
    NoCheckpoint { path: PathBuf },
    #[error("{}, {error}", path.display())]
    BadConfig { path: PathBuf, error: RecipeError },
    #[error("{} is not as training writes it: {problem}", path.display())]
    BadRecord { path: PathBuf, problem: String },
}
