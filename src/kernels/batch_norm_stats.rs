//! Mean and variance of a batch.

use rayon::prelude::*;

use super::lib::batch_norm::{ChannelSizes, awkward_cases};
use super::wgsl;
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::real::Real;
use crate::simd::sum;

params! {
    /// The mean and the biased variance of each channel over the batch's own examples; and
    /// `running = (1 - momentum) running + momentum of_batch`, with the variance of the batch unbiased, as PyTorch has it. Values as
    /// [`ChannelSizes`] says.
    pub struct BatchNormStats {
        /// As of [`ChannelSizes`], like all but the last.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Values of a channel in a full batch.
        pub length: u32,
        /// From a channel to the next.
        pub channel_stride: u32,
        /// From a value of a channel to the next.
        pub value_stride: u32,
        /// Weight of a batch in the running mean and variance.
        pub momentum: f32,
    }
}

impl BatchNormStats {
    /// Of those channels.
    pub fn new(sizes: ChannelSizes, momentum: f64) -> BatchNormStats {
        let ChannelSizes { batch, channels, length, channel_stride, value_stride, .. } = sizes;
        BatchNormStats { batch, channels, length, channel_stride, value_stride, momentum: momentum as f32 }
    }

    fn sizes(&self) -> ChannelSizes {
        let BatchNormStats { batch, channels, length, channel_stride, value_stride, .. } = *self;
        ChannelSizes { batch, channels, length, channel_stride, value_stride, epsilon: 0.0 }
    }
}

impl KernelSpec for BatchNormStats {
    const NAME: &'static str = "batch_norm_stats";
    const WGSL: &'static str = wgsl!("batch_norm_stats", "step", "group_sum");
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32),
        Slot::write("mean", DType::F32),
        Slot::write("variance", DType::F32),
        Slot::update("running_mean", DType::F32),
        Slot::update("running_var", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.channels as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        let channels = self.channels as usize;
        vec![self.sizes().total(), channels, channels, channels, channels]
    }

    fn flops(&self) -> u64 {
        4 * self.sizes().total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (sizes, step, channels) = (self.sizes(), arguments.step(), self.channels as usize);
        let input = arguments.reals(0);
        let [mean, variance, running_mean, running_var] = [1, 2, 3, 4].map(|slot| arguments.reals_mut(slot));
        let count = T::from_f64(sizes.count(step) as f64);
        let momentum = T::from_f32(self.momentum);
        let of_batch = mean[..channels].par_iter_mut().zip(&mut variance[..channels]);
        let running = running_mean[..channels].par_iter_mut().zip(&mut running_var[..channels]);
        of_batch.zip(running).enumerate().for_each(|(channel, ((mean, variance), (running_mean, running_var)))| {
            let pieces = || sizes.pieces(channel, step).map(|piece| &input[piece]);
            let batch_mean = pieces().map(|piece| sum(piece, |value| value)).sum::<T>() / count;
            let deviation = |value: T| (value - batch_mean) * (value - batch_mean);
            let squares = pieces().map(|piece| sum(piece, deviation)).sum::<T>();
            *mean = batch_mean;
            *variance = squares / count;
            let keep = T::one() - momentum;
            *running_mean = keep * *running_mean + momentum * batch_mean;
            // Of a single value there is no unbiased variance; the biased one is 0.
            *running_var = keep * *running_var + momentum * squares / (count - T::one()).max(T::one());
        });
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, step)| {
                let variance = Input::Uniform { low: 0.1, high: 2.0 };
                let inputs = vec![Input::SIGNED, Input::Poison, Input::Poison, Input::SIGNED, variance];
                Case::new(label, BatchNormStats::new(sizes, 0.1), inputs).step(step).tolerance(Tolerance {
                    absolute: 2e-6,
                    relative: 1e-5,
                    reason: "means of values around one",
                })
            })
            .collect()
    }
}
