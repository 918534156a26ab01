//! The loss and the correct predictions of a batch, summed on the device.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::step::Step;
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// `batch_log[log_row] = (sum of losses, number of correct predictions)`: losses and targets `[batch]`, predictions
    /// `[examples]`, batch_log `[log_rows, 2]`. Padding rows do not count.
    pub struct LogBatch {
        /// Rows of a full batch.
        pub batch: u32,
        /// Length of the predictions.
        pub examples: u32,
        /// Rows of the log.
        pub log_rows: u32,
    }
}

impl KernelSpec for LogBatch {
    const NAME: &'static str = "log_batch";
    const WGSL: &'static str = wgsl!("loss/log_batch", "shared/step");
    const SLOTS: &'static [Slot] = &[
        Slot::read("losses", DType::F32),
        Slot::read("targets", DType::U32),
        Slot::read("predictions", DType::U32),
        Slot::write("batch_log", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        [1, 1, 1]
    }

    fn lengths(&self) -> Vec<usize> {
        let [batch, examples, log_rows] = [self.batch, self.examples, self.log_rows].map(|n| n as usize);
        vec![batch, batch, examples, log_rows * 2]
    }

    /// Counts only the batch's own predictions and its own row of the log.
    fn bytes(&self) -> u64 {
        u64::from(self.batch) * 12 + 8
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let rows = step.rows.min(self.batch) as usize;
        let (losses, targets) = (&arguments.reals(0)[..rows], &arguments.integers(1)[..rows]);
        let predictions = &arguments.integers(2)[step.start as usize..][..rows];
        let row = &mut arguments.reals_mut(3)[step.log_row as usize * 2..][..2];
        row[0] = losses.iter().copied().sum();
        row[1] = T::from_f64(
            predictions.iter().zip(targets).filter(|(prediction, target)| prediction == target).count() as f64,
        );
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let inputs = vec![
            Input::Uniform { low: 0.0, high: 3.0 },
            Input::U32((0..self.batch).map(|i| i % 10).collect()),
            Input::U32((0..self.examples).map(|i| i % 7).collect()),
            Input::F32(vec![-1.0; 2 * self.log_rows as usize]),
        ];
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 1e-6,
            relative: 1e-5,
            reason: "f32 rounding of a sum of positive losses, in any order",
        })
    }

    fn cases() -> Vec<Case> {
        [(1, 0, 1, 0), (7, 5, 4, 2), (256, 0, 256, 3), (257, 1, 257, 0), (1000, 13, 777, 1)]
            .into_iter()
            .map(|(batch, start, rows, log_row): (u32, u32, u32, u32)| {
                LogBatch { batch, examples: start + batch, log_rows: 4 }
                    .case(format!("batch {batch}, {rows} rows from {start}"))
                    .step(Step { start, rows, log_row, ..Step::default() })
            })
            .collect()
    }
}
