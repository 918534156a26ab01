//! A matrix product.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::gemm::{Matrix, product};
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, simd};

params! {
    /// `result = alpha addend + beta op(a) op(b)`, all matrices: addend and result `[rows, columns]`, op(a) `[rows, depth]`,
    /// op(b) `[depth, columns]`. The constants `a_transposed` and `b_transposed` say, by 0 or 1, whether an operand lies transposed.
    /// Where alpha is 0, the addend is not read, and any tensor as long will do. It is GEMM of Dongarra et al., "A set of level 3 basic
    /// linear algebra subprograms", ACM Transactions on Mathematical Software 16(1), 1990, with a tensor of its own for the result.
    pub struct Gemm {
        /// Rows of the result.
        pub rows: u32,
        /// Columns of the result.
        pub columns: u32,
        /// Products that are added up for each element.
        pub depth: u32,
        /// Factor on the addend.
        pub alpha: f32,
        /// Factor on the product.
        pub beta: f32,
    }
}

impl KernelSpec for Gemm {
    const NAME: &'static str = "gemm";
    const WGSL: &'static str =
        wgsl!("product/gemm", "product/shared/product", "product/shared/tile_memory", "product/shared/tile_block");
    const SLOTS: &'static [Slot] = &[
        Slot::read("a", DType::F32),
        Slot::read("b", DType::F32),
        Slot::read("addend", DType::F32),
        Slot::write("result", DType::F32),
    ];
    const CONSTANTS: &'static [&'static str] = &["a_transposed", "b_transposed"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];

    fn product(&self) -> Option<Product> {
        Some(Product::new(self.rows, self.columns as usize))
    }

    fn lengths(&self) -> Vec<usize> {
        let [rows, columns, depth] = [self.rows, self.columns, self.depth].map(|n| n as usize);
        vec![rows * depth, depth * columns, rows * columns, rows * columns]
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.rows) * u64::from(self.columns) * u64::from(self.depth)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let [rows, columns, depth] = [self.rows, self.columns, self.depth].map(|n| n as usize);
        let matrix = |elements, rows, columns, transposed| match transposed {
            0 => Matrix::new(elements, rows, columns),
            _ => Matrix::new(elements, columns, rows).transposed(),
        };
        let a = matrix(arguments.reals(0), rows, depth, arguments.constant(0));
        let b = matrix(arguments.reals(1), depth, columns, arguments.constant(1));
        let addend = &arguments.reals(2)[..rows * columns];
        let result = &mut arguments.reals_mut(3)[..rows * columns];
        product(result, a, b);
        let ([alpha, beta], adds) = ([self.alpha, self.beta].map(T::from_f32), self.alpha != 0.0);
        let pieces = result.par_chunks_mut(MIN_PARALLEL).zip(addend.par_chunks(MIN_PARALLEL));
        pieces.for_each(|(result, addend)| {
            simd!({
                for (value, &addend) in result.iter_mut().zip(addend) {
                    *value *= beta;
                    if adds {
                        *value += alpha * addend;
                    }
                }
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(self.depth as usize))
            .constants(vec![0, 0])
    }

    fn cases() -> Vec<Case> {
        let case = |(rows, columns, depth): (u32, u32, u32), [a, b]: [u32; 2]| {
            let label = format!("rows {rows}, columns {columns}, depth {depth}, transposed {a} and {b}");
            Gemm { rows, columns, depth, alpha: -0.5, beta: 0.75 }.case(label).constants(vec![a, b])
        };
        let shapes = [(1, 1, 1), (7, 13, 11), (1, 10, 784), (67, 31, 1), (64, 64, 64), (65, 64, 63), (64, 65, 17)];
        let shapes = shapes.into_iter().chain([(130, 129, 33), (2, 3, 1031)]);
        let layouts = [[0, 0], [0, 1], [1, 0], [1, 1]];
        let layouts = layouts.into_iter().flat_map(|layout| shapes.clone().map(move |shape| case(shape, layout)));
        // An addend that is not to be read shows where it is.
        let alone = Gemm { rows: 7, columns: 13, depth: 11, alpha: 0.0, beta: 1.0 };
        layouts.chain([alone.case("no addend").input(2, Input::Poison)]).collect()
    }
}
