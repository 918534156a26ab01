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

/// Where runs go that are given no place.
const RUNS: &str = "runs";

/// Points at the newest run: a symbolic link, or a file with the path where links are not to be had.
const LATEST: &str = "latest";

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
    /// Makes the folder, `out` or `runs/<arch>-<time>`, and sees that files can be made in it.
    ///
    /// A folder that holds a run is refused, but with `force` that run is replaced when the first epoch is kept.
    ///
    /// # Errors
    /// A folder that holds a run or cannot be written.
    pub fn create(out: Option<&Path>, config: &Config, force: bool) -> Result<RunFolder, StoreError> {
        let (path, removable) = match out {
            Some(path) if path.is_file() => return Err(StoreError::NotAFolder { path: path.to_path_buf() }),
            Some(path) => {
                let new = !path.exists();
                fs::create_dir_all(path).map_err(FileError::new("create the folder", path))?;
                (without_link(path)?, new)
            }
            None => (create_unique(config)?, true),
        };
        let run = RunFolder { path, removable };
        if !force && [CHECKPOINT, MODEL, HISTORY].iter().any(|name| run.path.join(name).exists()) {
            return Err(StoreError::HoldsRun { path: out.unwrap_or(&run.path).to_path_buf() });
        }
        tempfile::tempfile_in(&run.path).map_err(FileError::new("write to the folder", &run.path))?;
        Ok(run)
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

    /// Keeps what the test part came to, which marks the run as finished.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep_test(&mut self, test: &TestRecord) -> Result<(), StoreError> {
        let file = self.path.join(TEST);
        let json = serde_json::to_vec(test).map_err(|error| FileError::new("write", &file)(error.into()))?;
        Ok(write_file(&file, &json)?)
    }

    /// Removes what the test part came to: it was after fewer epochs, or of a run that is being replaced.
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

/// `runs/<arch>-<time>`, with a number behind where two runs begin in one second.
fn create_unique(config: &Config) -> Result<PathBuf, StoreError> {
    fs::create_dir_all(RUNS).map_err(FileError::new("create the folder", RUNS))?;
    let mut arch = config.arch.to_string();
    if arch.len() > 80 {
        arch = format!("{}-layers", config.arch.layers().len());
    }
    let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = Path::new(RUNS).join(format!("{arch}-{time}{suffix}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(FileError::new("create the folder", path)(error).into()),
        }
    }
}

/// `runs/latest` is another name for the run that it points at; that run must not be lost sight of when the link moves.
fn without_link(path: &Path) -> Result<PathBuf, StoreError> {
    if !path.is_symlink() {
        return Ok(path.to_path_buf());
    }
    Ok(fs::canonicalize(path).map_err(FileError::new("open the folder", path))?)
}

/// Makes `runs/latest` point at the run in this folder.
///
/// # Errors
/// A current directory that cannot be written.
pub fn point_latest(run: &Path) -> Result<(), StoreError> {
    let latest = Path::new(RUNS).join(LATEST);
    let set = || -> std::io::Result<()> {
        fs::create_dir_all(RUNS)?;
        let run = fs::canonicalize(run)?;
        // A sibling is named by its name alone, so that the runs folder can be moved.
        let sibling = run.parent() == Some(&fs::canonicalize(RUNS)?);
        let target = run.file_name().filter(|_| sibling).map_or(run.clone(), PathBuf::from);
        link(&target, &latest)
            .or_else(|_| write_file(&latest, target.to_string_lossy().as_bytes()).map_err(|error| error.cause))
    };
    Ok(set().map_err(FileError::new("write", &latest))?)
}

/// Replaces `latest` by a symbolic link, where the platform has them.
#[cfg(unix)]
fn link(target: &Path, latest: &Path) -> std::io::Result<()> {
    let folder = latest.parent().unwrap_or(Path::new("."));
    let make = |path: &Path| std::os::unix::fs::symlink(target, path);
    let temporary = tempfile::Builder::new().prefix(".latest-").make_in(folder, make)?;
    temporary.persist(latest).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(not(unix))]
fn link(_target: &Path, _latest: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
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

/// The model file that a user means: a model file, a run folder, or with nothing said the newest run.
///
/// # Errors
/// Where there is none.
pub fn find_model(named: Option<&Path>) -> Result<PathBuf, StoreError> {
    let newest = Path::new(RUNS).join(LATEST);
    let place = follow(named.unwrap_or(&newest))?;
    if named.is_none() && !newest.exists() {
        return Err(StoreError::NoRuns { path: PathBuf::from(RUNS) });
    }
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
