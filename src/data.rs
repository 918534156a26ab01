//! Data sets: features as bytes or f32, with labels and class names, in memory for the whole run.

mod dataset;
mod features;
mod idx;
mod moments;
mod normalization;
mod sources;
mod split;

use std::path::PathBuf;

use thiserror::Error;

use crate::math::shape::Shape;
pub use dataset::{Dataset, Part, dataset_name};
pub use features::{Feature, FeatureType, Features};
pub use normalization::{Normalization, NormalizationKind};
pub use sources::MNIST;
pub use split::{Fractions, Split};

/// What a plan must know of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct DataShape {
    /// Examples to train on: positions `0..train` of the order, shuffled each epoch.
    pub train: usize,
    /// All examples, those for validation and test included.
    pub examples: usize,
    /// Values of an example.
    pub features: usize,
    /// What they are.
    pub values: FeatureType,
    /// How they become inputs.
    pub normalization: Normalization,
}

/// Data that is missing, broken or does not fit.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum DataError {
    #[error(
        "the bundled MNIST is not in this build: build gpunet with its feature `mnist`, or name a directory of IDX files"
    )]
    NoMnist,
    #[error("{examples} examples of {features} features are no data set: it needs at least one of each")]
    NoExamples { examples: usize, features: usize },
    #[error(
        "{values} values are not {labels} rows of {features} features, {} in all: there must be a row for each label",
        *labels as u128 * *features as u128
    )]
    Rows { values: usize, features: usize, labels: usize },
    #[error("the feature in row {row}, column {column} is {value}, counted from 0; features must be finite")]
    NotFinite { row: usize, column: usize, value: f32 },
    #[error("label {label} of example {index} is too large: labels are classes counted from 0, at most {most} of them")]
    LabelTooLarge { index: usize, label: u32, most: usize },
    #[error("{names} names for {classes} classes; each class needs one")]
    ClassNames { names: usize, classes: usize },
    #[error(
        "fractions of {validation} for validation and {test} for testing are no split: each lies from 0 up to but below 1, and \
         so does their sum"
    )]
    Fractions { validation: f64, test: f64 },
    #[error(
        "the {examples} examples of {data} are too few: {validation} to validate and {test} to test on leave none to train on"
    )]
    TooFew { data: String, examples: usize, validation: usize, test: usize },
    #[error("{data} has no {part} to evaluate on")]
    NoPart { data: String, part: &'static str },
    #[error("the model takes {wanted} features, but {found} were given")]
    FeatureType { wanted: &'static str, found: &'static str },
    #[error("{values} values are no whole examples of {features} features")]
    Examples { values: usize, features: usize },
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
    #[error(
        "{images_file} holds {images} images, but {labels_file} {labels} labels; there must be one label per image"
    )]
    CountsDiffer { images_file: String, images: usize, labels_file: String, labels: usize },
    #[error("{file}: label {label} of example {index} is outside the {classes} classes, 0 to {}", classes - 1)]
    LabelOutside { file: String, index: usize, label: u32, classes: usize },
    #[error("the test images of {data} are {test}, the training images {train}")]
    TestImages { data: String, test: Shape, train: Shape },
    #[error("the model takes images of {input} in {outputs} classes, but those of {data} are {shape} in {classes}")]
    Model { input: Shape, outputs: usize, data: String, shape: Shape, classes: usize },
    #[error(
        "a validation set of {wanted} cannot be taken from the {available} training examples of {data}: it needs at least \
         one example, and must leave at least one for training"
    )]
    Validation { wanted: usize, data: String, available: usize },
    #[error(
        "a test set of {wanted} cannot be taken from the {available} examples of {data}: it needs at least one example, and \
         with pooled data it must leave some"
    )]
    Test { wanted: usize, data: String, available: usize },
    #[error("a subset of {wanted} cannot be drawn from the {available} training examples of {data}")]
    Subset { wanted: usize, data: String, available: usize },
}
