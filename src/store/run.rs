//! Run folders: `config.toml`, `history.csv`, `model.safetensors`, `checkpoint.bin`, and `test.json` when training has ended.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Checkpoint, SavedModel, StoreError, TestRecord};
use crate::files::{FileError, Staged, TEMPORARY, write_file};
use crate::run::config::Config;
use crate::run::history;

pub(super) const CONFIG: &str = "config.toml";
pub(super) const HISTORY: &str = "history.csv";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const CHECKPOINT: &str = "checkpoint.bin";
pub(super) const TEST: &str = "test.json";

/// The name of what points at another run folder: a symbolic link, or a file with the path where links are not to be had.
pub const LATEST: &str = "latest";

/// The folder of a run that is being trained.
///
/// Nothing in it changes before the first epoch is kept, so that a run which fails to start costs nothing: neither the run that
/// `force` would replace, nor an empty folder left behind.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Whether the folder was made for this run and is still empty.
    removable: bool,
}

impl RunFolder {
    /// Makes the folder, and sees that files can be made in it.
    ///
    /// A folder that holds a run is refused, but with `force` that run is replaced when the first epoch is kept.
    ///
    /// # Errors
    /// A folder that holds a run or cannot be written.
    pub fn create(path: &Path, force: bool) -> Result<RunFolder, StoreError> {
        if path.is_file() {
            return Err(StoreError::NotAFolder { path: path.to_path_buf() });
        }
        let removable = !path.exists();
        fs::create_dir_all(path).map_err(FileError::new("create the folder", path))?;
        let run = RunFolder { path: without_link(path)?, removable };
        if !force && [CHECKPOINT, MODEL, HISTORY].iter().any(|name| run.path.join(name).exists()) {
            return Err(StoreError::HoldsRun { path: path.to_path_buf() });
        }
        run.check_writable()
    }

    /// Makes the folder `<parent>/<name>`, with a number behind where there is one of that name.
    ///
    /// # Errors
    /// A folder that cannot be made or written.
    pub fn create_in(parent: &Path, name: &str) -> Result<RunFolder, StoreError> {
        fs::create_dir_all(parent).map_err(FileError::new("create the folder", parent))?;
        let mut number = 1;
        loop {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let path = parent.join(format!("{name}{suffix}"));
            match fs::create_dir(&path) {
                Ok(()) => return RunFolder { path, removable: true }.check_writable(),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(FileError::new("create the folder", path)(error).into()),
            }
        }
    }

    fn check_writable(self) -> Result<RunFolder, StoreError> {
        tempfile::tempfile_in(&self.path).map_err(FileError::new("write to the folder", &self.path))?;
        Ok(self)
    }

    /// Opens the folder of a run that stopped, and reads where it stood.
    ///
    /// # Errors
    /// A folder without a sound checkpoint.
    pub fn resume(path: &Path) -> Result<(RunFolder, Config, Checkpoint<'static>), StoreError> {
        let path = &follow_pointer(path);
        let (config, checkpoint) = RunFolder::read(path)?;
        remove_leftovers(path);
        Ok((RunFolder { path: without_link(path)?, removable: false }, config, checkpoint))
    }

    /// Reads where the run in a folder stands, and changes nothing.
    pub(super) fn read(path: &Path) -> Result<(Config, Checkpoint<'static>), StoreError> {
        let file = path.join(CHECKPOINT);
        if !file.is_file() {
            return Err(StoreError::NoCheckpoint { path: path.to_path_buf() });
        }
        let checkpoint = Checkpoint::load(&file)?;
        Ok((parse_config(&file, &checkpoint.config)?, checkpoint))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps an epoch. The checkpoint takes its place first: all else can be made from it, and is when the run goes on.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep_epoch(&mut self, model: &SavedModel, checkpoint: &Checkpoint<'_>) -> Result<(), StoreError> {
        let [checkpoint_file, model_file, history_file, config_file] =
            [CHECKPOINT, MODEL, HISTORY, CONFIG].map(|name| self.path.join(name));
        let history = history::to_csv(&checkpoint.history).map_err(FileError::new("write", &history_file))?;
        let staged = Staged::write(&[
            (checkpoint_file.clone(), &checkpoint.to_bytes(&checkpoint_file)?),
            (model_file.clone(), &model.to_bytes(&model_file)?),
            (history_file, &history),
            (config_file, checkpoint.config.as_bytes()),
        ])?;
        self.removable = false;
        // Of a model that is about to be no more.
        self.remove_test()?;
        Ok(staged.keep()?)
    }

    /// Writes the result on the test set, which marks the run as finished.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep_test(&mut self, test: &TestRecord) -> Result<(), StoreError> {
        let file = self.path.join(TEST);
        let json = serde_json::to_vec(test).map_err(|error| FileError::new("write", &file)(error.into()))?;
        Ok(write_file(&file, &json)?)
    }

    /// Removes the result on the test set, when it belongs to fewer epochs or to a run that is being replaced.
    fn remove_test(&self) -> Result<(), FileError> {
        let file = self.path.join(TEST);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FileError::new("remove", file)(error)),
            _ => Ok(()),
        }
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if self.removable {
            // Only an empty folder goes; where that fails, nothing is lost.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// A link such as `runs/latest` is another name for the run that it points at; that run must not be lost sight of when the link moves.
fn without_link(path: &Path) -> Result<PathBuf, StoreError> {
    if !path.is_symlink() {
        return Ok(path.to_path_buf());
    }
    Ok(fs::canonicalize(path).map_err(FileError::new("open the folder", path))?)
}

/// Reads a configuration: a recipe, or what a run left behind.
///
/// # Errors
/// A file that cannot be read, or does not parse: the message names line and key.
pub fn load_config(path: &Path) -> Result<Config, StoreError> {
    parse_config(path, &fs::read_to_string(path).map_err(FileError::new("read", path))?)
}

fn parse_config(path: &Path, text: &str) -> Result<Config, StoreError> {
    Config::from_recipe(text).map_err(|error| StoreError::BadConfig { path: path.to_path_buf(), error })
}

/// The model file at a path: a model file itself, or that of a run folder.
///
/// # Errors
/// Where there is none.
pub fn find_model(path: &Path) -> Result<PathBuf, StoreError> {
    let place = follow(path)?;
    let file = if place.is_dir() { place.join(MODEL) } else { place.clone() };
    if file.is_file() { Ok(file) } else { Err(StoreError::NoModel { path: place }) }
}

/// What a path means that may be a link, or a pointer in place of one.
///
/// # Errors
/// A link to what is gone.
pub(super) fn follow(path: &Path) -> Result<PathBuf, StoreError> {
    match fs::read_link(path) {
        Ok(target) if !path.exists() => Err(StoreError::Dangling { link: path.to_path_buf(), target }),
        _ => Ok(follow_pointer(path)),
    }
}

/// What a `latest` that is a file with a path, and not a link, points at; any other path as it is.
fn follow_pointer(path: &Path) -> PathBuf {
    let is_pointer = path.file_name().is_some_and(|name| name == LATEST) && path.is_file();
    let target = if is_pointer { fs::read_to_string(path).ok() } else { None };
    target.map_or(path.to_path_buf(), |target| path.with_file_name("").join(target.trim()))
}

/// Removes what a killed run was writing. Where that fails, nothing but room is lost.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
