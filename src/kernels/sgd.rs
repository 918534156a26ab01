//! Gradient descent.

use rayon::prelude::*;

use super::lib::loss_scale;
use super::{AWKWARD_LENGTHS, flat_grid, wgsl};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;
use crate::simd::{MIN_PARALLEL, PIECES_OF_UPDATES, simd};
use crate::step::Step;

params! {
    /// `parameter -= learning_rate * gradient` over a whole arena.
    pub struct Sgd {
        /// Elements of the arena.
        pub length: u32,
    }
}

impl KernelSpec for Sgd {
    const NAME: &'static str = "sgd";
    const WGSL: &'static str = wgsl!("sgd", "step", "linear", "loss_scale");
    const SLOTS: &'static [Slot] =
        &[Slot::update("parameters", DType::F32), Slot::read("gradients", DType::F32), loss_scale::SLOT];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        [vec![self.length as usize; 2], vec![loss_scale::LENGTH]].concat()
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(2)) {
            return;
        }
        let learning_rate = T::from_f32(arguments.step().learning_rate);
        let (parameters, gradients) = (arguments.reals_mut(0), arguments.reals(1));
        parameters
            .par_chunks_mut(MIN_PARALLEL)
            .zip(gradients.par_chunks(MIN_PARALLEL))
            .with_min_len(PIECES_OF_UPDATES)
            .for_each(|(parameters, gradients)| {
                simd!({
                    for (parameter, &gradient) in parameters.iter_mut().zip(gradients) {
                        *parameter -= learning_rate * gradient;
                    }
                });
            });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, loss_scale::applies()])
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |length: usize| Sgd { length: length as u32 }.case(format!("length {length}"));
        let step = Step { learning_rate: 0.3, ..Step::default() };
        loss_scale::with_one_left_out(AWKWARD_LENGTHS.into_iter().map(|length| case(length).step(step)))
    }
}
