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
pub enum ConfigError {
    /// A value that is out of its range.
    #[error("{} is {value}; {must}", shown(.key))]
    Setting {
        /// The setting's path in a recipe, such as `optimizer.beta1`.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What it must be, as a clause.
        must: String,
    },
    /// Settings that exclude each other.
    #[error("{} and {} contradict each other: {why}", shown(.keys[0]), shown(.keys[1]))]
    Contradiction {
        /// Their paths in a recipe.
        keys: [&'static str; 2],
        /// Why they cannot both be, as a clause.
        why: String,
    },
    /// A size that shaders cannot count.
    #[error("{count} is too many to count in 32 bits, as shaders do: {what}")]
    TooLarge {
        /// What is counted, and what to change.
        what: &'static str,
        /// The count.
        count: u128,
    },
}

impl ConfigError {
    /// An error unless `ok`: the setting at `key` is `value`, but it must be otherwise.
    pub fn unless(ok: bool, key: &'static str, value: impl ToString, must: impl ToString) -> Result<(), ConfigError> {
        if ok { Ok(()) } else { Err(ConfigError::Setting { key, value: value.to_string(), must: must.to_string() }) }
    }
}

/// Options of the command line by the path of the setting that they set.
const FLAGS: [(&str, &str); 4] =
    [("batch", "--batch"), ("epochs", "--epochs"), ("threads", "--threads"), ("optimizer.learning_rate", "--lr")];

/// A setting as a user knows it: by its option, or by its path in a recipe where it has none.
fn shown(key: &str) -> String {
    FLAGS.iter().find(|(path, _)| *path == key).map_or(format!("`{key}`"), |(_, flag)| (*flag).to_string())
}

/// Whether kernels, which compute in f32, take `value` for a positive number: large f64 are infinite there, small ones 0.
pub(crate) fn is_positive(value: f64) -> bool {
    value > 0.0 && (value as f32).is_normal()
}

/// The most threads that the CPU backend starts.
const MOST_THREADS: usize = 512;

/// Checks a number of threads; `None` is one a core.
///
/// # Errors
/// None, or more than are of use.
pub fn check_threads(threads: Option<usize>) -> Result<(), ConfigError> {
    let Some(threads) = threads else { return Ok(()) };
    let must = format!("the CPU backend takes from 1 to {MOST_THREADS} (leave it out for one a core)");
    ConfigError::unless((1..=MOST_THREADS).contains(&threads), "threads", threads, must)
}

impl Config {
    /// Checks every setting that can be judged without data or device.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        ConfigError::unless(self.batch > 0, "batch", self.batch, "a step needs at least one example")?;
        ConfigError::unless(self.epochs > 0, "epochs", self.epochs, "training needs at least one pass over the data")?;
        check_threads(self.threads)?;
        self.optimizer.check()
    }
}
