//! Data sets: images as bytes, with labels and class names, in memory for the whole run.

mod dataset;
mod idx;
mod normalization;
mod source;
mod split;

use std::path::PathBuf;

use thiserror::Error;

use crate::math::shape::Shape;
pub use dataset::{Dataset, Part, dataset_name};
pub use normalization::{Normalization, NormalizationKind};
pub use source::MNIST;
pub use split::Split;

/// What a plan must know of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct DataShape {
    /// Examples to train on: positions `0..train` of the order, shuffled each epoch.
    pub train: usize,
    /// All examples, those for validation and test included.
    pub examples: usize,
    /// Bytes of an example.
    pub features: usize,
    /// How bytes become inputs.
    pub normalization: Normalization,
}

/// Data that is missing, broken or does not fit.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum DataError {
    #[error(
        "there is no data set at `{path}`: a data set is `mnist`, or a directory with train-images-idx3-ubyte, \
         train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (idx4 for images in colour), each as it is or as .gz"
    )]
    MissingDirectory { path: String },
    #[error("{} is missing (nor is there {}.gz); a data directory needs all four IDX files", path.display(), path.display())]
    MissingFile { path: PathBuf },
    #[error("could not read {file}: {cause}")]
    Unreadable { file: String, cause: std::io::Error },
    #[error("{file} is not sound gzip ({cause}); it was cut short or damaged: fetch it again")]
    Gzip { file: String, cause: std::io::Error },
    #[error(
        "{file} does not begin as an IDX file of {what} does: its magic number is {found:#010x} instead of {wanted:#010x}"
    )]
    Magic { file: String, what: &'static str, found: u32, wanted: u32 },
    #[error(
        "{file} holds {found} bytes, but its header announces {announced} ({dimensions}): it was cut short or damaged"
    )]
    Length { file: String, found: u64, announced: u64, dimensions: String },
    #[error("{file} announces {dimensions}, more than the {limit} bytes that gpunet takes")]
    TooLarge { file: String, dimensions: String, limit: u64 },
    #[error("{file} holds no examples ({dimensions})")]
    Empty { file: String, dimensions: String },
    #[error("{images_file} holds {images} images, but {labels_file} {labels} labels; they must be as many")]
    CountsDiffer { images_file: String, images: usize, labels_file: String, labels: usize },
    #[error("{file}: label {label} of example {index} is outside the {classes} classes, 0 to {}", classes - 1)]
    LabelOutside { file: String, index: usize, label: u32, classes: usize },
    #[error("the test images of {data} are {test}, the training images {train}")]
    TestImages { data: String, test: Shape, train: Shape },
    #[error("the model takes images of {input} in {outputs} classes, but those of {data} are {shape} in {classes}")]
    Model { input: Shape, outputs: usize, data: String, shape: Shape, classes: usize },
    #[error(
        "a validation part of {wanted} cannot be cut from the {available} training examples of {data}: at least one example \
         must be cut off and one be left"
    )]
    Validation { wanted: usize, data: String, available: usize },
    #[error(
        "a test part of {wanted} cannot be had from the {available} examples of {data} that it is taken from: it must have at \
         least one, and leave some where all data is pooled"
    )]
    Test { wanted: usize, data: String, available: usize },
    #[error("a subset of {wanted} cannot be drawn from the {available} training examples of {data}")]
    Subset { wanted: usize, data: String, available: usize },
}
