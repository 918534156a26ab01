//! Convolutions in f32, in the widest vectors that this CPU has.
//!
//! In maps whose batch is a power of two, what a window sees lies at distances that fall into few sets of a cache. So each task
//! first copies its rows, a vector of examples at a time, next to each other.

use pulp::{Simd, WithSimd};

use super::axis::Run;
use super::{Axis, CHANNELS, Convolve, Lines, Sums};

impl Convolve for f32 {
    fn lines(task: Lines<'_, '_, f32>) {
        pulp::Arch::new().dispatch(LinesF32(task));
    }

    fn sums(task: Sums<'_, '_, f32>) {
        pulp::Arch::new().dispatch(SumsF32(task));
    }
}

/// Floats of a vector.
const fn lanes<S: Simd>() -> usize {
    size_of::<S::f32s>() / size_of::<f32>()
}

/// The vector at `start` of a slice of `batch` values, zeros where they end.
#[inline(always)]
fn load<S: Simd>(simd: S, values: &[f32], start: usize) -> S::f32s {
    match values.get(start..start + lanes::<S>()) {
        Some(whole) => S::as_simd_f32s(whole).0[0],
        None => simd.partial_load_f32s(values.get(start..).unwrap_or_default()),
    }
}

/// Copies a vector of examples of a row of a map.
#[inline(always)]
fn copy_row<S: Simd>(simd: S, row: &[f32], batch: usize, columns: &Axis, example: usize, copy: &mut [S::f32s]) {
    for &(to, from) in &columns.copied {
        copy[to] = load(simd, &row[from * batch..][..batch], example);
    }
}

/// [`Lines`] in f32.
struct LinesF32<'a, 'b>(Lines<'a, 'b, f32>);

impl WithSimd for LinesF32<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Lines { from, shape: [channels, height, width, batch], row, columns, .. } = self.0;
        // `[channels, taps of the row, copied columns]`.
        let mut copy = vec![simd.splat_f32s(0.0); channels * row.len() * columns.copy_length];
        for example in (0..batch).step_by(lanes::<S>()) {
            let mut lines = copy.chunks_exact_mut(columns.copy_length);
            for channel in 0..channels {
                for (&(_, at_row), line) in row.iter().zip(&mut lines) {
                    let row = &from[(channel * height + at_row) * width * batch..][..width * batch];
                    copy_row(simd, row, batch, columns, example, line);
                }
            }
            for run in &columns.runs {
                let mut first = 0;
                // As many columns as leave registers for all sums.
                while S::REGISTER_COUNT >= 32 && first + 4 <= run.count {
                    self.tiles::<S, 4>(simd, &copy, run, first, example);
                    first += 4;
                }
                while first + 2 <= run.count {
                    self.tiles::<S, 2>(simd, &copy, run, first, example);
                    first += 2;
                }
                while first < run.count {
                    self.tiles::<S, 1>(simd, &copy, run, first, example);
                    first += 1;
                }
            }
        }
    }
}

impl LinesF32<'_, '_> {
    /// Writes a vector of examples of `V` columns.
    #[inline(always)]
    fn tiles<S: Simd, const V: usize>(&mut self, simd: S, copy: &[S::f32s], run: &Run, first: usize, example: usize) {
        for group in 0..self.0.weights.len() {
            self.tile::<S, V>(simd, copy, run, first, group, example);
        }
    }

    /// The same of a group of channels.
    #[inline(always)]
    fn tile<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        copy: &[S::f32s],
        run: &Run,
        first: usize,
        group: usize,
        example: usize,
    ) {
        let Lines { shape: [channels, .., batch], kernel, weights, row, columns, ref mut to, .. } = self.0;
        let mut sums = [[simd.splat_f32s(0.0); V]; CHANNELS];
        let mut lines = copy.chunks_exact(columns.copy_length);
        for weights in weights[group].chunks_exact(kernel * kernel).take(channels) {
            for (&(tap_row, _), line) in row.iter().zip(&mut lines) {
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
        // A copy, since what loops go over lies in memory, where the sums above must not.
        let sums = sums;
        let end = batch.min(example + lanes::<S>());
        for (sums, line) in sums.iter().zip(to[group * CHANNELS..].iter_mut()) {
            for (v, &sum) in sums.iter().enumerate() {
                let column = run.first + (first + v) * run.step;
                simd.partial_store_f32s(&mut line[column * batch + example..column * batch + end], sum);
            }
        }
    }
}

/// [`Sums`] in f32.
struct SumsF32<'a, 'b>(Sums<'a, 'b, f32>);

/// Vectors of examples that are copied at a time: enough work between two times that sums of vectors are added up.
const VECTORS: usize = 4;

impl WithSimd for SumsF32<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Sums { input, shape: [channels, height, width, batch], kernel, gradients, rows, columns, .. } = self.0;
        let vectors = VECTORS.min(batch.div_ceil(lanes::<S>()));
        let zero = simd.splat_f32s(0.0);
        // `[channels, kernel, vectors, copied columns]`, of which rows in the padding are not read.
        let mut copy = vec![zero; channels * kernel * vectors * columns.copy_length];
        // `[groups of channels, vectors, columns, channels of a group]`, filled up with zeros.
        let of_group = vectors * columns.len();
        let mut copied_gradients = vec![[zero; CHANNELS]; gradients.len().div_ceil(CHANNELS) * of_group];
        for line in self.0.to.iter_mut() {
            line.fill(0.0);
        }
        for (index, row) in rows.iter().enumerate() {
            for start in (0..batch).step_by(vectors * lanes::<S>()) {
                for channel in 0..channels {
                    for &(tap_row, at_row) in row {
                        let row = &input[(channel * height + at_row) * width * batch..][..width * batch];
                        for vector in 0..vectors {
                            let line = (channel * kernel + tap_row) * vectors + vector;
                            let line = &mut copy[line * columns.copy_length..][..columns.copy_length];
                            copy_row(simd, row, batch, columns, start + vector * lanes::<S>(), line);
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
                for (group, gradients) in copied_gradients.chunks_exact(of_group).enumerate() {
                    for &(tap_row, _) in row {
                        self.row_of_taps(simd, &copy, gradients, group, tap_row, vectors);
                    }
                }
            }
        }
    }
}

impl SumsF32<'_, '_> {
    /// Adds to the sums of one row of the windows of all channels.
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
        // Twelve sums at once: more do not stay in registers.
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

    /// Adds to the sums of `K` taps of a row of windows, counted over channels and columns of a window.
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
        let Sums { kernel, columns, ref mut to, .. } = self.0;
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
        // As above.
        let sums = sums;
        for (sums, to) in sums.iter().zip(to[group * CHANNELS..].iter_mut()) {
            for (k, &sum) in sums.iter().enumerate() {
                let (channel, tap) = ((first + k) / kernel, (first + k) % kernel);
                to[(channel * kernel + tap_row) * kernel + tap] += simd.reduce_sum_f32s(sum);
            }
        }
    }
}
