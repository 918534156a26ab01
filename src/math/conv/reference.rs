//! Reference convolutions in f64.

use super::{CHANNELS, Convolve, Correlation, Strip, WeightGrad};
use crate::math::simd::simd;

/// The definition, one tap after another.
impl Convolve for f64 {
    const WINOGRAD: bool = false;

    fn strip(strip: Strip<'_, '_, f64>) {
        let Strip { of: &Correlation { from, shape, kernel, ref rows, ref columns, .. }, weights, .. } = strip;
        let [channels, height, width, batch] = shape;
        for (lane, values) in strip.to.iter_mut().enumerate() {
            for (position, values) in values.chunks_exact_mut(batch).enumerate() {
                let (row, column) = (strip.rows.start + position / columns.len(), position % columns.len());
                values.fill(0.0);
                for channel in 0..channels {
                    for &(tap_row, at_row) in &rows.taps[row] {
                        for &(tap_column, at_column) in &columns.taps[column] {
                            let tap = (channel * kernel + tap_row) * kernel + tap_column;
                            let weight = weights[lane / CHANNELS][tap][lane % CHANNELS];
                            let at = ((channel * height + at_row) * width + at_column) * batch;
                            let seen = &from[at..][..batch];
                            simd!(values.iter_mut().zip(seen).for_each(|(value, seen)| *value += weight * seen));
                        }
                    }
                }
            }
        }
    }

    fn weight_grad(task: WeightGrad<'_, '_, f64>) {
        let WeightGrad { input, shape, kernel, gradients, rows, columns, to } = task;
        let [channels, height, width, batch] = shape;
        for (gradients, sums) in gradients.iter().zip(to) {
            sums.fill(0.0);
            for (position, gradients) in gradients.chunks_exact(batch).enumerate() {
                for &(tap_row, at_row) in &rows[position / columns.len()] {
                    for &(tap_column, at_column) in &columns.taps[position % columns.len()] {
                        for channel in 0..channels {
                            let at = ((channel * height + at_row) * width + at_column) * batch;
                            let products = gradients.iter().zip(&input[at..][..batch]).map(|(g, x)| g * x);
                            sums[(channel * kernel + tap_row) * kernel + tap_column] += products.sum::<f64>();
                        }
                    }
                }
            }
        }
    }
}
