//! What formulas of activations have in common.

use crate::math::real::Real;

/// `1 / (1 + exp(-z))`.
#[inline(always)]
pub(super) fn sigmoid<T: Real>(z: T) -> T {
    T::one() / (T::one() + (-z).exp())
}

/// From here on Mish is z itself, even in f64: `1 - tanh(softplus(20))` is below 1e-17.
pub(super) const MISH_IS_LINEAR: f64 = 20.0;

/// `tanh(softplus(z))` and its slope. With `n = exp(z)` and `w = n (n + 2)` they are `w / (w + 2)` and `4 n (n + 1) /
/// (w + 2)^2`, neither of which loses digits where n is small. Larger z are taken for [`MISH_IS_LINEAR`], so that
/// nothing overflows.
#[inline(always)]
pub(super) fn tanh_of_softplus<T: Real>(z: T) -> [T; 2] {
    let [one, two, four] = [1.0, 2.0, 4.0].map(T::from_f64);
    let n = z.min(T::from_f64(MISH_IS_LINEAR)).exp();
    let w = n * (n + two);
    [w / (w + two), four * n * (n + one) / ((w + two) * (w + two))]
}

/// `Phi(z) = erfc(-z / sqrt(2)) / 2`.
#[inline(always)]
pub(super) fn normal_distribution<T: Real>(z: T) -> T {
    T::from_f64(0.5) * (-z * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erfc()
}

/// `Phi'(z) = exp(-z^2 / 2) / sqrt(2 pi)`.
#[inline(always)]
pub(super) fn normal_density<T: Real>(z: T) -> T {
    T::from_f64(0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2)
        * (T::from_f64(-0.5) * z * z).exp()
}
