//! Gradient and momentum update of a dense layer in one kernel.

use crate::kernels::dense::shared::dense_update::{DenseUpdate, INPUT, OUTPUT_GRAD, PARAMETERS};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::momentum::MomentumRates;
use crate::kernels::step::Step;
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// [`DenseGrad`](crate::kernels::DenseGrad), [`Regularize`](crate::kernels::Regularize) and
    /// [`Momentum`](crate::kernels::Momentum) in one kernel. The gradient is never written to memory, so this works
    /// only for updates from a single batch.
    pub struct DenseMomentum {
        /// The gradient and its penalties.
        pub parameters: ..DenseUpdate,
        /// The factors on velocities and gradients.
        pub rates: ..MomentumRates,
    }
}

impl KernelSpec for DenseMomentum {
    const NAME: &'static str = "dense_momentum";
    const WGSL: &'static str = wgsl!(
        "dense/dense_momentum",
        "shared/step",
        "shared/finite",
        "shared/sign",
        "optim/shared/penalties",
        "optim/shared/momentum",
        "dense/shared/dense_grad",
        "dense/shared/dense_update",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block"
    );
    const SLOTS: &'static [Slot] = &[OUTPUT_GRAD, INPUT, PARAMETERS, Slot::update("velocities", DType::F32)];
    const CONSTANTS: &'static [&'static str] = &["nesterov"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        self.parameters.gradient.product()
    }

    fn lengths(&self) -> Vec<usize> {
        self.parameters.lengths(1)
    }

    fn flops(&self) -> u64 {
        self.parameters.flops(MomentumRates::FLOPS)
    }

    fn bytes(&self) -> u64 {
        self.parameters.bytes(1)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let nesterov = arguments.constant(0);
        let operands = [0, 1].map(|slot| arguments.reals(slot));
        let tensors = [2, 3].map(|slot| arguments.reals_mut(slot));
        self.parameters
            .run(step, operands, tensors, |tensors, gradient| self.rates.update(nesterov, step, tensors, gradient));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED; 4])
            .tolerance(Tolerance::sum_of(self.parameters.gradient.rows as usize))
    }

    fn cases() -> Vec<Case> {
        let step = Step { learning_rate: 0.3, first_moment_correction: 1.5, ..Step::default() };
        let case = |label: String, parameters: DenseUpdate, average: bool, nesterov: u32| {
            let kernel = DenseMomentum { parameters, rates: MomentumRates::new(0.9, average) };
            kernel.case(label).constants(vec![nesterov]).step(step)
        };
        let plain = DenseUpdate::cases().map(|(label, parameters)| case(label, parameters, false, 0));
        let (_, small) = DenseUpdate::small();
        let others = [case("moving average".into(), small, true, 0), case("Nesterov".into(), small, false, 1)];
        plain.chain(others).collect()
    }
}
