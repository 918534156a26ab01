//! Vectors of examples, as wide as this CPU allows: the building blocks of convolutions in f32.

use pulp::Simd;

use super::direct::Direct;
use super::weight_grad::Gradient;
use super::winograd::Winograd;
use super::{Axis, Convolve, Method, Strip, WeightGrad};

impl Convolve for f32 {
    const WINOGRAD: bool = true;

    fn strip(strip: Strip<'_, '_, f32>) {
        match strip.method {
            Method::Direct => pulp::Arch::new().dispatch(Direct(strip)),
            Method::Winograd => pulp::Arch::new().dispatch(Winograd(strip)),
        }
    }

    fn weight_grad(task: WeightGrad<'_, '_, f32>) {
        pulp::Arch::new().dispatch(Gradient(task));
    }
}

/// Floats per vector.
pub(super) const fn lanes<S: Simd>() -> usize {
    size_of::<S::f32s>() / size_of::<f32>()
}

/// Bytes of a cache line, and of the longest vector.
const LINE: usize = 64;

/// Zeroed memory for vectors, aligned to cache lines: reading a vector that crosses a line takes twice as long.
pub(super) struct Scratch(Vec<f32>);

impl Scratch {
    /// Room for `vectors` vectors.
    pub(super) fn new<S: Simd>(vectors: usize) -> Scratch {
        Scratch(vec![0.0; vectors * lanes::<S>() + LINE / size_of::<f32>()])
    }

    /// The vectors; there may be a few more than asked for.
    #[inline(always)]
    pub(super) fn vectors<S: Simd>(&mut self) -> &mut [S::f32s] {
        let start = self.0.as_ptr().align_offset(LINE).min(LINE / size_of::<f32>());
        S::as_mut_simd_f32s(&mut self.0[start..]).0
    }
}

/// The vector at `start` of a slice of `batch` values, filled up with zeros beyond its end.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, values: &[f32], start: usize) -> S::f32s {
    match values.get(start..start + lanes::<S>()) {
        Some(whole) => S::as_simd_f32s(whole).0[0],
        None => simd.partial_load_f32s(values.get(start..).unwrap_or_default()),
    }
}

/// Writes a vector at `start` of a slice of `batch` values; lanes beyond its end are dropped.
#[inline(always)]
pub(super) fn store<S: Simd>(simd: S, values: &mut [f32], start: usize, vector: S::f32s) {
    match values.get_mut(start..start + lanes::<S>()) {
        Some(whole) => S::as_mut_simd_f32s(whole).0[0] = vector,
        None => simd.partial_store_f32s(values.get_mut(start..).unwrap_or_default(), vector),
    }
}

/// Copies one vector of examples from a map's row `[width, batch]` to a row `[copied columns]`.
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
