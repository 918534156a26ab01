//! A data set as it lies on a device: one array of images, training part first.

use std::path::Path;

use super::{DataError, Normalization, source};
use crate::arch::Arch;
use crate::model::DataShape;
use crate::random::{Stream, permute};

/// Validation examples where nothing is said and there are enough.
const DEFAULT_VALIDATION: usize = 5000;

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
    /// Names of the classes, in order.
    pub classes: Vec<String>,
    train: usize,
    validation: usize,
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
    /// Loads `mnist` or a directory, and cuts a validation part, drawn by `seed`, from its training data.
    ///
    /// # Errors
    /// Data that is missing or broken, or a split that leaves nothing to train on.
    pub fn load(data: &str, validation: Option<usize>, seed: u64) -> Result<Dataset, DataError> {
        let (train, test) = (source::train(data)?, source::test(data)?);
        let features = train.images.height * train.images.width;
        let test_features = test.images.height * test.images.width;
        if features != test_features {
            return Err(DataError::TestPixels { data: data.to_string(), test: test_features, train: features });
        }
        let count = train.images.count;
        let wanted = validation.unwrap_or_else(|| DEFAULT_VALIDATION.min((count / 6).max(1)));
        if wanted == 0 || wanted >= count {
            return Err(DataError::Validation { wanted, data: data.to_string(), available: count });
        }
        let classes = if data == source::MNIST { 10 } else { train.classes() };

        let mut dataset = Dataset::empty(data, features, classes);
        (dataset.train, dataset.validation) = (count - wanted, wanted);
        for position in 0..count {
            let example = permute(position as u32, count as u32, Stream::Split, seed) as usize;
            dataset.images.extend(&train.images.bytes[example * features..][..features]);
            dataset.labels.push(u32::from(train.labels[example]));
        }
        dataset.append_test(&test)?;
        Ok(dataset)
    }

    /// Loads the test part alone, for a model that tells `classes` apart.
    ///
    /// # Errors
    /// Data that is missing or broken.
    pub fn load_test(data: &str, classes: Vec<String>) -> Result<Dataset, DataError> {
        let test = source::test(data)?;
        let mut dataset = Dataset::empty(data, test.images.height * test.images.width, 0);
        dataset.classes = classes;
        dataset.append_test(&test)?;
        Ok(dataset)
    }

    /// A training part made by the caller, with nothing to validate or test on; benchmarks and tests use it.
    pub fn in_memory(name: &str, images: Vec<u8>, labels: Vec<u32>, features: usize, classes: usize) -> Dataset {
        let mut dataset = Dataset::empty(name, features, classes);
        dataset.train = labels.len();
        (dataset.images, dataset.labels) = (images, labels);
        dataset
    }

    /// Leaves only the first `count` examples for training, and makes the others test examples; for tests.
    #[cfg(test)]
    pub(crate) fn keep_for_training(&mut self, count: usize) {
        self.train = count;
    }

    fn empty(data: &str, features: usize, classes: usize) -> Dataset {
        // A directory's own name: where it lies is nobody's business who gets the model.
        let name = Path::new(data).file_name().map_or(data.into(), |name| name.to_string_lossy());
        Dataset {
            name: name.into_owned(),
            images: Vec::new(),
            labels: Vec::new(),
            features,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            train: 0,
            validation: 0,
        }
    }

    fn append_test(&mut self, test: &source::Examples) -> Result<(), DataError> {
        let classes = self.classes.len();
        if let Some(index) = test.labels.iter().position(|&label| usize::from(label) >= classes) {
            let (file, label) = (test.labels_file.clone(), u32::from(test.labels[index]));
            return Err(DataError::LabelOutside { file, index, label, classes });
        }
        self.images.extend(&test.images.bytes);
        self.labels.extend(test.labels.iter().map(|&label| u32::from(label)));
        Ok(())
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

    /// The sizes that a plan is recorded for.
    pub fn shape(&self, normalization: Normalization) -> DataShape {
        DataShape { train: self.train, examples: self.len(), features: self.features, normalization }
    }

    /// Checks that an architecture takes these images and tells these classes apart.
    ///
    /// # Errors
    /// Which end of the architecture does not fit.
    pub fn check_arch(&self, arch: &Arch) -> Result<(), DataError> {
        let (data, classes) = (self.name.clone(), self.classes.len());
        if arch.inputs() != self.features {
            let (inputs, features) = (arch.inputs(), self.features);
            return Err(DataError::Inputs { arch: arch.to_string(), inputs, data, features });
        }
        if arch.outputs() != classes {
            return Err(DataError::Outputs { arch: arch.to_string(), outputs: arch.outputs(), data, classes });
        }
        Ok(())
    }
}
