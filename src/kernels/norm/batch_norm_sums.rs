//! The gradients of a batch normalization's scale and shift.

use std::ops::Range;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::kernels::norm::shared::batch_norm::{ChannelSizes, awkward_cases};
use crate::kernels::norm::shared::sums::sums_of;
use crate::kernels::step::Step;
use crate::kernels::wgsl;
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// Of each channel, over the batch: `scale_sums = sum of output_grad * (input - mean) / sqrt(variance + epsilon)`
    /// and `shift_sums = sum of output_grad`. Values as [`ChannelSizes`] says.
    pub struct BatchNormSums {
        /// Where the values are.
        pub sizes: ..ChannelSizes,
        /// Added to variances.
        pub epsilon: f32,
    }
}

impl KernelSpec for BatchNormSums {
    const NAME: &'static str = "batch_norm_sums";
    const WGSL: &'static str = wgsl!("norm/batch_norm_sums", "shared/stored", "shared/group_sum");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("input", DType::F32).or_half(),
        Slot::read("mean", DType::F32),
        Slot::read("variance", DType::F32),
        Slot::write("scale_sums", DType::F32),
        Slot::write("shift_sums", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.sizes.channels as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        let (total, channels) = (self.sizes.total(), self.sizes.channels as usize);
        vec![total, total, channels, channels, channels, channels]
    }

    fn flops(&self) -> u64 {
        5 * self.sizes.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let whole = Step { rows: self.sizes.batch, ..*arguments.step() };
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let (mean, variance) = (arguments.reals(2), arguments.reals(3));
        let sums = [4, 5].map(|slot| arguments.reals_mut(slot));
        let epsilon = T::from_f32(self.epsilon);
        self.sizes.for_each_block(sums, |channels, [scale_sums, shift_sums]| {
            let (mean, variance) = (&mean[channels.clone()], &variance[channels.clone()]);
            let of_piece = |piece: Range<usize>| sums_of(&output_grad[piece.clone()], &input[piece], mean[0]);
            let add_row = |row: Range<usize>, [products, sums]: &mut [&mut [T]; 2]| {
                let values = output_grad[row.clone()].iter().zip(&input[row]).zip(mean);
                simd!(for ((product, sum), ((&gradient, &value), &mean)) in
                    products.iter_mut().zip(&mut **sums).zip(values)
                {
                    *product += gradient * (value - mean);
                    *sum += gradient;
                });
            };
            self.sizes.sum(&channels, &whole, [&mut *scale_sums, shift_sums], of_piece, add_row);
            for (sum, &variance) in scale_sums.iter_mut().zip(variance) {
                *sum /= (variance + epsilon).sqrt();
            }
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let variance = Input::Uniform { low: 0.1, high: 2.0 };
        let inputs = vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, variance, Input::Poison, Input::Poison];
        Case::new(label, *self, inputs).tolerance(Tolerance::sum_of(4 * self.sizes.length as usize))
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, step)| BatchNormSums { sizes, epsilon: 1e-5 }.case(label).step(step))
            .collect()
    }
}
