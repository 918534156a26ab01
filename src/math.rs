//! Arithmetic on slices of numbers, on the CPU: floats, vectors, matrix products, convolutions, random numbers. This
//! module does not depend on kernels.

pub(crate) mod conv;
pub mod gemm;
pub mod random;
pub mod real;
pub mod shape;
pub(crate) mod simd;
