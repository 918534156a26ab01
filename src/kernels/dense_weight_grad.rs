//! The gradient of a dense layer's weights.

use super::dense_forward::{awkward_shapes, product_flops};
use super::{accumulation_cases, wgsl};
use crate::gemm::{Matrix, product_onto};
use crate::kernel::tile::{self, Product};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;

params! {
    /// `weight_grad = output_grad^T input`: output_grad `[rows, outputs]`, input `[rows, inputs]`, weight_grad
    /// `[outputs, inputs]`. Added to what the update's batches before this one left.
    pub struct DenseWeightGrad {
        /// Rows of the batch.
        pub rows: u32,
        /// Fan-in.
        pub inputs: u32,
        /// Units.
        pub outputs: u32,
    }
}

impl KernelSpec for DenseWeightGrad {
    const NAME: &'static str = "dense_weight_grad";
    const WGSL: &'static str =
        wgsl!("dense_weight_grad", "stored", "step", "dense_weight", "product", "tile_memory", "tile_block");
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("input", DType::F32).or_half(),
        Slot::update("weight_grad", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        Some(Product::new(self.outputs, self.inputs as usize))
    }

    fn lengths(&self) -> Vec<usize> {
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        vec![rows * outputs, rows * inputs, outputs * inputs]
    }

    fn flops(&self) -> u64 {
        product_flops(self.rows, self.inputs, self.outputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        let adds = arguments.step().accumulated > 0;
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let weight_grad = &mut arguments.reals_mut(2)[..outputs * inputs];
        let transposed = Matrix::new(output_grad, rows, outputs).transposed();
        product_onto(weight_grad, transposed, Matrix::new(input, rows, inputs), adds);
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(self.rows as usize))
    }

    fn cases() -> Vec<Case> {
        awkward_shapes()
            .flat_map(|shape| accumulation_cases().map(move |accumulation| (shape, accumulation)))
            .map(|((rows, inputs, outputs), (what, before, step))| {
                let label = format!("rows {rows}, inputs {inputs}, outputs {outputs}, {what}");
                DenseWeightGrad { rows, inputs, outputs }.case(label).input(2, before).step(step)
            })
            .collect()
    }
}
