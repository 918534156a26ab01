//! What kernels share that make the gradient of a dense layer's weights and update them by it, as their shaders do in
//! `shaders/lib/dense_weight.wgsl`.

use rayon::prelude::*;

use crate::gemm::{Matrix, product_by_one_thread};
use crate::kernel::{DType, Slot};
use crate::kernels::DenseWeightGrad;
use crate::real::Real;
use crate::simd::pieces;

/// Units whose gradients a task makes and takes at once: few enough that a cache holds them meanwhile.
const UNITS: usize = 32;

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

/// Calls `update` with pieces of the weights `[outputs, inputs]`, and what else has as many elements, and of their gradient.
pub fn update_by_product<T: Real, const N: usize>(
    product: &DenseWeightGrad,
    output_grad: &[T],
    input: &[T],
    tensors: [&mut [T]; N],
    update: impl Fn([&mut [T]; N], &[T]) + Sync,
) {
    let [rows, inputs, outputs] = [product.rows, product.inputs, product.outputs].map(|n| n as usize);
    let output_grad = Matrix::new(output_grad, rows, outputs).transposed();
    let input = Matrix::new(input, rows, inputs);
    let tensors = tensors.map(|tensor| &mut tensor[..outputs * inputs]);
    let operations = UNITS * inputs * (2 * rows + OPERATIONS_OF_UPDATE);
    let tasks = pieces(tensors, UNITS * inputs).into_par_iter().enumerate();
    tasks.with_min_len(MIN_OPERATIONS.div_ceil(operations)).for_each(|(task, tensors)| {
        let length = tensors[0].len();
        let units = output_grad.rows(task * UNITS..task * UNITS + length / inputs);
        T::with_scratch(length, |gradient| {
            product_by_one_thread(gradient, units, input);
            update(tensors, gradient);
        });
    });
}
