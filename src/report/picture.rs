//! Pictures as files.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::files::{FileError, Staged};

/// A drawn chart in two formats.
#[derive(Clone, Debug)]
pub struct Picture {
    /// For documents and browsers.
    pub svg: String,
    /// For all else; the text is in the font that the program carries.
    pub png: Vec<u8>,
}

/// A chart that could not be drawn: a mistake in the drawing, not the user's.
#[derive(Debug, Error)]
#[error("internal error, please report it: the picture could not be drawn: {0}")]
pub struct PictureError(String);

impl PictureError {
    pub(super) fn new(cause: impl std::error::Error) -> PictureError {
        PictureError(cause.to_string())
    }
}

impl Picture {
    /// Writes `<stem>.svg` and `<stem>.png`, whole or not at all, in place of what was there.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn save(&self, stem: &Path) -> Result<[PathBuf; 2], FileError> {
        let [svg, png] = ["svg", "png"].map(|extension| {
            let mut name = stem.as_os_str().to_os_string();
            name.push(".");
            name.push(extension);
            PathBuf::from(name)
        });
        Staged::write(&[(svg.clone(), self.svg.as_bytes()), (png.clone(), &self.png)])?.keep()?;
        Ok([svg, png])
    }
}
