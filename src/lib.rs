//! gpunet trains neural-network classifiers on any GPU, and on the CPU where there is none.
//!
//! The forward pass, the backward pass and the optimizer are WGSL compute shaders behind one idea: *a training step is data*.
//! A [`nn::model::Model`] is recorded once into a [`plan::Plan`], a list of [`kernels::kernel::Kernel`] launches over named tensors, and a
//! [`backend::Backend`] replays it for every batch. The CPU backend runs the same plan with the kernels' CPU twins.
//!
//! ```
//! use gpunet::low_level::{backend::cpu::CpuBackend, data, run::config::Config, train};
//!
//! let config = Config { arch: "784-16-10".parse()?, epochs: 1, validation: Some(1000), ..Config::default() };
//! let dataset = data::Dataset::load(&config.data, &config.split())?;
//! let backend = CpuBackend::<f32>::new(None)?;
//! let outcome = train::train(&config, &dataset, &backend, None, &mut train::go_on)?;
//! assert!(outcome.test.is_some_and(|test| test.accuracy() > 0.85));
//! # Ok::<(), gpunet::low_level::error::Error>(())
//! ```

#![warn(missing_docs)]

pub mod backend;
pub mod data;
pub mod error;
pub mod files;
pub mod kernels;
pub mod math;
pub mod nn;
pub mod plan;
pub mod profile;
#[cfg(feature = "charts")]
pub mod report;
pub mod run;
pub mod settings;
pub mod store;
pub mod train;

/// The rooms that the library is built from, for tools that need more than the facade. Unstable: anything here may change in any version.
pub mod low_level {
    #[cfg(feature = "charts")]
    pub use crate::report;
    pub use crate::{backend, data, error, files, kernels, math, nn, plan, profile, run, settings, store, train};
}
