//! A matrix with rows and columns exchanged.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, linear_grid, params};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// `output[c, r] = input[r, c]`: input `[rows, columns]`, output `[columns, rows]`.
    pub struct Transpose {
        /// Rows of the input.
        pub rows: u32,
        /// Its columns.
        pub columns: u32,
    }
}

/// Side of the tile that a workgroup exchanges, and of a CPU task's blocks.
pub(crate) const SIDE: usize = 16;

/// `output[j, i] = input[i, j]`: input `[rows, columns]`, output `[columns, rows]`.
fn transpose<T: Real>(input: &[T], output: &mut [T], rows: usize) {
    let columns = output.len() / rows;
    // A task writes whole rows of the output, in blocks of the input that a cache holds.
    output.par_chunks_mut(SIDE * rows).enumerate().with_min_len(4).for_each(|(task, lines)| {
        let first = task * SIDE;
        for start in (0..rows).step_by(SIDE) {
            for (column, line) in lines.chunks_exact_mut(rows).enumerate() {
                let below = input[start * columns + first + column..].iter().step_by(columns);
                for (value, &of) in line[start..].iter_mut().take(SIDE).zip(below) {
                    *value = of;
                }
            }
        }
    });
}

impl KernelSpec for Transpose {
    const NAME: &'static str = "transpose";
    const WGSL: &'static str = wgsl!("elementwise/transpose", "shared/stored");
    const SLOTS: &'static [Slot] =
        &[Slot::read("input", DType::F32).or_half(), Slot::write("output", DType::F32).or_half()];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        linear_grid((self.rows as usize).div_ceil(SIDE) * (self.columns as usize).div_ceil(SIDE))
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.rows as usize * self.columns as usize; 2]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let [rows, columns] = [self.rows, self.columns].map(|n| n as usize);
        transpose(arguments.reals(0), &mut arguments.reals_mut(1)[..rows * columns], rows);
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison])
    }

    fn cases() -> Vec<Case> {
        [(1, 1), (1, 37), (37, 1), (16, 16), (17, 15), (33, 100), (1_048_577, 1), (1, 1_048_577)]
            .into_iter()
            .map(|(rows, columns)| Transpose { rows, columns }.case(format!("{rows} by {columns}")))
            .collect()
    }
}
