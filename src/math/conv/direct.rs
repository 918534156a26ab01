//! Convolutions by their definition, in f32.
//!
//! If the batch is a power of two, the values that a window reads fall into few cache sets. So each task first copies
//! its rows into contiguous memory, one vector of examples at a time.

use pulp::{Simd, WithSimd};

use super::axis::Run;
use super::vectors::{Scratch, copy_row, lanes, store};
use super::{CHANNELS, Correlation, Strip};

/// A strip, computed by the definition.
pub(super) struct Direct<'a, 'b>(pub(super) Strip<'a, 'b, f32>);

impl WithSimd for Direct<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for row in 0..self.0.rows.len() {
            self.row(simd, row);
        }
    }
}

impl Direct<'_, '_> {
    /// Writes a row of the strip.
    #[inline(always)]
    fn row<S: Simd>(&mut self, simd: S, row: usize) {
        let &Correlation { from, shape: [channels, height, width, batch], ref rows, ref columns, .. } = self.0.of;
        let taps = &rows.taps[self.0.rows.start + row];
        // `[channels, taps of the row, copied columns]`.
        let mut copy = Scratch::new::<S>(channels * taps.len() * columns.copy_length);
        let copy = copy.vectors::<S>();
        for example in (0..batch).step_by(lanes::<S>()) {
            let mut lines = copy.chunks_exact_mut(columns.copy_length);
            for channel in 0..channels {
                for (&(_, at_row), line) in taps.iter().zip(&mut lines) {
                    let seen = &from[(channel * height + at_row) * width * batch..][..width * batch];
                    copy_row(simd, seen, batch, columns, example, line);
                }
            }
            for run in &columns.runs {
                let mut first = 0;
                // As many columns as have room for their sums in registers.
                while S::REGISTER_COUNT >= 32 && first + 4 <= run.count {
                    self.columns::<S, 4>(simd, copy, row, run, first, example);
                    first += 4;
                }
                while first + 2 <= run.count {
                    self.columns::<S, 2>(simd, copy, row, run, first, example);
                    first += 2;
                }
                while first < run.count {
                    self.columns::<S, 1>(simd, copy, row, run, first, example);
                    first += 1;
                }
            }
        }
    }

    /// Writes one vector of examples for `V` columns of a row.
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        copy: &[S::f32s],
        row: usize,
        run: &Run,
        first: usize,
        example: usize,
    ) {
        let Strip { of, weights, ref rows, ref mut to, .. } = self.0;
        let &Correlation { shape: [.., batch], kernel, ref columns, .. } = of;
        let taps = &of.rows.taps[rows.start + row];
        for (weights, to) in weights.iter().zip(to.chunks_mut(CHANNELS)) {
            let mut sums = [[simd.splat_f32s(0.0); V]; CHANNELS];
            let mut lines = copy.chunks_exact(columns.copy_length);
            for weights in weights.chunks_exact(kernel * kernel) {
                for (&(tap_row, _), line) in taps.iter().zip(&mut lines) {
                    let weights = &weights[tap_row * kernel..][..kernel];
                    for &(tap, at) in &run.taps {
                        let values = &line[at + first..][..V];
                        let weights = &weights[tap];
                        for o in 0..CHANNELS {
                            let weight = simd.splat_f32s(weights[o]);
                            for v in 0..V {
                                sums[o][v] = simd.mul_add_f32s(weight, values[v], sums[o][v]);
                            }
                        }
                    }
                }
            }
            // A copy: the loops below index it in memory, while the sums above must stay in registers.
            let sums = sums;
            for (sums, to) in sums.iter().zip(to) {
                for (v, &sum) in sums.iter().enumerate() {
                    let column = run.first + (first + v) * run.step;
                    store(simd, &mut to[(row * columns.len() + column) * batch..][..batch], example, sum);
                }
            }
        }
    }
}
