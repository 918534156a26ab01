//! Adam.

use rayon::prelude::*;

use super::lib::loss_scale;
use super::{AWKWARD_LENGTHS, flat_grid, wgsl};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::{Real, flushed};
use crate::simd::{MIN_PARALLEL, PIECES_OF_UPDATES, simd};
use crate::step::Step;

params! {
    /// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1, over a whole arena:
    /// `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`,
    /// `parameter -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)`, with `m_hat = m / (1 - beta1^t)` and
    /// `v_hat = v / (1 - beta2^t)`.
    pub struct Adam {
        /// Elements of the arena.
        pub length: u32,
        /// Decay of the first moment.
        pub beta1: f32,
        /// Decay of the second moment.
        pub beta2: f32,
        /// Added to the root of the second moment.
        pub epsilon: f32,
        /// `1 - beta1`, rounded once: in f32, 1 - 0.999 is off by 1e-5 of itself.
        pub one_minus_beta1: f32,
        /// `1 - beta2`, likewise.
        pub one_minus_beta2: f32,
    }
}

impl Adam {
    /// Adam over `length` parameters.
    pub fn new(length: u32, beta1: f64, beta2: f64, epsilon: f64) -> Adam {
        Adam {
            length,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
        }
    }
}

impl KernelSpec for Adam {
    const NAME: &'static str = "adam";
    const WGSL: &'static str = wgsl!("adam", "step", "linear", "loss_scale", "finite");
    const SLOTS: &'static [Slot] = &[
        Slot::update("parameters", DType::F32),
        Slot::read("gradients", DType::F32),
        Slot::update("first_moments", DType::F32),
        Slot::update("second_moments", DType::F32),
        loss_scale::SLOT,
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        [vec![self.length as usize; 4], vec![loss_scale::LENGTH]].concat()
    }

    fn flops(&self) -> u64 {
        15 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(4)) {
            return;
        }
        let step = arguments.step();
        let [beta1, beta2, epsilon] = [self.beta1, self.beta2, self.epsilon].map(T::from_f32);
        let [one_minus_beta1, one_minus_beta2] = [self.one_minus_beta1, self.one_minus_beta2].map(T::from_f32);
        let [correction1, correction2] = [step.first_moment_correction, step.second_moment_correction].map(T::from_f32);
        let learning_rate = T::from_f32(step.learning_rate);

        let (parameters, gradients) = (arguments.reals_mut(0), arguments.reals(1));
        let (first_moments, second_moments) = (arguments.reals_mut(2), arguments.reals_mut(3));
        parameters
            .par_chunks_mut(MIN_PARALLEL)
            .zip(gradients.par_chunks(MIN_PARALLEL))
            .zip(first_moments.par_chunks_mut(MIN_PARALLEL))
            .zip(second_moments.par_chunks_mut(MIN_PARALLEL))
            .with_min_len(PIECES_OF_UPDATES)
            .for_each(|(((parameters, gradients), first_moments), second_moments)| {
                simd!({
                    let moments = first_moments.iter_mut().zip(second_moments);
                    for ((parameter, &gradient), (first, second)) in parameters.iter_mut().zip(gradients).zip(moments) {
                        *first = flushed(beta1 * *first + one_minus_beta1 * gradient);
                        *second = flushed(beta2 * *second + one_minus_beta2 * gradient * gradient);
                        let root = (*second * correction2).sqrt();
                        // Divided first: times the learning rate, small moments would be subnormal, and dividing those is slow.
                        let change = learning_rate * (*first * correction1 / (root + epsilon));
                        // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
                        *parameter -= if root.is_finite() { change } else { root };
                    }
                });
            });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let [first, second] = [-0.1, 0.0].map(|low| Input::Uniform { low, high: 0.1 });
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, first, second, loss_scale::applies()])
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, length: usize, t: i32| {
            Adam::new(length as u32, 0.9, 0.999, 1e-8).case(label).step(Step {
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
