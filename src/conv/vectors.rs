//! Convolutions in f32, in the widest vectors that this CPU has.

use pulp::{Simd, WithSimd};

use super::{CHANNELS, Convolve, Lines, Sums};

impl Convolve for f32 {
    fn lines(task: Lines<'_, '_, f32>) {
        match task.to.len() {
            1 => pulp::Arch::new().dispatch(LinesF32::<1>(task)),
            2 => pulp::Arch::new().dispatch(LinesF32::<2>(task)),
            3 => pulp::Arch::new().dispatch(LinesF32::<3>(task)),
            _ => pulp::Arch::new().dispatch(LinesF32::<CHANNELS>(task)),
        }
    }

    fn sums(task: Sums<'_, '_, f32>) {
        match task.to.len() {
            1 => pulp::Arch::new().dispatch(SumsF32::<1>(task)),
            2 => pulp::Arch::new().dispatch(SumsF32::<2>(task)),
            3 => pulp::Arch::new().dispatch(SumsF32::<3>(task)),
            _ => pulp::Arch::new().dispatch(SumsF32::<CHANNELS>(task)),
        }
    }
}

/// [`Lines`] of `O` channels.
struct LinesF32<'a, 'b, const O: usize>(Lines<'a, 'b, f32>);

/// Floats of a window that are read over and over: half of what a first-level cache holds.
const CACHED: usize = 4096;

impl<const O: usize> WithSimd for LinesF32<'_, '_, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [channels, .., batch] = self.0.shape;
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        // As many vectors as leave registers for all sums.
        let most = if S::REGISTER_COUNT >= 32 { 4 } else { 2 };
        // Input channels come in blocks whose windows stay in the cache while columns pass.
        let window = self.0.kernel * self.0.kernel * most * lanes;
        let block = (CACHED / window.max(1)).max(1);
        for first in (0..channels).step_by(block) {
            let range = first..channels.min(first + block);
            for column in 0..self.0.columns.len() {
                let mut example = 0;
                while example + most * lanes <= batch {
                    match most {
                        4 => self.tile::<S, 4>(simd, range.clone(), column, example),
                        _ => self.tile::<S, 2>(simd, range.clone(), column, example),
                    }
                    example += most * lanes;
                }
                while example + lanes <= batch {
                    self.tile::<S, 1>(simd, range.clone(), column, example);
                    example += lanes;
                }
                if example < batch {
                    self.rest::<S>(simd, range.clone(), column, example);
                }
            }
        }
    }
}

impl<const O: usize> LinesF32<'_, '_, O> {
    /// Adds what some channels give to `V` vectors of examples of a column.
    #[inline(always)]
    fn tile<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        channels: std::ops::Range<usize>,
        column: usize,
        example: usize,
    ) {
        let Lines { from, shape: [_, height, width, batch], kernel, weights, row, columns, ref mut to } = self.0;
        let length = V * (size_of::<S::f32s>() / size_of::<f32>());
        let mut sums = [[simd.splat_f32s(0.0); V]; O];
        if channels.start > 0 {
            for (sums, line) in sums.iter_mut().zip(to.iter()) {
                sums.copy_from_slice(S::as_simd_f32s(&line[column * batch + example..][..length]).0);
            }
        }
        for channel in channels {
            for &(tap_row, at_row) in row {
                let weights = &weights[(channel * kernel + tap_row) * kernel..][..kernel];
                let line = &from[(channel * height + at_row) * width * batch..][..width * batch];
                for &(tap_column, at_column) in &columns[column] {
                    let values = S::as_simd_f32s(&line[at_column * batch + example..][..length]).0;
                    let weights = &weights[tap_column];
                    for o in 0..O {
                        let weight = simd.splat_f32s(weights[o]);
                        for v in 0..V {
                            sums[o][v] = simd.mul_add_f32s(weight, values[v], sums[o][v]);
                        }
                    }
                }
            }
        }
        for (sums, line) in sums.iter().zip(to.iter_mut()) {
            S::as_mut_simd_f32s(&mut line[column * batch + example..][..length]).0.copy_from_slice(sums);
        }
    }

    /// The same for fewer examples than a vector holds.
    #[inline(always)]
    fn rest<S: Simd>(&mut self, simd: S, channels: std::ops::Range<usize>, column: usize, example: usize) {
        let Lines { from, shape: [_, height, width, batch], kernel, weights, row, columns, ref mut to } = self.0;
        let ends = column * batch + example..(column + 1) * batch;
        let mut sums = [simd.splat_f32s(0.0); O];
        if channels.start > 0 {
            for (sum, line) in sums.iter_mut().zip(to.iter()) {
                *sum = simd.partial_load_f32s(&line[ends.clone()]);
            }
        }
        for channel in channels {
            for &(tap_row, at_row) in row {
                let weights = &weights[(channel * kernel + tap_row) * kernel..][..kernel];
                let line = &from[(channel * height + at_row) * width * batch..][..width * batch];
                for &(tap_column, at_column) in &columns[column] {
                    let values = simd.partial_load_f32s(&line[at_column * batch + example..(at_column + 1) * batch]);
                    for o in 0..O {
                        sums[o] = simd.mul_add_f32s(simd.splat_f32s(weights[tap_column][o]), values, sums[o]);
                    }
                }
            }
        }
        for (&sum, line) in sums.iter().zip(to.iter_mut()) {
            simd.partial_store_f32s(&mut line[ends.clone()], sum);
        }
    }
}

