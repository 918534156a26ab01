//! The loss scale from update to update.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, params};
use crate::kernels::shared::loss_scale::{self, APPLIES, INVERSE, LEFT_OUT, SCALE, UPDATES};
use crate::kernels::{GradientNorm, wgsl};
use crate::math::real::Real;

params! {
    /// Micikevicius et al., "Mixed precision training", ICLR 2018, section 3.2, with PyTorch's rule: where the sum of `partials`
    /// ([`GradientNorm`]) is not finite, a gradient overflowed, the update is left out and the scale halved; after `interval` updates
    /// without, it doubles. What overflows at a scale of 1 has diverged, which must show: it is not left out.
    pub struct AdjustScale {
        /// Number of partial sums.
        pub pieces: u32,
        /// Updates without an overflow until the scale doubles.
        pub interval: u32,
        /// It grows no further.
        pub largest: f32,
    }
}

impl AdjustScale {
    /// By the norm of all gradients; as in PyTorch, the scale doubles every 2,000 updates.
    pub fn new(norm: GradientNorm) -> AdjustScale {
        // A loss is rarely below 2^-24 of anything: more is of no use, and its inverse must be exact.
        AdjustScale { pieces: norm.pieces() as u32, interval: 2000, largest: 16_777_216.0 }
    }
}

impl KernelSpec for AdjustScale {
    const NAME: &'static str = "adjust_scale";
    const WGSL: &'static str = wgsl!("optim/adjust_scale", "shared/finite", "shared/group_sum", "shared/loss_scale");
    const SLOTS: &'static [Slot] = &[Slot::read("partials", DType::F32), Slot::update("loss_scale", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        [1, 1, 1]
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.pieces as usize, loss_scale::LENGTH]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let sum = arguments.reals(0)[..self.pieces as usize].iter().copied().sum::<T>();
        let loss_scale = arguments.reals_mut(1);
        let [one, half] = [1.0, 0.5].map(T::from_f32);
        let scale = loss_scale[SCALE];
        let updates = loss_scale[UPDATES] + one;
        let (factor, updates, applies) = if !sum.is_finite() {
            if scale > one { (half, T::zero(), T::zero()) } else { (one, T::zero(), one) }
        } else if updates >= T::from_f64(f64::from(self.interval)) {
            (if scale < T::from_f32(self.largest) { one / half } else { one }, T::zero(), one)
        } else {
            (one, updates, one)
        };
        loss_scale[SCALE] = scale * factor;
        loss_scale[INVERSE] /= factor;
        loss_scale[UPDATES] = updates;
        loss_scale[APPLIES] = applies;
        loss_scale[LEFT_OUT] += one - applies;
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::F32(loss_scale::values(64.0))])
    }

    fn cases() -> Vec<Case> {
        let case = |label: &str, partials: Vec<f32>, scale: f32, updates: f32, applied: f32| {
            let kernel = AdjustScale { pieces: partials.len() as u32, interval: 5, largest: 4096.0 };
            let before = Input::F32(vec![scale, 1.0 / scale, updates, applied, 7.0]);
            kernel.case(label).input(0, Input::F32(partials)).input(1, before)
        };
        let last = |value: f32| [vec![1.0; 300], vec![value]].concat();
        vec![
            case("nothing overflowed", vec![2.0], 64.0, 2.0, 1.0),
            case("the first after one left out", vec![2.0; 7], 64.0, 0.0, 0.0),
            case("time to double", last(1.0), 64.0, 4.0, 1.0),
            case("as large as it gets", vec![0.0], 4096.0, 4.0, 1.0),
            case("an overflow", last(f32::INFINITY), 64.0, 4.0, 1.0),
            case("no number", last(f32::NAN), 2.0, 3.0, 1.0),
            case("an overflow at a scale of 1", last(f32::INFINITY), 1.0, 3.0, 0.0),
        ]
    }
}
