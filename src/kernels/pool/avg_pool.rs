//! The mean of each window.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::pool::shared::pool::{PoolSizes, awkward_sizes};
use crate::kernels::{flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `output = the mean of each window`, where padding counts as zeros. Shapes as in [`PoolSizes`].
    pub struct AvgPool(PoolSizes);
}

impl KernelSpec for AvgPool {
    const NAME: &'static str = "avg_pool";
    const WGSL: &'static str = wgsl!("pool/avg_pool", "shared/stored", "shared/linear", "pool/shared/pool");
    const SLOTS: &'static [Slot] =
        &[Slot::read("input", DType::F32).or_half(), Slot::write("output", DType::F32).or_half()];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.0.lengths()[1])
    }

    fn lengths(&self) -> Vec<usize> {
        self.0.lengths().to_vec()
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let ([input_length, output_length], batch) = (self.0.map_lengths(), self.0.batch as usize);
        let count = T::from_f64(self.0.window_len() as f64);
        let windows = self.0.windows();
        let maps = arguments.reals(0).par_chunks_exact(input_length);
        let outputs = arguments.reals_mut(1).par_chunks_exact_mut(output_length);
        maps.zip(outputs).for_each(|(map, output)| {
            simd!(for (window, pixels) in windows.iter().enumerate() {
                let output = &mut output[window * batch..][..batch];
                output.fill(T::zero());
                for pixel in pixels {
                    output.iter_mut().zip(&map[pixel * batch..][..batch]).for_each(|(sum, &value)| *sum += value);
                }
                output.iter_mut().for_each(|sum| *sum /= count);
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison]).tolerance(Tolerance::sum_of(self.0.window_len()))
    }

    fn cases() -> Vec<Case> {
        awkward_sizes().map(|(label, sizes)| AvgPool(sizes).case(label)).collect()
    }
}
