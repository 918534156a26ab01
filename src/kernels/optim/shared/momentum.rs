//! The formula of gradient descent with momentum, as `shaders/optim/shared/momentum.wgsl` has it.

use crate::kernels::kernel::params;
use crate::kernels::step::Step;
use crate::math::real::{Real, flushed};
use crate::math::simd::simd;

params! {
    /// What momentum is set to, but for the learning rate, which is the step's.
    pub struct MomentumRates {
        /// How much of the velocity stays.
        pub momentum: f32,
        /// Factor on gradients: 1, or `1 - momentum`, rounded once, for a moving average.
        pub gradient_factor: f32,
    }
}

impl MomentumRates {
    /// Velocities that are sums of gradients, or their moving averages.
    pub fn new(momentum: f64, average: bool) -> MomentumRates {
        let gradient_factor = if average { 1.0 - momentum } else { 1.0 };
        MomentumRates { momentum: momentum as f32, gradient_factor: gradient_factor as f32 }
    }

    /// Operations for a parameter.
    pub(crate) const FLOPS: u64 = 6;

    /// Updates parameters and velocities by gradients, all of one length.
    pub(crate) fn update<T: Real>(
        &self,
        nesterov: u32,
        step: &Step,
        [parameters, velocities]: [&mut [T]; 2],
        gradients: &[T],
    ) {
        let [momentum, gradient_factor] = [self.momentum, self.gradient_factor].map(T::from_f32);
        let [learning_rate, correction] = [step.learning_rate, step.first_moment_correction].map(T::from_f32);
        // The direction is `of_gradient g + of_velocity velocity`.
        let (of_gradient, of_velocity) = if nesterov == 0 { (T::zero(), correction) } else { (T::one(), momentum) };
        simd!({
            for ((parameter, &gradient), velocity) in parameters.iter_mut().zip(gradients).zip(velocities) {
                *velocity = flushed(momentum * *velocity + gradient_factor * gradient);
                *parameter -= learning_rate * (of_gradient * gradient + of_velocity * *velocity);
            }
        });
    }
}
