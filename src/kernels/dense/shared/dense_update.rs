//! What kernels share that make the gradient of a dense layer's parameters and update them by it, as their shaders do in
//! `shaders/dense/shared/dense_update.wgsl`.

use rayon::prelude::*;

use crate::kernels::DenseGrad;
use crate::kernels::dense::dense_grad::add_rows;
use crate::kernels::kernel::{Access, DType, KernelSpec, Slot, params};
use crate::kernels::optim::shared::penalties::Penalties;
use crate::kernels::step::Step;
use crate::math::gemm::{Matrix, product_by_one_thread};
use crate::math::real::Real;
use crate::math::simd::pieces;

params! {
    /// What kernels know that make the gradient of a dense layer's parameters and update them by it.
    pub struct DenseUpdate {
        /// The gradient.
        pub gradient: ..DenseGrad,
        /// What comes between that of the weights and the update.
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

impl DenseUpdate {
    /// Elements of operands and parameters, then as many as the latter for each tensor of state.
    pub(crate) fn lengths(&self, state: usize) -> Vec<usize> {
        [&self.gradient.operands()[..], &vec![self.gradient.span(); 1 + state]].concat()
    }

    /// Bytes moved, with so many tensors of state.
    pub(crate) fn bytes(&self, state: u64) -> u64 {
        self.gradient.bytes_of((1 + state) * Access::ReadWrite.transfers())
    }

    /// Operations, of which those of an update are so many for a parameter.
    pub(crate) fn flops(&self, of_update: u64) -> u64 {
        let weights = u64::from(self.gradient.outputs) * u64::from(self.gradient.inputs);
        let penalties = if self.penalties == Penalties::default() { 0 } else { Penalties::FLOPS };
        self.gradient.flops() + of_update * self.gradient.parameters() as u64 + penalties * weights
    }

    /// Awkward shapes without penalties, and a small one with all.
    pub(crate) fn cases() -> impl Iterator<Item = (String, DenseUpdate)> {
        let plain = DenseGrad::shapes()
            .map(|(label, gradient)| (label, DenseUpdate { gradient, penalties: Penalties::default() }));
        plain.chain([DenseUpdate::small()])
    }

    /// A small one with all penalties.
    pub(crate) fn small() -> (String, DenseUpdate) {
        let gradient = DenseGrad { rows: 7, inputs: 13, outputs: 11, bias_at: 11 * 13 };
        let penalties = Penalties { l1: 0.01, l2: 0.1, weight_decay: 0.2 };
        ("with penalties".to_string(), DenseUpdate { gradient, penalties })
    }

    /// Calls `update` with pieces of the parameters, and what else is laid out like them, and of their gradient.
    pub(crate) fn run<T: Real, const N: usize>(
        &self,
        step: &Step,
        [output_grad, input]: [&[T]; 2],
        tensors: [&mut [T]; N],
        update: impl Fn([&mut [T]; N], &[T]) + Sync,
    ) {
        let DenseGrad { rows, inputs, outputs, .. } = self.gradient;
        let [rows, inputs, outputs] = [rows, inputs, outputs].map(|n| n as usize);
        let output_grad = &output_grad[..rows * outputs];
        let by_unit = Matrix::new(output_grad, rows, outputs).transposed();
        let input = Matrix::new(input, rows, inputs);
        let units = units_of_task(inputs);
        let operations = units * inputs * (2 * rows + OPERATIONS_OF_UPDATE);

        let mut parts = tensors.map(|tensor| self.gradient.split(tensor));
        let weights = pieces(parts.each_mut().map(|[weights, _]| std::mem::take(weights)), units * inputs);
        let mut biases = pieces(parts.map(|[_, biases]| biases), units);
        biases.resize_with(weights.len(), || std::array::from_fn(|_| <&mut [T]>::default()));
        let tasks = weights.into_par_iter().zip(biases).enumerate();
        tasks.with_min_len(MIN_OPERATIONS.div_ceil(operations)).for_each(|(task, (mut weights, biases))| {
            let (first, length) = (task * units, weights[0].len());
            T::with_scratch(length, |gradient| {
                product_by_one_thread(gradient, by_unit.rows(first..first + length / inputs), input);
                if self.penalties != Penalties::default() {
                    self.penalties.apply(step, weights[0], gradient);
                }
                update(weights.each_mut().map(|tensor| &mut **tensor), gradient);
                let gradient = &mut gradient[..biases[0].len()];
                gradient.fill(T::zero());
                add_rows(gradient, output_grad, outputs, first);
                update(biases, gradient);
            });
        });
    }
}
