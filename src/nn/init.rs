//! Initial values of parameters: a function of the seed, the tensor's number and the element's index alone.

use std::fmt;
use std::str::FromStr;

use rand_distr::{Distribution, StandardNormal, StandardUniform};
use rayon::prelude::*;

use crate::math::random::{ElementRng, Stream};
use crate::math::simd::{MIN_PARALLEL, simd};

/// A distribution that parameters start from, written `he-normal` or `gaussian:0.01`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Normal or uniform, with mean 0 and a variance that depends on the layer's size.
    Scaled(Scale, Shape),
    /// Normal with mean 0 and this deviation.
    Gaussian(f64),
    /// All zeros.
    Zeros,
    /// All ones: scales of normalizations, not weights.
    Ones,
}

/// How the variance follows from the fan-in (inputs that a unit sums) and the fan-out (units that an input goes to).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// `2 / fan_in` (He et al., "Delving deep into rectifiers", ICCV 2015).
    He,
    /// `2 / (fan_in + fan_out)` (Glorot and Bengio, AISTATS 2010).
    Xavier,
    /// `1 / fan_in` (LeCun et al., "Efficient BackProp", 1998).
    Lecun,
}

/// The form of the distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The normal distribution.
    Normal,
    /// Uniform between plus and minus `sqrt(3 variance)`.
    Uniform,
}

/// How many values a unit sums, and to how many units a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fan {
    /// Inputs of a unit.
    pub fan_in: usize,
    /// Units of the layer.
    pub fan_out: usize,
}

/// The scaled distributions by name.
const SCALED: [(&str, Scale, Shape); 6] = [
    ("he-normal", Scale::He, Shape::Normal),
    ("he-uniform", Scale::He, Shape::Uniform),
    ("xavier-normal", Scale::Xavier, Shape::Normal),
    ("xavier-uniform", Scale::Xavier, Shape::Uniform),
    ("lecun-normal", Scale::Lecun, Shape::Normal),
    ("lecun-uniform", Scale::Lecun, Shape::Uniform),
];

/// Elements whose generators start side by side.
const LANES: usize = 16;

impl Init {
    /// What weights start from where nothing is said.
    pub const HE_NORMAL: Init = Init::Scaled(Scale::He, Shape::Normal);

    /// `length` values for the parameter tensor with number `tensor`.
    pub fn values(self, length: usize, fan: Fan, seed: u64, tensor: u32) -> Vec<f32> {
        let (shape, deviation) = match self {
            Init::Zeros => return vec![0.0; length],
            Init::Ones => return vec![1.0; length],
            Init::Gaussian(deviation) => (Shape::Normal, deviation),
            Init::Scaled(scale, shape) => (shape, scale.variance(fan).sqrt()),
        };
        let mut values = vec![0.0; length];
        values.par_chunks_mut(MIN_PARALLEL).enumerate().for_each(|(piece, values)| {
            simd!({
                for (group, values) in values.chunks_mut(LANES).enumerate() {
                    let first = (piece * MIN_PARALLEL + group * LANES) as u32;
                    let generators = ElementRng::side_by_side::<LANES>(Stream::Init(tensor), seed, first);
                    for (value, mut rng) in values.iter_mut().zip(generators) {
                        *value = (deviation * shape.standard(&mut rng)) as f32;
                    }
                }
            });
        });
        values
    }
}

impl Shape {
    /// A value of the distribution with mean 0 and variance 1.
    #[inline(always)]
    fn standard(self, rng: &mut ElementRng) -> f64 {
        match self {
            Shape::Normal => StandardNormal.sample(rng),
            Shape::Uniform => {
                let unit: f64 = StandardUniform.sample(rng);
                3f64.sqrt() * (2.0 * unit - 1.0)
            }
        }
    }
}

impl Scale {
    fn variance(self, Fan { fan_in, fan_out }: Fan) -> f64 {
        match self {
            Scale::He => 2.0 / fan_in as f64,
            Scale::Xavier => 2.0 / (fan_in + fan_out) as f64,
            Scale::Lecun => 1.0 / fan_in as f64,
        }
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Init::Zeros => f.write_str("zeros"),
            Init::Ones => f.write_str("ones"),
            Init::Gaussian(deviation) => write!(f, "gaussian:{deviation}"),
            Init::Scaled(scale, shape) => {
                let named = SCALED.iter().find(|(_, s, form)| (s, form) == (scale, shape));
                f.write_str(named.map_or("", |(name, ..)| name))
            }
        }
    }
}

impl FromStr for Init {
    type Err = String;

