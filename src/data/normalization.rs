//! How features become the network's inputs.
//!
//! Constants come from the training set alone. Deviations are those of the population. Where one is 0, or so small beside
//! the mean that it is the rounding of f32, there is nothing to scale: such values become 0.

use serde::{Deserialize, Serialize};

use super::features::{Feature, FeatureType, Features};
use super::moments::Moments;
use super::{Dataset, Part};

/// A normalization by name, whose constants are yet to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum NormalizationKind {
    /// To `[0, 1]`: bytes by 1/255, floats by the least and the greatest value of the training set.
    Scale,
    /// All features less their common mean, over their common standard deviation.
    Standardize,
    /// Each feature less its own mean over all examples, over its own deviation.
    StandardizePerPixel,
    /// Each example less its own mean, over its own deviation.
    StandardizePerImage,
    /// As [`NormalizationKind::Scale`], less the mean example.
    MeanImage,
    /// Features as they are.
    None,
}

/// A normalization with its constants, as a model file keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Normalization {
    /// `factor * feature + offset`.
    Scale {
        /// Factor on a feature.
        factor: f32,
        /// Added after scaling.
        offset: f32,
    },
    /// `factors[i] * feature + offsets[i]` for feature i of an example.
    PerPixel {
        /// Factor on each feature, `[features]`.
        factors: Vec<f32>,
        /// Added after scaling, `[features]`.
        offsets: Vec<f32>,
    },
    /// `(feature - mean) / deviation` with mean and deviation of the example itself.
    PerImage {},
}

impl NormalizationKind {
    /// All of them.
    pub const ALL: [NormalizationKind; 6] = [
        NormalizationKind::Scale,
        NormalizationKind::Standardize,
        NormalizationKind::StandardizePerPixel,
        NormalizationKind::StandardizePerImage,
        NormalizationKind::MeanImage,
        NormalizationKind::None,
    ];

    /// Name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            NormalizationKind::Scale => "scale",
            NormalizationKind::Standardize => "standardize",
            NormalizationKind::StandardizePerPixel => "standardize-per-pixel",
            NormalizationKind::StandardizePerImage => "standardize-per-image",
            NormalizationKind::MeanImage => "mean-image",
            NormalizationKind::None => "none",
        }
    }

    /// The same without the constants, for what depends only on where they go.
    pub fn without_constants(self) -> Normalization {
        match self {
            NormalizationKind::StandardizePerImage => Normalization::PerImage {},
            _ => Normalization::UNIT,
        }
    }

    /// The normalization of features for which none was chosen: bytes are scaled, and floats, whose columns may be of any size,
    /// are standardized each by its own mean and deviation.
    pub const fn usual(features: FeatureType) -> NormalizationKind {
        match features {
            FeatureType::Bytes => NormalizationKind::Scale,
            FeatureType::F32 => NormalizationKind::StandardizePerPixel,
        }
    }

    /// Computes the constants on the training set.
    pub fn fit(self, dataset: &Dataset) -> Normalization {
        let width = dataset.features;
        let length = dataset.part(Part::Train).len() * width;
        match &dataset.values {
            Features::Bytes(values) => self.fit_to(&values[..length], width),
            Features::F32(values) => self.fit_to(&values[..length], width),
        }
    }

    fn fit_to<T: Feature>(self, values: &[T], width: usize) -> Normalization {
        match self {
            NormalizationKind::Scale => {
                let (least, range) = T::range(values);
                Normalization::Scale { factor: range.recip() as f32, offset: (-least / range) as f32 }
            }
            NormalizationKind::None => Normalization::Scale { factor: 1.0, offset: 0.0 },
            NormalizationKind::StandardizePerImage => Normalization::PerImage {},
            NormalizationKind::Standardize => {
                let (factor, offset) = T::moments(values).standardizing();
                Normalization::Scale { factor, offset }
            }
            NormalizationKind::StandardizePerPixel => {
                let columns = T::moments_by_column(values, width);
                let (factors, offsets) = columns.iter().map(Moments::standardizing).unzip();
                Normalization::PerPixel { factors, offsets }
            }
            NormalizationKind::MeanImage => {
                let (_, range) = T::range(values);
                let columns = T::moments_by_column(values, width);
                let offsets = columns.iter().map(|column| (-column.mean / range) as f32).collect();
                Normalization::PerPixel { factors: vec![range.recip() as f32; width], offsets }
            }
        }
    }
}

impl Normalization {
    /// Bytes to `[0, 1]`.
    pub const UNIT: Normalization = Normalization::Scale { factor: 1.0 / 255.0, offset: 0.0 };

    /// Whether the constants go with the example, not with the feature.
    pub fn is_per_image(&self) -> bool {
        *self == Normalization::PerImage {}
    }

    /// Factors and offsets for values `[examples, width]`: one for each feature, or for each example where they go with it.
    pub fn constants(&self, values: &Features, width: usize) -> (Vec<f32>, Vec<f32>) {
        match self {
            Normalization::Scale { factor, offset } => (vec![*factor; width], vec![*offset; width]),
            Normalization::PerPixel { factors, offsets } => (factors.clone(), offsets.clone()),
            Normalization::PerImage {} => match values {
                Features::Bytes(values) => by_example(values, width),
                Features::F32(values) => by_example(values, width),
            },
        }
    }

    /// What is wrong with it for examples of so many features; constants may come from a file.
    pub(crate) fn problem(&self, features: usize) -> Option<String> {
        let (factors, offsets): (&[f32], &[f32]) = match self {
            Normalization::Scale { factor, offset } => (std::slice::from_ref(factor), std::slice::from_ref(offset)),
            Normalization::PerPixel { factors, offsets } => {
                if [factors.len(), offsets.len()] != [features; 2] {
                    let (factors, offsets) = (factors.len(), offsets.len());
                    return Some(format!(
                        "its normalization has {factors} factors and {offsets} offsets for {features} features"
                    ));
                }
                (factors, offsets)
            }
            Normalization::PerImage {} => return None,
        };
        let finite = factors.iter().chain(offsets).all(|constant| constant.is_finite());
        (!finite).then(|| "its normalization is not finite".to_string())
    }
}

