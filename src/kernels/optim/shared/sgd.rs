//! The formula of gradient descent, as `shaders/optim/shared/sgd.wgsl` has it.

use crate::kernels::step::Step;
use crate::math::real::Real;
use crate::math::simd::simd;

/// Operations for a parameter.
pub const FLOPS: u64 = 2;

/// Updates parameters by as many gradients.
pub fn update<T: Real>(step: &Step, [parameters]: [&mut [T]; 1], gradients: &[T]) {
    let learning_rate = T::from_f32(step.learning_rate);
    simd!({
        for (parameter, &gradient) in parameters.iter_mut().zip(gradients) {
            *parameter -= learning_rate * gradient;
        }
    });
}
