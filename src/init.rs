//! Initial values of parameters: a function of the seed, the tensor's number and the element's index alone.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::random::{ElementRng, Stream};

/// A distribution that parameters start from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Normal with mean 0 and variance `2 / fan_in` (He et al., "Delving deep into rectifiers", ICCV 2015).
    HeNormal {
        /// Inputs that a unit sums.
        fan_in: usize,
    },
    /// All zeros.
    Zeros,
}

impl Init {
    /// `length` values for the parameter tensor with number `tensor`.
    pub fn values(self, length: usize, seed: u64, tensor: u32) -> Vec<f32> {
        match self {
            Init::Zeros => vec![0.0; length],
            Init::HeNormal { fan_in } => {
                let deviation = (2.0 / fan_in as f64).sqrt();
                (0..length)
                    .into_par_iter()
                    .map(|index| {
                        let normal: f64 =
                            StandardNormal.sample(&mut ElementRng::new(Stream::Init(tensor), seed, index as u32));
                        (deviation * normal) as f32
                    })
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean, variance and kurtosis of 200,000 draws lie within four standard errors of those of the normal distribution.
    #[test]
    fn he_normal_has_the_published_moments() {
        let n = 200_000;
        let values = Init::HeNormal { fan_in: 50 }.values(n, 1, 0);
        let moment = |k: i32| values.iter().map(|&v| (f64::from(v) / 0.2).powi(k)).sum::<f64>() / n as f64;
        let standard_error = |variance: f64| 4.0 * (variance / n as f64).sqrt();
        assert!(moment(1).abs() < standard_error(1.0), "mean {}", moment(1));
        assert!((moment(2) - 1.0).abs() < standard_error(2.0), "variance {}", moment(2));
        assert!((moment(4) - 3.0).abs() < standard_error(96.0), "fourth moment {}", moment(4));
    }

    #[test]
    fn tensors_and_seeds_differ() {
        let init = Init::HeNormal { fan_in: 4 };
        assert_ne!(init.values(8, 1, 0), init.values(8, 1, 1));
        assert_ne!(init.values(8, 1, 0), init.values(8, 2, 0));
        assert_eq!(init.values(8, 1, 0), init.values(16, 1, 0)[..8], "an element does not depend on the length");
    }
}
