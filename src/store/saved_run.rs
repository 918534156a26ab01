//! Runs as their folders tell them: all but the parameters.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::run::{CHECKPOINT, CONFIG, HISTORY, MODEL, TEST, follow, load_config};
use super::{RunFolder, StoreError};
use crate::files::FileError;
use crate::run::config::Config;
use crate::run::history::{self, EpochRecord};

/// The result on the test set after training: the content of `test.json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRecord {
    /// Epochs trained before.
    pub epoch: usize,
    /// The epoch that the model is of: the last, or the best where early stopping keeps that. Older files do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_epoch: Option<usize>,
    /// Examples.
    pub count: u64,
    /// Share of correct predictions, 0 to 1.
    pub accuracy: f64,
    /// Mean loss of an example.
    pub loss: f64,
}

/// A run that is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedRun {
    /// Its folder.
    pub path: PathBuf,
    /// Its settings.
    pub config: Config,
    /// All epochs so far.
    pub history: Vec<EpochRecord>,
    /// The result on the test set; `None` if training has not ended, or ended in a version that did not save it.
    pub test: Option<TestRecord>,
}

impl SavedRun {
    /// Reads a run folder.
    ///
    /// # Errors
    /// A folder without a run, or files that do not parse.
    pub fn load(path: &Path) -> Result<SavedRun, StoreError> {
        if !is_run(path) {
            return Err(StoreError::NoRun { path: path.to_path_buf() });
        }
        let bad = |file: &Path, error: &dyn std::fmt::Display| StoreError::BadRecord {
            path: file.to_path_buf(),
            problem: error.to_string(),
        };
        let file = path.join(HISTORY);
        let bytes = fs::read(&file).map_err(FileError::new("read", &file))?;
        let history = history::from_csv(&bytes).map_err(|error| bad(&file, &error))?;
        let file = path.join(TEST);
        let test: Option<TestRecord> = match fs::read(&file) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| bad(&file, &error))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(FileError::new("read", &file)(error).into()),
        };
        let config = load_config(&path.join(CONFIG))?;
        let last = history.last().map(|record| record.epoch);
        Ok(SavedRun { path: path.to_path_buf(), config, test: test.filter(|test| Some(test.epoch) == last), history })
    }
}

/// How far the run in a folder got.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// No epoch was kept, or there is no such folder.
    Missing,
    /// It can go on; these are its settings.
    Stopped(Config),
    /// Training has ended, and the test set was evaluated.
    Finished(SavedRun),
}

impl Progress {
    /// Looks into a folder.
    ///
    /// # Errors
    /// Files of a run that cannot be read.
    pub fn of(folder: &Path) -> Result<Progress, StoreError> {
        if folder.join(TEST).is_file() && folder.join(MODEL).is_file() {
            // It is written last, when all others are in place.
            let run = SavedRun::load(folder)?;
            if run.test.is_some() {
                return Ok(Progress::Finished(run));
            }
        }
        if folder.join(CHECKPOINT).is_file() {
            let (config, _) = RunFolder::read(folder)?;
            return Ok(Progress::Stopped(config));
        }
        Ok(Progress::Missing)
    }
}

/// The runs that a user means by run folders, `runs/latest`, and folders of runs: in this order, each once.
///
/// # Errors
/// A path that is neither a run nor a folder with runs.
pub fn find_runs(named: &[PathBuf]) -> Result<Vec<PathBuf>, StoreError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for name in named {
        let path = follow(name)?;
        let mut runs = if is_run(&path) { vec![path] } else { runs_in(&path) };
        if runs.is_empty() {
            return Err(StoreError::NoRun { path: name.clone() });
        }
        for run in &mut runs {
            *run = fs::canonicalize(&run).map_err(FileError::new("open the folder", &*run))?;
            if !found.contains(run) {
                found.push(run.clone());
            }
        }
    }
    Ok(found)
}

fn is_run(path: &Path) -> bool {
    path.join(HISTORY).is_file()
}

/// The runs in a folder, by name.
fn runs_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut runs: Vec<PathBuf> = entries.filter(|path| is_run(path)).collect();
    runs.sort();
    runs
}
