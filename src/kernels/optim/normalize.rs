//! A tensor at a norm of 1.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::{GradientNorm, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `values /= max(norm, least)`, where the norm is the root of the sum of `partials` ([`GradientNorm`]). Where it is not finite, no
    /// value is.
    pub struct Normalize {
        /// Number of values.
        pub length: u32,
        /// Values that a workgroup scales.
        pub piece: u32,
        /// Number of partial sums.
        pub pieces: u32,
        /// A smaller norm counts as this one.
        pub least: f32,
    }
}

impl Normalize {
    /// Scales what `norm` is the norm of.
    pub fn new(norm: GradientNorm, least: f64) -> Normalize {
        Normalize { length: norm.length, piece: norm.piece, pieces: norm.pieces() as u32, least: least as f32 }
    }
}

impl KernelSpec for Normalize {
    const NAME: &'static str = "normalize";
    const WGSL: &'static str = wgsl!("optim/normalize", "shared/finite", "shared/group_sum");
    const SLOTS: &'static [Slot] = &[Slot::read("partials", DType::F32), Slot::update("values", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        [self.pieces, 1, 1]
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.pieces as usize, self.length as usize]
    }

    fn flops(&self) -> u64 {
        u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let norm = arguments.reals(0)[..self.pieces as usize].iter().copied().sum::<T>().sqrt();
        // A norm whose square f32 cannot hold scales by itself: what has diverged must show.
        let factor = if norm.is_finite() { T::one() / norm.max(T::from_f32(self.least)) } else { norm };
        let values = &mut arguments.reals_mut(1)[..self.length as usize];
        values.par_chunks_mut(self.piece as usize).for_each(|values| {
            simd!(values.iter_mut().for_each(|value| *value *= factor));
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        // A norm near 1, so that a thousand launches in a row leave something.
        let share = 1.0 / self.pieces as f32;
        let partials = Input::Uniform { low: share, high: 1.0001 * share };
        Case::new(label, *self, vec![partials, Input::SIGNED]).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |label: &str, length: u32, sum: f32| {
            let partials = Input::Uniform { low: 0.5 * sum, high: 1.5 * sum };
            Normalize::new(GradientNorm::new(length), 1e-7).case(format!("length {length}, {label}")).input(0, partials)
        };
        let zeros = |case: Case| case.input(0, Input::ZEROS).input(1, Input::ZEROS);
        vec![
            case("above 1", 1, 3.0),
            case("above 1", 97, 3.0),
            case("below 1", 4097, 0.01),
            case("pieces that a thread adds two of", 300 * 4096 + 1, 1e-3),
            // The root of 1e-16 is a tenth of the least norm.
            case("a norm that counts as the least", 97, 1e-16).input(1, Input::Uniform { low: -1e-9, high: 1e-9 }),
            zeros(case("all zero", 97, 0.0)),
        ]
    }
}
