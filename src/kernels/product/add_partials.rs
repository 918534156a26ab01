//! A gradient as the sum of partial sums.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::{EDGE_LENGTHS, accumulation_cases, flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, simd};

params! {
    /// `gradient[i] = sum over s of partials[s, i]`, in order: partials `[slices, length]`, gradient `[length]`. From
    /// the second batch of an update on, the sum is added to the gradient of the batches before.
    pub struct AddPartials {
        /// Elements of the gradient.
        pub length: u32,
        /// Partial sums per element.
        pub slices: u32,
    }
}

impl KernelSpec for AddPartials {
    const NAME: &'static str = "add_partials";
    const WGSL: &'static str = wgsl!("product/add_partials", "shared/step", "shared/linear");
    const SLOTS: &'static [Slot] = &[Slot::read("partials", DType::F32), Slot::update("gradient", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.length as usize * self.slices as usize, self.length as usize]
    }

    fn flops(&self) -> u64 {
        u64::from(self.length) * u64::from(self.slices)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let length = self.length as usize;
        let adds = arguments.step().accumulated > 0;
        let partials = &arguments.reals(0)[..length * self.slices as usize];
        let gradient = &mut arguments.reals_mut(1)[..length];
        gradient.par_chunks_mut(MIN_PARALLEL).enumerate().for_each(|(piece, gradient)| {
            simd!({
                if !adds {
                    gradient.fill(T::zero());
                }
                for slice in partials.chunks_exact(length) {
                    for (sum, &value) in gradient.iter_mut().zip(&slice[piece * MIN_PARALLEL..]) {
                        *sum += value;
                    }
                }
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison]).tolerance(Tolerance::sum_of(self.slices as usize))
    }

    fn cases() -> Vec<Case> {
        let sizes = EDGE_LENGTHS.map(|length| (length as u32, 3)).into_iter().chain([(5, 1), (40_000, 29)]);
        sizes
            .flat_map(|sizes| accumulation_cases().map(move |accumulation| (sizes, accumulation)))
            .map(|((length, slices), (what, before, step))| {
                let label = format!("length {length}, slices {slices}, {what}");
                AddPartials { length, slices }.case(label).input(1, before).step(step)
            })
            .collect()
    }
}
