//! Adagrad.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::arena::{over_arena, update_each};
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, wgsl};
use crate::math::real::Real;

params! {
    /// Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12, 2011,
    /// with diagonal matrices, over a whole arena: `v += g^2`, `parameter -= learning_rate * g / (sqrt(v) + epsilon)`.
    pub struct Adagrad {
        /// Elements of the arena.
        pub length: u32,
        /// Added to the root of the sum of squares.
        pub epsilon: f32,
    }
}

impl KernelSpec for Adagrad {
    const NAME: &'static str = "adagrad";
    const WGSL: &'static str = wgsl!(
        "optim/adagrad",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "optim/shared/arena"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("square_sums", DType::F32),
        loss_scale::SLOT,
    ];

    over_arena!(flops: 7);

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let learning_rate = T::from_f32(arguments.step().learning_rate);
        let epsilon = T::from_f32(self.epsilon);
        update_each(
            arguments,
            #[inline(always)]
            |parameter, gradient, sum| {
                *sum += gradient * gradient;
                let root = sum.sqrt();
                // Divided either way: compilers make no vectors of a division that may be left out.
                let change = learning_rate * gradient / (root + epsilon);
                // A sum that f32 cannot hold would hold its parameter still: what has diverged must show.
                *parameter -= if root.is_finite() { change } else { root };
            },
        );
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let inputs = vec![Input::SIGNED, Input::SIGNED, Input::Uniform { low: 0.0, high: 3.0 }, loss_scale::applies()];
        Case::new(label, *self, inputs).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, length: usize| {
            Adagrad { length: length as u32, epsilon: 1e-10 }
                .case(label)
                .step(Step { learning_rate: 0.01, ..Step::default() })
        };
        let first = |label: &str, length: usize, gradients: Input| {
            case(format!("first step, {label}"), length).input(1, gradients).input(2, Input::ZEROS)
        };
        let lengths = EDGE_LENGTHS.map(|length| case(format!("length {length}"), length));
        let tiny = Input::Uniform { low: -1e-10, high: 1e-10 };
        let others =
            [first("gradients as small as epsilon", 97, tiny), first("no gradient", 3, Input::F32(vec![0.0; 3]))];
        loss_scale::with_one_left_out(lengths.into_iter().chain(others))
    }
}
