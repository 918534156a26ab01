//! Lion.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::arena::{over_arena, update_each};
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, wgsl};
use crate::math::real::{Real, flushed, sign};

params! {
    /// Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2, over a whole arena:
    /// `parameter -= learning_rate * sign(beta1 m + (1 - beta1) g)`, then `m = beta2 m + (1 - beta2) g`.
    pub struct Lion {
        /// Elements of the arena.
        pub length: u32,
        /// Weight of the moment in the direction.
        pub beta1: f32,
        /// Decay of the moment.
        pub beta2: f32,
        /// `1 - beta1`, rounded once: in f32, 1 - 0.99 is off by 1e-6 of itself.
        pub one_minus_beta1: f32,
        /// `1 - beta2`, likewise.
        pub one_minus_beta2: f32,
    }
}

impl Lion {
    /// Lion over `length` parameters.
    pub fn new(length: u32, beta1: f64, beta2: f64) -> Lion {
        Lion {
            length,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
        }
    }
}

impl KernelSpec for Lion {
    const NAME: &'static str = "lion";
    const WGSL: &'static str = wgsl!(
        "optim/lion",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "shared/sign",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("first_moments", DType::F32),
        loss_scale::SLOT,
    ];

    over_arena!(flops: 9);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let learning_rate = T::from_f32(arguments.step().learning_rate);
        let [beta1, beta2] = [self.beta1, self.beta2].map(T::from_f32);
        let [one_minus_beta1, one_minus_beta2] = [self.one_minus_beta1, self.one_minus_beta2].map(T::from_f32);
        update_each(
            arguments,
            #[inline(always)]
            |parameter, gradient, first| {
                *parameter -= learning_rate * sign(beta1 * *first + one_minus_beta1 * gradient);
                *first = flushed(beta2 * *first + one_minus_beta2 * gradient);
            },
        );
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, [vec![Input::SIGNED; 3], vec![loss_scale::applies()]].concat())
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case =
            |label: String, kernel: Lion| kernel.case(label).step(Step { learning_rate: 0.01, ..Step::default() });
        let lengths = EDGE_LENGTHS.map(|length| case(format!("length {length}"), Lion::new(length as u32, 0.9, 0.99)));
        // A direction of 0 moves nothing, whether both terms are 0 or they cancel; the least float has a sign.
        let gradients = Input::F32(vec![0.0, 1.0, -1.0, 1.0, -1.0, f32::MIN_POSITIVE, -f32::MIN_POSITIVE]);
        let moments = Input::F32(vec![0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        let signs = case("signs".to_string(), Lion { one_minus_beta1: 1.0, ..Lion::new(7, 1.0, 0.99) });
        loss_scale::with_one_left_out(lengths.into_iter().chain([signs.input(1, gradients).input(2, moments)]))
    }
}
