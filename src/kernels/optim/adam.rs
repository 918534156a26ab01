//! Adam.

use crate::kernels::kernel::{Arguments, Case, KernelSpec, Slot, params};
use crate::kernels::optim::shared::adam::{self, AdamRates};
use crate::kernels::optim::shared::arena::{over_arena, update_pieces};
use crate::kernels::step::Step;
use crate::kernels::{AWKWARD_LENGTHS, wgsl};
use crate::math::real::Real;

params! {
    /// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1, over a whole arena:
    /// `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`,
    /// `parameter -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)`, with `m_hat = m / (1 - beta1^t)` and
    /// `v_hat = v / (1 - beta2^t)`.
    pub struct Adam {
        /// Decays and epsilon.
        pub rates: ..AdamRates,
        /// Elements of the arena.
        pub length: u32,
    }
}

impl KernelSpec for Adam {
    const NAME: &'static str = "adam";
    const WGSL: &'static str = wgsl!(
        "optim/adam",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "optim/shared/moments",
        "optim/shared/adam",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = adam::SLOTS;

    over_arena!(flops: AdamRates::FLOPS);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let step = arguments.step();
        update_pieces(arguments, |tensors, gradients| self.rates.update(step, tensors, gradients));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        adam::case(label, *self)
    }

    fn cases() -> Vec<Case> {
        let step = |t: i32| Step {
            learning_rate: 0.01,
            first_moment_correction: (1.0 / (1.0 - 0.9f64.powi(t))) as f32,
            second_moment_correction: (1.0 / (1.0 - 0.999f64.powi(t))) as f32,
            ..Step::default()
        };
        let kernel =
            |length| Adam { rates: AdamRates { rate_factor: 0.5, ..AdamRates::new(0.9, 0.999, 1e-8) }, length };
        adam::cases(&AWKWARD_LENGTHS, kernel, step(3), step(1))
    }
}
