//! The gradient of a layer normalization's input.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::norm::shared::layer_norm::{EXAMPLES_OF_A_TASK, ExampleSizes, awkward_cases};
use crate::kernels::norm::shared::sums::sums_of;
use crate::kernels::wgsl;
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, simd};

params! {
    /// With `g = output_grad * weight`, `x = (input - mean) / sqrt(variance + epsilon)` and means over the values of an
    /// example: `input_grad = (g - mean of g - x * mean of g x) / sqrt(variance + epsilon)` (Ba, Kiros and Hinton,
    /// 2016). Nothing is applied before a layer normalization, so that there is no derivative to multiply by. Values as
    /// [`ExampleSizes`] says.
    pub struct LayerNormGrad {
        /// Where the values are.
        pub sizes: ..ExampleSizes,
        /// Added to variances.
        pub epsilon: f32,
    }
}

impl KernelSpec for LayerNormGrad {
    const NAME: &'static str = "layer_norm_grad";
    const WGSL: &'static str = wgsl!("norm/layer_norm_grad", "shared/stored", "norm/shared/lanes");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("input", DType::F32).or_half(),
        Slot::read("mean", DType::F32),
        Slot::read("variance", DType::F32),
        Slot::read("weight", DType::F32),
        Slot::write("input_grad", DType::F32).or_half(),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        self.sizes.grid_of_examples()
    }

    fn lengths(&self) -> Vec<usize> {
        let [total, batch, length] = [self.sizes.total(), self.sizes.batch as usize, self.sizes.length as usize];
        vec![total, total, batch, batch, length, total]
    }

    fn flops(&self) -> u64 {
        12 * self.sizes.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (batch, length) = (self.sizes.batch as usize, self.sizes.length as usize);
        let [output_grad, input] = [0, 1].map(|slot| &arguments.reals(slot)[..self.sizes.total()]);
        let [mean, variance] = [2, 3].map(|slot| &arguments.reals(slot)[..batch]);
        let weight = &arguments.reals(4)[..length];
        let input_grad = &mut arguments.reals_mut(5)[..self.sizes.total()];
        let (count, epsilon) = (T::from_f64(length as f64), T::from_f32(self.epsilon));
        // `input_grad = inverse * (g - mean of g - (input - mean) * slope)`, of the example all but g and the input.
        let of_example = |[products, sums]: [T; 2], variance: T| {
            let inverse = T::one() / (variance + epsilon).sqrt();
            [inverse, sums / count, inverse * inverse * products / count]
        };
        if self.sizes.of_features() {
            let examples = input_grad.par_chunks_mut(length).zip(output_grad.par_chunks(length));
            let examples = examples.zip(input.par_chunks(length)).zip(mean.par_iter().zip(variance));
            examples.with_min_len(MIN_PARALLEL.div_ceil(length)).for_each(
                |(((input_grad, output_grad), input), (&mean, &variance))| {
                    simd!(for ((value, &gradient), &weight) in input_grad.iter_mut().zip(output_grad).zip(weight) {
                        *value = gradient * weight;
                    });
                    let [inverse, gradient, slope] = of_example(sums_of(input_grad, input, mean), variance);
                    simd!(for (value, &input) in input_grad.iter_mut().zip(input) {
                        *value = inverse * (*value - gradient - (input - mean) * slope);
                    });
                },
            );
            return;
        }
        let mut of_examples = vec![[T::zero(); 3]; batch];
        of_examples.par_chunks_mut(EXAMPLES_OF_A_TASK).enumerate().for_each(|(task, of_examples)| {
            let first = task * EXAMPLES_OF_A_TASK;
            let (mean, variance) = (&mean[first..], &variance[first..]);
            simd!({
                let (mut products, mut sums) = ([T::zero(); EXAMPLES_OF_A_TASK], [T::zero(); EXAMPLES_OF_A_TASK]);
                for (value, &weight) in weight.iter().enumerate() {
                    let row = self.sizes.row(value, first, of_examples.len());
                    let values = output_grad[row.clone()].iter().zip(&input[row]).zip(mean);
                    for ((product, sum), ((&gradient, &value), &mean)) in products.iter_mut().zip(&mut sums).zip(values)
                    {
                        let gradient = gradient * weight;
                        *product += gradient * (value - mean);
                        *sum += gradient;
                    }
                }
                for ((example, sums), &variance) in
                    of_examples.iter_mut().zip(products.into_iter().zip(sums)).zip(variance)
                {
                    *example = of_example(sums.into(), variance);
                }
            });
        });
        let rows = input_grad.par_chunks_mut(batch).zip(output_grad.par_chunks(batch)).zip(input.par_chunks(batch));
        rows.zip(weight).with_min_len(MIN_PARALLEL.div_ceil(batch)).for_each(
            |(((input_grad, output_grad), input), &weight)| {
                let values = input_grad.iter_mut().zip(output_grad).zip(input);
                simd!(for (((value, &gradient), &input), (&mean, &[inverse, of_mean, slope])) in
                    values.zip(mean.iter().zip(&of_examples))
                {
                    *value = inverse * (gradient * weight - of_mean - (input - mean) * slope);
                });
            },
        );
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let mut inputs = vec![Input::SIGNED; 6];
        (inputs[3], inputs[5]) = (Input::Uniform { low: 0.1, high: 2.0 }, Input::Poison);
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 1e-5,
            relative: 1e-5,
            reason: "differences of values around one, over a root that may be a third",
        })
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, step)| LayerNormGrad { sizes, epsilon: 1e-5 }.case(label).step(step))
            .collect()
    }
}
