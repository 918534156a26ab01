//! What takes the loss scale off gradients.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, params};
use crate::kernels::shared::loss_scale::{self, INVERSE, SCALE};
use crate::kernels::{GradientNorm, wgsl};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `g *= 1 / loss_scale` over a whole arena, which is exact, since a loss scale is a power of two. Where the sum of `partials`
    /// ([`GradientNorm`]) is not finite, all gradients become zero: no update is made from them, and clipping would spread what is no number to
    /// the arena's gaps, which no gradient overwrites. At a scale of 1, where one is made, they stay: what has diverged must show.
    pub struct Unscale {
        /// Elements of the arena.
        pub length: u32,
        /// Elements that a workgroup multiplies.
        pub piece: u32,
        /// Number of partial sums.
        pub pieces: u32,
    }
}

impl Unscale {
    /// Unscales what `norm` is the norm of.
    pub fn new(norm: GradientNorm) -> Unscale {
        Unscale { length: norm.length, piece: norm.piece, pieces: norm.pieces() as u32 }
    }
}

impl KernelSpec for Unscale {
    const NAME: &'static str = "unscale";
    const WGSL: &'static str = wgsl!("optim/unscale", "shared/finite", "shared/group_sum", "shared/loss_scale");
    const SLOTS: &'static [Slot] =
        &[Slot::read("partials", DType::F32), loss_scale::SLOT, Slot::update("gradients", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        [self.pieces, 1, 1]
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.pieces as usize, loss_scale::LENGTH, self.length as usize]
    }

    fn flops(&self) -> u64 {
        u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let sum = arguments.reals(0)[..self.pieces as usize].iter().copied().sum::<T>();
        let (loss_scale, gradients) = (arguments.reals(1), arguments.reals_mut(2));
        if sum.is_finite() {
            let inverse = loss_scale[INVERSE];
            gradients.par_chunks_mut(self.piece as usize).for_each(|gradients| {
                simd!(gradients.iter_mut().for_each(|gradient| *gradient *= inverse));
            });
        } else if loss_scale[SCALE] > T::one() {
            gradients.fill(T::zero());
        }
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let scale = Input::F32(loss_scale::values(1024.0));
        Case::new(label, *self, vec![Input::SIGNED, scale, Input::SIGNED])
    }

    fn cases() -> Vec<Case> {
        let case = |label: &str, length: u32| {
            Unscale::new(GradientNorm::new(length)).case(format!("length {length}, {label}"))
        };
        let last = |value: f32| Input::F32([vec![1.0; 300], vec![value]].concat());
        let long = 300 * 4096 + 1;
        vec![
            case("one element", 1),
            case("a prime", 97),
            case("two pieces", 4097),
            case("pieces that a thread adds two of", long),
            case("an overflow in the last piece", long).input(0, last(f32::INFINITY)),
            case("no number in the last piece", long).input(0, last(f32::NAN)),
            case("an overflow at a scale of 1", long)
                .input(0, last(f32::INFINITY))
                .input(1, Input::F32(loss_scale::values(1.0))),
        ]
    }
}
