//! NAdam.

use crate::kernels::kernel::{Arguments, Case, KernelSpec, Slot, params};
use crate::kernels::optim::shared::adam::{self, AdamRates};
use crate::kernels::optim::shared::arena::{over_arena, update_pieces};
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, wgsl};
use crate::math::real::Real;

params! {
    /// Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop, over a whole arena: with Adam's moments
    /// m and v, `direction = gradient_correction g + first_moment_correction m` and
    /// `parameter -= learning_rate * direction / (sqrt(second_moment_correction v) + epsilon)`. The corrections are the
    /// step's.
    pub struct NAdam {
        /// Decays and epsilon.
        pub rates: ..AdamRates,
        /// Elements of the arena.
        pub length: u32,
    }
}

impl KernelSpec for NAdam {
    const NAME: &'static str = "nadam";
    const WGSL: &'static str = wgsl!(
        "optim/nadam",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "optim/shared/moments",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = adam::SLOTS;

    over_arena!(flops: AdamRates::FLOPS + 2);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let [of_gradient, of_first] = [step.gradient_correction, step.first_moment_correction].map(T::from_f32);
        let of_second = T::from_f32(step.second_moment_correction);
        let (learning_rate, epsilon) = (self.rates.learning_rate::<T>(step), T::from_f32(self.rates.epsilon));
        update_pieces(arguments, |tensors, gradients| {
            self.rates.update_by(
                tensors,
                gradients,
                #[inline(always)]
                move |gradient, first, second| {
                    let root = (second * of_second).sqrt();
                    let direction = of_gradient * gradient + of_first * first;
                    let change = learning_rate * (direction / (root + epsilon));
                    // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
                    if root.is_finite() { change } else { root }
                },
            );
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        adam::case(label, *self)
    }

    fn cases() -> Vec<Case> {
        let kernel =
            |length| NAdam { rates: AdamRates { rate_factor: 0.5, ..AdamRates::new(0.9, 0.999, 1e-8) }, length };
        let step = Step {
            learning_rate: 0.01,
            gradient_correction: 0.6,
            first_moment_correction: 0.5,
            second_moment_correction: 333.7,
            ..Step::default()
        };
        let first =
            Step { gradient_correction: 1.0, first_moment_correction: 0.6, second_moment_correction: 1000.0, ..step };
        adam::cases(&EDGE_LENGTHS, kernel, step, first)
    }
}
