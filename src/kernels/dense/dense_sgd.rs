//! Gradient and SGD update of a dense layer in one kernel.

use crate::kernels::dense::shared::dense_update::{DenseUpdate, INPUT, OUTPUT_GRAD, PARAMETERS};
use crate::kernels::kernel::{Arguments, Case, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::optim::shared::sgd;
use crate::kernels::step::Step;
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// [`DenseGrad`](crate::kernels::DenseGrad), [`Regularize`](crate::kernels::Regularize) and
    /// [`Sgd`](crate::kernels::Sgd) in one kernel. The gradient is never written to memory, so this works only for
    /// updates from a single batch.
    pub struct DenseSgd(DenseUpdate);
}

impl KernelSpec for DenseSgd {
    const NAME: &'static str = "dense_sgd";
    const WGSL: &'static str = wgsl!(
        "dense/dense_sgd",
        "shared/step",
        "shared/finite",
        "shared/sign",
        "optim/shared/penalties",
        "optim/shared/sgd",
        "dense/shared/dense_grad",
        "dense/shared/dense_update",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block"
    );
    const SLOTS: &'static [Slot] = &[OUTPUT_GRAD, INPUT, PARAMETERS];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        self.0.gradient.product()
    }

    fn lengths(&self) -> Vec<usize> {
        self.0.lengths(0)
    }

    fn flops(&self) -> u64 {
        self.0.flops(sgd::FLOPS)
    }

    fn bytes(&self) -> u64 {
        self.0.bytes(0)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let operands = [0, 1].map(|slot| arguments.reals(slot));
        let tensors = [2].map(|slot| arguments.reals_mut(slot));
        self.0.run(step, operands, tensors, |tensors, gradient| sgd::update(step, tensors, gradient));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED; 3]).tolerance(Tolerance::sum_of(self.0.gradient.rows as usize))
    }

    fn cases() -> Vec<Case> {
        let step = Step { learning_rate: 0.3, ..Step::default() };
        DenseUpdate::cases().map(|(label, parameters)| DenseSgd(parameters).case(label).step(step)).collect()
    }
}
