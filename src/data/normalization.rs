//! How bytes become the network's inputs.

use serde::{Deserialize, Serialize};

use super::{Dataset, Part};

/// A normalization by name, whose constants are yet to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormalizationKind {
    /// Bytes to `[0, 1]`.
    Scale,
    /// All pixels less their mean, over their standard deviation.
    Standardize,
    /// Each pixel less its own mean over all images, over its own deviation.
    StandardizePerPixel,
    /// Each image less its own mean, over its own deviation.
    StandardizePerImage,
    /// Bytes to `[0, 1]`, less the mean image.
    MeanImage,
    /// Bytes as they are, 0 to 255.
    None,
}

/// A normalization with its constants, as a model file keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Normalization {
    /// `factor * byte + offset`.
    Scale {
        /// Factor on a byte.
        factor: f32,
        /// Added after scaling.
        offset: f32,
    },
    /// `factors[pixel] * byte + offsets[pixel]`.
    PerPixel {
        /// Factor on a pixel's byte, `[features]`.
        factors: Vec<f32>,
        /// Added after scaling, `[features]`.
        offsets: Vec<f32>,
    },
    /// `(byte - mean) / deviation` with mean and deviation of the image itself; an image of one shade becomes zeros.
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

    /// Computes the constants on the training part alone. Deviations are those of the population; where one is 0 there is
    /// nothing to scale, and the pixel's bytes are only brought to `[0, 1]`.
    pub fn fit(self, dataset: &Dataset) -> Normalization {
        let features = dataset.features;
        let images = &dataset.images[..dataset.part(Part::Train).len() * features];
        match self {
            NormalizationKind::Scale => Normalization::UNIT,
            NormalizationKind::None => Normalization::Scale { factor: 1.0, offset: 0.0 },
            NormalizationKind::StandardizePerImage => Normalization::PerImage {},
            NormalizationKind::Standardize => {
                let (factor, offset) = Moments::of(images.iter().copied()).standardizing();
                Normalization::Scale { factor, offset }
            }
            NormalizationKind::StandardizePerPixel => {
                let (factors, offsets) = per_pixel(images, features).iter().map(Moments::standardizing).unzip();
                Normalization::PerPixel { factors, offsets }
            }
            NormalizationKind::MeanImage => {
                let offsets = per_pixel(images, features).iter().map(|pixel| (-pixel.mean() / 255.0) as f32).collect();
                Normalization::PerPixel { factors: vec![1.0 / 255.0; features], offsets }
            }
        }
    }
}

impl Normalization {
    /// Bytes to `[0, 1]`.
    pub const UNIT: Normalization = Normalization::Scale { factor: 1.0 / 255.0, offset: 0.0 };

    /// Whether the constants go with the image, not with the pixel.
    pub fn is_per_image(&self) -> bool {
        *self == Normalization::PerImage {}
    }

    /// Factors and offsets for images `[count, features]`: one a pixel, or one an image where they go with the image.
    pub fn constants(&self, images: &[u8], features: usize) -> (Vec<f32>, Vec<f32>) {
        match self {
            Normalization::Scale { factor, offset } => (vec![*factor; features], vec![*offset; features]),
            Normalization::PerPixel { factors, offsets } => (factors.clone(), offsets.clone()),
            Normalization::PerImage {} => {
                let images = images.chunks_exact(features);
                images.map(|image| Moments::of(image.iter().copied()).standardizing()).unzip()
            }
        }
    }

    /// What is wrong with it for images of so many pixels; constants may come from a file.
    pub(crate) fn problem(&self, features: usize) -> Option<String> {
        let (factors, offsets): (&[f32], &[f32]) = match self {
            Normalization::Scale { factor, offset } => (std::slice::from_ref(factor), std::slice::from_ref(offset)),
            Normalization::PerPixel { factors, offsets } => {
                if [factors.len(), offsets.len()] != [features; 2] {
                    let (factors, offsets) = (factors.len(), offsets.len());
                    return Some(format!(
                        "its normalization has {factors} factors and {offsets} offsets for {features} pixels"
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

/// Sums of some bytes and of their squares, exact in integers.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: u64,
    sum: u64,
    squares: u64,
}

impl Moments {
    fn of(bytes: impl Iterator<Item = u8>) -> Moments {
        bytes.fold(Moments::default(), Moments::with)
    }

    fn with(self, byte: u8) -> Moments {
        let value = u64::from(byte);
        Moments { count: self.count + 1, sum: self.sum + value, squares: self.squares + value * value }
    }

    fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    /// Factor and offset that give these bytes mean 0 and deviation 1.
    fn standardizing(&self) -> (f32, f32) {
        let (n, sum, squares) = (u128::from(self.count), u128::from(self.sum), u128::from(self.squares));
        let variance = (n * squares - sum * sum) as f64 / (n * n).max(1) as f64;
        let factor = if variance > 0.0 { variance.sqrt().recip() } else { 1.0 / 255.0 };
        (factor as f32, (-self.mean() * factor) as f32)
    }
}

fn per_pixel(images: &[u8], features: usize) -> Vec<Moments> {
    let mut pixels = vec![Moments::default(); features];
    for image in images.chunks_exact(features) {
        for (pixel, &byte) in pixels.iter_mut().zip(image) {
            *pixel = pixel.with(byte);
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three images of two pixels, by hand; the third is no training example.
    fn inputs(kind: NormalizationKind) -> Vec<f64> {
        let mut dataset = Dataset::in_memory("by hand", vec![10, 250, 30, 250, 7, 7], vec![0, 1, 0], 2, 2);
        dataset.keep_for_training(2);
        let (factors, offsets) = kind.fit(&dataset).constants(&dataset.images, 2);
        let index = |at: usize| if kind == NormalizationKind::StandardizePerImage { at / 2 } else { at % 2 };
        let value = |(at, &byte): (usize, &u8)| f64::from(factors[index(at)] * f32::from(byte) + offsets[index(at)]);
        dataset.images.iter().enumerate().map(value).collect()
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
            for (value, expected) in inputs(kind).iter().zip(expected) {
                assert!((value - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{kind:?}: {value}, {expected}");
            }
        }
    }

    #[test]
    fn names_are_those_of_recipes() {
        for kind in NormalizationKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
