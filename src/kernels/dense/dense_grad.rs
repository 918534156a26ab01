//! The gradient of a dense layer's weights and biases.

use rayon::prelude::*;

use crate::kernels::dense::dense_forward::{awkward_shapes, product_flops};
use crate::kernels::kernel::{Access, Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::tile::{self, Product};
use crate::kernels::{accumulation_cases, wgsl};
use crate::math::gemm::{Matrix, product_onto};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `weight_grad = output_grad^T input`, `bias_grad[n] = sum over r of output_grad[r, n]`: output_grad
    /// `[rows, outputs]`, input `[rows, inputs]`, weight_grad `[outputs, inputs]`, bias_grad `[outputs]`. Both
    /// gradients lie in one tensor. From the second batch of an update on, they are added to the gradients of the
    /// batches before.
    pub struct DenseGrad {
        /// Rows of the batch.
        pub rows: u32,
        /// Fan-in.
        pub inputs: u32,
        /// Units.
        pub outputs: u32,
        /// Position of the first bias in the tensor of the layer's parameters, which begins with the weights. 0 without
        /// biases.
        pub bias_at: u32,
    }
}

/// Columns per CPU task in the bias gradient.
const COLUMNS: usize = 32;

impl DenseGrad {
    /// Columns of the product: one per input, and a column of ones for the biases.
    fn columns(&self) -> u32 {
        self.inputs + self.bias_at.min(1)
    }

    /// Lengths of both operands.
    pub(super) fn operands(&self) -> [usize; 2] {
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        [rows * outputs, rows * inputs]
    }

    /// Number of parameters.
    pub(super) fn parameters(&self) -> usize {
        self.outputs as usize * self.columns() as usize
    }

    /// Elements from the first parameter to the last, including the gap between weights and biases.
    pub(super) fn span(&self) -> usize {
        let [inputs, outputs, bias_at] = [self.inputs, self.outputs, self.bias_at].map(|n| n as usize);
        if bias_at == 0 { outputs * inputs } else { bias_at + outputs }
    }

    /// The weights and the biases of a tensor that is laid out like the parameters. Without biases, the second slice is
    /// empty.
    pub(super) fn split<'a, T>(&self, parameters: &'a mut [T]) -> [&'a mut [T]; 2] {
        let weights = self.outputs as usize * self.inputs as usize;
        let (weights, rest) = parameters[..self.span()].split_at_mut(weights);
        let between = (self.bias_at as usize).saturating_sub(weights.len());
        [weights, &mut rest[between..]]
    }

    /// Bytes moved, with `transfers` per parameter and one per element of the operands.
    pub(super) fn bytes_of(&self, transfers: u64) -> u64 {
        let operands: usize = self.operands().iter().sum();
        4 * (operands as u64 + transfers * self.parameters() as u64)
    }

    /// Contents for a parameter tensor: `of_parameters` at the parameters, 1 in the gap, which must stay unchanged.
    fn laid_out(&self, of_parameters: f32) -> Input {
        let mut values = vec![1.0; self.span()];
        self.split(&mut values).into_iter().for_each(|part| part.fill(of_parameters));
        Input::F32(values)
    }

    /// Edge-case shapes with a gap between weights and biases, and some shapes without biases.
    pub(super) fn shapes() -> impl Iterator<Item = (String, DenseGrad)> {
        let with = awkward_shapes().map(|(rows, inputs, outputs)| {
            let label = format!("rows {rows}, inputs {inputs}, outputs {outputs}");
            (label, DenseGrad { rows, inputs, outputs, bias_at: outputs * inputs + 3 })
        });
        let without = [(7, 13, 11), (64, 64, 64)].map(|(rows, inputs, outputs)| {
            let label = format!("rows {rows}, inputs {inputs}, outputs {outputs}, no biases");
            (label, DenseGrad { rows, inputs, outputs, bias_at: 0 })
        });
        with.chain(without)
    }
}

/// Adds the rows of `output_grad` `[rows, outputs]` to `sums`, beginning with column `first`.
pub(super) fn add_rows<T: Real>(sums: &mut [T], output_grad: &[T], outputs: usize, first: usize) {
    simd!({
        for row in output_grad.chunks_exact(outputs) {
            for (sum, &gradient) in sums.iter_mut().zip(&row[first..]) {
                *sum += gradient;
            }
        }
    });
}

impl KernelSpec for DenseGrad {
    const NAME: &'static str = "dense_grad";
    const WGSL: &'static str = wgsl!(
        "dense/dense_grad",
        "shared/stored",
        "shared/step",
        "dense/shared/dense_grad",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("input", DType::F32).or_half(),
        Slot::update("gradients", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];
    const USES_STEP: bool = true;

    fn product(&self) -> Option<Product> {
        Some(Product::new(self.outputs, self.columns() as usize))
    }

    fn lengths(&self) -> Vec<usize> {
        [&self.operands()[..], &[self.span()]].concat()
    }

    fn flops(&self) -> u64 {
        // The column of ones takes additions only.
        let sums = u64::from(self.rows) * u64::from(self.outputs) * u64::from(self.bias_at.min(1));
        product_flops(self.rows, self.inputs, self.outputs) + sums
    }

    fn bytes(&self) -> u64 {
        self.bytes_of(Access::ReadWrite.transfers())
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        let adds = arguments.step().accumulated > 0;
        let (output_grad, input) = (&arguments.reals(0)[..rows * outputs], arguments.reals(1));
        let [weight_grad, bias_grad] = self.split(arguments.reals_mut(2));
        let transposed = Matrix::new(output_grad, rows, outputs).transposed();
        product_onto(weight_grad, transposed, Matrix::new(input, rows, inputs), adds);
        bias_grad.par_chunks_mut(COLUMNS).enumerate().with_min_len(8).for_each(|(chunk, sums)| {
            if !adds {
                sums.fill(T::zero());
            }
            add_rows(sums, output_grad, outputs, chunk * COLUMNS);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, self.laid_out(f32::NAN)])
            .tolerance(Tolerance::sum_of(self.rows as usize))
    }

    fn cases() -> Vec<Case> {
        DenseGrad::shapes()
            .flat_map(|shape| accumulation_cases().map(move |accumulation| (shape.clone(), accumulation)))
            .map(|((label, kernel), (what, before, step))| {
                let case = kernel.case(format!("{label}, {what}")).step(step);
                if matches!(before, Input::Poison) { case } else { case.input(2, before) }
            })
            .collect()
    }
}
