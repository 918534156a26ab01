//! A data set as it lies on a device: one array of images, training part first.

use std::path::Path;

use rayon::prelude::*;

use super::DataShape;
use super::{DataError, Normalization, Split, source};
use crate::math::shape::Shape;

/// Images and labels of all parts: training, then validation, then test.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// `mnist`, or the directory's own name.
    pub name: String,
    /// Bytes, `[len, features]`.
    pub images: Vec<u8>,
    /// Classes, `[len]`.
    pub labels: Vec<u32>,
    /// Bytes of an image.
    pub features: usize,
    /// Its shape, where that is known.
    pub shape_of_image: Shape,
    /// Names of the classes, in order.
    pub classes: Vec<String>,
    train: usize,
    validation: usize,
}

/// What a data set is called: a directory's own name, since where it lies is nobody's business who gets the model.
pub fn dataset_name(data: &str) -> String {
    Path::new(data).file_name().map_or(data.into(), |name| name.to_string_lossy()).into_owned()
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Examples that gradients are made from.
    Train,
    /// Examples cut from the training data, on which choices are made.
    Validation,
    /// Examples that are looked at once, at the end.
    Test,
}

impl Dataset {
    /// Loads `mnist` or a directory, and parts it.
    ///
    /// # Errors
    /// Data that is missing or broken, or a split that leaves a part without examples.
    pub fn load(data: &str, split: &Split) -> Result<Dataset, DataError> {
        let (train, test) = rayon::join(|| source::train(data), || source::test(data));
        let (mut train, mut test) = (train?, test?);
        let (shape, of_test) = (train.images.shape, test.images.shape);
        if shape != of_test {
            return Err(DataError::TestImages { data: data.to_string(), test: of_test, train: shape });
        }
        let classes = if data == source::MNIST { 10 } else { train.classes() };
        let mut dataset = Dataset::empty(data, shape, classes);
        dataset.check_labels(&test)?;
        let tests = test.labels.len();
        if split.pool {
            train.images.bytes.append(&mut test.images.bytes);
            train.labels.append(&mut test.labels);
        }
        let parts = split.parts(&dataset.name, &train.labels, tests)?;
        (dataset.train, dataset.validation) = (parts.train.len(), parts.validation.len());
        let test = if split.pool { &train } else { &test };
        let others = parts.train.into_iter().chain(parts.validation).map(|example| (&train, example));
        dataset.fill(&others.chain(parts.test.into_iter().map(|example| (test, example))).collect::<Vec<_>>());
        Ok(dataset)
    }

    /// Loads the test part alone, for a model that takes examples of the shape `input` and tells `classes` apart.
    ///
    /// # Errors
    /// Data that is missing or broken, or not what the model takes.
    pub fn load_test(data: &str, input: Shape, classes: Vec<String>) -> Result<Dataset, DataError> {
        let test = source::test(data)?;
        let mut dataset = Dataset::empty(data, test.images.shape, 0);
        dataset.classes = classes;
        dataset.check_model(input, dataset.classes.len())?;
        dataset.check_labels(&test)?;
        dataset.fill(&(0..test.labels.len()).map(|example| (&test, example)).collect::<Vec<_>>());
        Ok(dataset)
    }

    /// A training part made by the caller, with nothing to validate or test on; benchmarks and tests use it.
    pub fn in_memory(name: &str, images: Vec<u8>, labels: Vec<u32>, features: usize, classes: usize) -> Dataset {
        let mut dataset = Dataset::empty(name, Shape::Features(features), classes);
        dataset.train = labels.len();
        (dataset.images, dataset.labels) = (images, labels);
        dataset
    }

    /// Leaves only the first `count` examples for training, and makes the others test examples; for tests.
    #[cfg(test)]
    pub(crate) fn keep_for_training(&mut self, count: usize) {
        self.train = count;
    }

    fn empty(data: &str, shape: Shape, classes: usize) -> Dataset {
        Dataset {
            name: dataset_name(data),
            images: Vec::new(),
            labels: Vec::new(),
            features: shape.len(),
            shape_of_image: shape,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            train: 0,
            validation: 0,
        }
    }

    /// Takes these examples of sources, in this order.
    fn fill(&mut self, examples: &[(&source::Examples, usize)]) {
        let features = self.features;
        self.images = vec![0; examples.len() * features];
        self.images.par_chunks_exact_mut(features).zip(examples).for_each(|(image, (source, example))| {
            image.copy_from_slice(&source.images.bytes[example * features..][..features]);
        });
        self.labels = examples.iter().map(|(source, example)| u32::from(source.labels[*example])).collect();
    }

    /// Checks that test labels are classes.
    fn check_labels(&self, test: &source::Examples) -> Result<(), DataError> {
        let classes = self.classes.len();
        match test.labels.iter().position(|&label| usize::from(label) >= classes) {
            Some(index) => {
                let (file, label) = (test.labels_file.clone(), u32::from(test.labels[index]));
                Err(DataError::LabelOutside { file, index, label, classes })
            }
            None => Ok(()),
        }
    }

    /// A sum of all images and labels, by which a run that goes on knows its data again.
    pub fn fingerprint(&self) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&self.images);
        sum.update(bytemuck::cast_slice(&self.labels));
        sum.finalize()
    }

    /// Number of examples in all parts.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The positions of a part.
    pub fn part(&self, part: Part) -> std::ops::Range<usize> {
        let validation_end = self.train + self.validation;
        match part {
            Part::Train => 0..self.train,
            Part::Validation => self.train..validation_end,
            Part::Test => validation_end..self.len(),
        }
    }

    /// Number of a part's examples of each class.
    pub fn class_counts(&self, part: Part) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.labels[self.part(part)].iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }

    /// The sizes that a plan is recorded for.
    pub fn shape(&self, normalization: Normalization) -> DataShape {
        DataShape { train: self.train, examples: self.len(), features: self.features, normalization }
    }

    /// Checks that a model which takes examples of the shape `input` and tells `outputs` classes apart can be evaluated on this data.
    ///
    /// # Errors
    /// [`DataError::Model`], which names both sides.
    pub fn check_model(&self, input: Shape, outputs: usize) -> Result<(), DataError> {
        let shape = self.shape_of_image;
        let is_other_image = matches!((input, shape), (Shape::Maps { .. }, Shape::Maps { .. })) && input != shape;
        if input.len() == self.features && !is_other_image && outputs == self.classes.len() {
            return Ok(());
        }
        let (data, classes) = (self.name.clone(), self.classes.len());
        Err(DataError::Model { input, outputs, data, shape, classes })
    }
}
