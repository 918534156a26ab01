//! Sums that the gradients of both normalizations are made of.

use crate::math::real::Real;
use crate::math::simd::simd;

/// Sums of `gradient * (value - mean)` and of `gradient`.
pub(crate) fn sums_of<T: Real>(gradients: &[T], values: &[T], mean: T) -> [T; 2] {
    const LANES: usize = 32;
    simd!({
        let (mut products, mut sums) = ([T::zero(); LANES], [T::zero(); LANES]);
        let ((gradients, rest), (values, last)) = (gradients.as_chunks::<LANES>(), values.as_chunks::<LANES>());
        for (gradients, values) in gradients.iter().zip(values) {
            for lane in 0..LANES {
                products[lane] += gradients[lane] * (values[lane] - mean);
                sums[lane] += gradients[lane];
            }
        }
        for (lane, (&gradient, &value)) in rest.iter().zip(last).enumerate() {
            products[lane] += gradient * (value - mean);
            sums[lane] += gradient;
        }
        [products.into_iter().sum(), sums.into_iter().sum()]
    })
}
