//! Clipping of gradients by their norm.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::{GradientNorm, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013, algorithm 1, over a
    /// whole arena: `g *= min(1, max_norm / (norm + 1e-6))`, as PyTorch's `clip_grad_norm_`. The norm is the root of the sum
    /// of `partials` ([`GradientNorm`]); where it is not finite, no gradient is.
    pub struct ClipNorm {
        /// Elements of the arena.
        pub length: u32,
        /// Elements that a workgroup scales.
        pub piece: u32,
        /// Number of partial sums.
        pub pieces: u32,
        /// The largest norm that is left.
        pub max_norm: f32,
    }
}

impl ClipNorm {
    /// Clips what `norm` is the norm of.
    pub fn new(norm: GradientNorm, max_norm: f64) -> ClipNorm {
        ClipNorm { length: norm.length, piece: norm.piece, pieces: norm.pieces() as u32, max_norm: max_norm as f32 }
    }
}

impl KernelSpec for ClipNorm {
    const NAME: &'static str = "clip_norm";
    const WGSL: &'static str = wgsl!("optim/clip_norm", "shared/finite", "shared/group_sum");
    const SLOTS: &'static [Slot] = &[Slot::read("partials", DType::F32), Slot::update("gradients", DType::F32)];
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
        let factor = if norm.is_finite() { T::from_f32(self.max_norm) / (norm + T::from_f32(1e-6)) } else { norm };
        if factor < T::one() || !norm.is_finite() {
            arguments.reals_mut(1).par_chunks_mut(self.piece as usize).for_each(|gradients| {
                simd!(gradients.iter_mut().for_each(|gradient| *gradient *= factor));
            });
        }
    }

    fn case(&self, label: impl Into<String>) -> Case {
        // A norm just above the bound: all gradients are scaled, and by so little that a thousand launches in a row leave something.
        let share = self.max_norm * self.max_norm / self.pieces as f32;
        let partials = Input::Uniform { low: share, high: 1.1 * share };
        Case::new(label, *self, vec![partials, Input::SIGNED]).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let kernel = |length: u32, max_norm: f64| ClipNorm::new(GradientNorm::new(length), max_norm);
        let case = |label: &str, length: u32, sum: f32| {
            let partials = Input::Uniform { low: 0.5 * sum, high: 1.5 * sum };
            kernel(length, 0.5).case(format!("length {length}, {label}")).input(0, partials)
        };
        let tiny = ClipNorm { max_norm: 1e-6, ..kernel(97, 0.5) };
        let loose = ClipNorm { max_norm: 3e38, ..kernel(97, 0.5) };
        vec![
            case("clipped", 1, 3.0),
            case("clipped", 97, 3.0),
            case("kept", 97, 0.01),
            case("no gradient", 97, 0.0),
            case("clipped", 4097, 3.0),
            loose.case("a bound as good as none").input(0, Input::F32(vec![0.01])).tolerance(Tolerance::EXACT),
            case("clipped, pieces that a thread adds two of", 300 * 4096 + 1, 1e-3),
            tiny.case("a norm as small as what is added to it").input(0, Input::F32(vec![1e-12])),
        ]
    }
}
