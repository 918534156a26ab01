//! The float types that the CPU backend computes in.

use std::cell::Cell;

use bytemuck::Pod;
use half::f16;
use half::slice::HalfFloatSliceExt;
use num_traits::{Float, NumAssign};
use rayon::prelude::*;

use crate::math::conv::Convolve;
use crate::math::gemm::Gemm;
use crate::math::simd::MIN_PARALLEL;

/// `f32`, the precision of training, or `f64`, the precision of gradient checks.
pub trait Real:
    Float + NumAssign + Pod + Gemm + Convolve + Default + std::iter::Sum + std::fmt::Debug + Send + Sync
{
    /// From single precision; exact for both types.
    fn from_f32(value: f32) -> Self;
    /// From double precision, rounded to the nearest value.
    fn from_f64(value: f64) -> Self;
    /// The complementary error function.
    fn erfc(self) -> Self;
    /// To double precision; exact for both types.
    fn as_f64(self) -> f64;
    /// Rounds each value to the nearest half-precision value.
    fn round_to_half(values: &mut [Self]);
    /// Calls `with` with `length` elements of this thread's scratch memory, with arbitrary contents.
    fn with_scratch<R>(length: usize, with: impl FnOnce(&mut [Self]) -> R) -> R;
}

/// The sign of `x`: 1, 0 or -1. Unlike `signum`, it maps 0 to 0 and returns infinities and NaN unchanged.
#[inline(always)]
pub fn sign<T: Real>(x: T) -> T {
    if !x.is_finite() {
        x
    } else if x > T::zero() {
        T::one()
    } else if x < T::zero() {
        -T::one()
    } else {
        T::zero()
    }
}

/// `x`, or zero if `x` is subnormal. A moving average of gradients that became zero decays into the subnormal numbers
/// and stays there because of rounding, and processors are slow on subnormal numbers.
#[inline(always)]
pub fn flushed<T: Real>(x: T) -> T {
    if x.abs() < T::min_positive_value() { T::zero() } else { x }
}

/// [`Real::with_scratch`] for one type.
macro_rules! with_scratch {
    ($float:ty) => {
        fn with_scratch<R>(length: usize, with: impl FnOnce(&mut [$float]) -> R) -> R {
            thread_local!(static SCRATCH: Cell<Vec<$float>> = const { Cell::new(Vec::new()) });
            // Taken out during the call, so that a nested task gets memory of its own.
            let mut scratch = SCRATCH.take();
            scratch.resize(length.max(scratch.len()), 0.0);
            let result = with(&mut scratch[..length]);
            SCRATCH.set(scratch);
            result
        }
    };
}

impl Real for f32 {
    with_scratch!(f32);
    fn round_to_half(values: &mut [f32]) {
        values.par_chunks_mut(MIN_PARALLEL).for_each(|values| {
            let mut halves = [f16::ZERO; 1024];
            for values in values.chunks_mut(halves.len()) {
                let halves = &mut halves[..values.len()];
                halves.convert_from_f32_slice(values);
                halves.convert_to_f32_slice(values);
            }
        });
    }
    fn from_f32(value: f32) -> f32 {
        value
    }
    fn erfc(self) -> f32 {
        libm::erfcf(self)
    }
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    with_scratch!(f64);
    fn round_to_half(values: &mut [f64]) {
        values.par_iter_mut().with_min_len(MIN_PARALLEL).for_each(|value| *value = f16::from_f64(*value).to_f64());
    }
    fn from_f32(value: f32) -> f64 {
        f64::from(value)
    }
    fn erfc(self) -> f64 {
        libm::erfc(self)
    }
    fn from_f64(value: f64) -> f64 {
        value
    }
    fn as_f64(self) -> f64 {
        self
    }
}
