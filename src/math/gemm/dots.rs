//! Products of two matrices that are both contiguous along the summed dimension. Nothing is packed or transposed first:
//! for a small result, packing would take a good part of the product's own time.

use pulp::{Simd, WithSimd};

/// `result = a b^T`, with a `[rows, depth]`, b `[columns, depth]` and result `[rows, columns]`.
pub(super) struct Dots<'a> {
    pub(super) result: &'a mut [f32],
    pub(super) a: &'a [f32],
    pub(super) b: &'a [f32],
    pub(super) depth: usize,
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many sums as fit into registers.
        if S::REGISTER_COUNT >= 32 {
            self.in_tiles::<S, 4, 6>(simd);
        } else {
            self.in_tiles::<S, 2, 4>(simd);
        }
    }
}

impl Dots<'_> {
    /// Computes tiles of `R x C`. `C` rows of `b` stay in the nearest cache while all of `a` passes.
    #[inline(always)]
    fn in_tiles<S: Simd, const R: usize, const C: usize>(self, simd: S) {
        let Dots { result, a, b, depth } = self;
        let columns = b.len() / depth;
        for (number, b) in b.chunks(C * depth).enumerate() {
            let first = number * C;
            for (a, result) in a.chunks(R * depth).zip(result.chunks_mut(R * columns)) {
                if a.len() == R * depth && b.len() == C * depth {
                    tile::<S, R, C>(simd, a, b, depth, &mut result[first..], columns);
                    continue;
                }
                for (a, result) in a.chunks(depth).zip(result.chunks_mut(columns)) {
                    for (b, result) in b.chunks(depth).zip(result[first..].chunks_mut(1)) {
                        tile::<S, 1, 1>(simd, a, b, depth, result, columns);
                    }
                }
            }
        }
    }
}

/// `R x C` sums of `depth` products each. Vectors run along the sum, so an element's bits do not depend on its tile.
#[inline(always)]
fn tile<S: Simd, const R: usize, const C: usize>(
    simd: S,
    a: &[f32],
    b: &[f32],
    depth: usize,
    result: &mut [f32],
    stride: usize,
) {
    let a: [_; R] = std::array::from_fn(|row| S::as_simd_f32s(&a[row * depth..][..depth]));
    let b: [_; C] = std::array::from_fn(|column| S::as_simd_f32s(&b[column * depth..][..depth]));
    let vectors = a[0].0.len();
    let of_a: [&[S::f32s]; R] = a.map(|(whole, _)| &whole[..vectors]);
    let of_b: [&[S::f32s]; C] = b.map(|(whole, _)| &whole[..vectors]);
    let mut sums = [[simd.splat_f32s(0.0); C]; R];
    for k in 0..vectors {
        let a: [S::f32s; R] = std::array::from_fn(|row| of_a[row][k]);
        for column in 0..C {
            let b = of_b[column][k];
            for row in 0..R {
                sums[row][column] = simd.mul_add_f32s(a[row], b, sums[row][column]);
            }
        }
    }
    if !a[0].1.is_empty() {
        for column in 0..C {
            let b = simd.partial_load_f32s(b[column].1);
            for row in 0..R {
                sums[row][column] = simd.mul_add_f32s(simd.partial_load_f32s(a[row].1), b, sums[row][column]);
            }
        }
    }
    // A copy: the loops below index it in memory, while the sums above must stay in registers.
    let sums = sums;
    for (row, sums) in sums.iter().enumerate() {
        for (column, &sum) in sums.iter().enumerate() {
            result[row * stride + column] = simd.reduce_sum_f32s(sum);
        }
    }
}
