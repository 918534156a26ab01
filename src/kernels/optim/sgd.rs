//! Gradient descent.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::sgd;
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{AWKWARD_LENGTHS, flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::update_pieces;

params! {
    /// `parameter -= learning_rate * gradient` over a whole arena.
    pub struct Sgd {
        /// Elements of the arena.
        pub length: u32,
    }
}

impl KernelSpec for Sgd {
    const NAME: &'static str = "sgd";
    const WGSL: &'static str =
        wgsl!("optim/sgd", "shared/step", "shared/linear", "shared/loss_scale", "optim/shared/sgd");
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
        sgd::FLOPS * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(2)) {
            return;
        }
        let step = arguments.step();
        let (parameters, gradients) = (arguments.reals_mut(0), arguments.reals(1));
        update_pieces([parameters], gradients, |tensors, gradients| sgd::update(step, tensors, gradients));
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
