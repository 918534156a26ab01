//! Adagrad.

use super::lib::loss_scale;
use super::{EDGE_LENGTHS, flat_grid, wgsl};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;
use crate::simd::update_each;
use crate::step::Step;

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
    const WGSL: &'static str = wgsl!("adagrad", "step", "linear", "loss_scale", "finite");
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("square_sums", DType::F32),
        loss_scale::SLOT,
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        [vec![self.length as usize; 3], vec![loss_scale::LENGTH]].concat()
    }

    fn flops(&self) -> u64 {
        7 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(3)) {
            return;
        }
        let learning_rate = T::from_f32(arguments.step().learning_rate);
        let epsilon = T::from_f32(self.epsilon);
        let (parameters, gradients, square_sums) = (arguments.reals_mut(0), arguments.reals(1), arguments.reals_mut(2));
        update_each(parameters, gradients, square_sums, |parameter, gradient, sum| {
            *sum += gradient * gradient;
            let root = sum.sqrt();
            // A sum that f32 cannot hold would hold its parameter still: what has diverged must show.
            *parameter -= if root.is_finite() { learning_rate * gradient / (root + epsilon) } else { root };
        });
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, length: usize, gradients: Input, sum: f32| {
            let inputs = vec![Input::SIGNED, gradients, Input::Uniform { low: 0.0, high: sum }];
            Case::new(label, Adagrad { length: length as u32, epsilon: 1e-10 }, inputs)
                .step(Step { learning_rate: 0.01, ..Step::default() })
                .tolerance(Tolerance::ELEMENTWISE)
        };
        let lengths = EDGE_LENGTHS.map(|length| case(format!("length {length}"), length, Input::SIGNED, 3.0));
        let tiny = Input::Uniform { low: -1e-10, high: 1e-10 };
        let others = [
            case("first step, gradients as small as epsilon".to_string(), 97, tiny, 0.0),
            case("first step, no gradient".to_string(), 3, Input::F32(vec![0.0; 3]), 0.0),
        ];
        loss_scale::optimizer_cases(lengths.into_iter().chain(others))
    }
}
