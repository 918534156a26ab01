//! Where runs go that are given no folder: `runs/<arch>-<time>`, with `runs/latest` pointing at the newest.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use gpunet::low_level::files::{FileError, write_file};
use gpunet::low_level::run::config::Config;
use gpunet::low_level::store::{self, LATEST, RunFolder, StoreError};

const RUNS: &str = "runs";

/// The folder of a new run: `out`, or one under `runs`.
///
/// # Errors
/// A folder that holds a run, unless `force` replaces it, or cannot be written.
pub(super) fn create(out: Option<&Path>, config: &Config, force: bool) -> Result<RunFolder, StoreError> {
    let Some(out) = out else {
        let mut arch = config.arch.to_string();
        if arch.len() > 80 {
            arch = format!("{}-layers", config.arch.layers().len());
        }
        let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
        return RunFolder::create_in(Path::new(RUNS), &format!("{arch}-{time}"));
    };
    RunFolder::create(out, force)
}

/// Makes `runs/latest` point at the run in this folder.
///
/// # Errors
/// A current directory that cannot be written.
pub(super) fn point_latest(run: &Path) -> Result<(), FileError> {
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
    set().map_err(FileError::new("write", &latest))
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

/// The model file that a user means: a model file, a run folder, or with nothing said the newest run.
///
/// # Errors
/// Where there is none.
pub(super) fn find_model(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let newest = Path::new(RUNS).join(LATEST);
    match named {
        Some(named) => Ok(store::find_model(named)?),
        None if newest.is_symlink() || newest.exists() => Ok(store::find_model(&newest)?),
        None => {
            bail!("there is no run yet in {RUNS}; train a run with `gpunet train`, or name a run folder or model file")
        }
    }
}
