//! Vectors of examples, the widest that this CPU has, and what convolutions in f32 are made from.

use pulp::Simd;

use super::direct::Direct;
use super::weight_grad::WeightGrad;
use super::winograd::Winograd;
use super::{Axis, Convolve, Method, Strip, Sums};

impl Convolve for f32 {
    const WINOGRAD: bool = true;

    fn strip(strip: Strip<'_, '_, f32>) {
        match strip.method {
            Method::Direct => pulp::Arch::new().dispatch(Direct(strip)),
            Method::Winograd => pulp::Arch::new().dispatch(Winograd(strip)),
        }
    }

    fn sums(sums: Sums<'_, '_, f32>) {
        pulp::Arch::new().dispatch(WeightGrad(sums));
    }
}

/// Floats of a vector.
pub(super) const fn lanes<S: Simd>() -> usize {
    size_of::<S::f32s>() / size_of::<f32>()
}

/// The vector at `start` of a slice of `batch` values, zeros where they end.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, values: &[f32], start: usize) -> S::f32s {
    match values.get(start..start + lanes::<S>()) {
        Some(whole) => S::as_simd_f32s(whole).0[0],
        None => simd.partial_load_f32s(values.get(start..).unwrap_or_default()),
    }
}

/// Writes a vector to a slice of `batch` values from `start` on, as far as they go.
#[inline(always)]
pub(super) fn store<S: Simd>(simd: S, values: &mut [f32], start: usize, vector: S::f32s) {
    match values.get_mut(start..start + lanes::<S>()) {
        Some(whole) => S::as_mut_simd_f32s(whole).0[0] = vector,
        None => simd.partial_store_f32s(values.get_mut(start..).unwrap_or_default(), vector),
    }
}

/// Copies a vector of examples of a row of a map.
#[inline(always)]
pub(super) fn copy_row<S: Simd>(
    simd: S,
    row: &[f32],
    batch: usize,
    columns: &Axis,
    example: usize,
    copy: &mut [S::f32s],
) {
    for &(to, from) in &columns.copied {
        copy[to] = load(simd, &row[from * batch..][..batch], example);
    }
}
