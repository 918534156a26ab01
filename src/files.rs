//! Files that are written atomically: completely or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

/// A failed file operation, as a sentence.
#[derive(Debug, Error)]
#[error("could not {action} {}: {cause}", path.display())]
pub struct FileError {
    /// The operation, as a verb: `read`, `write`, `create`.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The operating system's error.
    pub cause: std::io::Error,
}

impl FileError {
    /// For `map_err`: the error of applying `action` to `path`.
    pub fn new(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> FileError {
        let path = path.into();
        move |cause| FileError { action, path, cause }
    }
}

/// Files that are complete on disk under temporary names and only need renaming. A full disk therefore changes nothing.
/// Readers and killed runs find every file complete. New and old files are mixed only for the time of a few renames.
pub(crate) struct Staged(Vec<(PathBuf, NamedTempFile)>);

impl Staged {
    pub(crate) fn write(files: &[(PathBuf, &[u8])]) -> Result<Staged, FileError> {
        let stage = |(path, content): &(PathBuf, &[u8])| match write_beside(path, content) {
            Ok(file) => Ok((path.clone(), file)),
            Err(error) => Err(FileError::new("write", path)(error)),
        };
        files.iter().map(stage).collect::<Result<_, _>>().map(Staged)
    }

    /// Renames all files to their final names, one after another.
    pub(crate) fn keep(self) -> Result<(), FileError> {
        self.0.into_iter().try_for_each(|(path, file)| match file.persist(&path) {
            Ok(_) => Ok(()),
            Err(error) => Err(FileError::new("write", path)(error.error)),
        })
    }
}

/// Writes a file atomically.
///
/// # Errors
/// The file cannot be written.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    Staged::write(&[(path.to_path_buf(), content)])?.keep()
}

/// Creates the folder of `file`, and checks that files can be created in it.
///
/// # Errors
/// The folder cannot be created or written.
pub fn make_folder(file: &Path) -> Result<(), FileError> {
    let folder = folder_of(file);
    std::fs::create_dir_all(folder).map_err(FileError::new("create the folder", folder))?;
    tempfile::tempfile_in(folder).map_err(FileError::new("write to the folder", folder))?;
    Ok(())
}

/// The folder of a file.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Prefix of temporary files. One that is left behind belongs to a run that was killed while writing.
pub(crate) const TEMPORARY: &str = ".gpunet-";

/// Writes content to a temporary file in the folder of `path`.
fn write_beside(path: &Path, content: &[u8]) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; the final file has ordinary permissions under the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(TEMPORARY).tempfile_in(folder_of(path))?;
    let raw = file.as_file_mut();
    raw.write_all(content)?;
    raw.sync_all()?;
    Ok(file)
}
