//! Adam of a dense layer's weights where their gradient is made.

use super::dense_forward::{awkward_shapes, product_flops};
use super::lib::adam::AdamRates;
use super::lib::dense_weight::{INPUT, OUTPUT_GRAD, PARAMETERS, update_by_product};
use super::{DenseWeightGrad, wgsl};
use crate::kernel::tile::{self, Product};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;
use crate::step::Step;

params! {
    /// [`DenseWeightGrad`] and [`Adam`](super::Adam) in one: the gradient is never in memory. For updates made from one batch, with nothing
    /// between gradient and update.
    pub struct DenseWeightAdam {
        /// The sizes.
        pub product: ..DenseWeightGrad,
        /// Decays and epsilon.
        pub rates: ..AdamRates,
    }
}

impl KernelSpec for DenseWeightAdam {
    const NAME: &'static str = "dense_weight_adam";
    const WGSL: &'static str =
        wgsl!("dense_weight_adam", "step", "finite", "adam", "dense_weight", "product", "tile_memory", "tile_block");
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
        self.product.product()
    }

    fn lengths(&self) -> Vec<usize> {
        let weights = self.product.lengths()[2];
        [self.product.lengths(), vec![weights; 2]].concat()
    }

    fn flops(&self) -> u64 {
        let DenseWeightGrad { rows, inputs, outputs } = self.product;
        product_flops(rows, inputs, outputs) + AdamRates::FLOPS * u64::from(outputs) * u64::from(inputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let tensors = [2, 3, 4].map(|slot| arguments.reals_mut(slot));
        update_by_product(&self.product, output_grad, input, tensors, |tensors, gradient| {
            self.rates.update(step, tensors, gradient);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        // Second moments far from zero, near which a root is not as smooth as a sum.
        let second = Input::Uniform { low: 0.05, high: 0.1 };
        let first = Input::Uniform { low: -0.1, high: 0.1 };
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, first, second])
            .tolerance(Tolerance::sum_of(self.product.rows as usize))
    }

    fn cases() -> Vec<Case> {
        let step = Step {
            learning_rate: 0.3,
            first_moment_correction: 3.7,
            second_moment_correction: 333.7,
            ..Step::default()
        };
        let cases = awkward_shapes().map(|(rows, inputs, outputs)| {
            let label = format!("rows {rows}, inputs {inputs}, outputs {outputs}");
            let product = DenseWeightGrad { rows, inputs, outputs };
            DenseWeightAdam { product, rates: AdamRates::new(0.9, 0.999, 1e-8) }.case(label).step(step)
        });
        cases.collect()
    }
}
