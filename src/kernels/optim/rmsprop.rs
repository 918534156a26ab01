//! RMSprop.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::arena::{over_arena, update_each};
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, wgsl};
use crate::math::real::{Real, flushed};

params! {
    /// Tieleman and Hinton, "Lecture 6e: rmsprop: divide the gradient by a running average of its recent magnitude", Coursera:
    /// Neural networks for machine learning, 2012, over a whole arena: `v = rho v + (1 - rho) g^2`,
    /// `parameter -= learning_rate * g / (sqrt(v) + epsilon)`.
    pub struct RmsProp {
        /// Elements of the arena.
        pub length: u32,
        /// Decay of the second moment.
        pub rho: f32,
        /// `1 - rho`, rounded once: in f32, 1 - 0.99 is off by 1e-6 of itself.
        pub one_minus_rho: f32,
        /// Added to the root of the second moment.
        pub epsilon: f32,
    }
}

impl RmsProp {
    /// RMSprop over `length` parameters.
    pub fn new(length: u32, rho: f64, epsilon: f64) -> RmsProp {
        RmsProp { length, rho: rho as f32, one_minus_rho: (1.0 - rho) as f32, epsilon: epsilon as f32 }
    }
}

impl KernelSpec for RmsProp {
    const NAME: &'static str = "rmsprop";
    const WGSL: &'static str = wgsl!(
        "optim/rmsprop",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("second_moments", DType::F32),
        loss_scale::SLOT,
    ];

    over_arena!(flops: 9);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let learning_rate = T::from_f32(arguments.step().learning_rate);
        let [rho, one_minus_rho, epsilon] = [self.rho, self.one_minus_rho, self.epsilon].map(T::from_f32);
        update_each(
            arguments,
            #[inline(always)]
            |parameter, gradient, second| {
                *second = flushed(rho * *second + one_minus_rho * gradient * gradient);
                let root = second.sqrt();
                // Divided either way: compilers make no vectors of a division that may be left out.
                let change = learning_rate * gradient / (root + epsilon);
                // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
                *parameter -= if root.is_finite() { change } else { root };
            },
        );
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let inputs = vec![Input::SIGNED, Input::SIGNED, Input::Uniform { low: 0.0, high: 0.1 }, loss_scale::applies()];
        Case::new(label, *self, inputs).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, length: usize| {
            RmsProp::new(length as u32, 0.9, 1e-8).case(label).step(Step { learning_rate: 0.01, ..Step::default() })
        };
        let first = |label: &str, length: usize, gradients: Input| {
            case(format!("first step, {label}"), length).input(1, gradients).input(2, Input::ZEROS)
        };
        let lengths = EDGE_LENGTHS.map(|length| case(format!("length {length}"), length));
        let tiny = Input::Uniform { low: -1e-8, high: 1e-8 };
        let others =
            [first("gradients as small as epsilon", 97, tiny), first("no gradient", 3, Input::F32(vec![0.0; 3]))];
        loss_scale::with_one_left_out(lengths.into_iter().chain(others))
    }
}
