//! Gradient descent.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::arena::{over_arena, update_pieces};
use crate::kernels::optim::shared::sgd;
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{AWKWARD_LENGTHS, wgsl};
use crate::math::real::Real;

params! {
    /// `parameter -= learning_rate * gradient` over a whole arena.
    pub struct Sgd {
        /// Elements of the arena.
        pub length: u32,
    }
}

impl KernelSpec for Sgd {
    const NAME: &'static str = "sgd";
    const WGSL: &'static str = wgsl!(
        "optim/sgd",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "optim/shared/sgd",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] =
        &[Slot::update("parameters", DType::F32), Slot::read("gradients", DType::F32), loss_scale::SLOT];

    over_arena!(flops: sgd::FLOPS);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let step = arguments.step();
        update_pieces(arguments, |tensors, gradients| sgd::update(step, tensors, gradients));
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
