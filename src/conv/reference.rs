//! Convolutions in f64: the reference.

use super::{CHANNELS, Convolve, Correlation, Strip, Sums};

/// By the definition, one value after another.
impl Convolve for f64 {
    const WINOGRAD: bool = false;

    fn strip(strip: Strip<'_, '_, f64>) {
        let Strip { of: &Correlation { from, shape, kernel, ref rows, ref columns }, weights, .. } = strip;
        let [channels, height, width, batch] = shape;
        for (lane, values) in strip.to.iter_mut().enumerate() {
            for (index, value) in values.iter_mut().enumerate() {
                let (position, example) = (index / batch, index % batch);
                let (row, column) = (strip.rows.start + position / columns.len(), position % columns.len());
                *value = 0.0;
                for channel in 0..channels {
                    for &(tap_row, at_row) in &rows.taps[row] {
                        for &(tap_column, at_column) in &columns.taps[column] {
                            let tap = (channel * kernel + tap_row) * kernel + tap_column;
                            let at = ((channel * height + at_row) * width + at_column) * batch + example;
                            *value += weights[lane / CHANNELS][tap][lane % CHANNELS] * from[at];
                        }
                    }
                }
            }
        }
    }

    fn sums(task: Sums<'_, '_, f64>) {
        let Sums { input, shape, kernel, gradients, rows, columns, to } = task;
        let [_, height, width, batch] = shape;
        for (gradients, sums) in gradients.iter().zip(to) {
            sums.fill(0.0);
            for (index, &gradient) in gradients.iter().enumerate() {
                let (position, example) = (index / batch, index % batch);
                for &(tap_row, at_row) in &rows[position / columns.len()] {
                    for &(tap_column, at_column) in &columns.taps[position % columns.len()] {
                        for channel in 0..shape[0] {
                            let at = ((channel * height + at_row) * width + at_column) * batch + example;
                            sums[(channel * kernel + tap_row) * kernel + tap_column] += gradient * input[at];
                        }
                    }
                }
            }
        }
    }
}
