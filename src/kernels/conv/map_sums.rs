//! The bias gradient of a convolution.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::kernels::{accumulation_cases, wgsl};
use crate::math::real::Real;
use crate::math::simd::sum;

params! {
    /// `bias_grad[c] = sum over i of output_grad[c, i]`: output_grad `[channels, length]`, bias_grad `[channels]`. From
    /// the second batch of an update on, the sum is added to the gradient of the batches before.
    pub struct MapSums {
        /// Number of channels.
        pub channels: u32,
        /// Values per channel, over all examples.
        pub length: u32,
    }
}

impl KernelSpec for MapSums {
    const NAME: &'static str = "map_sums";
    const WGSL: &'static str = wgsl!("conv/map_sums", "shared/stored", "shared/step", "shared/group_sum");
    const SLOTS: &'static [Slot] =
        &[Slot::read("output_grad", DType::F32).or_half(), Slot::update("bias_grad", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.channels as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.channels as usize * self.length as usize, self.channels as usize]
    }

    fn flops(&self) -> u64 {
        u64::from(self.channels) * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let adds = arguments.step().accumulated > 0;
        let maps = arguments.reals(0).par_chunks_exact(self.length as usize);
        arguments.reals_mut(1)[..self.channels as usize].par_iter_mut().zip(maps).for_each(|(bias_grad, map)| {
            let before = if adds { *bias_grad } else { T::zero() };
            *bias_grad = before
                + sum(
                    map,
                    #[inline(always)]
                    |value| value,
                );
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison]).tolerance(Tolerance::sum_of(self.length as usize))
    }

    fn cases() -> Vec<Case> {
        [(1, 1), (7, 13), (17, 257), (3, 10_000), (65_536, 2)]
            .into_iter()
            .flat_map(|sizes| accumulation_cases().map(move |accumulation| (sizes, accumulation)))
            .map(|((channels, length), (what, before, step))| {
                let label = format!("{channels} maps of {length}, {what}");
                MapSums { channels, length }.case(label).input(1, before).step(step)
            })
            .collect()
    }
}
