//! Mean and variance of a batch.

use std::ops::Range;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::kernels::norm::shared::batch_norm::{ChannelSizes, awkward_cases};
use crate::kernels::wgsl;
use crate::math::real::Real;
use crate::math::simd::{simd, sum};

params! {
    /// The mean and the biased variance of each channel over the batch's own examples; and `running = (1 - momentum)
    /// running + momentum of_batch`, with the variance of the batch unbiased, as PyTorch has it. Values as
    /// [`ChannelSizes`] says.
    pub struct BatchNormStats {
        /// Where the values are.
        pub sizes: ..ChannelSizes,
        /// Weight of a batch in the running mean and variance.
        pub momentum: f32,
    }
}

impl KernelSpec for BatchNormStats {
    const NAME: &'static str = "batch_norm_stats";
    const WGSL: &'static str = wgsl!("norm/batch_norm_stats", "shared/stored", "shared/step", "shared/group_sum");
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32).or_half(),
        Slot::write("mean", DType::F32),
        Slot::write("variance", DType::F32),
        Slot::update("running_mean", DType::F32),
        Slot::update("running_var", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.sizes.channels as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        let channels = self.sizes.channels as usize;
        vec![self.sizes.total(), channels, channels, channels, channels]
    }

    fn flops(&self) -> u64 {
        4 * self.sizes.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (sizes, step) = (self.sizes, arguments.step());
        let input = arguments.reals(0);
        let tensors = [1, 2, 3, 4].map(|slot| arguments.reals_mut(slot));
        let count = T::from_f64(sizes.count(step) as f64);
        let (momentum, keep) = (T::from_f32(self.momentum), T::one() - T::from_f32(self.momentum));
        sizes.for_each_block(tensors, |channels, [mean, variance, running_mean, running_var]| {
            let add = |row: Range<usize>, [sums]: &mut [&mut [T]; 1]| {
                simd!(sums.iter_mut().zip(&input[row]).for_each(|(sum, &value)| *sum += value));
            };
            sizes.sum(
                &channels,
                step,
                [&mut *mean],
                |piece| {
                    [sum(
                        &input[piece],
                        #[inline(always)]
                        |value| value,
                    )]
                },
                add,
            );
            mean.iter_mut().for_each(|mean| *mean /= count);
            let (mean, squares) = (&*mean, variance);
            let of_map = mean[0];
            let deviations = |piece: Range<usize>| {
                [sum(
                    &input[piece],
                    #[inline(always)]
                    |value| (value - of_map) * (value - of_map),
                )]
            };
            let add = |row: Range<usize>, [sums]: &mut [&mut [T]; 1]| {
                simd!(for ((sum, &value), &mean) in sums.iter_mut().zip(&input[row]).zip(mean) {
                    *sum += (value - mean) * (value - mean);
                });
            };
            sizes.sum(&channels, step, [&mut *squares], deviations, add);
            for (running, &mean) in running_mean.iter_mut().zip(mean) {
                *running = keep * *running + momentum * mean;
            }
            for (running, squares) in running_var.iter_mut().zip(squares) {
                // Of a single value there is no unbiased variance; the biased one is 0.
                *running = keep * *running + momentum * *squares / (count - T::one()).max(T::one());
                *squares /= count;
            }
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let variance = Input::Uniform { low: 0.1, high: 2.0 };
        let inputs = vec![Input::SIGNED, Input::Poison, Input::Poison, Input::SIGNED, variance];
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 2e-6,
            relative: 1e-5,
            reason: "means of values around one",
        })
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, step)| BatchNormStats { sizes, momentum: 0.1 }.case(label).step(step))
            .collect()
    }
}
