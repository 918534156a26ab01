//! Code that the fused updates of dense layers share: kernels that compute a layer's gradient and apply the optimizer
//! at once. The WGSL counterpart is `shaders/dense/shared/dense_update.wgsl`.

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
    /// The parameters that all fused updates of dense layers share.
    pub struct DenseUpdate {
        /// The gradient.
        pub gradient: ..DenseGrad,
        /// Penalties on the weights, applied between gradient and update. Biases have none.
        pub penalties: ..Penalties,
    }
}

/// Units per CPU task: few enough that their gradients stay in cache until the update, enough that the products are
/// fast.
fn units_of_task(inputs: usize) -> usize {
    ((1 << 17) / inputs).clamp(4, 32)
}

/// Minimum operations per CPU task. Waking a thread costs as much as some hundred thousand.
const MIN_OPERATIONS: usize = 1 << 20;

/// Estimated operations of one parameter's update. Its gradient takes two per row of the batch.
const OPERATIONS_OF_UPDATE: usize = 20;

/// First of the slots with which all fused updates begin: `output_grad`, `input`, `parameters`.
pub const OUTPUT_GRAD: Slot = Slot::read("output_grad", DType::F32);
/// See [`OUTPUT_GRAD`].
pub const INPUT: Slot = Slot::read("input", DType::F32);
/// See [`OUTPUT_GRAD`].
pub const PARAMETERS: Slot = Slot::update("parameters", DType::F32);

impl DenseUpdate {
    /// Slot lengths: both operands, the parameters, then `state` tensors as long as the parameters.
    pub(crate) fn lengths(&self, state: usize) -> Vec<usize> {
        [&self.gradient.operands()[..], &vec![self.gradient.span(); 1 + state]].concat()
    }

    /// Bytes moved, with `state` tensors of optimizer state.
    pub(crate) fn bytes(&self, state: u64) -> u64 {
        self.gradient.bytes_of((1 + state) * Access::ReadWrite.transfers())
    }

    /// Operations, where the update takes `of_update` per parameter.
    pub(crate) fn flops(&self, of_update: u64) -> u64 {
        let weights = u64::from(self.gradient.outputs) * u64::from(self.gradient.inputs);
        let penalties = if self.penalties == Penalties::default() { 0 } else { Penalties::FLOPS };
        self.gradient.flops() + of_update * self.gradient.parameters() as u64 + penalties * weights
    }

    /// Edge-case shapes without penalties, and a small one with all penalties.
    pub(crate) fn cases() -> impl Iterator<Item = (String, DenseUpdate)> {
        let plain = DenseGrad::shapes()
            .map(|(label, gradient)| (label, DenseUpdate { gradient, penalties: Penalties::default() }));
        plain.chain([DenseUpdate::small()])
    }

    /// A small shape with all penalties.
    pub(crate) fn small() -> (String, DenseUpdate) {
        let gradient = DenseGrad { rows: 7, inputs: 13, outputs: 11, bias_at: 11 * 13 };
        let penalties = Penalties { l1: 0.01, l2: 0.1, weight_decay: 0.2 };
        ("with penalties".to_string(), DenseUpdate { gradient, penalties })
    }

    /// Computes the gradient piece by piece. Calls `update` with each piece of `tensors`, which are the parameters and
    /// the optimizer's state, and the same piece of the gradient.
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
