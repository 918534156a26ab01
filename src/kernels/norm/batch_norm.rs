//! Batch normalization's output.

use crate::kernels::activation::Activation;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::norm::shared::batch_norm::{ChannelSizes, awkward_cases};
use crate::kernels::{flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `output = activation((input - mean) / sqrt(variance + epsilon) * scale + shift)`, channel by channel (Ioffe and
    /// Szegedy, "Batch normalization", ICML 2015, algorithm 1; with the running mean and variance, algorithm 2). Values
    /// as [`ChannelSizes`] says.
    pub struct BatchNorm {
        /// Where the values are.
        pub sizes: ..ChannelSizes,
        /// Added to variances.
        pub epsilon: f32,
    }
}

impl KernelSpec for BatchNorm {
    const NAME: &'static str = "batch_norm";
    const WGSL: &'static str = wgsl!("norm/batch_norm", "shared/stored", "shared/linear", "shared/activation");
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32).or_half(),
        Slot::read("mean", DType::F32),
        Slot::read("variance", DType::F32),
        Slot::read("scale", DType::F32),
        Slot::read("shift", DType::F32),
        Slot::write("output", DType::F32).or_half(),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.sizes.total())
    }

    fn lengths(&self) -> Vec<usize> {
        let (total, channels) = (self.sizes.total(), self.sizes.channels as usize);
        vec![total, channels, channels, channels, channels, total]
    }

    fn flops(&self) -> u64 {
        4 * self.sizes.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let (input, mean, variance) = (arguments.reals(0), arguments.reals(1), arguments.reals(2));
        let (scale, shift) = (arguments.reals(3), arguments.reals(4));
        let epsilon = T::from_f32(self.epsilon);
        let factors: Vec<T> =
            scale.iter().zip(variance).map(|(&scale, &variance)| scale / (variance + epsilon).sqrt()).collect();
        self.sizes.for_each_piece(arguments.reals_mut(5), |channel, start, output| {
            let values = output.iter_mut().zip(&input[start..]);
            if self.sizes.of_features() {
                simd!(for ((value, &input), ((&mean, &factor), &shift)) in
                    values.zip(mean.iter().zip(&factors).zip(shift))
                {
                    *value = (input - mean) * factor + shift;
                });
                return activation.apply_to(output, T::zero());
            }
            let (mean, factor) = (mean[channel], factors[channel]);
            simd!(values.for_each(|(value, &input)| *value = (input - mean) * factor));
            activation.apply_to(output, shift[channel]);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let mut inputs = vec![Input::SIGNED; 6];
        (inputs[2], inputs[5]) = (Input::Uniform { low: 0.1, high: 2.0 }, Input::Poison);
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 2e-6,
            relative: 1e-5,
            reason: "a root, a quotient and a product",
        })
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .zip(Activation::ALL.into_iter().cycle())
            .map(|((label, sizes, step), activation)| {
                BatchNorm { sizes, epsilon: 1e-5 }
                    .case(format!("{label}, {activation:?}"))
                    .constants(vec![activation.constant()])
                    .step(step)
            })
            .collect()
    }
}