    /// `he`, `xavier` and `lecun` alone are the forms of their papers: normal, uniform and normal.
    fn from_str(text: &str) -> Result<Init, String> {
        let name = match text {
            "he" => "he-normal",
            "xavier" => "xavier-uniform",
            "lecun" => "lecun-normal",
            _ => text,
        };
        if let Some(&(_, scale, shape)) = SCALED.iter().find(|(known, ..)| *known == name) {
            return Ok(Init::Scaled(scale, shape));
        }
        if name == "zeros" {
            return Ok(Init::Zeros);
        }
        let deviation = name.strip_prefix("gaussian:").and_then(|deviation| deviation.parse::<f64>().ok());
        match deviation.filter(|&deviation| crate::settings::is_positive(deviation)) {
            Some(deviation) => Ok(Init::Gaussian(deviation)),
            None => Err(format!(
                "`{text}` is no initial distribution; there are {}, zeros, and gaussian:S with a deviation S above 0, such as \
                 gaussian:0.01",
                SCALED.map(|(name, ..)| name).join(", ")
            )),
        }
    }
}

impl serde::Serialize for Init {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Init {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Init, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAN: Fan = Fan { fan_in: 50, fan_out: 30 };

    /// Mean, variance and kurtosis of 200,000 draws lie within four standard errors of those of the distribution: variances
    /// by their papers, fourth moments 3 of the normal and 9/5 of the uniform distribution.
    #[test]
    fn distributions_have_the_published_moments() {
        let n = 200_000;
        for (name, variance, fourth, of_fourth) in [
            ("he-normal", 2.0 / 50.0, 3.0, 96.0),
            ("he-uniform", 2.0 / 50.0, 1.8, 5.76),
            ("xavier-normal", 2.0 / 80.0, 3.0, 96.0),
            ("xavier-uniform", 2.0 / 80.0, 1.8, 5.76),
            ("lecun-normal", 1.0 / 50.0, 3.0, 96.0),
            ("lecun-uniform", 1.0 / 50.0, 1.8, 5.76),
            ("gaussian:0.01", 1e-4, 3.0, 96.0),
        ] {
            let values = name.parse::<Init>().unwrap().values(n, FAN, 1, 0);
            let deviation = f64::sqrt(variance);
            let moment = |k: i32| values.iter().map(|&v| (f64::from(v) / deviation).powi(k)).sum::<f64>() / n as f64;
            let standard_error = |variance: f64| 4.0 * (variance / n as f64).sqrt();
            assert!(moment(1).abs() < standard_error(1.0), "{name}: mean {}", moment(1));
            assert!((moment(2) - 1.0).abs() < standard_error(fourth - 1.0), "{name}: variance {}", moment(2));
            assert!((moment(4) - fourth).abs() < standard_error(of_fourth), "{name}: fourth moment {}", moment(4));
        }
        assert_eq!(Init::Zeros.values(3, FAN, 1, 0), [0.0; 3]);
        assert_eq!(Init::Ones.values(3, FAN, 1, 0), [1.0; 3]);
    }

    /// Past a thread's piece and not a whole number of lanes, so that every place where elements are counted shows.
    #[test]
    fn every_element_has_its_own_generator() {
        let length = MIN_PARALLEL + LANES + 5;
        for (name, shape) in [("gaussian:0.5", Shape::Normal), ("he-uniform", Shape::Uniform)] {
            let values = name.parse::<Init>().unwrap().values(length, Fan { fan_in: 8, fan_out: 1 }, 3, 2);
            for (index, &value) in values.iter().enumerate() {
                let mut alone = ElementRng::new(Stream::Init(2), 3, index as u32);
                assert_eq!(value, (0.5 * shape.standard(&mut alone)) as f32, "{name}, element {index}");
            }
        }
    }

    #[test]
    fn tensors_and_seeds_differ() {
        let init = Init::HE_NORMAL;
        assert_ne!(init.values(8, FAN, 1, 0), init.values(8, FAN, 1, 1));
        assert_ne!(init.values(8, FAN, 1, 0), init.values(8, FAN, 2, 0));
        let longer = init.values(16, FAN, 1, 0);
        assert_eq!(init.values(8, FAN, 1, 0), longer[..8], "an element does not depend on the length");
    }

    #[test]
    fn names_lead_back_and_others_are_refused() {
        for (name, ..) in SCALED {
            assert_eq!(name.parse::<Init>().unwrap().to_string(), name);
        }
        for name in ["zeros", "gaussian:0.01", "gaussian:2"] {
            assert_eq!(name.parse::<Init>().unwrap().to_string(), name);
        }
        for name in
            ["he_normal", "gaussian", "gaussian:", "gaussian:-1", "gaussian:NaN", "gaussian:0", "gaussian:inf", ""]
        {
            assert!(name.parse::<Init>().unwrap_err().contains("such as gaussian:0.01"), "{name}");
        }
    }
}
