//! How a data set is split into training, validation and test set, and which training examples are used.

use serde::{Deserialize, Serialize};

use super::DataError;
use crate::math::random::{Stream, permute_all};

/// Validation examples where nothing is said and there are enough.
const DEFAULT_VALIDATION: usize = 5000;

/// Which examples become the training, validation and test set. All draws depend on the seed alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Examples cut from the training data for validation; `None` is 5,000, or a sixth of a smaller set.
    pub validation: Option<usize>,
    /// Test examples; `None` is as many as the data set has for testing.
    pub test: Option<usize>,
    /// Whether training and test data are pooled before they are split again.
    pub pool: bool,
    /// Examples to train on, as many of each class as can be; `None` is all.
    pub subset: Option<usize>,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Split {
    fn default() -> Split {
        Split { validation: None, test: None, pool: false, subset: None, seed: 1 }
    }
}

/// A split of a data set by shares of its examples. [`Split::fractions`] makes one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fractions {
    validation: f64,
    test: f64,
    seed: u64,
}

/// Numbers of the examples of each part; where the data is not pooled, test examples are counted apart.
pub(super) struct Parts {
    pub(super) train: Vec<usize>,
    pub(super) validation: Vec<usize>,
    pub(super) test: Vec<usize>,
}

impl Split {
    /// Shares of all examples to validate and to test on, from 0 up to but below 1; the rest is trained on. A share that is not
    /// 0 is at least one example.
    ///
    /// ```
    /// use gpunet::{Dataset, Part, Split};
    ///
    /// let x: Vec<f32> = (0..40).map(|i| i as f32).collect();
    /// let y: Vec<u32> = (0..20).map(|i| i % 2).collect();
    /// let data = Dataset::from_features(&x, 2, &y)?.split(Split::fractions(0.1, 0.25).seed(1))?;
    /// assert_eq!([Part::Train, Part::Validation, Part::Test].map(|part| data.part(part).len()), [13, 2, 5]);
    /// # Ok::<(), gpunet::Error>(())
    /// ```
    pub fn fractions(validation: f64, test: f64) -> Fractions {
        Fractions { validation, test, seed: Split::default().seed }
    }

    /// Parts a data set of `labels.len()` training and `tests` test examples. Pooled examples are numbered with the training
    /// data first, and `labels` are then those of all.
    pub(super) fn parts(&self, data: &str, labels: &[u32], tests: usize) -> Result<Parts, DataError> {
        let drawn = |count: usize| drawn(count, self.seed);
        let test = self.test.unwrap_or(tests);
        let most = if self.pool { labels.len() } else { tests };
        if test == 0 || test > most || (self.pool && test == most) {
            return Err(DataError::Test { wanted: test, data: data.to_string(), available: most });
        }
        let mut rest: Vec<usize> = drawn(labels.len()).collect();
        let test = if self.pool {
            rest.split_off(rest.len() - test)
        } else if test == tests {
            (0..tests).collect()
        } else {
            drawn(tests).take(test).collect()
        };

        let available = rest.len();
        let wanted = self.validation.unwrap_or_else(|| DEFAULT_VALIDATION.min((available / 6).max(1)));
        if wanted == 0 || wanted >= available {
            return Err(DataError::Validation { wanted, data: data.to_string(), available });
        }
        let validation = rest.split_off(available - wanted);
        let train = match self.subset {
            Some(subset) if subset == 0 || subset > rest.len() => {
                let (data, available) = (data.to_string(), rest.len());
                return Err(DataError::Subset { wanted: subset, data, available });
            }
            Some(subset) => balanced(&rest, labels, subset),
            None => rest,
        };
        Ok(Parts { train, validation, test })
    }
}

impl Fractions {
    /// With this seed of the draw.
    pub fn seed(self, seed: u64) -> Fractions {
        Fractions { seed, ..self }
    }

    /// Parts the `examples` of a data set.
    pub(super) fn parts(&self, data: &str, examples: usize) -> Result<Parts, DataError> {
        let Fractions { validation, test, seed } = *self;
        let is_share = |share: f64| (0.0..1.0).contains(&share);
        if !is_share(validation) || !is_share(test) || validation + test >= 1.0 {
            return Err(DataError::Fractions { validation, test });
        }
        let count = |share: f64| match share {
            0.0 => 0,
            share => ((share * examples as f64).round() as usize).max(1),
        };
        let (validation, test) = (count(validation), count(test));
        if validation + test >= examples {
            return Err(DataError::TooFew { data: data.to_string(), examples, validation, test });
        }
        let mut train: Vec<usize> = drawn(examples, seed).collect();
        let test = train.split_off(examples - test);
        let validation = train.split_off(train.len() - validation);
        Ok(Parts { train, validation, test })
    }
}

/// The numbers `0..count` in a random order.
fn drawn(count: usize, seed: u64) -> impl Iterator<Item = usize> {
    let mut order = vec![0; count];
    permute_all(&mut order, Stream::Split, seed);
    order.into_iter().map(|example| example as usize)
}

