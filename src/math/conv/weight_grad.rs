//! The gradient of a convolution's weights, in f32.

use pulp::{Simd, WithSimd};

use super::vectors::{Scratch, copy_row, lanes, load};
use super::{CHANNELS, WeightGrad};

/// [`WeightGrad`] in f32.
pub(super) struct Gradient<'a, 'b>(pub(super) WeightGrad<'a, 'b, f32>);

/// Most vectors of examples that are copied at a time, so that vector sums are reduced rarely.
const VECTORS: usize = 4;

impl WithSimd for Gradient<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let WeightGrad { input, shape: [channels, height, width, batch], kernel, gradients, rows, columns, .. } =
            self.0;
        // Equal groups of vectors, with as little padding as possible.
        let vectors = batch.div_ceil(lanes::<S>());
        let vectors = vectors.div_ceil(vectors.div_ceil(VECTORS));
        // `[channels, kernel, vectors, copied columns]`; rows in the padding are not read.
        let mut copy = Scratch::new::<S>(channels * kernel * vectors * columns.copy_length);
        let copy = copy.vectors::<S>();
        // `[groups of channels, vectors, columns, channels of a group]`, padded with zeros.
        let of_group = vectors * columns.len();
        let groups = gradients.len().div_ceil(CHANNELS);
        let mut copied_gradients = Scratch::new::<S>(groups * of_group * CHANNELS);
        let copied_gradients = copied_gradients.vectors::<S>().as_chunks_mut::<CHANNELS>().0;
        for line in self.0.to.iter_mut() {
            line.fill(0.0);
        }
        for (index, row) in rows.iter().enumerate() {
            for start in (0..batch).step_by(vectors * lanes::<S>()) {
                for channel in 0..channels {
                    for &(tap_row, at_row) in row {
                        let seen = &input[(channel * height + at_row) * width * batch..][..width * batch];
                        for vector in 0..vectors {
                            let line = (channel * kernel + tap_row) * vectors + vector;
                            let line = &mut copy[line * columns.copy_length..][..columns.copy_length];
                            copy_row(simd, seen, batch, columns, start + vector * lanes::<S>(), line);
                        }
                    }
                }
                for (channel, gradients) in gradients.iter().enumerate() {
                    let row = &gradients[index * columns.len() * batch..][..columns.len() * batch];
                    let group = &mut copied_gradients[channel / CHANNELS * of_group..][..of_group];
                    for (vector, line) in group.chunks_exact_mut(columns.len()).enumerate() {
                        for (to, gradients) in line.iter_mut().zip(row.chunks_exact(batch)) {
                            to[channel % CHANNELS] = load(simd, gradients, start + vector * lanes::<S>());
                        }
                    }
                }
                for (group, gradients) in copied_gradients.chunks_exact(of_group).take(groups).enumerate() {
                    for &(tap_row, _) in row {
                        self.row_of_taps(simd, copy, gradients, group, tap_row, vectors);
                    }
                }
            }
        }
    }
}

impl Gradient<'_, '_> {
    /// Adds the products of one row of taps, for all input channels.
    #[inline(always)]
    fn row_of_taps<S: Simd>(
        &mut self,
        simd: S,
        copy: &[S::f32s],
        gradients: &[[S::f32s; CHANNELS]],
        group: usize,
        tap_row: usize,
        vectors: usize,
    ) {
        let taps = self.0.shape[0] * self.0.kernel;
        let mut first = 0;
        // Twelve sums at once: more do not fit into registers.
        while S::REGISTER_COUNT >= 32 && first + 3 <= taps {
            self.taps::<S, 3>(simd, copy, gradients, group, tap_row, first, vectors);
            first += 3;
        }
        while first + 2 <= taps {
            self.taps::<S, 2>(simd, copy, gradients, group, tap_row, first, vectors);
            first += 2;
        }
        while first < taps {
            self.taps::<S, 1>(simd, copy, gradients, group, tap_row, first, vectors);
            first += 1;
        }
    }

    /// Adds the products of `K` taps of a row of taps. Taps are numbered over input channels and window columns.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "inner loop")]
    fn taps<S: Simd, const K: usize>(
        &mut self,
        simd: S,
        copy: &[S::f32s],
        gradients: &[[S::f32s; CHANNELS]],
        group: usize,
        tap_row: usize,
        first: usize,
        vectors: usize,
    ) {
        let WeightGrad { kernel, columns, ref mut to, .. } = self.0;
        let count = columns.len();
        let mut sums = [[simd.splat_f32s(0.0); K]; CHANNELS];
        for (vector, gradients) in gradients.chunks_exact(count).enumerate() {
            let mut values: [&[S::f32s]; K] = [&[]; K];
            for (k, values) in values.iter_mut().enumerate() {
                let (channel, tap) = ((first + k) / kernel, (first + k) % kernel);
                let line = (channel * kernel + tap_row) * vectors + vector;
                let (_, at) = columns.runs[0].taps[tap];
                *values = &copy[line * columns.copy_length + at..][..gradients.len()];
            }
            for (column, gradients) in gradients.iter().enumerate() {
                for k in 0..K {
                    let value = values[k][column];
                    for o in 0..CHANNELS {
                        sums[o][k] = simd.mul_add_f32s(gradients[o], value, sums[o][k]);
                    }
                }
            }
        }
        // A copy: the loops below index it in memory, while the sums above must stay in registers.
        let sums = sums;
        for (sums, to) in sums.iter().zip(to[group * CHANNELS..].iter_mut()) {
            for (k, &sum) in sums.iter().enumerate() {
                let (channel, tap) = ((first + k) / kernel, (first + k) % kernel);
                to[(channel * kernel + tap_row) * kernel + tap] += simd.reduce_sum_f32s(sum);
            }
        }
    }
}