/// [`Sums`] of `O` channels.
struct SumsF32<'a, 'b, const O: usize>(Sums<'a, 'b, f32>);

impl<const O: usize> WithSimd for SumsF32<'_, '_, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Sums { shape: [channels, .., batch], kernel, columns, .. } = self.0;
        // Of each column, where each tap of a row sees the input.
        let mut seen = vec![None; columns.len() * kernel];
        for (seen, taps) in seen.chunks_exact_mut(kernel).zip(columns) {
            taps.iter().for_each(|&(tap, at)| seen[tap] = Some(at * batch));
        }
        // Instead of what lies in the padding.
        let zeros = vec![0.0; batch];
        let taps = channels * kernel;
        for tap_row in 0..kernel {
            let mut first = 0;
            // Twelve sums at once: more do not stay in registers.
            while S::REGISTER_COUNT >= 32 && first + 3 <= taps {
                self.taps::<S, 3>(simd, tap_row, first, &seen, &zeros);
                first += 3;
            }
            while first + 2 <= taps {
                self.taps::<S, 2>(simd, tap_row, first, &seen, &zeros);
                first += 2;
            }
            while first < taps {
                self.taps::<S, 1>(simd, tap_row, first, &seen, &zeros);
                first += 1;
            }
        }
    }
}

impl<const O: usize> SumsF32<'_, '_, O> {
    /// The sums of `K` taps of a row of windows, counted over channels and columns of a window.
    #[inline(always)]
    fn taps<S: Simd, const K: usize>(
        &mut self,
        simd: S,
        tap_row: usize,
        first: usize,
        seen: &[Option<usize>],
        zeros: &[f32],
    ) {
        let Sums { input, shape: [_, height, width, batch], kernel, gradients, rows, columns, ref mut to } = self.0;
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        let whole = batch / lanes * lanes;
        let mut sums = [[simd.splat_f32s(0.0); K]; O];
        for (row, taps) in rows.iter().enumerate() {
            let Some(&(_, at_row)) = taps.iter().find(|(tap, _)| *tap == tap_row) else { continue };
            for column in 0..columns.len() {
                let mut values: [&[f32]; K] = [zeros; K];
                for (k, values) in values.iter_mut().enumerate() {
                    let (channel, tap) = ((first + k) / kernel, (first + k) % kernel);
                    if let Some(at) = seen[column * kernel + tap] {
                        *values = &input[(channel * height + at_row) * width * batch + at..][..batch];
                    }
                }
                let at = (row * columns.len() + column) * batch;
                let mut gradients_here: [&[f32]; O] = [zeros; O];
                for o in 0..O {
                    gradients_here[o] = &gradients[o][at..][..batch];
                }
                let count = whole / lanes;
                let mut vectors: [&[S::f32s]; K] = [&[]; K];
                for k in 0..K {
                    vectors[k] = &S::as_simd_f32s(values[k]).0[..count];
                }
                let mut of_gradients: [&[S::f32s]; O] = [&[]; O];
                for o in 0..O {
                    of_gradients[o] = &S::as_simd_f32s(gradients_here[o]).0[..count];
                }
                let mut here = sums;
                for example in 0..count {
                    let mut values = [simd.splat_f32s(0.0); K];
                    for k in 0..K {
                        values[k] = vectors[k][example];
                    }
                    for o in 0..O {
                        let gradient = of_gradients[o][example];
                        for k in 0..K {
                            here[o][k] = simd.mul_add_f32s(gradient, values[k], here[o][k]);
                        }
                    }
                }
                sums = here;
                if whole < batch {
                    for o in 0..O {
                        let gradient = simd.partial_load_f32s(&gradients_here[o][whole..]);
                        for k in 0..K {
                            let value = simd.partial_load_f32s(&values[k][whole..]);
                            sums[o][k] = simd.mul_add_f32s(gradient, value, sums[o][k]);
                        }
                    }
                }
            }
        }
        for (sums, to) in sums.iter().zip(to.iter_mut()) {
            for (k, &sum) in sums.iter().enumerate() {
                let (channel, tap) = ((first + k) / kernel, (first + k) % kernel);
                to[(channel * kernel + tap_row) * kernel + tap] = simd.reduce_sum_f32s(sum);
            }
        }
    }
}
