//! The output of a dense layer.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::gemm::{Matrix, product, product_of_rows};
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, simd};

params! {
    /// `output = activation(input weight^T + bias)`: input `[rows, inputs]`, weight `[outputs, inputs]`, bias
    /// `[outputs]`, output `[rows, outputs]`.
    pub struct DenseForward {
        /// Rows of the batch.
        pub rows: u32,
        /// Fan-in.
        pub inputs: u32,
        /// Units.
        pub outputs: u32,
    }
}

impl DenseForward {
    /// Whether the CPU twin uses [`product_of_rows`]: with enough work for several threads, but a batch and weights so
    /// small that the time the matrix library needs to prepare its operands matters.
    fn goes_by_rows(&self) -> bool {
        let weights = self.inputs as usize * self.outputs as usize;
        (16..=256).contains(&self.rows) && weights <= 1 << 19 && self.rows as usize * weights >= 1 << 19
    }
}

impl KernelSpec for DenseForward {
    const NAME: &'static str = "dense_forward";
    const WGSL: &'static str = wgsl!(
        "dense/dense_forward",
        "shared/stored",
        "shared/activation",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32).or_half(),
        Slot::read("weight", DType::F32),
        Slot::read("bias", DType::F32),
        Slot::write("output", DType::F32).or_half(),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];

    fn product(&self) -> Option<Product> {
        Some(Product::new(self.rows, self.outputs as usize))
    }

    fn lengths(&self) -> Vec<usize> {
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        vec![rows * inputs, outputs * inputs, outputs, rows * outputs]
    }

    fn flops(&self) -> u64 {
        product_flops(self.rows, self.inputs, self.outputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let [rows, inputs, outputs] = [self.rows, self.inputs, self.outputs].map(|n| n as usize);
        let (input, weight, bias) = (arguments.reals(0), arguments.reals(1), arguments.reals(2));
        let output = &mut arguments.reals_mut(3)[..rows * outputs];
        let finish = |row: &mut [T]| {
            simd!({
                for (value, &bias) in row.iter_mut().zip(bias) {
                    *value = activation.apply(*value + bias);
                }
            });
        };
        if self.goes_by_rows() {
            product_of_rows(output, &input[..rows * inputs], &weight[..outputs * inputs], inputs, finish);
        } else {
            product(output, Matrix::new(input, rows, inputs), Matrix::new(weight, outputs, inputs).transposed());
            output.par_chunks_mut(outputs).with_min_len(MIN_PARALLEL.div_ceil(outputs)).for_each(finish);
        }
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(self.inputs as usize))
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(rows, inputs, outputs, activation)| {
                DenseForward { rows, inputs, outputs }
                    .case(format!("rows {rows}, inputs {inputs}, outputs {outputs}, {activation:?}"))
                    .constants(vec![activation.constant()])
            })
            .collect()
    }
}

/// Floating-point operations of a product with these three dimensions.
pub(super) fn product_flops(rows: u32, inputs: u32, outputs: u32) -> u64 {
    2 * u64::from(rows) * u64::from(inputs) * u64::from(outputs)
}

/// Edge-case shapes with and without ReLU, and one shape with every other activation.
pub(super) fn awkward_cases() -> impl Iterator<Item = (u32, u32, u32, Activation)> {
    let shapes = awkward_shapes()
        .flat_map(|(rows, inputs, outputs)| Activation::ALL[..2].iter().map(move |&a| (rows, inputs, outputs, a)));
    shapes.chain(Activation::ALL[2..].iter().map(|&activation| (7, 13, 11, activation)))
}

/// Edge cases for `(rows, inputs, outputs)`: ones, primes, exact tiles, one more than a tile in each dimension, long
/// and thin shapes.
pub(super) fn awkward_shapes() -> impl Iterator<Item = (u32, u32, u32)> {
    [
        (1, 1, 1),
        (2, 3, 5),
        (7, 13, 11),
        (1, 784, 10),
        (31, 1, 67),
        (64, 64, 64),
        (64, 63, 64),
        (65, 64, 64),
        (64, 17, 64),
        (64, 64, 65),
        (130, 33, 129),
        (3, 1031, 2),
        (256, 100, 10),
        (17, 131, 129),
    ]
    .into_iter()
}
