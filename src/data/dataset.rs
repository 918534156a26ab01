//! A data set as it lies on a device: one array of features, training examples first.

use std::path::Path;

use super::sources::{self, Examples};
use super::split::{Fractions, Parts};
use super::{DataError, DataShape, Feature, Features, Normalization, Split};
use crate::math::shape::Shape;

/// The most classes that labels may show: a label beyond is taken for a mistake.
const MOST_CLASSES: usize = 1 << 16;

/// Examples with their labels: those to train on, then those to validate and to test on. Any but the first may be none.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// `mnist`, the directory's own name, or what the caller calls it.
    pub name: String,
    /// `[len, features]`.
    pub values: Features,
    /// Classes, `[len]`.
    pub labels: Vec<u32>,
    /// Values of an example.
    pub features: usize,
    /// Its shape, where that is known.
    pub shape_of_example: Shape,
    /// Names of the classes, in order.
    pub classes: Vec<String>,
    /// Where it was loaded from and how it was split; `None` if the caller made it.
    pub(crate) origin: Option<(String, Split)>,
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

impl Part {
    /// Name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Train => "training set",
            Part::Validation => "validation set",
            Part::Test => "test set",
        }
    }
}

impl Dataset {
    /// A data set of the caller's own: `values` are `[examples, features]`, row by row, as `f32` or bytes; `labels` are
    /// `[examples]`, classes counted from 0. There are as many classes as the largest label says. All examples are for training
    /// until [`Dataset::split`] parts them.
    ///
    /// ```
    /// let data = gpunet::Dataset::from_features(&[0.5f32, 1.5, -2.0, 0.0], 2, &[0, 1])?;
    /// assert_eq!((data.len(), data.features, data.classes.len()), (2, 2, 2));
    /// let refused = gpunet::Dataset::from_features(&[0.5, f32::NAN, -2.0, 0.0], 2, &[0, 1]).unwrap_err();
    /// assert!(refused.to_string().contains("row 0, column 1"));
    /// # Ok::<(), gpunet::Error>(())
    /// ```
    ///
    /// # Errors
    /// No examples, values that are no whole rows or not as many as the labels, a float that is not finite (with its row and column), a
    /// label past 65,535.
    pub fn from_features<T: Feature>(values: &[T], features: usize, labels: &[u32]) -> Result<Dataset, DataError> {
        if features == 0 || labels.is_empty() {
            return Err(DataError::NoExamples { examples: labels.len(), features });
        }
        if labels.len().checked_mul(features) != Some(values.len()) {
            return Err(DataError::Rows { values: values.len(), features, labels: labels.len() });
        }
        T::check(values, features)?;
        let largest = labels.iter().enumerate().max_by_key(|&(_, label)| label);
        let (index, label) = largest.map_or((0, 0), |(index, &label)| (index, label));
        if label as usize >= MOST_CLASSES {
            return Err(DataError::LabelTooLarge { index, label, most: MOST_CLASSES });
        }
        Ok(Dataset::in_memory("own data", T::own(values.to_vec()), labels.to_vec(), features, label as usize + 1))
    }

    /// The same under another name, which models and run folders keep.
    pub fn named(self, name: impl Into<String>) -> Dataset {
        Dataset { name: name.into(), ..self }
    }

    /// The same with names for its classes, which models keep. There may be more classes than the labels show.
    ///
    /// # Errors
    /// Fewer names than classes.
    pub fn with_classes<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Result<Dataset, DataError> {
        let classes: Vec<String> = names.into_iter().map(Into::into).collect();
        if classes.len() < self.classes.len() {
            return Err(DataError::ClassNames { names: classes.len(), classes: self.classes.len() });
        }
        Ok(Dataset { classes, ..self })
    }

    /// Parts all examples anew into those to train, to validate and to test on.
    ///
    /// # Errors
    /// Fractions that are none, or fewer examples than parts.
    pub fn split(mut self, fractions: Fractions) -> Result<Dataset, DataError> {
        let Parts { train, validation, test } = fractions.parts(&self.name, self.len())?;
        (self.train, self.validation, self.origin) = (train.len(), validation.len(), None);
        let order: Vec<usize> = train.into_iter().chain(validation).chain(test).collect();
        let rows: Vec<(&Features, usize)> = order.iter().map(|&example| (&self.values, example)).collect();
        self.values = Features::from_rows(&rows, self.features);
        self.labels = order.iter().map(|&example| self.labels[example]).collect();
        Ok(self)
    }

