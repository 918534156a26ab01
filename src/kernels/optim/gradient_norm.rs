//! The norm of all gradients, as partial sums of squares.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::wgsl;
use crate::math::real::Real;
use crate::math::simd::sum_of_squares;

params! {
    /// `partials[k] = sum of g^2` over the k-th piece of a whole arena. The norm is the root of the partials' sum.
    pub struct GradientNorm {
        /// Elements of the arena.
        pub length: u32,
        /// Elements of a piece; the last one may be shorter.
        pub piece: u32,
    }
}

/// There are no more pieces than this, so that each workgroup that needs the norm can add all partials up.
const MOST_PIECES: u32 = 1024;

/// A piece is no shorter than this: sixteen elements a thread.
const LEAST_PIECE: u32 = 4096;

impl GradientNorm {
    /// The norm of `length` gradients.
    pub fn new(length: u32) -> GradientNorm {
        GradientNorm { length, piece: length.div_ceil(MOST_PIECES).max(LEAST_PIECE) }
    }

    /// Number of pieces, and of partial sums.
    pub fn pieces(&self) -> usize {
        self.length.div_ceil(self.piece) as usize
    }
}

impl KernelSpec for GradientNorm {
    const NAME: &'static str = "gradient_norm";
    const WGSL: &'static str = wgsl!("optim/gradient_norm", "shared/group_sum");
    const SLOTS: &'static [Slot] = &[Slot::read("gradients", DType::F32), Slot::write("partials", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        [self.pieces() as u32, 1, 1]
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.length as usize, self.pieces()]
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let gradients = &arguments.reals(0)[..self.length as usize];
        let pieces = gradients.par_chunks(self.piece as usize);
        arguments.reals_mut(1).par_iter_mut().zip(pieces).for_each(|(sum, piece)| *sum = sum_of_squares(piece));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison]).tolerance(Tolerance {
            absolute: 0.0,
            relative: 1e-5,
            reason: "a sum of positive terms, a few dozen of them one after another",
        })
    }

    fn cases() -> Vec<Case> {
        [1, 97, LEAST_PIECE, LEAST_PIECE + 1, MOST_PIECES * LEAST_PIECE + 1]
            .into_iter()
            .map(|length| {
                let kernel = GradientNorm::new(length);
                kernel.case(format!("length {length}, pieces of {}", kernel.piece))
            })
            .collect()
    }
}
