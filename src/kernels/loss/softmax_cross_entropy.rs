//! Softmax cross-entropy.

use crate::kernels::kernel::{Arguments, Case, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::kernels::loss::shared::loss::{self, Row};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// For each row r of logits z `[batch, classes]` with target t and the target distribution
    /// `q_c = (1 - s) [c = t] + s / classes`, where s is the label smoothing (Szegedy et al., "Rethinking the inception
    /// architecture for computer vision", CVPR 2016):
    ///
    /// - `losses[r] = w_t (log(sum_c exp(z_c)) - sum_c q_c z_c)`
    /// - `logits_grad[r, c] = w_t (softmax(z)_c - q_c) * scale / update_rows`
    /// - `predictions[start + r] = argmax z`, the lowest class of equal logits
    ///
    /// Padding rows get loss and gradient zero.
    pub struct SoftmaxCrossEntropy {
        /// Rows of a full batch.
        pub batch: u32,
        /// Number of classes.
        pub classes: u32,
        /// Length of the predictions.
        pub examples: u32,
        /// Share of the target distribution that is spread evenly over all classes.
        pub label_smoothing: f32,
    }
}

impl SoftmaxCrossEntropy {
    /// For logits up to `largest` in magnitude.
    fn tolerance(largest: f32) -> Tolerance {
        Tolerance {
            absolute: 2e-6 + 4e-7 * f64::from(largest),
            relative: 2e-5,
            reason: "WGSL's exp and log are off by a few ulp of their argument, up to the spread of the logits",
        }
    }
}

impl KernelSpec for SoftmaxCrossEntropy {
    const NAME: &'static str = "softmax_cross_entropy";
    const WGSL: &'static str = wgsl!(
        "loss/softmax_cross_entropy",
        "shared/step",
        "shared/finite",
        "shared/stored",
        "shared/loss_scale",
        "loss/shared/loss"
    );
    const SLOTS: &'static [Slot] = loss::SLOTS;
    const WORKGROUP: [u32; 3] = loss::WORKGROUP;
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.batch as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        loss::lengths(self.batch, self.classes, self.examples)
    }

    fn bytes(&self) -> u64 {
        loss::bytes(self.batch, self.classes)
    }

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let smoothing = T::from_f32(self.label_smoothing);
        let even = smoothing / T::from_f64(f64::from(self.classes));
        loss::run(arguments, self.classes, |row: &Row<'_, T>, gradient| {
            let mut total = T::zero();
            let mut expected = T::zero(); // sum_c q_c z_c
            for (exponential, &z) in gradient.iter_mut().zip(row.logits) {
                let z = z - row.largest;
                *exponential = z.exp();
                total += *exponential;
                expected += even * z;
            }
            for slope in gradient.iter_mut() {
                *slope = *slope / total - even;
            }
            gradient[row.target] -= T::one() - smoothing;
            expected += (T::one() - smoothing) * (row.logits[row.target] - row.largest);
            total.ln() - expected
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        loss::case(label, *self, self.batch, self.classes, SoftmaxCrossEntropy::tolerance)
    }

    fn cases() -> Vec<Case> {
        let cases = [0.0, 0.1].map(|label_smoothing| {
            loss::cases(
                &format!("smoothing {label_smoothing}"),
                |batch, classes, examples| SoftmaxCrossEntropy { batch, classes, examples, label_smoothing },
                SoftmaxCrossEntropy::tolerance,
            )
        });
        cases.concat()
    }
}