    /// Loads `mnist` or a directory, and parts it.
    ///
    /// # Errors
    /// Data that is missing or broken, or a split that leaves a part without examples.
    pub fn load(data: &str, split: &Split) -> Result<Dataset, DataError> {
        let source = sources::source(data);
        let (train, test) = rayon::join(|| source.train(data), || source.test(data));
        let (mut train, mut test) = (train?, test?);
        if train.shape != test.shape {
            return Err(DataError::TestImages { data: data.to_string(), test: test.shape, train: train.shape });
        }
        let mut dataset = Dataset::empty(data, train.shape, train.classes);
        dataset.check_labels(&test)?;
        dataset.origin = Some((data.to_string(), split.clone()));
        let tests = test.labels.len();
        if split.pool {
            train.values.append(&mut test.values);
            train.labels.append(&mut test.labels);
        }
        let parts = split.parts(&dataset.name, &train.labels, tests)?;
        (dataset.train, dataset.validation) = (parts.train.len(), parts.validation.len());
        let test = if split.pool { &train } else { &test };
        let others = parts.train.into_iter().chain(parts.validation).map(|example| (&train, example));
        dataset.fill(&others.chain(parts.test.into_iter().map(|example| (test, example))).collect::<Vec<_>>());
        Ok(dataset)
    }

    /// Loads the test set alone, for a model that takes examples of the shape `input` and tells `classes` apart.
    ///
    /// # Errors
    /// Data that is missing or broken, or not what the model takes.
    pub fn load_test(data: &str, input: Shape, classes: Vec<String>) -> Result<Dataset, DataError> {
        let test = sources::source(data).test(data)?;
        let mut dataset = Dataset::empty(data, test.shape, 0);
        dataset.classes = classes;
        dataset.check_model(input, dataset.classes.len())?;
        dataset.check_labels(&test)?;
        dataset.fill(&(0..test.labels.len()).map(|example| (&test, example)).collect::<Vec<_>>());
        Ok(dataset)
    }

    /// Unchecked examples to train on, made by the caller; benchmarks and tests use it.
    #[doc(hidden)]
    pub fn in_memory(
        name: &str,
        values: impl Into<Features>,
        labels: Vec<u32>,
        features: usize,
        classes: usize,
    ) -> Dataset {
        let mut dataset = Dataset::empty(name, Shape::Features(features), classes);
        dataset.train = labels.len();
        (dataset.values, dataset.labels) = (values.into(), labels);
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
            values: Features::Bytes(Vec::new()),
            labels: Vec::new(),
            features: shape.len(),
            shape_of_example: shape,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            origin: None,
            train: 0,
            validation: 0,
        }
    }

    /// Takes these examples of sources, in this order.
    fn fill(&mut self, examples: &[(&Examples, usize)]) {
        let rows: Vec<_> = examples.iter().map(|(source, example)| (&source.values, *example)).collect();
        self.values = Features::from_rows(&rows, self.features);
        self.labels = examples.iter().map(|(source, example)| source.labels[*example]).collect();
    }

    /// Checks that test labels are classes.
    fn check_labels(&self, test: &Examples) -> Result<(), DataError> {
        let classes = self.classes.len();
        match test.labels.iter().position(|&label| label as usize >= classes) {
            Some(index) => {
                let (file, label) = (test.labels_file.clone(), test.labels[index]);
                Err(DataError::LabelOutside { file, index, label, classes })
            }
            None => Ok(()),
        }
    }

    /// A sum of all features and labels, by which a run that goes on knows its data again.
    pub fn fingerprint(&self) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        sum.update(self.values.as_bytes());
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
        let (examples, values) = (self.len(), self.values.kind());
        DataShape { train: self.train, examples, features: self.features, values, normalization }
    }

    /// Checks that a model which takes examples of the shape `input` and tells `outputs` classes apart can be evaluated on this data.
    ///
    /// # Errors
    /// [`DataError::Model`], which names both sides.
    pub fn check_model(&self, input: Shape, outputs: usize) -> Result<(), DataError> {
        let shape = self.shape_of_example;
        let is_other_image = matches!((input, shape), (Shape::Maps { .. }, Shape::Maps { .. })) && input != shape;
        if input.len() == self.features && !is_other_image && outputs == self.classes.len() {
            return Ok(());
        }
        let (data, classes) = (self.name.clone(), self.classes.len());
        Err(DataError::Model { input, outputs, data, shape, classes })
    }
}
