//! Gradient descent with momentum of a dense layer's weights where their gradient is made.

use super::dense_forward::{awkward_shapes, product_flops};
use super::lib::dense_weight::{INPUT, OUTPUT_GRAD, PARAMETERS, update_by_product};
use super::lib::momentum::MomentumRates;
use super::{DenseWeightGrad, wgsl};
use crate::kernel::tile::{self, Product};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;
use crate::step::Step;

params! {
    /// [`DenseWeightGrad`] and [`Momentum`](super::Momentum) in one: the gradient is never in memory. For updates made from one batch, with nothing
    /// between gradient and update.
    pub struct DenseWeightMomentum {
        /// The sizes.
        pub product: ..DenseWeightGrad,
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
        "momentum",
        "dense_weight",
        "product",
        "tile_memory",
        "tile_block"
    );
    const SLOTS: &'static [Slot] = &[OUTPUT_GRAD, INPUT, PARAMETERS, Slot::update("velocities", DType::F32)];
    const CONSTANTS: &'static [&'static str] = &["nesterov"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        self.product.product()
    }

    fn lengths(&self) -> Vec<usize> {
        let weights = self.product.lengths()[2];
        [self.product.lengths(), vec![weights]].concat()
    }

    fn flops(&self) -> u64 {
        let DenseWeightGrad { rows, inputs, outputs } = self.product;
        product_flops(rows, inputs, outputs) + MomentumRates::FLOPS * u64::from(outputs) * u64::from(inputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (step, nesterov) = (arguments.step(), arguments.constant(0));
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let tensors = [2, 3].map(|slot| arguments.reals_mut(slot));
        update_by_product(&self.product, output_grad, input, tensors, |tensors, gradient| {
            self.rates.update(nesterov, step, tensors, gradient);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED; 4]).tolerance(Tolerance::sum_of(self.product.rows as usize))
    }

    fn cases() -> Vec<Case> {
        let case = |(rows, inputs, outputs): (u32, u32, u32), average: bool, nesterov: u32| {
            let label =
                format!("rows {rows}, inputs {inputs}, outputs {outputs}, average {average}, Nesterov {nesterov}");
            let product = DenseWeightGrad { rows, inputs, outputs };
            let kernel = DenseWeightMomentum { product, rates: MomentumRates::new(0.9, average) };
            let step = Step { learning_rate: 0.3, first_moment_correction: 1.5, ..Step::default() };
            kernel.case(label).constants(vec![nesterov]).step(step)
        };
        let others = [case((7, 13, 11), true, 0), case((7, 13, 11), false, 1)];
        awkward_shapes().map(|shape| case(shape, false, 0)).chain(others).collect()
    }
}