/// Factors and offsets that standardize each example by itself.
fn by_example<T: Feature>(values: &[T], width: usize) -> (Vec<f32>, Vec<f32>) {
    values.chunks_exact(width).map(|example| T::moments(example).standardizing()).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three examples of two features, by hand; the third is no training example.
    fn inputs(kind: NormalizationKind, values: impl Into<Features>) -> Vec<f64> {
        let mut dataset = Dataset::in_memory("by hand", values, vec![0, 1, 0], 2, 2);
        dataset.keep_for_training(2);
        let (factors, offsets) = kind.fit(&dataset).constants(&dataset.values, 2);
        let index = |at: usize| if kind == NormalizationKind::StandardizePerImage { at / 2 } else { at % 2 };
        let value = |(at, value): (usize, f32)| f64::from(factors[index(at)] * value + offsets[index(at)]);
        let values: Vec<f32> = match dataset.values {
            Features::Bytes(values) => values.into_iter().map(f32::from).collect(),
            Features::F32(values) => values,
        };
        values.into_iter().enumerate().map(value).collect()
    }

    fn assert_near(found: &[f64], expected: &[f64], of: &dyn std::fmt::Debug) {
        assert_eq!(found.len(), expected.len());
        for (value, expected) in found.iter().zip(expected) {
            assert!((value - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{of:?}: {found:?}, {expected}");
        }
    }

    #[test]
    fn inputs_are_those_on_paper() {
        // All four: mean 135, deviation sqrt((125^2 + 105^2) / 2 + 50) = 115.4...
        let all: f64 = ((125f64.powi(2) + 115f64.powi(2) + 105f64.powi(2) + 115f64.powi(2)) / 4.0).sqrt();
        for (kind, expected) in [
            (NormalizationKind::Scale, [10.0, 250.0, 30.0, 250.0, 7.0, 7.0].map(|byte| byte / 255.0)),
            (NormalizationKind::None, [10.0, 250.0, 30.0, 250.0, 7.0, 7.0]),
            (NormalizationKind::Standardize, [-125.0, 115.0, -105.0, 115.0, -128.0, -128.0].map(|byte| byte / all)),
            // First pixel: mean 20, deviation 10. The second is always 250.
            (NormalizationKind::StandardizePerPixel, [-1.0, 0.0, 1.0, 0.0, -1.3, (7.0 - 250.0) / 255.0]),
            (NormalizationKind::StandardizePerImage, [-1.0, 1.0, -1.0, 1.0, 0.0, 0.0]),
            (NormalizationKind::MeanImage, [-10.0, 0.0, 10.0, 0.0, -13.0, -243.0].map(|byte| byte / 255.0)),
        ] {
            assert_near(&inputs(kind, vec![10u8, 250, 30, 250, 7, 7]), &expected, &kind);
        }
        assert_eq!(NormalizationKind::Scale.fit_to(&[7u8], 1), Normalization::UNIT);
    }

    #[test]
    fn floats_are_normalized_likewise() {
        // The training set: columns (-1, 3) and (4, 4). All four: mean 2.5, variance (3.5^2 + 0.5^2 + 2 * 1.5^2) / 4.
        let (values, all) = ([-1.0f32, 4.0, 3.0, 4.0, 0.0, 9.0], (4.25f64).sqrt());
        for (kind, expected) in [
            (NormalizationKind::Scale, [0.0, 1.0, 0.8, 1.0, 0.2, 2.0]),
            (NormalizationKind::None, [-1.0, 4.0, 3.0, 4.0, 0.0, 9.0]),
            (NormalizationKind::Standardize, [-3.5, 1.5, 0.5, 1.5, -2.5, 6.5].map(|value| value / all)),
            // First column: mean 1, deviation 2. The second is always 4 in training, so it keeps its unit.
            (NormalizationKind::StandardizePerPixel, [-1.0, 0.0, 1.0, 0.0, -0.5, 5.0]),
            (NormalizationKind::StandardizePerImage, [-1.0, 1.0, -1.0, 1.0, -1.0, 1.0]),
            (NormalizationKind::MeanImage, [-0.4, 0.0, 0.4, 0.0, -0.2, 1.0]),
        ] {
            assert_near(&inputs(kind, values.to_vec()), &expected, &kind);
        }
    }

    /// A column that differs by less than f32 can show beside its mean, one of subnormal numbers, and one of the largest.
    #[test]
    fn constants_stay_finite() {
        for column in [[1e6, 1e6 + 0.0625], [1e-42, 0.0], [3e38, -3e38], [5.0, 5.0]] {
            for kind in NormalizationKind::ALL {
                let (factors, offsets) = kind.fit_to(&column, 1).constants(&column.to_vec().into(), 1);
                let finite = factors.iter().chain(&offsets).all(|constant| constant.is_finite());
                assert!(finite, "{kind:?} of {column:?}: {factors:?}, {offsets:?}");
            }
        }
        let (factors, offsets) = NormalizationKind::StandardizePerPixel
            .fit_to(&[1e6f32, 1e6 + 0.0625], 1)
            .constants(&vec![0.0f32].into(), 1);
        assert!((factors[0], (1e6 + offsets[0]).abs() < 1.0) == (1.0, true), "{factors:?}, {offsets:?}");
    }

    #[test]
    fn names_are_those_of_recipes() {
        for kind in NormalizationKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
