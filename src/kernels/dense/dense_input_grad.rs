//! The input gradient of a dense layer.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::dense::dense_forward::{awkward_cases, product_flops};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::gemm::{Matrix, product};
use crate::math::real::Real;
use crate::math::simd::MIN_PARALLEL;

params! {
    /// `input_grad = (output_grad weight) * activation'(kept)`: output_grad `[rows, outputs]`, weight
    /// `[outputs, inputs]`, kept and input_grad `[rows, inputs]`. The activation is that of the layer below, which
    /// produced the input, so the result is the gradient of that layer's pre-activation. `kept` is the argument of the
    /// derivative: the input or its pre-activation.
    pub struct DenseInputGrad {
        /// Rows of the batch.
        pub rows: u32,
        /// Fan-in.
        pub inputs: u32,
        /// Units.
        pub outputs: u32,
    }
}

impl KernelSpec for DenseInputGrad {
    const NAME: &'static str = "dense_input_grad";
    const WGSL: &'static str = wgsl!(
        "dense/dense_input_grad",
        "shared/stored",
        "shared/activation",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("weight", DType::F32),
        Slot::read("kept", DType::F32).or_half(),
        Slot::write("input_grad", DType::F32).or_half(),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];

    fn product(&self) -> Option<Product> {
        Some(Product::new(self.rows, self.inputs as usize))
    }

    fn lengths(&self) -> Vec<usize> {
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        vec![rows * outputs, outputs * inputs, rows * inputs, rows * inputs]
    }

    fn flops(&self) -> u64 {
        product_flops(self.rows, self.inputs, self.outputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        let (output_grad, weight, kept) = (arguments.reals(0), arguments.reals(1), arguments.reals(2));
        let input_grad = &mut arguments.reals_mut(3)[..rows * inputs];
        product(input_grad, Matrix::new(output_grad, rows, outputs), Matrix::new(weight, outputs, inputs));
        let pieces = input_grad.par_chunks_mut(MIN_PARALLEL).zip(kept.par_chunks(MIN_PARALLEL));
        pieces.for_each(|(gradients, kept)| activation.differentiate(gradients, kept));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(self.outputs as usize))
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(rows, inputs, outputs, activation)| {
                DenseInputGrad { rows, inputs, outputs }
                    .case(format!("rows {rows}, inputs {inputs}, outputs {outputs}, {activation:?}"))
                    .constants(vec![activation.constant()])
            })
            .collect()
    }
}
