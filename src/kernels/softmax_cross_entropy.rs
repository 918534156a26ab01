//! The loss, its gradient and the prediction, fused.

use rayon::prelude::*;

use super::wgsl;
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::real::Real;
use crate::step::Step;

params! {
    /// For each row r of logits z `[batch, classes]` with target t:
    /// `losses[r] = log(sum_c exp(z_c)) - z_t`, `logits_grad[r, c] = (softmax(z)_c - [c = t]) * loss_scale / update_rows`, and
    /// `predictions[start + r] = argmax z`, the lowest of equals. Rows past the step's own get loss and gradient zero.
    pub struct SoftmaxCrossEntropy {
        /// Rows of a full batch.
        pub batch: u32,
        /// Number of classes.
        pub classes: u32,
        /// Length of the predictions.
        pub examples: u32,
        /// Factor on the mean loss whose gradient is made.
        pub loss_scale: f32,
    }
}

impl KernelSpec for SoftmaxCrossEntropy {
    const NAME: &'static str = "softmax_cross_entropy";
    const WGSL: &'static str = wgsl!("softmax_cross_entropy", "step");
    const SLOTS: &'static [Slot] = &[
        Slot::read("logits", DType::F32),
        Slot::read("targets", DType::U32),
        Slot::write("logits_grad", DType::F32),
        Slot::write("losses", DType::F32),
        Slot::write("predictions", DType::U32),
    ];
    const WORKGROUP: [u32; 3] = [64, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.batch as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        let [batch, classes, examples] = [self.batch, self.classes, self.examples].map(|n| n as usize);
        vec![batch * classes, batch, batch * classes, batch, examples]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let (rows, classes) = (step.rows as usize, self.classes as usize);
        let (logits, targets) = (arguments.reals(0), arguments.integers(1));
        let (logits_grad, losses) = (arguments.reals_mut(2), arguments.reals_mut(3));
        let predictions = &mut arguments.integers_mut(4)[step.start as usize..][..rows];
        let scale = T::from_f32(self.loss_scale) / T::from_f64(f64::from(step.update_rows.max(1)));

        let live = rows * classes;
        logits_grad[live..].fill(T::zero());
        losses[rows..].fill(T::zero());
        let inputs = logits[..live].par_chunks(classes).zip(&targets[..rows]);
        let outputs = logits_grad[..live].par_chunks_mut(classes).zip(&mut losses[..rows]).zip(predictions);
        inputs.zip(outputs).with_min_len(64).for_each(|((z, &target), ((gradient, loss), prediction))| {
            let best = (1..classes).fold(0, |best, c| if z[c] > z[best] { c } else { best });
            let largest = z[best];
            let mut total = T::zero();
            for (exponential, &z) in gradient.iter_mut().zip(z) {
                *exponential = (z - largest).exp();
                total += *exponential;
            }
            for value in gradient.iter_mut() {
                *value = *value / total * scale;
            }
            gradient[target as usize] -= scale;
            *loss = total.ln() - (z[target as usize] - largest);
            *prediction = best as u32;
        });
    }

    fn cases() -> Vec<Case> {
        let case = |batch: u32, classes: u32, start: u32, rows: u32, spread: f32| {
            let examples = start + batch;
            Case::new(
                format!("batch {batch}, classes {classes}, {rows} rows from {start}, logits within {spread}"),
                SoftmaxCrossEntropy { batch, classes, examples, loss_scale: 3.0 },
                vec![
                    Input::Uniform { low: -spread, high: spread },
                    Input::U32((0..batch).map(|i| (i * 7 + 3) % classes).collect()),
                    Input::Poison,
                    Input::Poison,
                    Input::Poison,
                ],
            )
            .step(Step { update_rows: rows + 2, ..Step::batch(start, rows) })
            .tolerance(Tolerance {
                absolute: 2e-6 + 4e-7 * f64::from(spread),
                relative: 2e-5,
                reason: "exp and log of WGSL are off by a few ulp of their argument, which reaches the spread of the logits",
            })
        };
        let equal = Case::new(
            "equal logits: the lowest class wins",
            SoftmaxCrossEntropy { batch: 3, classes: 130, examples: 3, loss_scale: 1.0 },
            vec![
                Input::F32(vec![0.5; 3 * 130]),
                Input::U32(vec![0, 64, 129]),
                Input::Poison,
                Input::Poison,
                Input::Poison,
            ],
        )
        .step(Step::batch(0, 3))
        .tolerance(Tolerance {
            absolute: 2e-6,
            relative: 1e-5,
            reason: "a sum of 130 equal terms and its logarithm",
        });
        vec![
            case(1, 1, 0, 1, 1.0),
            case(5, 2, 11, 5, 4.0),
            case(7, 10, 3, 4, 8.0),
            case(3, 64, 0, 3, 2.0),
            case(3, 65, 0, 2, 2.0),
            case(2, 1009, 0, 2, 3.0),
            case(4, 10, 0, 4, 500.0),
            case(65_537, 2, 5, 65_536, 2.0),
            equal,
        ]
    }
}
