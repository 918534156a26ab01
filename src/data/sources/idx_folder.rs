//! A folder of IDX files under the names of the MNIST database.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use super::{Examples, Source, classes};
use crate::data::{DataError, Features, idx};

/// A folder with four files, each as it is or as `.gz`.
pub(super) struct IdxFolder;

impl Source for IdxFolder {
    fn knows(&self, _data: &str) -> bool {
        true
    }

    fn train(&self, data: &str) -> Result<Examples, DataError> {
        examples("train", &|name| content(data, name))
    }

    fn test(&self, data: &str) -> Result<Examples, DataError> {
        examples("t10k", &|name| content(data, name))
    }
}

/// A file's name for errors and its bytes.
type Content = (String, Cow<'static, [u8]>);

/// The examples of the files that begin with `prefix`; `content` reads a file.
pub(super) fn examples(
    prefix: &str,
    content: &dyn Fn(&str) -> Result<Content, DataError>,
) -> Result<Examples, DataError> {
    let (images_file, images) = images(prefix, content)?;
    let (labels_file, bytes) = content(&format!("{prefix}-labels-idx1-ubyte"))?;
    let labels: Vec<u32> = idx::labels(&labels_file, &bytes)?.into_iter().map(u32::from).collect();
    if images.count != labels.len() {
        let (images, labels) = (images.count, labels.len());
        return Err(DataError::CountsDiffer { images_file, images, labels_file, labels });
    }
    let (values, shape, classes) = (Features::Bytes(images.bytes), images.shape, classes(&labels));
    Ok(Examples { values, shape, labels, labels_file, classes })
}

/// The file of grey images, or of images in colour where there is no such file.
fn images(
    prefix: &str,
    content: &dyn Fn(&str) -> Result<Content, DataError>,
) -> Result<(String, idx::Images), DataError> {
    let read = |dimensions: usize| {
        let (file, bytes) = content(&format!("{prefix}-images-idx{dimensions}-ubyte"))?;
        let images = idx::images(&file, &bytes)?;
        Ok((file, images))
    };
    match read(3) {
        Err(missing @ DataError::MissingFile { .. }) => match read(4) {
            // Most data sets have the first, so an error asks for that.
            Err(DataError::MissingFile { .. }) => Err(missing),
            found => found,
        },
        found => found,
    }
}

fn content(data: &str, name: &str) -> Result<Content, DataError> {
    let directory = Path::new(data);
    if !directory.is_dir() {
        return Err(DataError::MissingDirectory { path: data.to_string() });
    }
    for path in [directory.join(name), directory.join(format!("{name}.gz"))] {
        match fs::read(&path) {
            Ok(bytes) => return Ok((path.display().to_string(), Cow::Owned(bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => {
                return Err(DataError::Unreadable { file: path.display().to_string(), cause });
            }
        }
    }
    Err(DataError::MissingFile { path: directory.join(name) })
}
