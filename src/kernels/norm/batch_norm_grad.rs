//! The gradient of a batch normalization's input.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::norm::shared::batch_norm::{ChannelSizes, awkward_cases};
use crate::kernels::{flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// With n values a channel, `x = (input - mean) / sqrt(variance + epsilon)` and the sums of
    /// [`crate::kernels::BatchNormSums`]: `input_grad = scale / sqrt(variance + epsilon) * (output_grad - shift_sums /
    /// n - x scale_sums / n)`, 0 for padding rows (Ioffe and Szegedy, ICML 2015, section 3). Nothing is applied before
    /// a batch normalization, so that there is no derivative to multiply by. Values as [`ChannelSizes`] says.
    pub struct BatchNormGrad {
        /// Where the values are.
        pub sizes: ..ChannelSizes,
        /// Added to variances.
        pub epsilon: f32,
    }
}

impl KernelSpec for BatchNormGrad {
    const NAME: &'static str = "batch_norm_grad";
    const WGSL: &'static str = wgsl!("norm/batch_norm_grad", "shared/stored", "shared/step", "shared/linear");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("input", DType::F32).or_half(),
        Slot::read("mean", DType::F32),
        Slot::read("variance", DType::F32),
        Slot::read("scale", DType::F32),
        Slot::read("scale_sums", DType::F32),
        Slot::read("shift_sums", DType::F32),
        Slot::write("input_grad", DType::F32).or_half(),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.sizes.total())
    }

    fn lengths(&self) -> Vec<usize> {
        let (total, channels) = (self.sizes.total(), self.sizes.channels as usize);
        vec![total, total, channels, channels, channels, channels, channels, total]
    }

    fn flops(&self) -> u64 {
        7 * self.sizes.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let [mean, variance, scale, scale_sums, shift_sums] = [2, 3, 4, 5, 6].map(|slot| arguments.reals(slot));
        let (epsilon, count) = (T::from_f32(self.epsilon), T::from_f64(self.sizes.count(step) as f64));
        // `input_grad = factor * (output_grad - shift_mean - (input - mean) * slope)`, all but two of them of the
        // channel.
        let of_channels: Vec<[T; 4]> = (0..self.sizes.channels as usize)
            .map(|channel| {
                let inverse = T::one() / (variance[channel] + epsilon).sqrt();
                let (scale_mean, shift_mean) = (scale_sums[channel] / count, shift_sums[channel] / count);
                [scale[channel] * inverse, shift_mean, mean[channel], inverse * scale_mean]
            })
            .collect();
        let (batch, rows, value_stride) =
            (self.sizes.batch as usize, step.rows as usize, self.sizes.value_stride as usize);
        self.sizes.for_each_piece(arguments.reals_mut(7), |channel, start, input_grad| {
            let values = input_grad.iter_mut().zip(output_grad[start..].iter().zip(&input[start..]));
            if self.sizes.of_features() {
                simd!(
                    for ((value, (&gradient, &input)), &[factor, shift_mean, mean, slope]) in values.zip(&of_channels) {
                        *value = factor * (gradient - shift_mean - (input - mean) * slope);
                    }
                );
            } else {
                let [factor, shift_mean, mean, slope] = of_channels[channel];
                simd!(for (value, (&gradient, &input)) in values {
                    *value = factor * (gradient - shift_mean - (input - mean) * slope);
                });
            }
            if rows < batch {
                for (i, value) in (start..).zip(input_grad) {
                    *value = if i / value_stride % batch < rows { *value } else { T::zero() };
                }
            }
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let mut inputs = vec![Input::SIGNED; 8];
        (inputs[3], inputs[7]) = (Input::Uniform { low: 0.1, high: 2.0 }, Input::Poison);
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 1e-5,
            relative: 1e-5,
            reason: "differences of values around one, over a root that may be a third",
        })
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, step)| BatchNormGrad { sizes, epsilon: 1e-5 }.case(label).step(step))
            .collect()
    }
}
