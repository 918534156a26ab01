//! The MNIST database inside the library.

use super::idx_folder::examples;
use super::{Examples, Source};
use crate::data::DataError;

/// The name of the data set inside the library.
pub const MNIST: &str = "mnist";

/// Its digits.
const CLASSES: usize = 10;

#[cfg(feature = "mnist")]
macro_rules! bundled {
    ($file:literal) => {
        ($file, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist/", $file)))
    };
}

/// The MNIST files as published (data/mnist/README.md).
#[cfg(feature = "mnist")]
static BUNDLED: &[(&str, &[u8])] = &[
    bundled!("train-images-idx3-ubyte.gz"),
    bundled!("train-labels-idx1-ubyte.gz"),
    bundled!("t10k-images-idx3-ubyte.gz"),
    bundled!("t10k-labels-idx1-ubyte.gz"),
];
#[cfg(not(feature = "mnist"))]
static BUNDLED: &[(&str, &[u8])] = &[];

/// The bundled data set.
pub(super) struct Mnist;

impl Source for Mnist {
    fn knows(&self, data: &str) -> bool {
        data == MNIST
    }

    fn train(&self, _data: &str) -> Result<Examples, DataError> {
        load("train")
    }

    fn test(&self, _data: &str) -> Result<Examples, DataError> {
        load("t10k")
    }
}

fn load(prefix: &str) -> Result<Examples, DataError> {
    if BUNDLED.is_empty() {
        return Err(DataError::NoMnist);
    }
    let content = |name: &str| {
        let packed = format!("{name}.gz");
        let found = BUNDLED.iter().find(|(bundled, _)| *bundled == packed);
        let (file, bytes) = found.ok_or_else(|| DataError::MissingFile { path: name.into() })?;
        Ok((format!("the bundled {file}"), (*bytes).into()))
    };
    Ok(Examples { classes: CLASSES, ..examples(prefix, &content)? })
}
