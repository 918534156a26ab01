//! What regularization adds to gradients and takes from weights.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::penalties::Penalties;
use crate::kernels::shared::loss_scale;
use crate::kernels::step::Step;
use crate::kernels::{EDGE_LENGTHS, flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, PIECES_OF_UPDATES};

params! {
    /// Penalties and weight decay over the weights w at the front of an arena, and their gradients g, before the update:
    /// `g += l2 w + l1 sign(w)`, the gradient of `l2 / 2 sum w^2 + l1 sum |w|`, and
    /// `w -= learning_rate * weight_decay * w`, decoupled (Loshchilov and Hutter, ICLR 2019).
    pub struct Regularize {
        /// The factors.
        pub penalties: ..Penalties,
        /// Elements of the front.
        pub length: u32,
    }
}

impl KernelSpec for Regularize {
    const NAME: &'static str = "regularize";
    const WGSL: &'static str = wgsl!(
        "optim/regularize",
        "shared/step",
        "shared/linear",
        "shared/loss_scale",
        "shared/finite",
        "shared/sign",
        "optim/shared/penalties"
    );
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
        Penalties::FLOPS * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(2)) {
            return;
        }
        let (step, length) = (arguments.step(), self.length as usize);
        let weights = &mut arguments.reals_mut(0)[..length];
        let gradients = &mut arguments.reals_mut(1)[..length];
        weights
            .par_chunks_mut(MIN_PARALLEL)
            .zip(gradients.par_chunks_mut(MIN_PARALLEL))
            .with_min_len(PIECES_OF_UPDATES)
            .for_each(|(weights, gradients)| self.penalties.apply(step, weights, gradients));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, loss_scale::applies()])
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case =
            |label: String, kernel: Regularize| kernel.case(label).step(Step { learning_rate: 0.3, ..Step::default() });
        let all = Penalties { l1: 0.01, l2: 0.1, weight_decay: 0.2 };
        let of = |length: u32, penalties: Penalties| Regularize { penalties, length };
        let lengths = EDGE_LENGTHS.map(|length| case(format!("length {length}"), of(length as u32, all)));
        // A weight of 0 has no sign, of either zero; the least float has one.
        let signs = Input::F32(vec![0.0, -0.0, 1.0, -1.0, f32::MIN_POSITIVE, -f32::MIN_POSITIVE]);
        let none = Penalties::default();
        let others = [
            case("l1 alone, signs".to_string(), of(6, Penalties { l1: 0.01, ..none })).input(0, signs),
            case("l2 alone".to_string(), of(97, Penalties { l2: 0.1, ..none })),
            case("weight decay alone".to_string(), of(97, Penalties { weight_decay: 0.2, ..none })),
        ];
        loss_scale::with_one_left_out(lengths.into_iter().chain(others))
    }
}
