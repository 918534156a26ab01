//! gpunet trains neural-network classifiers on any GPU, and on the CPU where there is none.
//!
//! The forward pass, the backward pass and the optimizer are WGSL compute shaders behind one idea: *a training step is data*.
//! A [`model::Model`] is recorded once into a [`plan::Plan`], a list of [`kernel::Kernel`] launches over named tensors, and a
//! [`backend::Backend`] replays it for every batch. The CPU backend runs the same plan with the kernels' CPU twins.
//!
//! ```
//! use gpunet::{arch::Arch, backend::cpu::CpuBackend, config::Config, data, train};
//!
//! let config = Config { arch: "784-16-10".parse()?, epochs: 1, validation: Some(1000), ..Config::default() };
//! let dataset = data::Dataset::load(&config.data, &config.split())?;
//! let backend = CpuBackend::<f32>::new(None)?;
//! let outcome = train::train(&config, &dataset, &backend, None, &mut |_event| {})?;
//! assert!(outcome.test.accuracy() > 0.85);
//! # Ok::<(), gpunet::error::Error>(())
//! ```

#![warn(missing_docs)]

pub mod activation;
pub mod arch;
pub mod backend;
pub mod clipping;
pub mod config;
mod conv;
pub mod data;
pub mod device;
pub mod early_stopping;
pub mod error;
pub mod gemm;
pub mod init;
pub mod kernel;
pub mod kernels;
pub mod layers;
pub mod loss;
pub mod metric;
pub mod model;
pub mod network;
pub mod optim;
pub mod parity;
pub mod plan;
pub mod precision;
pub mod profile;
pub mod random;
pub mod real;
pub mod regularization;
pub mod report;
pub mod schedule;
mod simd;
pub mod spec;
pub mod step;
pub mod store;
pub mod train;
