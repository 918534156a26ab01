//! Gradient descent with momentum.

use super::lib::loss_scale;
use super::{EDGE_LENGTHS, flat_grid, wgsl};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::{Real, flushed};
use crate::simd::update_each;
use crate::step::Step;

params! {
    /// Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, over a whole arena:
    /// `velocity = momentum velocity + gradient_factor g`, `parameter -= learning_rate * velocity`. A velocity that is a
    /// moving average is multiplied by the step's `first_moment_correction`.
    ///
    /// With the constant `nesterov` 1 it looks ahead, as Sutskever et al., ICML 2013, write Nesterov's method:
    /// `parameter -= learning_rate * (g + momentum velocity)`.
    pub struct Momentum {
        /// Elements of the arena.
        pub length: u32,
        /// What is left of a velocity after a step.
        pub momentum: f32,
        /// 1; for a moving average `1 - momentum`, rounded once.
        pub gradient_factor: f32,
    }
}

impl Momentum {
    /// Momentum over `length` parameters; the velocity is a sum of gradients or their moving `average`.
    pub fn new(length: u32, momentum: f64, average: bool) -> Momentum {
        let gradient_factor = if average { 1.0 - momentum } else { 1.0 };
        Momentum { length, momentum: momentum as f32, gradient_factor: gradient_factor as f32 }
    }
}

impl KernelSpec for Momentum {
    const NAME: &'static str = "momentum";
    const WGSL: &'static str = wgsl!("momentum", "step", "linear", "loss_scale", "finite");
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
        6 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(3)) {
            return;
        }
        let step = arguments.step();
        let [momentum, gradient_factor] = [self.momentum, self.gradient_factor].map(T::from_f32);
        let [learning_rate, correction] = [step.learning_rate, step.first_moment_correction].map(T::from_f32);
        // The direction is `of_gradient g + of_velocity velocity`.
        let (of_gradient, of_velocity) =
            if arguments.constant(0) == 0 { (T::zero(), correction) } else { (T::one(), momentum) };

        let (parameters, gradients, velocities) = (arguments.reals_mut(0), arguments.reals(1), arguments.reals_mut(2));
        update_each(parameters, gradients, velocities, |parameter, gradient, velocity| {
            *velocity = flushed(momentum * *velocity + gradient_factor * gradient);
            *parameter -= learning_rate * (of_gradient * gradient + of_velocity * *velocity);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, [vec![Input::SIGNED; 3], vec![loss_scale::applies()]].concat())
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, length: usize, average: bool, correction: f32, nesterov: u32| {
            Momentum::new(length as u32, 0.9, average).case(label).constants(vec![nesterov]).step(Step {
                learning_rate: 0.3,
                first_moment_correction: correction,
                ..Step::default()
            })
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
