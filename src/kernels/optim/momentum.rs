//! Gradient descent with momentum.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::arena::{over_arena, update_pieces};
use crate::kernels::optim::shared::momentum::MomentumRates;
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, wgsl};
use crate::math::real::Real;

params! {
    /// Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, over a whole arena:
    /// `velocity = momentum velocity + gradient_factor g`, `parameter -= learning_rate * velocity`. A velocity that is a
    /// moving average is multiplied by the step's `first_moment_correction`.
    ///
    /// With the constant `nesterov` 1 it looks ahead, as Sutskever et al., ICML 2013, write Nesterov's method:
    /// `parameter -= learning_rate * (g + momentum velocity)`.
    pub struct Momentum {
        /// The factors on velocities and gradients.
        pub rates: ..MomentumRates,
        /// Elements of the arena.
        pub length: u32,
    }
}

impl KernelSpec for Momentum {
    const NAME: &'static str = "momentum";
    const WGSL: &'static str = wgsl!(
        "optim/momentum",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "optim/shared/momentum",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("velocities", DType::F32),
        loss_scale::SLOT,
    ];
    const CONSTANTS: &'static [&'static str] = &["nesterov"];

    over_arena!(flops: MomentumRates::FLOPS);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let (step, nesterov) = (arguments.step(), arguments.constant(0));
        update_pieces(arguments, |tensors, gradients| {
            self.rates.update(nesterov, step, tensors, gradients);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, [vec![Input::SIGNED; 3], vec![loss_scale::applies()]].concat())
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, length: usize, average: bool, correction: f32, nesterov: u32| {
            Momentum { rates: MomentumRates::new(0.9, average), length: length as u32 }
                .case(label)
                .constants(vec![nesterov])
                .step(Step { learning_rate: 0.3, first_moment_correction: correction, ..Step::default() })
        };
        let plain = EDGE_LENGTHS.map(|length| case(format!("length {length}"), length, false, 1.0, 0));
        let others = [
            case("a moving average".to_string(), 97, true, 1.0, 0),
            case("a moving average, its bias corrected".to_string(), 97, true, 3.7, 0),
            case("Nesterov's".to_string(), 97, false, 1.0, 1),
        ];
        loss_scale::with_one_left_out(plain.into_iter().chain(others))
    }
}
