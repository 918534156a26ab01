//! What kernels share that make the gradient of a dense layer's weights and update them by it, as their shaders do in
//! `shaders/lib/dense_weight.wgsl`.

use rayon::prelude::*;

use super::penalties::Penalties;
use crate::gemm::{Matrix, product_by_one_thread};
use crate::kernel::{DType, KernelSpec, Slot, params};
use crate::kernels::DenseWeightGrad;
use crate::kernels::dense_forward::awkward_shapes;
use crate::real::Real;
use crate::simd::pieces;
use crate::step::Step;

params! {
    /// What kernels know that make the gradient of a dense layer's weights and update them by it.
    pub struct DenseWeightUpdate {
        /// The product that is the gradient.
        pub product: ..DenseWeightGrad,
        /// What comes between gradient and update.
        pub penalties: ..Penalties,
    }
}

/// Units whose gradients a task makes and takes at once: few enough that a cache holds them meanwhile, and enough for products to be quick.
fn units_of_task(inputs: usize) -> usize {
    ((1 << 17) / inputs).clamp(4, 32)
}

/// Operations of a task at least: waking a thread takes as long as some hundred thousand.
const MIN_OPERATIONS: usize = 1 << 20;

/// Operations that updating a parameter may count for beside two for each row of the batch.
const OPERATIONS_OF_UPDATE: usize = 20;

/// The slots that all of them begin with.
pub const OUTPUT_GRAD: Slot = Slot::read("output_grad", DType::F32);
/// See [`OUTPUT_GRAD`].
pub const INPUT: Slot = Slot::read("input", DType::F32);
/// See [`OUTPUT_GRAD`].
pub const PARAMETERS: Slot = Slot::update("parameters", DType::F32);

impl DenseWeightUpdate {
    /// Elements of operands and weights, then as many of weights for each tensor of state.
    pub(crate) fn lengths(&self, state: usize) -> Vec<usize> {
        let lengths = self.product.lengths();
        let weights = lengths[2];
        [lengths, vec![weights; state]].concat()
    }

    /// Operations, of which those of an update are so many for a weight.
    pub(crate) fn flops(&self, of_update: u64) -> u64 {
        let weights = u64::from(self.product.outputs) * u64::from(self.product.inputs);
        let penalties = if self.penalties == Penalties::default() { 0 } else { Penalties::FLOPS };
        self.product.flops() + (of_update + penalties) * weights
    }

    /// Awkward shapes without penalties, and a small one with all.
    pub(crate) fn cases() -> impl Iterator<Item = (String, DenseWeightUpdate)> {
        let plain = awkward_shapes().map(|(rows, inputs, outputs)| {
            let product = DenseWeightGrad { rows, inputs, outputs };
            let label = format!("rows {rows}, inputs {inputs}, outputs {outputs}");
            (label, DenseWeightUpdate { product, penalties: Penalties::default() })
        });
        plain.chain([DenseWeightUpdate::small()])
    }

    /// A small one with all penalties.
    pub(crate) fn small() -> (String, DenseWeightUpdate) {
        let product = DenseWeightGrad { rows: 7, inputs: 13, outputs: 11 };
        let penalties = Penalties { l1: 0.01, l2: 0.1, weight_decay: 0.2 };
        ("with penalties".to_string(), DenseWeightUpdate { product, penalties })
    }

    /// Calls `update` with pieces of the weights `[outputs, inputs]`, and what else has as many elements, and of their gradient.
    pub(crate) fn run<T: Real, const N: usize>(
        &self,
        step: &Step,
        [output_grad, input]: [&[T]; 2],
        tensors: [&mut [T]; N],
        update: impl Fn([&mut [T]; N], &[T]) + Sync,
    ) {
        let DenseWeightGrad { rows, inputs, outputs } = self.product;
        let [rows, inputs, outputs] = [rows, inputs, outputs].map(|n| n as usize);
        let output_grad = Matrix::new(output_grad, rows, outputs).transposed();
        let input = Matrix::new(input, rows, inputs);
        let tensors = tensors.map(|tensor| &mut tensor[..outputs * inputs]);
        let units = units_of_task(inputs);
        let operations = units * inputs * (2 * rows + OPERATIONS_OF_UPDATE);
        let tasks = pieces(tensors, units * inputs).into_par_iter().enumerate();
        tasks.with_min_len(MIN_OPERATIONS.div_ceil(operations)).for_each(|(task, mut tensors)| {
            let (first, length) = (task * units, tensors[0].len());
            let of_units = output_grad.rows(first..first + length / inputs);
            T::with_scratch(length, |gradient| {
                product_by_one_thread(gradient, of_units, input);
                if self.penalties != Penalties::default() {
                    self.penalties.apply(step, tensors[0], gradient);
                }
                update(tensors.each_mut().map(|tensor| &mut **tensor), gradient);
            });
        });
    }
}
