//! RAdam.

use crate::kernels::kernel::{Arguments, Case, KernelSpec, Slot, params};
use crate::kernels::optim::shared::adam::{self, AdamRates};
use crate::kernels::optim::shared::arena::{over_arena, update_pieces};
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, wgsl};
use crate::math::real::Real;

params! {
    /// Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, algorithm 2, over a whole
    /// arena: with Adam's moments m and v,
    /// `parameter -= learning_rate * first_moment_correction m / (sqrt(v) + epsilon)`. Updates whose
    /// `second_moment_correction` is 0 are not divided. The corrections are the step's.
    pub struct RAdam {
        /// Decays and epsilon.
        pub rates: ..AdamRates,
        /// Elements of the arena.
        pub length: u32,
    }
}

impl KernelSpec for RAdam {
    const NAME: &'static str = "radam";
    const WGSL: &'static str = wgsl!(
        "optim/radam",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "optim/shared/moments",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = adam::SLOTS;

    over_arena!(flops: AdamRates::FLOPS - 1);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let learning_rate: T = self.rates.learning_rate(step);
        let [correction, epsilon] = [step.first_moment_correction, self.rates.epsilon].map(T::from_f32);
        let divides = step.second_moment_correction != 0.0;
        update_pieces(arguments, |tensors, gradients| {
            self.rates.update_by(
                tensors,
                gradients,
                #[inline(always)]
                move |_, first, second| {
                    let root = second.sqrt();
                    let divisor = if divides { root + epsilon } else { T::one() };
                    let change = learning_rate * (correction * first / divisor);
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
            |length| RAdam { rates: AdamRates { rate_factor: 0.5, ..AdamRates::new(0.9, 0.999, 1e-8) }, length };
        let step = Step {
            learning_rate: 0.01,
            first_moment_correction: 0.02,
            second_moment_correction: 1.0,
            ..Step::default()
        };
        let large = Step { first_moment_correction: 10.0, ..step };
        let undivided = Step { second_moment_correction: 0.0, ..large };
        let mut cases = adam::cases(&EDGE_LENGTHS, kernel, step, large);
        cases.push(adam::case("not divided", kernel(97)).step(undivided));
        cases
    }
}
