//! Where data comes from: a file a source.

mod idx_folder;
mod mnist;

use super::{DataError, Features};
use crate::math::shape::Shape;

pub use mnist::MNIST;

/// All sources. The first that knows a name loads it; the last knows every name.
const SOURCES: &[&dyn Source] = &[&mnist::Mnist, &idx_folder::IdxFolder];

/// Labelled examples as a source holds them.
#[derive(Clone, Debug)]
pub(super) struct Examples {
    /// `[examples, features]`.
    pub values: Features,
    /// Of one example.
    pub shape: Shape,
    /// `[examples]`.
    pub labels: Vec<u32>,
    /// The label file, for errors.
    pub labels_file: String,
    /// Number of classes, as far as these examples show.
    pub classes: usize,
}

/// A kind of place that data sets are loaded from.
pub(super) trait Source: Sync {
    /// Whether the source loads data sets of that name.
    fn knows(&self, data: &str) -> bool;

    /// The training examples.
    fn train(&self, data: &str) -> Result<Examples, DataError>;

    /// The test examples.
    fn test(&self, data: &str) -> Result<Examples, DataError>;
}

/// The source of a data set.
pub(super) fn source(data: &str) -> &'static dyn Source {
    SOURCES.iter().copied().find(|source| source.knows(data)).unwrap_or(&idx_folder::IdxFolder)
}

/// The number of classes that labels show: one more than the largest.
fn classes(labels: &[u32]) -> usize {
    labels.iter().max().map_or(0, |&label| label as usize + 1)
}
