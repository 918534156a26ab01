//! The gradients of a layer normalization's weight and bias.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::norm::shared::layer_norm::{ExampleSizes, awkward_cases, labelled};
use crate::kernels::step::Step;
use crate::kernels::{accumulation_cases, wgsl};
use crate::math::real::Real;
use crate::math::shape::Shape;
use crate::math::simd::simd;

params! {
    /// For each value of an example, over the step's own examples: `weight_grad = sum of output_grad * (input - mean) /
    /// sqrt(variance + epsilon)` and `bias_grad = sum of output_grad`. Both lie in `gradients`, and are added to what
    /// the update's batches before this one left. Values as [`ExampleSizes`] says.
    pub struct LayerNormSums {
        /// Where the values are.
        pub sizes: ..ExampleSizes,
        /// Added to variances.
        pub epsilon: f32,
        /// Where the gradients of biases begin, behind those of weights.
        pub bias_at: u32,
    }
}

/// Values that a task of the twin works on.
const VALUES_OF_A_TASK: usize = 256;

impl KernelSpec for LayerNormSums {
    const NAME: &'static str = "layer_norm_sums";
    const WGSL: &'static str = wgsl!("norm/layer_norm_sums", "shared/stored", "shared/step", "norm/shared/lanes");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("input", DType::F32).or_half(),
        Slot::read("mean", DType::F32),
        Slot::read("variance", DType::F32),
        Slot::update("gradients", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        self.sizes.grid_of_values()
    }

    fn lengths(&self) -> Vec<usize> {
        let [total, batch, length] = [self.sizes.total(), self.sizes.batch as usize, self.sizes.length as usize];
        vec![total, total, batch, batch, self.bias_at as usize + length]
    }

    fn flops(&self) -> u64 {
        5 * self.sizes.total() as u64
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (sizes, step, length) = (self.sizes, arguments.step(), self.sizes.length as usize);
        let (rows, adds) = (step.rows as usize, step.accumulated > 0);
        let [output_grad, input, mean, variance] = [0, 1, 2, 3].map(|slot| arguments.reals(slot));
        let epsilon = T::from_f32(self.epsilon);
        let inverse: Vec<T> = variance[..rows].iter().map(|&variance| T::one() / (variance + epsilon).sqrt()).collect();
        let (of_weights, of_biases) = arguments.reals_mut(4).split_at_mut(self.bias_at as usize);
        let tasks = of_weights[..length].par_chunks_mut(VALUES_OF_A_TASK);
        tasks.zip(of_biases[..length].par_chunks_mut(VALUES_OF_A_TASK)).enumerate().for_each(
            |(task, (weights, biases))| {
                if !adds {
                    weights.fill(T::zero());
                    biases.fill(T::zero());
                }
                let first = task * VALUES_OF_A_TASK;
                if !sizes.of_features() {
                    for (value, (weight, bias)) in (first..).zip(weights.iter_mut().zip(biases)) {
                        let row = sizes.row(value, 0, rows);
                        let [products, sums] = sums_of_row(&output_grad[row.clone()], &input[row], mean, &inverse);
                        *weight += products;
                        *bias += sums;
                    }
                    return;
                }
                // The batch's sums first, so that it makes no difference to them what was there before.
                let mut sums = vec![[T::zero(); 2]; weights.len()];
                for (example, (&mean, &inverse)) in mean.iter().zip(&inverse).enumerate() {
                    let start = example * length + first;
                    let values = output_grad[start..].iter().zip(&input[start..]);
                    simd!(for ([product, sum], (&gradient, &value)) in sums.iter_mut().zip(values) {
                        *product += gradient * ((value - mean) * inverse);
                        *sum += gradient;
                    });
                }
                for ([products, sums], (weight, bias)) in sums.into_iter().zip(weights.iter_mut().zip(biases)) {
                    *weight += products;
                    *bias += sums;
                }
            },
        );
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let variance = Input::Uniform { low: 0.1, high: 2.0 };
        let inputs = vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, variance, Input::Poison];
        Case::new(label, *self, inputs).tolerance(Tolerance::sum_of(4 * self.sizes.batch as usize))
    }

    fn cases() -> Vec<Case> {
        let folds_the_grid = labelled(2, Shape::Maps { channels: 262_145, height: 1, width: 1 }, 2);
        awkward_cases()
            .chain([folds_the_grid])
            .flat_map(|case| accumulation_cases().map(move |accumulation| (case.clone(), accumulation)))
            .map(|((label, sizes, rows), (what, before, step))| {
                let kernel = LayerNormSums { sizes, epsilon: 1e-5, bias_at: sizes.length };
                let step = Step { accumulated: step.accumulated, ..rows };
                kernel.case(format!("{label}, {what}")).input(4, before).step(step)
            })
            .collect()
    }
}

/// The two sums of one value over neighbouring examples.
fn sums_of_row<T: Real>(gradients: &[T], values: &[T], mean: &[T], inverse: &[T]) -> [T; 2] {
    const LANES: usize = 32;
    let (mean, inverse) = (&mean[..gradients.len()], &inverse[..gradients.len()]);
    simd!({
        let (mut products, mut sums) = ([T::zero(); LANES], [T::zero(); LANES]);
        let examples = gradients.chunks(LANES).zip(values.chunks(LANES));
        for ((gradients, values), (mean, inverse)) in examples.zip(mean.chunks(LANES).zip(inverse.chunks(LANES))) {
            let lanes =
                products.iter_mut().zip(&mut sums).zip(gradients.iter().zip(values)).zip(mean.iter().zip(inverse));
            for (((product, sum), (&gradient, &value)), (&mean, &inverse)) in lanes {
                *product += gradient * ((value - mean) * inverse);
                *sum += gradient;
            }
        }
        [products.into_iter().sum(), sums.into_iter().sum()]
    })
}
