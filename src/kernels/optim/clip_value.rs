//! Clipping of gradients by value.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, params};
use crate::kernels::{EDGE_LENGTHS, flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, PIECES_OF_UPDATES, simd};

params! {
    /// `g = min(max(g, -max_value), max_value)` over a whole arena; what is not finite stays so.
    pub struct ClipValue {
        /// Elements of the arena.
        pub length: u32,
        /// The largest magnitude that is left.
        pub max_value: f32,
    }
}

impl KernelSpec for ClipValue {
    const NAME: &'static str = "clip_value";
    const WGSL: &'static str = wgsl!("optim/clip_value", "shared/linear", "shared/finite");
    const SLOTS: &'static [Slot] = &[Slot::update("gradients", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.length as usize]
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let max_value = T::from_f32(self.max_value);
        arguments.reals_mut(0).par_chunks_mut(MIN_PARALLEL).with_min_len(PIECES_OF_UPDATES).for_each(|gradients| {
            simd!({
                for gradient in gradients {
                    // What is not finite is let through: what has diverged must show.
                    if gradient.is_finite() {
                        *gradient = gradient.max(-max_value).min(max_value);
                    }
                }
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED])
    }

    fn cases() -> Vec<Case> {
        let kernel = |length: usize| ClipValue { length: length as u32, max_value: 0.5 };
        let lengths = EDGE_LENGTHS.map(|length| kernel(length).case(format!("length {length}")));
        let edges = vec![0.0, -0.0, 0.5, -0.5, 0.75, -0.75, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY];
        let edges = kernel(edges.len()).case("edges").input(0, Input::F32(edges));
        lengths.into_iter().chain([edges]).collect()
    }
}
