//! The maximum of each window.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, params};
use crate::kernels::pool::shared::pool::{PoolSizes, awkward_sizes};
use crate::kernels::{flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `output = the maximum of each window`. The first of equal values wins. A NaN is greater than any number.
    /// `indices` has the output's shape and holds the position of each maximum, `row * in_width + column`. Shapes as in
    /// [`PoolSizes`].
    pub struct MaxPool(PoolSizes);
}

impl KernelSpec for MaxPool {
    const NAME: &'static str = "max_pool";
    const WGSL: &'static str =
        wgsl!("pool/max_pool", "shared/stored", "shared/linear", "shared/finite", "pool/shared/pool");
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32).or_half(),
        Slot::write("output", DType::F32).or_half(),
        Slot::write("indices", DType::U32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.0.lengths()[1])
    }

    fn lengths(&self) -> Vec<usize> {
        let [input, output] = self.0.lengths();
        vec![input, output, output]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let ([input_length, output_length], batch) = (self.0.map_lengths(), self.0.batch as usize);
        let windows = self.0.windows();
        let maps = arguments.reals(0).par_chunks_exact(input_length);
        let outputs = arguments.reals_mut(1).par_chunks_exact_mut(output_length);
        let indices = arguments.integers_mut(2).par_chunks_exact_mut(output_length);
        maps.zip(outputs.zip(indices)).for_each(|(map, (output, indices))| {
            simd!(for (window, pixels) in windows.iter().enumerate() {
                let output = &mut output[window * batch..][..batch];
                let indices = &mut indices[window * batch..][..batch];
                for (number, pixel) in pixels.enumerate() {
                    let values = &map[pixel * batch..][..batch];
                    for ((best, at), &value) in output.iter_mut().zip(&mut *indices).zip(values) {
                        if number == 0 || value > *best || value.is_nan() && !best.is_nan() {
                            (*best, *at) = (value, pixel as u32);
                        }
                    }
                }
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison, Input::Poison])
    }

    fn cases() -> Vec<Case> {
        let equal = awkward_sizes().map(|(label, sizes)| {
            let values = (0..sizes.lengths()[0]).map(|i| if i % 3 == 0 { -1.0 } else { -2.0 }).collect();
            MaxPool(sizes).case(format!("{label}, many equal values")).input(0, Input::F32(values))
        });
        awkward_sizes().map(|(label, sizes)| MaxPool(sizes).case(label)).chain(equal).collect()
    }
}
