//! Adam's formula, as `shaders/optim/shared/adam.wgsl` has it.

use crate::kernels::kernel::params;
use crate::kernels::step::Step;
use crate::math::real::{Real, flushed};
use crate::math::simd::simd;

params! {
    /// What Adam is set to, but for the learning rate, which is the step's.
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
    }
}

impl AdamRates {
    /// Both decays and epsilon.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> AdamRates {
        AdamRates {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
        }
    }

    /// Operations for a parameter.
    pub(crate) const FLOPS: u64 = 15;

    /// Updates parameters, first and second moments by gradients, all of one length.
    pub(crate) fn update<T: Real>(
        &self,
        step: &Step,
        [parameters, first_moments, second_moments]: [&mut [T]; 3],
        gradients: &[T],
    ) {
        let [beta1, beta2, epsilon] = [self.beta1, self.beta2, self.epsilon].map(T::from_f32);
        let [one_minus_beta1, one_minus_beta2] = [self.one_minus_beta1, self.one_minus_beta2].map(T::from_f32);
        let [correction1, correction2] = [step.first_moment_correction, step.second_moment_correction].map(T::from_f32);
        let learning_rate = T::from_f32(step.learning_rate);
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
    }
}
