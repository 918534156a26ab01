//! Adam.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::adam::AdamRates;
use crate::kernels::optim::shared::arena::{over_arena, update_pieces};
use crate::kernels::shared::loss_scale;
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
        "optim/shared/adam",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("first_moments", DType::F32),
        Slot::update("second_moments", DType::F32),
        loss_scale::SLOT,
    ];

    over_arena!(flops: AdamRates::FLOPS);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let step = arguments.step();
        update_pieces(arguments, |tensors, gradients| self.rates.update(step, tensors, gradients));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let [first, second] = [-0.1, 0.0].map(|low| Input::Uniform { low, high: 0.1 });
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, first, second, loss_scale::applies()])
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, length: usize, t: i32| {
            Adam { rates: AdamRates::new(0.9, 0.999, 1e-8), length: length as u32 }.case(label).step(Step {
                learning_rate: 0.01,
                first_moment_correction: (1.0 / (1.0 - 0.9f64.powi(t))) as f32,
                second_moment_correction: (1.0 / (1.0 - 0.999f64.powi(t))) as f32,
                ..Step::default()
            })
        };
        let lengths = AWKWARD_LENGTHS.into_iter().map(|length| case(format!("length {length}"), length, 3));
        let tiny = case("first step, gradients as small as epsilon".to_string(), 1000, 1)
            .input(1, Input::Uniform { low: -1e-8, high: 1e-8 })
            .input(2, Input::ZEROS)
            .input(3, Input::ZEROS);
        loss_scale::with_one_left_out(lengths.chain([tiny]))
    }
}
