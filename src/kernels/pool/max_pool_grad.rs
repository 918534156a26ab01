//! The input gradient of max pooling.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::pool::shared::pool::{PoolSizes, awkward_cases};
use crate::kernels::{flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `input_grad = (sum of output_grad over the windows whose maximum is the value) * activation'(kept)`. `indices`
    /// comes from [`crate::kernels::MaxPool`]. Shapes as in [`PoolSizes`]; kept has the input's shape. The activation
    /// is that of the layer below, which produced the input. `kept` is the argument of its derivative.
    pub struct MaxPoolGrad(PoolSizes);
}

impl KernelSpec for MaxPoolGrad {
    const NAME: &'static str = "max_pool_grad";
    const WGSL: &'static str =
        wgsl!("pool/max_pool_grad", "shared/stored", "shared/linear", "shared/activation", "pool/shared/pool");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("indices", DType::U32),
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
        vec![output, output, input, input]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let ([input_length, output_length], batch) = (self.0.map_lengths(), self.0.batch as usize);
        let windows = self.0.windows();
        let gradients = arguments.reals(0).par_chunks_exact(output_length);
        let indices = arguments.integers(1).par_chunks_exact(output_length);
        let kept = arguments.reals(2).par_chunks_exact(input_length);
        let input_grads = arguments.reals_mut(3).par_chunks_exact_mut(input_length);
        gradients.zip(indices).zip(kept.zip(input_grads)).for_each(|((output_grad, indices), (kept, input_grad))| {
            input_grad.fill(T::zero());
            simd!(for (window, pixels) in windows.iter().enumerate() {
                let range = window * batch..(window + 1) * batch;
                let (gradients, indices) = (&output_grad[range.clone()], &indices[range]);
                for pixel in pixels {
                    let sums = &mut input_grad[pixel * batch..][..batch];
                    for ((sum, &gradient), &index) in sums.iter_mut().zip(gradients).zip(indices) {
                        *sum += if index == pixel as u32 { gradient } else { T::zero() };
                    }
                }
            });
            activation.differentiate(input_grad, kept);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        // The maximum is the last pixel of the window for even examples, the middle pixel for odd ones.
        let (sizes, batch, [_, map]) = (&self.0, self.0.batch as usize, self.0.map_lengths());
        let mut indices = vec![0; map];
        for (window, pixels) in sizes.windows().iter().enumerate() {
            let pixels: Vec<usize> = pixels.collect();
            for example in 0..batch {
                let pixel = if example % 2 == 0 { pixels.len() - 1 } else { pixels.len() / 2 };
                indices[window * batch + example] = pixels[pixel] as u32;
            }
        }
        let indices = Input::U32(indices.repeat(sizes.channels as usize));
        Case::new(label, *self, vec![Input::SIGNED, indices, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(sizes.window_len()))
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, activation)| MaxPoolGrad(sizes).case(label).constants(vec![activation.constant()]))
            .collect()
    }
}
