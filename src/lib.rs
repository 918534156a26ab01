//! gpunet trains neural-network classifiers on any GPU, and on the CPU where there is none.
//!
//! A [`Dataset`] holds examples, a [`Trainer`] trains a network on them, and a [`Model`] classifies new ones:
//!
//! ```
//! use gpunet::optim::Adam;
//! use gpunet::{Dataset, Device, Split, Trainer};
//!
//! // 300 points in the plane, [300, 2]: those of class 1 lie further right than those of class 0.
//! let x: Vec<f32> = (0..300).flat_map(|i| [(i % 30) as f32 + 40.0 * (i % 2) as f32, (i % 7) as f32]).collect();
//! let y: Vec<u32> = (0..300).map(|i| i % 2).collect();
//!
//! let data = Dataset::from_features(&x, 2, &y)?.split(Split::fractions(0.1, 0.1).seed(1))?;
//! let run = Trainer::new("2-8-2".parse()?).optimizer(Adam::default()).epochs(60).device(Device::cpu()?).fit(&data)?;
//! println!("{:.1} %", 100.0 * run.test()?.accuracy());
//! let classes: Vec<u32> = run.model.predict(&[3.0f32, 1.0, 65.0, 2.0])?;
//! assert_eq!(classes, [0, 1]);
//! # Ok::<(), gpunet::Error>(())
//! ```
//!
//! The library prints nothing, reads no environment variables, and writes only to files and folders that it is given.
//!
//! # Features
//!
//! - `mnist` (default): the MNIST database inside the library, for [`Dataset::load`]`("mnist", ..)`;
//! - `charts` (default): learning curves and other charts as SVG and PNG;
//! - `cli` (default): the command `gpunet`. A library is best had without it: `default-features = false`.
//!
//! # How it works
//!
//! The forward pass, the backward pass and the optimizer are WGSL compute shaders behind one idea: *a training step is data*. A
//! network is recorded once into a plan, a list of kernel launches over named tensors, and a device replays the plan for
//! every batch. The CPU replays the same plan with a twin of each kernel in Rust. [`low_level`] has the parts.

#![warn(missing_docs)]

// Macros of this crate name it as users do.
extern crate self as gpunet;

#[doc(hidden)]
pub mod backend;
#[doc(hidden)]
pub mod data;
#[doc(hidden)]
pub mod error;
mod facade;
#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod kernels;
#[doc(hidden)]
pub mod math;
#[doc(hidden)]
pub mod nn;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod profile;
#[cfg(feature = "charts")]
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod run;
#[doc(hidden)]
pub mod settings;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod train;

pub use self::backend::DeviceError;
pub use self::backend::device::{Device, DeviceOptions};
pub use self::data::{
    DataError, Dataset, Feature, FeatureType, Features, Fractions, Normalization, NormalizationKind, Part, Split,
};
pub use self::error::Error;
pub use self::facade::{Model, Run, Trainer};
pub use self::kernels::activation::Activation;
pub use self::kernels::precision::Precision;
pub use self::kernels::step::BatchMetrics;
pub use self::nn::arch::{Arch, ArchError};
pub use self::nn::clipping::Clipping;
pub use self::nn::init::Init;
pub use self::nn::loss::{ClassWeights, Loss};
pub use self::nn::network::PerLayer;
#[doc(inline)]
pub use self::nn::optim;
pub use self::nn::regularization::Regularization;
pub use self::run::config::{BatchSize, Config, RecipeError};
pub use self::run::early_stopping::EarlyStopping;
pub use self::run::history::EpochRecord;
pub use self::run::metric::Metric;
pub use self::run::schedule::{Decay, Plateau, Schedule};
pub use self::settings::SettingError;
pub use self::store::StoreError;
pub use self::train::{ClassReport, Ending, Evaluation, Event, Metrics};

/// The rooms that the library is built from, for tools that need more than the facade: own kernels and layers, plans,
/// profiles, the range test. Unstable: anything in here may change in any version.
pub mod low_level {
    #[cfg(feature = "charts")]
    #[doc(inline)]
    pub use crate::report;
    /// For the derives of [`kernels::kernel::params`].
    #[doc(hidden)]
    pub use bytemuck;

    #[doc(inline)]
    pub use crate::{backend, data, error, files, kernels, math, nn, plan, profile, run, settings, store, train};
}
