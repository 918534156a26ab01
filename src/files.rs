//! Files that are written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

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

/// Files that are on disk under other names and are about to take their places: a full disk has changed nothing, a reader or a
/// run that is killed finds each whole, and the time in which some are new and some old is that of a few renames.
pub(crate) struct Staged(Vec<(PathBuf, NamedTempFile)>);

impl Staged {
    pub(crate) fn write(files: &[(PathBuf, &[u8])]) -> Result<Staged, FileError> {
        let stage = |(path, content): &(PathBuf, &[u8])| match write_beside(path, content) {
            Ok(file) => Ok((path.clone(), file)),
            Err(error) => Err(FileError::new("write", path)(error)),
        };
        files.iter().map(stage).collect::<Result<_, _>>().map(Staged)
    }

    /// Puts them into their places, one after another.
    pub(crate) fn keep(self) -> Result<(), FileError> {
        self.0.into_iter().try_for_each(|(path, file)| match file.persist(&path) {
            Ok(_) => Ok(()),
            Err(error) => Err(FileError::new("write", path)(error.error)),
        })
    }
}

/// Writes a file whole or not at all.
///
/// # Errors
/// A file that cannot be written.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    Staged::write(&[(path.to_path_buf(), content)])?.keep()
}

/// Makes the folder that a file is to be in, and sees that files can be made in it.
///
/// # Errors
/// A folder that cannot be made or written.
pub fn make_folder(file: &Path) -> Result<(), FileError> {
    let folder = folder_of(file);
    std::fs::create_dir_all(folder).map_err(FileError::new("create the folder", folder))?;
    tempfile::tempfile_in(folder).map_err(FileError::new("write to the folder", folder))?;
    Ok(())
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What temporary files begin with; one that is left behind was being written when a run was killed.
pub(crate) const TEMPORARY: &str = ".gpunet-";

/// Writes content to a temporary file in the folder of `path`.
fn write_beside(path: &Path, content: &[u8]) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // Temporary files are their owner's alone; what they become is an ordinary file, under the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(TEMPORARY).tempfile_in(folder_of(path))?;
    let raw = file.as_file_mut();
    raw.write_all(content)?;
    raw.sync_all()?;
    Ok(file)
}
