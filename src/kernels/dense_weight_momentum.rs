//! Gradient descent with momentum of a dense layer's weights where their gradient is made.

use super::lib::dense_weight::{DenseWeightUpdate, INPUT, OUTPUT_GRAD, PARAMETERS};
use super::lib::momentum::MomentumRates;
use super::wgsl;
use crate::kernel::tile::{self, Product};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;
use crate::step::Step;

params! {
    /// [`DenseWeightGrad`](super::DenseWeightGrad), [`Regularize`](super::Regularize) and [`Momentum`](super::Momentum) in one: the gradient is never in
    /// memory. For updates made from one batch.
    pub struct DenseWeightMomentum {
        /// The product and its penalties.
        pub weights: ..DenseWeightUpdate,
        /// The factors on velocities and gradients.
        pub rates: ..MomentumRates,
    }
}

impl KernelSpec for DenseWeightMomentum {
    const NAME: &'static str = "dense_weight_momentum";
    const WGSL: &'static str = wgsl!(
        "dense_weight_momentum",
        "step",
        "finite",
        "sign",
        "penalties",
        "momentum",
        "dense_weight",
        "dense_weight_update",
        "product",
        "tile_memory",
        "tile_block"
    );
    const SLOTS: &'static [Slot] = &[OUTPUT_GRAD, INPUT, PARAMETERS, Slot::update("velocities", DType::F32)];
    const CONSTANTS: &'static [&'static str] = &["nesterov"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        self.weights.product.product()
    }

    fn lengths(&self) -> Vec<usize> {
        self.weights.lengths(1)
    }

    fn flops(&self) -> u64 {
        self.weights.flops(MomentumRates::FLOPS)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let nesterov = arguments.constant(0);
        let operands = [0, 1].map(|slot| arguments.reals(slot));
        let tensors = [2, 3].map(|slot| arguments.reals_mut(slot));
        self.weights
            .run(step, operands, tensors, |tensors, gradient| self.rates.update(nesterov, step, tensors, gradient));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED; 4]).tolerance(Tolerance::sum_of(self.weights.product.rows as usize))
    }

    fn cases() -> Vec<Case> {
        let step = Step { learning_rate: 0.3, first_moment_correction: 1.5, ..Step::default() };
        let case = |label: String, weights: DenseWeightUpdate, average: bool, nesterov: u32| {
            let kernel = DenseWeightMomentum { weights, rates: MomentumRates::new(0.9, average) };
            kernel.case(label).constants(vec![nesterov]).step(step)
        };
        let plain = DenseWeightUpdate::cases().map(|(label, weights)| case(label, weights, false, 0));
        let (_, small) = DenseWeightUpdate::small();
        let others = [case("a moving average".into(), small, true, 0), case("Nesterov's".into(), small, false, 1)];
        plain.chain(others).collect()
    }
}
