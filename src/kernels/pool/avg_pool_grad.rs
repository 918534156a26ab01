//! The input gradient of average pooling.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::pool::shared::pool::{PoolSizes, awkward_cases};
use crate::kernels::{flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `input_grad = (sum of output_grad over the windows that contain it) / (values per window) * activation'(kept)`.
    /// Shapes as in [`PoolSizes`]; kept has the input's shape. The activation is that of the layer below, which
    /// produced the input. `kept` is the argument of its derivative.
    pub struct AvgPoolGrad(PoolSizes);
}

impl KernelSpec for AvgPoolGrad {
    const NAME: &'static str = "avg_pool_grad";
    const WGSL: &'static str =
        wgsl!("pool/avg_pool_grad", "shared/stored", "shared/linear", "shared/activation", "pool/shared/pool");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("kept", DType::F32).or_half(),
        Slot::write("input_grad", DType::F32).or_half(),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.0.lengths()[0])
    }

    fn lengths(&self) -> Vec<usize> {
        let [input, output] = self.0.lengths();
        vec![output, input, input]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let ([input_length, output_length], batch) = (self.0.map_lengths(), self.0.batch as usize);
        let count = T::from_f64(self.0.window_len() as f64);
        let windows = self.0.windows();
        let gradients = arguments.reals(0).par_chunks_exact(output_length);
        let kept = arguments.reals(1).par_chunks_exact(input_length);
        let input_grads = arguments.reals_mut(2).par_chunks_exact_mut(input_length);
        gradients.zip(kept.zip(input_grads)).for_each(|(output_grad, (kept, input_grad))| {
            input_grad.fill(T::zero());
            simd!(for (window, pixels) in windows.iter().enumerate() {
                let gradients = &output_grad[window * batch..][..batch];
                for pixel in pixels {
                    let sums = &mut input_grad[pixel * batch..][..batch];
                    sums.iter_mut().zip(gradients).for_each(|(sum, &gradient)| *sum += gradient);
                }
            });
            simd!(input_grad.iter_mut().for_each(|gradient| *gradient /= count));
            activation.differentiate(input_grad, kept);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(self.0.window_len()))
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, activation)| AvgPoolGrad(sizes).case(label).constants(vec![activation.constant()]))
            .collect()
    }
}
