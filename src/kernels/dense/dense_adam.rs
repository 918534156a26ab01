//! Gradient and Adam update of a dense layer in one kernel.

use crate::kernels::dense::shared::dense_update::{DenseUpdate, INPUT, OUTPUT_GRAD, PARAMETERS};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::adam::AdamRates;
use crate::kernels::step::Step;
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// [`DenseGrad`](crate::kernels::DenseGrad), [`Regularize`](crate::kernels::Regularize) and
    /// [`Adam`](crate::kernels::Adam) in one kernel. The gradient is never written to memory, so this works only for
    /// updates from a single batch.
    pub struct DenseAdam {
        /// The gradient and its penalties.
        pub parameters: ..DenseUpdate,
        /// Decays and epsilon.
        pub rates: ..AdamRates,
    }
}

impl KernelSpec for DenseAdam {
    const NAME: &'static str = "dense_adam";
    const WGSL: &'static str = wgsl!(
        "dense/dense_adam",
        "shared/step",
        "shared/finite",
        "shared/sign",
        "optim/shared/penalties",
        "optim/shared/moments",
        "optim/shared/adam",
        "dense/shared/dense_grad",
        "dense/shared/dense_update",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block"
    );
    const SLOTS: &'static [Slot] = &[
        OUTPUT_GRAD,
        INPUT,
        PARAMETERS,
        Slot::update("first_moments", DType::F32),
        Slot::update("second_moments", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        self.parameters.gradient.product()
    }

    fn lengths(&self) -> Vec<usize> {
        self.parameters.lengths(2)
    }

    fn flops(&self) -> u64 {
        self.parameters.flops(AdamRates::FLOPS)
    }

    fn bytes(&self) -> u64 {
        self.parameters.bytes(2)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let operands = [0, 1].map(|slot| arguments.reals(slot));
        let tensors = [2, 3, 4].map(|slot| arguments.reals_mut(slot));
        self.parameters.run(step, operands, tensors, |tensors, gradient| self.rates.update(step, tensors, gradient));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        // Second moments stay away from zero, where the square root would amplify the error of the sums.
        let [first, second] = [-0.1, 0.05].map(|low| Input::Uniform { low, high: 0.1 });
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, first, second])
            .tolerance(Tolerance::sum_of(self.parameters.gradient.rows as usize))
    }

    fn cases() -> Vec<Case> {
        let [first_moment_correction, second_moment_correction] = [3.7, 333.7];
        let step = Step { learning_rate: 0.3, first_moment_correction, second_moment_correction, ..Step::default() };
        let rates = AdamRates::new(0.9, 0.999, 1e-8);
        let cases = DenseUpdate::cases();
        cases.map(|(label, parameters)| DenseAdam { parameters, rates }.case(label).step(step)).collect()
    }
}
