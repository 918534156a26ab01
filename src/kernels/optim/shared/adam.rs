//! Adam's formula, as `shaders/optim/shared/adam.wgsl` and `moments.wgsl` have it, and what kernels share that keep its
//! two moments.

use crate::kernels::kernel::{Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::math::real::{Real, flushed};
use crate::math::simd::simd;

params! {
    /// What Adam and its kin are set to, but for the learning rate, which is the step's.
    pub struct AdamRates {
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
        /// Factor on the step's learning rate.
        pub rate_factor: f32,
    }
}

impl AdamRates {
    /// Both decays and epsilon, at the step's learning rate.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> AdamRates {
        AdamRates {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
            rate_factor: 1.0,
        }
    }

    /// Operations of Adam for a parameter.
    pub(crate) const FLOPS: u64 = 15;

    /// The learning rate.
    pub(crate) fn learning_rate<T: Real>(&self, step: &Step) -> T {
        T::from_f32(step.learning_rate) * T::from_f32(self.rate_factor)
    }

    /// Updates parameters, first and second moments by gradients, all of one length.
    pub(crate) fn update<T: Real>(&self, step: &Step, tensors: [&mut [T]; 3], gradients: &[T]) {
        let epsilon = T::from_f32(self.epsilon);
        let [correction1, correction2] = [step.first_moment_correction, step.second_moment_correction].map(T::from_f32);
        let learning_rate: T = self.learning_rate(step);
        self.update_by(
            tensors,
            gradients,
            #[inline(always)]
            move |_, first, second| {
                let root = (second * correction2).sqrt();
                // Divided first: times the learning rate, small moments would be subnormal, and dividing those is slow.
                let change = learning_rate * (first * correction1 / (root + epsilon));
                // A second moment that f32 cannot hold would hold its parameter still: what has diverged must show.
                if root.is_finite() { change } else { root }
            },
        );
    }

    /// Updates both moments by gradients, and takes from each parameter what `change` makes of its gradient and its new
    /// moments. `change` must be `#[inline(always)]` and own what it captures (`move`): else the loop is
    /// compiled without vectors.
    #[inline(always)]
    pub(crate) fn update_by<T: Real>(
        &self,
        [parameters, first_moments, second_moments]: [&mut [T]; 3],
        gradients: &[T],
        change: impl Fn(T, T, T) -> T,
    ) {
        let [beta1, beta2] = [self.beta1, self.beta2].map(T::from_f32);
        let [one_minus_beta1, one_minus_beta2] = [self.one_minus_beta1, self.one_minus_beta2].map(T::from_f32);
        simd!({
            let moments = first_moments.iter_mut().zip(second_moments);
            for ((parameter, &gradient), (first, second)) in parameters.iter_mut().zip(gradients).zip(moments) {
                *first = flushed(beta1 * *first + one_minus_beta1 * gradient);
                *second = flushed(beta2 * *second + one_minus_beta2 * gradient * gradient);
                *parameter -= change(gradient, *first, *second);
            }
        });
    }
}

/// The slots of kernels that keep both moments of an arena.
pub(crate) const SLOTS: &[Slot] = &[
    Slot::update("parameters", DType::F32),
    Slot::read("gradients", DType::F32),
    Slot::update("first_moments", DType::F32),
    Slot::update("second_moments", DType::F32),
    loss_scale::SLOT,
];

/// A case of such a kernel.
pub(crate) fn case<K: KernelSpec>(label: impl Into<String>, kernel: K) -> Case {
    let [first, second] = [-0.1, 0.0].map(|low| Input::Uniform { low, high: 0.1 });
    Case::new(label, kernel, vec![Input::SIGNED, Input::SIGNED, first, second, loss_scale::applies()])
        .tolerance(Tolerance::ELEMENTWISE)
}

/// Cases of such a kernel over each of these lengths in `step`, one of gradients as small as an epsilon of 1e-8 in the
/// step `first`, and one that is left out.
pub(crate) fn cases<K: KernelSpec>(lengths: &[usize], kernel: impl Fn(u32) -> K, step: Step, first: Step) -> Vec<Case> {
    let lengths = lengths.iter().map(|&length| case(format!("length {length}"), kernel(length as u32)).step(step));
    let tiny = case("first step, gradients as small as epsilon", kernel(1000))
        .step(first)
        .input(1, Input::Uniform { low: -1e-8, high: 1e-8 })
        .input(2, Input::ZEROS)
        .input(3, Input::ZEROS);
    loss_scale::with_one_left_out(lengths.chain([tiny]))
}
