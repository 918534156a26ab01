//! Gradient descent of a dense layer's weights where their gradient is made.

use super::dense_forward::{awkward_shapes, product_flops};
use super::lib::dense_weight::{INPUT, OUTPUT_GRAD, PARAMETERS, update_by_product};
use super::lib::sgd;
use super::{DenseWeightGrad, wgsl};
use crate::kernel::tile::{self, Product};
use crate::kernel::{Arguments, Case, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;
use crate::step::Step;

params! {
    /// [`DenseWeightGrad`] and [`Sgd`](super::Sgd) in one: the gradient is never in memory. For updates made from one batch, with nothing
    /// between gradient and update.
    pub struct DenseWeightSgd(DenseWeightGrad);
}

impl KernelSpec for DenseWeightSgd {
    const NAME: &'static str = "dense_weight_sgd";
    const WGSL: &'static str =
        wgsl!("dense_weight_sgd", "step", "sgd", "dense_weight", "product", "tile_memory", "tile_block");
    const SLOTS: &'static [Slot] = &[OUTPUT_GRAD, INPUT, PARAMETERS];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        self.0.product()
    }

    fn lengths(&self) -> Vec<usize> {
        self.0.lengths()
    }

    fn flops(&self) -> u64 {
        let DenseWeightGrad { rows, inputs, outputs } = self.0;
        product_flops(rows, inputs, outputs) + sgd::FLOPS * u64::from(outputs) * u64::from(inputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let (output_grad, input, parameters) = (arguments.reals(0), arguments.reals(1), arguments.reals_mut(2));
        update_by_product(&self.0, output_grad, input, [parameters], |tensors, gradient| {
            sgd::update(step, tensors, gradient);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED; 3]).tolerance(Tolerance::sum_of(self.0.rows as usize))
    }

    fn cases() -> Vec<Case> {
        let step = Step { learning_rate: 0.3, ..Step::default() };
        let cases = awkward_shapes().map(|(rows, inputs, outputs)| {
            let label = format!("rows {rows}, inputs {inputs}, outputs {outputs}");
            DenseWeightSgd(DenseWeightGrad { rows, inputs, outputs }).case(label).step(step)
        });
        cases.collect()
    }
}
