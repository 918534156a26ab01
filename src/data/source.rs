//! Where data comes from: MNIST inside the program, or a directory of IDX files.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use super::{DataError, idx};

/// The name of the data set inside the program.
pub const MNIST: &str = "mnist";

macro_rules! bundled {
    ($file:literal) => {
        ($file, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist/", $file)))
    };
}

/// The MNIST files as published (data/mnist/README.md).
static BUNDLED: [(&str, &[u8]); 4] = [
    bundled!("train-images-idx3-ubyte.gz"),
    bundled!("train-labels-idx1-ubyte.gz"),
    bundled!("t10k-images-idx3-ubyte.gz"),
    bundled!("t10k-labels-idx1-ubyte.gz"),
];

/// Labelled images as a source holds them.
#[derive(Clone, Debug)]
pub(super) struct Examples {
    pub(super) images: idx::Images,
    pub(super) labels: Vec<u8>,
    /// The label file, for errors.
    pub(super) labels_file: String,
}

impl Examples {
    /// The number of classes that the labels show: one more than the largest.
    pub(super) fn classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1)
    }
}

/// The training examples of a source.
pub(super) fn train(data: &str) -> Result<Examples, DataError> {
    examples(data, "train")
}

/// The test examples of a source.
pub(super) fn test(data: &str) -> Result<Examples, DataError> {
    examples(data, "t10k")
}

fn examples(data: &str, prefix: &str) -> Result<Examples, DataError> {
    let (images_file, images) = images(data, prefix)?;
    let (labels_file, content) = content(data, &format!("{prefix}-labels-idx1-ubyte"))?;
    let labels = idx::labels(&labels_file, &content)?;
    if images.count != labels.len() {
        let (images, labels) = (images.count, labels.len());
        return Err(DataError::CountsDiffer { images_file, images, labels_file, labels });
    }
    Ok(Examples { images, labels, labels_file })
}

/// The file of grey images, or of images in colour where there is no such file.
fn images(data: &str, prefix: &str) -> Result<(String, idx::Images), DataError> {
    let read = |dimensions: usize| {
        let (file, content) = content(data, &format!("{prefix}-images-idx{dimensions}-ubyte"))?;
        let images = idx::images(&file, &content)?;
        Ok((file, images))
    };
    match read(3) {
        Err(missing @ DataError::MissingFile { .. }) => match read(4) {
            // What most data sets have is what is asked for.
            Err(DataError::MissingFile { .. }) => Err(missing),
            found => found,
        },
        found => found,
    }
}

/// A file's name for errors and its bytes.
fn content(data: &str, name: &str) -> Result<(String, Cow<'static, [u8]>), DataError> {
    if data == MNIST {
        let packed = format!("{name}.gz");
        let found = BUNDLED.iter().find(|(bundled, _)| *bundled == packed);
        let (file, bytes) = found.ok_or_else(|| DataError::MissingFile { path: name.into() })?;
        return Ok((format!("the bundled {file}"), Cow::Borrowed(bytes)));
    }
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
