//! Dense matrix products on the CPU, most of them with the `gemm` crate. This is the only unsafe code of the CPU
//! backend.

mod dots;

use std::ops::Range;

use ::gemm::Parallelism;
use rayon::prelude::*;

use self::dots::Dots;

/// A matrix view of a slice, row-major or transposed.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    elements: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// The first `rows * columns` elements, row by row. Panics if there are fewer.
    pub fn new(elements: &'a [T], rows: usize, columns: usize) -> Matrix<'a, T> {
        assert!(elements.len() >= rows * columns, "{} elements for {rows} x {columns}", elements.len());
        Matrix { elements, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The rows in `range`. Panics if the range ends beyond the last row.
    pub fn rows(self, range: Range<usize>) -> Matrix<'a, T> {
        assert!(range.end <= self.rows, "rows {range:?} of {}", self.rows);
        Matrix { elements: &self.elements[range.start * self.row_stride..], rows: range.len(), ..self }
    }

    /// The same elements with rows and columns exchanged.
    pub fn transposed(self) -> Matrix<'a, T> {
        Matrix {
            elements: self.elements,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// The float types that matrix products support.
pub trait Gemm: Copy + num_traits::Zero + num_traits::One + Send + Sync + 'static {
    /// `result = a b^T` on the calling thread, with a `[rows, depth]` and b `[columns, depth]`.
    fn dots(result: &mut [Self], a: &[Self], b: &[Self], depth: usize);
}

impl Gemm for f32 {
    fn dots(result: &mut [f32], a: &[f32], b: &[f32], depth: usize) {
        pulp::Arch::new().dispatch(Dots { result, a, b, depth });
    }
}

impl Gemm for f64 {
    fn dots(result: &mut [f64], a: &[f64], b: &[f64], depth: usize) {
        let (rows, columns) = (a.len() / depth, b.len() / depth);
        product(result, Matrix::new(a, rows, depth), Matrix::new(b, columns, depth).transposed());
    }
}

/// `result = a b^T` for row-major a `[rows, depth]` and b `[columns, depth]`. Faster than [`product`] for a small
/// result. `finish` gets each row of the result while it is still in a cache.
pub(crate) fn product_of_rows<T: Gemm>(
    result: &mut [T],
    a: &[T],
    b: &[T],
    depth: usize,
    finish: impl Fn(&mut [T]) + Sync,
) {
    let (rows, columns) = (a.len() / depth, b.len() / depth);
    // About eight tasks, each a whole number of tiles.
    let task = rows.div_ceil(8).next_multiple_of(4);
    result.par_chunks_mut(task * columns).zip(a.par_chunks(task * depth)).for_each(|(result, a)| {
        T::dots(result, a, b, depth);
        result.chunks_exact_mut(columns).for_each(&finish);
    });
}

/// `result = a b`, row-major, on all threads of the current pool. Panics if the dimensions do not match.
pub fn product<T: Gemm>(result: &mut [T], a: Matrix<'_, T>, b: Matrix<'_, T>) {
    product_onto(result, a, b, false);
}

/// `result = a b`, or `result += a b` if `adds` is set; otherwise like [`product`].
pub fn product_onto<T: Gemm>(result: &mut [T], a: Matrix<'_, T>, b: Matrix<'_, T>, adds: bool) {
    multiply(result, a, b, adds, Parallelism::Rayon(0));
}

/// `result = a b` like [`product`], but on the calling thread alone.
pub(crate) fn product_by_one_thread<T: Gemm>(result: &mut [T], a: Matrix<'_, T>, b: Matrix<'_, T>) {
    multiply(result, a, b, false, Parallelism::None);
}

fn multiply<T: Gemm>(result: &mut [T], a: Matrix<'_, T>, b: Matrix<'_, T>, adds: bool, parallelism: Parallelism) {
    assert_eq!(a.columns, b.rows, "inner dimensions");
    assert_eq!(result.len(), a.rows * b.columns, "result of {} x {}", a.rows, b.columns);
    // SAFETY: `Matrix::new` checked that each operand's slice covers rows * columns elements at these strides.
    // `transposed` swaps dimensions and strides together, and `rows` only takes a range within the matrix. The result's
    // length was checked above. Its exclusive borrow keeps it apart from the operands.
    unsafe {
        ::gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            result.as_mut_ptr(),
            1,
            b.columns as isize,
            adds,
            a.elements.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.elements.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            if adds { T::one() } else { T::zero() },
            T::one(),
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random::{Stream, unit};

    /// Compared with the definition: whole tiles, remainders on both sides, and depths that are no multiple of a
    /// vector.
    #[test]
    fn products_of_rows_follow_the_definition() {
        for (rows, columns, depth) in [(1, 1, 1), (4, 6, 16), (5, 7, 17), (64, 10, 33), (130, 67, 100), (3, 1, 1031)] {
            let values = |stream, length| -> Vec<f32> {
                (0..length as u64).map(|i| unit(Stream::ParityCase(stream), 1, i) - 0.5).collect()
            };
            let (a, b) = (values(0, rows * depth), values(1, columns * depth));
            let mut result = vec![f32::NAN; rows * columns];
            product_of_rows(&mut result, &a, &b, depth, |row| row[0] += 1.0);
            for i in 0..rows {
                for j in 0..columns {
                    let products = (0..depth).map(|k| f64::from(a[i * depth + k]) * f64::from(b[j * depth + k]));
                    let expected = products.sum::<f64>() + if j == 0 { 1.0 } else { 0.0 };
                    let error = (f64::from(result[i * columns + j]) - expected).abs();
                    assert!(error <= 1e-6 * (1.0 + depth as f64 / 16.0), "{rows} {columns} {depth}: {i} {j}: {error}");
                }
            }
        }
    }

    /// Compared with the definition, in all transposed forms that a dense layer needs and at sizes around the library's
    /// blocks.
    #[test]
    fn products_follow_the_definition() {
        for (m, k, n) in [(1, 1, 1), (1, 7, 1), (3, 1, 5), (17, 33, 65), (64, 256, 10), (129, 100, 31)] {
            let values = |stream, length| -> Vec<f64> {
                (0..length as u64).map(|i| f64::from(unit(Stream::ParityCase(stream), 1, i)) - 0.5).collect()
            };
            let (a, b) = (values(0, m * k), values(1, k * n));
            for (transpose_a, transpose_b) in [(false, false), (false, true), (true, false)] {
                let left = if transpose_a { Matrix::new(&a, k, m).transposed() } else { Matrix::new(&a, m, k) };
                let right = if transpose_b { Matrix::new(&b, n, k).transposed() } else { Matrix::new(&b, k, n) };
                let mut result = vec![f64::NAN; m * n];
                product(&mut result, left, right);
                product_onto(&mut result, left, right, true);
                for i in 0..m {
                    for j in 0..n {
                        let a_at = |l: usize| {
                            if transpose_a { a[l * m + i] } else { a[i * k + l] }
                        };
                        let b_at = |l: usize| {
                            if transpose_b { b[j * k + l] } else { b[l * n + j] }
                        };
                        let expected: f64 = 2.0 * (0..k).map(|l| a_at(l) * b_at(l)).sum::<f64>();
                        assert!(
                            (result[i * n + j] - expected).abs() <= 1e-12,
                            "{m} {k} {n} {transpose_a} {transpose_b}"
                        );
                    }
                }
            }
        }
    }
}
