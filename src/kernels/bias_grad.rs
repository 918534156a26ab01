//! The gradient of a layer's biases.

use rayon::prelude::*;

use super::{accumulation_cases, wgsl};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::real::Real;
use crate::simd::simd;

params! {
    /// `bias_grad[n] = sum over r of output_grad[r, n]`: output_grad `[rows, outputs]`, bias_grad `[outputs]`. Added
    /// to what the update's batches before this one left.
    pub struct BiasGrad {
        /// Rows of the batch.
        pub rows: u32,
        /// Units.
        pub outputs: u32,
    }
}

/// Columns that one workgroup sums, and one CPU task.
pub(super) const COLUMNS: usize = 32;

impl KernelSpec for BiasGrad {
    const NAME: &'static str = "bias_grad";
    const WGSL: &'static str = wgsl!("bias_grad", "stored", "step");
    const SLOTS: &'static [Slot] =
        &[Slot::read("output_grad", DType::F32).or_half(), Slot::update("bias_grad", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        linear_grid((self.outputs as usize).div_ceil(COLUMNS))
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.rows as usize * self.outputs as usize, self.outputs as usize]
    }

    fn flops(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.outputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let [rows, outputs] = [self.rows, self.outputs].map(|n| n as usize);
        let adds = arguments.step().accumulated > 0;
        let output_grad = &arguments.reals(0)[..rows * outputs];
        let bias_grad = &mut arguments.reals_mut(1)[..outputs];
        bias_grad.par_chunks_mut(COLUMNS).enumerate().with_min_len(8).for_each(|(chunk, sums)| {
            let first = chunk * COLUMNS;
            simd!({
                if !adds {
                    sums.fill(T::zero());
                }
                for row in output_grad.chunks_exact(outputs) {
                    for (sum, &gradient) in sums.iter_mut().zip(&row[first..]) {
                        *sum += gradient;
                    }
                }
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison]).tolerance(Tolerance::sum_of(self.rows as usize))
    }

    fn cases() -> Vec<Case> {
        [(1, 1), (7, 13), (256, 10), (255, 33), (9, 65), (1, 65_535 * COLUMNS as u32 + 1)]
            .into_iter()
            .flat_map(|shape| accumulation_cases().map(move |accumulation| (shape, accumulation)))
            .map(|((rows, outputs), (what, before, step))| {
                let label = format!("rows {rows}, outputs {outputs}, {what}");
                BiasGrad { rows, outputs }.case(label).input(1, before).step(step)
            })
            .collect()
    }
}
