//! Layer normalization's output.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::norm::shared::layer_norm::{EXAMPLES_OF_A_TASK, ExampleSizes, awkward_cases, labelled};
use crate::kernels::wgsl;
use crate::math::real::Real;
use crate::math::shape::Shape;
use crate::math::simd::{MIN_PARALLEL, simd, sum};

params! {
    /// `output = activation((input - mean) / sqrt(variance + epsilon) * weight + bias)`, with the mean and the biased
    /// variance of each example, `[batch]`, which stay for the backward pass (Ba, Kiros and Hinton, "Layer
    /// normalization", 2016). Weight and bias have the shape of an example. Values as [`ExampleSizes`] says.
    pub struct LayerNorm {
        /// Where the values are.
        pub sizes: ..ExampleSizes,
        /// Added to variances.
        pub epsilon: f32,
    }
}

impl KernelSpec for LayerNorm {
    const NAME: &'static str = "layer_norm";
    const WGSL: &'static str = wgsl!("norm/layer_norm", "shared/stored", "shared/activation", "norm/shared/lanes");
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32).or_half(),
        Slot::read("weight", DType::F32),
        Slot::read("bias", DType::F32),
        Slot::write("output", DType::F32).or_half(),
        Slot::write("mean", DType::F32),
        Slot::write("variance", DType::F32),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        self.sizes.grid_of_examples()
    }

    fn lengths(&self) -> Vec<usize> {
        let [total, batch, length] = [self.sizes.total(), self.sizes.batch as usize, self.sizes.length as usize];
        vec![total, length, length, total, batch, batch]
    }

    fn flops(&self) -> u64 {
        8 * self.sizes.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let [input, weight, bias] = [0, 1, 2].map(|slot| arguments.reals(slot));
        let [output, mean, variance] = [3, 4, 5].map(|slot| arguments.reals_mut(slot));
        let (batch, length) = (self.sizes.batch as usize, self.sizes.length as usize);
        let (input, output) = (&input[..self.sizes.total()], &mut output[..self.sizes.total()]);
        let (mean, variance) = (&mut mean[..batch], &mut variance[..batch]);
        let (weight, bias) = (&weight[..length], &bias[..length]);
        let (count, epsilon) = (T::from_f64(length as f64), T::from_f32(self.epsilon));
        if self.sizes.of_features() {
            let examples = output.par_chunks_mut(length).zip(input.par_chunks(length));
            let examples = examples.zip(mean.par_iter_mut().zip(variance));
            examples.with_min_len(MIN_PARALLEL.div_ceil(length)).for_each(|((output, input), (mean, variance))| {
                *mean = sum(
                    input,
                    #[inline(always)]
                    |value| value,
                ) / count;
                let of_example = *mean;
                *variance = sum(
                    input,
                    #[inline(always)]
                    |value| (value - of_example) * (value - of_example),
                ) / count;
                let inverse = T::one() / (*variance + epsilon).sqrt();
                simd!(for ((value, &input), (&weight, &bias)) in
                    output.iter_mut().zip(input).zip(weight.iter().zip(bias))
                {
                    *value = (input - of_example) * inverse * weight + bias;
                });
                activation.apply_to(output, T::zero());
            });
            return;
        }
        let tasks = mean.par_chunks_mut(EXAMPLES_OF_A_TASK).zip(variance.par_chunks_mut(EXAMPLES_OF_A_TASK));
        tasks.enumerate().for_each(|(task, (mean, variance))| {
            let (first, examples) = (task * EXAMPLES_OF_A_TASK, mean.len());
            let row = |value: usize| &input[self.sizes.row(value, first, examples)];
            simd!({
                let mut sums = [T::zero(); EXAMPLES_OF_A_TASK];
                for value in 0..length {
                    sums.iter_mut().zip(row(value)).for_each(|(sum, &value)| *sum += value);
                }
                let means = sums.map(|sum| sum / count);
                sums = [T::zero(); EXAMPLES_OF_A_TASK];
                for value in 0..length {
                    for ((sum, &value), &mean) in sums.iter_mut().zip(row(value)).zip(&means) {
                        *sum += (value - mean) * (value - mean);
                    }
                }
                variance.iter_mut().zip(sums).for_each(|(variance, sum)| *variance = sum / count);
                mean.iter_mut().zip(means).for_each(|(mean, of_example)| *mean = of_example);
            });
        });
        let inverse: Vec<T> = variance.iter().map(|&variance| T::one() / (variance + epsilon).sqrt()).collect();
        let rows = output.par_chunks_mut(batch).zip(input.par_chunks(batch)).zip(weight.par_iter().zip(bias));
        rows.with_min_len(MIN_PARALLEL.div_ceil(batch)).for_each(|((output, input), (&weight, &bias))| {
            simd!(for ((value, &input), (&mean, &inverse)) in
                output.iter_mut().zip(input).zip(mean.iter().zip(&inverse))
            {
                *value = (input - mean) * inverse * weight;
            });
            activation.apply_to(output, bias);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let mut inputs = vec![Input::SIGNED; 6];
        inputs[3..].fill(Input::Poison);
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 1e-5,
            relative: 1e-5,
            reason: "differences from a mean of values around one, over a deviation that may be small",
        })
    }

    fn cases() -> Vec<Case> {
        // The last one folds the grid.
        awkward_cases()
            .chain([labelled(262_145, Shape::Features(2), 262_145)])
            .zip(Activation::ALL.into_iter().cycle())
            .map(|((label, sizes, step), activation)| {
                LayerNorm { sizes, epsilon: 1e-5 }
                    .case(format!("{label}, {activation:?}"))
                    .constants(vec![activation.constant()])
                    .step(step)
            })
            .collect()
    }
}
