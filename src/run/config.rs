//! What a training run is made from: everything in a run's `config.toml`.

mod batch;
mod layers;
mod recipe;

use serde::{Deserialize, Serialize};

pub use batch::{BatchSize, Batching};
pub use recipe::RecipeError;

use crate::data::{NormalizationKind, Split};
use crate::kernels::activation::Activation;
use crate::kernels::precision::Precision;
use crate::nn::arch::Arch;
use crate::nn::clipping::Clipping;
use crate::nn::init::Init;
use crate::nn::loss::{ClassWeights, Loss};
use crate::nn::model::TrainingOptions;
use crate::nn::network::{Network, PerLayer};
use crate::nn::optim::Optimizer;
use crate::nn::regularization::Regularization;
use crate::run::early_stopping::EarlyStopping;
use crate::run::schedule::Schedule;
use crate::settings::SettingError;

/// All settings of a run. Two runs with the same configuration on the same device end in the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Layers.
    pub arch: Arch,
    /// Of the hidden layers: one for all, or a list in their order.
    pub activation: PerLayer<Activation>,
    /// Probability to drop a value of each hidden layer; a list begins with the inputs'.
    pub dropout: PerLayer<f64>,
    /// What weights start from.
    pub init: Init,

    /// `mnist`, or a directory of IDX files.
    pub data: String,
    /// Whether the data set's training and test data are put together before they are parted anew.
    pub pool: bool,
    /// Examples cut from the training data for validation; `None` is 5,000, or a sixth of a smaller set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// Test examples; `None` is as many as the data set has for testing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
    /// Examples to train on, as many of each class as can be; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subset: Option<usize>,
    /// How bytes become inputs.
    pub normalization: NormalizationKind,

    /// Passes over the training data.
    pub epochs: usize,
    /// Examples a batch, or `full`.
    pub batch: BatchSize,
    /// Batches whose gradients add up to one update.
    pub accumulate: usize,
    /// Whether each epoch takes the examples in an order of its own.
    pub shuffle: bool,
    /// Seed of initialization, split, order and dropout.
    pub seed: u64,
    /// `auto`, `cpu`, `gpu`, an index or a part of an adapter's name.
    pub device: String,
    /// Threads of the CPU backend; `None` is one a core. Results do not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// What activations are stored as, and how products are made.
    pub precision: Precision,

    /// How much the examples of each class weigh in training; `None` is all alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// What training minimizes.
    pub loss: Loss,
    /// The update rule.
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// What keeps weights small.
    pub regularization: Regularization,
    /// Bounds on gradients.
    pub clipping: Clipping,
    /// When to stop before the last epoch, and with which model; `None` trains all epochs and keeps the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
}

impl Default for Config {
    fn default() -> Config {
        let arch: Arch = "784-512-256-10".parse().expect("the default architecture parses");
        let Network { arch, activation, dropout, init } = arch.into();
        Config {
            arch,
            activation,
            dropout,
            init,
            data: crate::data::MNIST.to_string(),
            pool: false,
            validation: None,
            test: None,
            subset: None,
            normalization: NormalizationKind::Scale,
            epochs: 12,
            batch: BatchSize::Rows(100),
            accumulate: 1,
            shuffle: true,
            seed: 1,
            device: "auto".to_string(),
            threads: None,
            precision: Precision::F32,
            class_weights: None,
            loss: Loss::default(),
            optimizer: Optimizer::sgd(),
            schedule: Schedule::default(),
            regularization: Regularization::default(),
            clipping: Clipping::default(),
            early_stopping: None,
        }
    }
}

/// The most threads that the CPU backend starts.
const MOST_THREADS: usize = 512;

/// Checks a number of threads; `None` is one a core.
///
/// # Errors
/// None, or more than are of use.
pub fn check_threads(threads: Option<usize>) -> Result<(), SettingError> {
    let Some(threads) = threads else { return Ok(()) };
    let must = format!("the CPU backend takes from 1 to {MOST_THREADS} (leave it out for one a core)");
    SettingError::unless((1..=MOST_THREADS).contains(&threads), "threads", threads, must)
}

impl Config {
    /// Checks every setting that can be judged without data or device.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::unless(self.epochs > 0, "epochs", self.epochs, "training needs at least one pass over the data")?;
        let must = "epochs are counted in 32 bits";
        SettingError::unless(u32::try_from(self.epochs).is_ok(), "epochs", self.epochs, must)?;
        check_threads(self.threads)?;
        self.batch.check(self.accumulate)?;
        self.network().check()?;
        self.loss.check()?;
        self.class_weights.as_ref().map_or(Ok(()), ClassWeights::check)?;
        self.optimizer.check()?;
        self.schedule.check(self.epochs)?;
        self.regularization.check()?;
        self.clipping.check()?;
        self.early_stopping.map_or(Ok(()), |stopping| stopping.check())
    }

    /// The network to train.
    pub fn network(&self) -> Network {
        let Config { arch, activation, dropout, init, .. } = self;
        Network { arch: arch.clone(), activation: activation.clone(), dropout: dropout.clone(), init: *init }
    }

    /// How its training is recorded, in these batches and with all classes weighing alike.
    pub fn training_options(&self, batching: Batching) -> TrainingOptions {
        let Config { loss, optimizer, regularization, clipping, precision, .. } = *self;
        let (batch, fuse_updates) = (batching.rows, batching.per_update == 1);
        let options =
            TrainingOptions { batch, loss, optimizer, regularization, clipping, ..TrainingOptions::default() };
        TrainingOptions { precision, fuse_updates, ..options }
    }

    /// How the data is parted.
    pub fn split(&self) -> Split {
        let Config { validation, test, pool, subset, seed, .. } = *self;
        Split { validation, test, pool, subset, seed }
    }
}
