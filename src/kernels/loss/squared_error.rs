//! Mean squared error.

use crate::kernels::kernel::{Arguments, Case, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::kernels::loss::shared::loss::{self, Row};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// For each row r of logits z `[batch, classes]` with target t and errors `d_c = z_c - [c = t]`:
    ///
    /// - `losses[r] = w_t sum_c d_c^2 / classes`
    /// - `logits_grad[r, c] = w_t 2 d_c / classes * scale / update_rows`
    /// - `predictions[start + r] = argmax z`, the lowest class of equal logits
    ///
    /// Padding rows get loss and gradient zero.
    pub struct SquaredError {
        /// Rows of a full batch.
        pub batch: u32,
        /// Number of classes.
        pub classes: u32,
        /// Length of the predictions.
        pub examples: u32,
    }
}

impl SquaredError {
    const TOLERANCE: Tolerance =
        Tolerance { absolute: 1e-6, relative: 1e-5, reason: "f32 rounding of a sum of squares, without cancellation" };
}

impl KernelSpec for SquaredError {
    const NAME: &'static str = "squared_error";
    const WGSL: &'static str = wgsl!(
        "loss/squared_error",
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
        let (two, classes) = (T::from_f32(2.0), T::from_f64(f64::from(self.classes)));
        loss::run(arguments, self.classes, |row: &Row<'_, T>, gradient| {
            let mut squares = T::zero();
            for (c, (slope, &z)) in gradient.iter_mut().zip(row.logits).enumerate() {
                let error = if c == row.target { z - T::one() } else { z };
                squares += error * error;
                *slope = two * error / classes;
            }
            squares / classes
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        loss::case(label, *self, self.batch, self.classes, |_| SquaredError::TOLERANCE)
    }

    fn cases() -> Vec<Case> {
        loss::cases(
            "one-hot targets",
            |batch, classes, examples| SquaredError { batch, classes, examples },
            |_| SquaredError::TOLERANCE,
        )
    }
}