/// The first `count` of some examples when classes take turns, in the order of their turns, so that no batch lacks a class that
/// another has too much of.
fn balanced(examples: &[usize], labels: &[u32], count: usize) -> Vec<usize> {
    let mut seen = vec![0usize; labels.iter().max().map_or(0, |&label| label as usize + 1)];
    // An example's turn is the number of its class's examples before it.
    let mut turns: Vec<(usize, usize)> = Vec::with_capacity(examples.len());
    for (position, &example) in examples.iter().enumerate() {
        let class = labels[example] as usize;
        turns.push((seen[class], position));
        seen[class] += 1;
    }
    turns.sort_unstable();
    turns.iter().take(count).map(|&(_, position)| examples[position]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(split: &Split) -> Result<Parts, DataError> {
        let labels: Vec<u32> = (0..60).map(|i| if i < 40 { 0 } else { i % 2 + 1 }).collect();
        split.parts("sixty", &labels, 20)
    }

    fn sorted(parts: &[&[usize]]) -> Vec<usize> {
        let mut all = parts.concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn parts_are_disjoint_and_whole() {
        let Parts { train, validation, test } = parts(&Split { validation: Some(12), ..Split::default() }).unwrap();
        assert_eq!((train.len(), validation.len()), (48, 12));
        assert_eq!(sorted(&[&train, &validation]), (0..60).collect::<Vec<_>>());
        assert_eq!(test, (0..20).collect::<Vec<_>>());

        let pooled = Split { validation: Some(6), test: Some(7), pool: true, ..Split::default() };
        let Parts { train, validation, test } = parts(&pooled).unwrap();
        assert_eq!((train.len(), validation.len(), test.len()), (47, 6, 7));
        assert_eq!(sorted(&[&train, &validation, &test]), (0..60).collect::<Vec<_>>());

        let Parts { test, .. } = parts(&Split { test: Some(5), ..Split::default() }).unwrap();
        assert!(test.len() == 5 && test.iter().all(|&example| example < 20));
    }

    /// Of the 60 examples 40 are of class 0 and 10 of each other: of 24 drawn each class has 8, as long as it has so many.
    #[test]
    fn subsets_are_balanced() {
        let split = |subset, seed| Split { validation: Some(1), subset: Some(subset), seed, ..Split::default() };
        let classes = |subset, seed| {
            let train = parts(&split(subset, seed)).unwrap().train;
            assert_eq!(train.len(), subset);
            let of =
                |class: usize| train.iter().filter(|&&e| if e < 40 { class == 0 } else { e % 2 + 1 == class }).count();
            [of(0), of(1), of(2)]
        };
        assert_eq!(classes(24, 1), [8, 8, 8]);
        assert_eq!(classes(3, 2), [1, 1, 1]);
        let [first, second, third] = classes(50, 1);
        assert!(first >= 30 && second + third >= 19, "{first}, {second}, {third}");
        assert_ne!(parts(&split(24, 1)).unwrap().train, parts(&split(24, 2)).unwrap().train);
    }

    #[test]
    fn fractions_round_and_leave_no_part_without_examples() {
        let counts = |validation: f64, test: f64, examples: usize| {
            let Parts { train, validation, test } = Split::fractions(validation, test).parts("some", examples).unwrap();
            assert_eq!(sorted(&[&train, &validation, &test]), (0..examples).collect::<Vec<_>>());
            [train.len(), validation.len(), test.len()]
        };
        assert_eq!(counts(0.1, 0.1, 150), [120, 15, 15]);
        assert_eq!(counts(0.25, 0.1, 10), [6, 3, 1], "2.5 is rounded up");
        assert_eq!(counts(0.01, 0.001, 10), [8, 1, 1]);
        assert_eq!(counts(0.0, 0.5, 3), [1, 0, 2]);
        assert_eq!(counts(0.0, 0.0, 3), [3, 0, 0]);
        let train = |seed| Split::fractions(0.5, 0.0).seed(seed).parts("some", 20).unwrap().train;
        assert_eq!(train(1), train(1));
        assert_ne!(train(1), train(2));
        let refused = |validation, test, examples| {
            Split::fractions(validation, test).parts("some", examples).err().unwrap().to_string()
        };
        assert!(refused(0.1, 0.1, 2).contains("the 2 examples of some"));
        for (validation, test) in [(0.5, 0.5), (-0.1, 0.1), (1.0, 0.0), (f64::NAN, 0.0)] {
            assert!(refused(validation, test, 10).contains("below 1"));
        }
    }

    #[test]
    fn parts_that_cannot_be_are_refused() {
        let refused = |split: Split| parts(&split).err().unwrap().to_string();
        assert!(refused(Split { validation: Some(60), ..Split::default() }).contains("a validation set of"));
        assert!(refused(Split { validation: Some(0), ..Split::default() }).contains("a validation set of"));
        assert!(refused(Split { test: Some(21), ..Split::default() }).contains("a test set of"));
        assert!(refused(Split { test: Some(0), ..Split::default() }).contains("a test set of"));
        assert!(refused(Split { test: Some(60), pool: true, ..Split::default() }).contains("a test set of"));
        assert!(refused(Split { subset: Some(0), ..Split::default() }).contains("a subset of"));
        assert!(refused(Split { subset: Some(51), validation: Some(10), ..Split::default() }).contains("a subset of"));
    }
}
