//! What a training run is made from: everything in a run's `config.toml`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::arch::Arch;
use crate::optim::Optimizer;

/// All settings of a run. Two runs with the same configuration on the same device end in the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Layer sizes.
    pub arch: Arch,
    /// `mnist`, or a directory of IDX files.
    pub data: String,
    /// Examples cut from the training data for validation; `None` is 5,000, or a sixth of a smaller set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// Examples a step.
    pub batch: usize,
    /// Passes over the training data.
    pub epochs: usize,
    /// Seed of initialization, split and order.
    pub seed: u64,
    /// `auto`, `cpu`, `gpu`, an index or a part of an adapter's name.
    pub device: String,
    /// Threads of the CPU backend; `None` is one a core. Results do not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// The update rule.
    pub optimizer: Optimizer,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            arch: "784-512-256-10".parse().expect("the default architecture parses"),
            data: crate::data::MNIST.to_string(),
            validation: None,
            batch: 100,
            epochs: 12,
            seed: 1,
            device: "auto".to_string(),
            threads: None,
            optimizer: Optimizer::sgd(),
        }
    }
}

/// A setting that makes no sense.
#[derive(Debug, Error, PartialEq)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum ConfigError {
    #[error("--batch is 0; a step needs at least one example (the default is 100)")]
    ZeroBatch,
    #[error("--epochs is 0; training needs at least one pass over the data")]
    ZeroEpochs,
    #[error("--threads is 0; the CPU backend needs at least one (leave the option out for one a core)")]
    ZeroThreads,
    #[error("--threads {threads} is more than the {MOST_THREADS} that are of any use")]
    TooManyThreads { threads: usize },
    #[error("{name} is {value:?}; {must}")]
    OutOfRange { name: &'static str, value: f64, must: &'static str },
    #[error("{count} is too many to count in 32 bits, as shaders do: {what}")]
    TooLarge { what: &'static str, count: u128 },
}

/// The most threads that the CPU backend starts.
const MOST_THREADS: usize = 512;

/// Checks a number of threads; `None` is one a core.
///
/// # Errors
/// None, or more than are of use.
pub fn check_threads(threads: Option<usize>) -> Result<(), ConfigError> {
    match threads {
        Some(0) => Err(ConfigError::ZeroThreads),
        Some(threads) if threads > MOST_THREADS => Err(ConfigError::TooManyThreads { threads }),
        _ => Ok(()),
    }
}

impl Config {
    /// Checks every setting that can be judged without data or device.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.batch == 0 {
            return Err(ConfigError::ZeroBatch);
        }
        if self.epochs == 0 {
            return Err(ConfigError::ZeroEpochs);
        }
        check_threads(self.threads)?;
        let check = |name, value: f64, ok: bool, must| {
            if ok { Ok(()) } else { Err(ConfigError::OutOfRange { name, value, must }) }
        };
        let rate = self.optimizer.learning_rate();
        // Kernels compute in f32, where large f64 are infinite and small ones 0, or taken for 0 by a GPU.
        let positive = |value: f64| (value as f32).is_normal() && value > 0.0;
        check("--lr", rate, positive(rate), "a learning rate must be a positive f32, such as 0.001")?;
        if let Optimizer::Adam { beta1, beta2, epsilon, .. } = self.optimizer {
            let must = "a decay of Adam's moments lies from 0 up to but below 1";
            check("beta1 of the optimizer", beta1, (0.0..1.0).contains(&beta1), must)?;
            check("beta2 of the optimizer", beta2, (0.0..1.0).contains(&beta2), must)?;
            check(
                "epsilon of the optimizer",
                epsilon,
                positive(epsilon),
                "Adam's epsilon must be a positive f32, such as 1e-8",
            )?;
        }
        Ok(())
    }
}
