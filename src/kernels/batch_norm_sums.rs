//! What scale and shift of a batch normalization owe to the loss.

use rayon::prelude::*;

use super::lib::batch_norm::{ChannelSizes, awkward_cases};
use super::wgsl;
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::real::Real;
use crate::simd::simd;
use crate::step::Step;

params! {
    /// Of each channel, over the batch: `scale_sums = sum of output_grad * (input - mean) / sqrt(variance + epsilon)` and
    /// `shift_sums = sum of output_grad`. Values as [`ChannelSizes`] says.
    pub struct BatchNormSums(ChannelSizes);
}

impl KernelSpec for BatchNormSums {
    const NAME: &'static str = "batch_norm_sums";
    const WGSL: &'static str = wgsl!("batch_norm_sums", "group_sum");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32),
        Slot::read("input", DType::F32),
        Slot::read("mean", DType::F32),
        Slot::read("variance", DType::F32),
        Slot::write("scale_sums", DType::F32),
        Slot::write("shift_sums", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.0.channels as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        let (total, channels) = (self.0.total(), self.0.channels as usize);
        vec![total, total, channels, channels, channels, channels]
    }

    fn flops(&self) -> u64 {
        5 * self.0.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (step, channels) = (arguments.step(), self.0.channels as usize);
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let (mean, variance) = (arguments.reals(2), arguments.reals(3));
        let (scale_sums, shift_sums) = (arguments.reals_mut(4), arguments.reals_mut(5));
        let epsilon = T::from_f32(self.0.epsilon);
        let whole = Step { rows: self.0.batch, ..*step };
        let sums = scale_sums[..channels].par_iter_mut().zip(&mut shift_sums[..channels]);
        sums.enumerate().for_each(|(channel, (scale_sum, shift_sum))| {
            let (mean, inverse) = (mean[channel], T::one() / (variance[channel] + epsilon).sqrt());
            let (mut products, mut gradients) = (T::zero(), T::zero());
            for piece in self.0.pieces(channel, &whole) {
                let (product, gradient) = sums_of(&output_grad[piece.clone()], &input[piece], mean);
                products += product;
                gradients += gradient;
            }
            (*scale_sum, *shift_sum) = (products * inverse, gradients);
        });
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, step)| {
                let variance = Input::Uniform { low: 0.1, high: 2.0 };
                let inputs = vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, variance, Input::Poison, Input::Poison];
                Case::new(label, BatchNormSums(sizes), inputs)
                    .step(step)
                    .tolerance(Tolerance::sum_of(4 * sizes.length as usize))
            })
            .collect()
    }
}

/// Sums of `gradient * (value - mean)` and of `gradient`.
fn sums_of<T: Real>(gradients: &[T], values: &[T], mean: T) -> (T, T) {
    const LANES: usize = 32;
    simd!({
        let (mut products, mut sums) = ([T::zero(); LANES], [T::zero(); LANES]);
        let ((gradients, rest), (values, last)) = (gradients.as_chunks::<LANES>(), values.as_chunks::<LANES>());
        for (gradients, values) in gradients.iter().zip(values) {
            for lane in 0..LANES {
                products[lane] += gradients[lane] * (values[lane] - mean);
                sums[lane] += gradients[lane];
            }
        }
        for (lane, (&gradient, &value)) in rest.iter().zip(last).enumerate() {
            products[lane] += gradient * (value - mean);
            sums[lane] += gradient;
        }
        (products.into_iter().sum(), sums.into_iter().sum())
    })
}
