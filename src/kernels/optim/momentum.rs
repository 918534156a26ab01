//! Gradient descent with momentum.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::momentum::MomentumRates;
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::update_pieces;

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
        "optim/shared/momentum"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("velocities", DType::F32),
        loss_scale::SLOT,
    ];
    const CONSTANTS: &'static [&'static str] = &["nesterov"];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        [vec![self.length as usize; 3], vec![loss_scale::LENGTH]].concat()
    }

    fn flops(&self) -> u64 {
        MomentumRates::FLOPS * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(3)) {
            return;
        }
        let (step, nesterov) = (arguments.step(), arguments.constant(0));
        let (parameters, gradients) = (arguments.reals_mut(0), arguments.reals(1));
        update_pieces([parameters, arguments.reals_mut(2)], gradients, |tensors, gradients| {
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
