//! Regularization, as `shaders/optim/shared/penalties.wgsl` has it.

use crate::kernels::kernel::params;
use crate::kernels::step::Step;
use crate::math::real::{Real, sign};
use crate::math::simd::simd;

params! {
    /// Penalties `l1 sum |w| + l2 / 2 sum w^2` on the loss, and decoupled weight decay (Loshchilov and Hutter, ICLR 2019).
    #[derive(Default, PartialEq)]
    pub struct Penalties {
        /// Factor of the sum of absolute values.
        pub l1: f32,
        /// Factor of half the sum of squares.
        pub l2: f32,
        /// Share of a weight that a step at a learning rate of 1 would take away.
        pub weight_decay: f32,
    }
}

impl Penalties {
    /// Operations for a weight.
    pub(crate) const FLOPS: u64 = 8;

    /// Adds `l2 w + l1 sign(w)` to gradients, then takes `learning_rate * weight_decay * w` from the weights.
    pub(crate) fn apply<T: Real>(&self, step: &Step, weights: &mut [T], gradients: &mut [T]) {
        let [l1, l2] = [self.l1, self.l2].map(T::from_f32);
        let decay = T::from_f32(step.learning_rate) * T::from_f32(self.weight_decay);
        let (penalizes, decays) = (self.l1 > 0.0 || self.l2 > 0.0, self.weight_decay > 0.0);
        simd!({
            for (weight, gradient) in weights.iter_mut().zip(gradients) {
                // What is off costs no traffic.
                if penalizes {
                    *gradient += l2 * *weight + l1 * sign(*weight);
                }
                if decays {
                    *weight -= decay * *weight;
                }
            }
        });
    }
}
