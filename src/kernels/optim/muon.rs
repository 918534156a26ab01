//! The direction of a matrix in Muon.

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::shared::loss_scale;
use crate::kernels::{EDGE_LENGTHS, flat_grid, wgsl};
use crate::math::real::{Real, flushed};
use crate::math::simd::{simd, update_pieces};

params! {
    /// Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024, before a matrix is made orthogonal:
    /// `momentum = mu momentum + (1 - mu) g`, `direction = mu momentum + (1 - mu) g`. Of an update that is left out, the direction is 0.
    pub struct Muon {
        /// How much of the momentum stays.
        pub mu: f32,
        /// `1 - mu`, rounded once: in f32, 1 - 0.95 is off by 1e-7 of itself.
        pub one_minus_mu: f32,
        /// Elements of the matrix.
        pub length: u32,
    }
}

impl Muon {
    /// The direction of `length` parameters.
    pub fn new(length: u32, mu: f64) -> Muon {
        Muon { mu: mu as f32, one_minus_mu: (1.0 - mu) as f32, length }
    }
}

impl KernelSpec for Muon {
    const NAME: &'static str = "muon";
    const WGSL: &'static str = wgsl!("optim/muon", "shared/linear", "shared/loss_scale", "shared/finite");
    const SLOTS: &'static [Slot] = &[
        Slot::read("gradients", DType::F32),
        Slot::update("momenta", DType::F32),
        Slot::write("directions", DType::F32),
        loss_scale::SLOT,
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        [vec![self.length as usize; 3], vec![loss_scale::LENGTH]].concat()
    }

    fn flops(&self) -> u64 {
        5 * u64::from(self.length)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (gradients, directions) = (arguments.reals(0), &mut arguments.reals_mut(2)[..self.length as usize]);
        if loss_scale::leaves_out(arguments.reals(3)) {
            directions.fill(T::zero());
            return;
        }
        let [mu, one_minus_mu] = [self.mu, self.one_minus_mu].map(T::from_f32);
        update_pieces([arguments.reals_mut(1), directions], gradients, |[momenta, directions], gradients| {
            simd!({
                for ((momentum, direction), &gradient) in momenta.iter_mut().zip(directions).zip(gradients) {
                    let share = one_minus_mu * gradient;
                    *momentum = flushed(mu * *momentum + share);
                    *direction = mu * *momentum + share;
                }
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::Poison, loss_scale::applies()])
            .tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let case = |length| Muon::new(length as u32, 0.95).case(format!("length {length}"));
        loss_scale::with_one_left_out(EDGE_LENGTHS.into_iter().map(case))
    }
}
