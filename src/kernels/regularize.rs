//! What regularization adds to gradients and takes from weights.

use rayon::prelude::*;

use super::lib::loss_scale;
use super::{EDGE_LENGTHS, flat_grid, wgsl};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::{Real, sign};
use crate::simd::{MIN_PARALLEL, PIECES_OF_UPDATES, simd};
use crate::step::Step;

params! {
    /// Penalties and weight decay over the weights w at the front of an arena, and their gradients g, before the update:
    /// `g += l2 w + l1 sign(w)`, the gradient of `l2 / 2 sum w^2 + l1 sum |w|`, and
    /// `w -= learning_rate * weight_decay * w`, decoupled (Loshchilov and Hutter, ICLR 2019).
    pub struct Regularize {
        /// Elements of the front.
        pub length: u32,
        /// Factor of the sum of absolute values.
        pub l1: f32,
        /// Factor of half the sum of squares.
        pub l2: f32,
        /// Share of a weight that a step at a learning rate of 1 would take away.
        pub weight_decay: f32,
    }
}

impl KernelSpec for Regularize {
    const NAME: &'static str = "regularize";
    const WGSL: &'static str = wgsl!("regularize", "step", "linear", "loss_scale", "finite", "sign");
    const SLOTS: &'static [Slot] =
        &[Slot::update("parameters", DType::F32), Slot::update("gradients", DType::F32), loss_scale::SLOT];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        [vec![self.length as usize; 2], vec![loss_scale::LENGTH]].concat()
    }

    fn flops(&self) -> u64 {
        8 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(2)) {
            return;
        }
        let [l1, l2] = [self.l1, self.l2].map(T::from_f32);
        let decay = T::from_f32(arguments.step().learning_rate) * T::from_f32(self.weight_decay);
        let (penalizes, decays) = (self.l1 > 0.0 || self.l2 > 0.0, self.weight_decay > 0.0);
        let length = self.length as usize;
        let weights = &mut arguments.reals_mut(0)[..length];
        let gradients = &mut arguments.reals_mut(1)[..length];
        weights
            .par_chunks_mut(MIN_PARALLEL)
            .zip(gradients.par_chunks_mut(MIN_PARALLEL))
            .with_min_len(PIECES_OF_UPDATES)
            .for_each(|(weights, gradients)| {
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
            });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, loss_scale::applies()])
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case =
            |label: String, kernel: Regularize| kernel.case(label).step(Step { learning_rate: 0.3, ..Step::default() });
        let all = |length: u32| Regularize { length, l1: 0.01, l2: 0.1, weight_decay: 0.2 };
        let lengths = EDGE_LENGTHS.map(|length| case(format!("length {length}"), all(length as u32)));
        // A weight of 0 has no sign, of either zero; the least float has one.
        let signs = Input::F32(vec![0.0, -0.0, 1.0, -1.0, f32::MIN_POSITIVE, -f32::MIN_POSITIVE]);
        let others = [
            case("l1 alone, signs".to_string(), Regularize { l2: 0.0, weight_decay: 0.0, ..all(6) }).input(0, signs),
            case("l2 alone".to_string(), Regularize { l1: 0.0, weight_decay: 0.0, ..all(97) }),
            case("weight decay alone".to_string(), Regularize { l1: 0.0, l2: 0.0, ..all(97) }),
        ];
        loss_scale::with_one_left_out(lengths.into_iter().chain(others))
    }
}
