//! What a training run is made from: everything in a run's `config.toml`.

mod batch;
mod layers;
mod recipe;
mod sections;

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

/// Declares the settings of a run, one entry each: documentation, `key: Type = default` and, for most, a check of the configuration.
macro_rules! settings {
    ($($(#[$attribute:meta])* $key:ident: $type:ty = $default:expr $(, check $check:expr)?;)*) => {
        /// All settings of a run. Two runs with the same configuration on the same device end in the same bits.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Config {
            $($(#[$attribute])* pub $key: $type,)*
        }

        impl Default for Config {
            fn default() -> Config {
                Config { $($key: $default,)* }
            }
        }

        /// The checks, in the order of the settings.
        const CHECKS: &[fn(&Config) -> Result<(), SettingError>] = &[$($($check,)?)*];
    };
}

settings! {
    /// Layers.
    arch: Arch = default_network().arch, check |config| config.network().check();
    /// Activation of the hidden layers: one for all, or a list in their order.
    activation: PerLayer<Activation> = default_network().activation;
    /// Probability of dropping a value of each hidden layer; a list begins with that of the inputs.
    dropout: PerLayer<f64> = default_network().dropout;
    /// Distribution of the initial weights.
    init: Init = default_network().init;

    /// `mnist`, or a directory of IDX files.
    data: String = crate::data::MNIST.to_string();
    /// Whether the data set's training and test data are put together and split anew.
    pool: bool = false;
    /// Examples cut from the training data for validation; `None` is 5,000, or a sixth of a smaller set.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<usize> = None;
    /// Test examples; `None` is as many as the data set has for testing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<usize> = None;
    /// Examples to train on, with the classes as balanced as possible; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    subset: Option<usize> = None;
    /// How bytes become inputs.
    normalization: NormalizationKind = NormalizationKind::Scale;

    /// Passes over the training set.
    epochs: usize = 12, check |config| check_epochs(config.epochs);
    /// Examples per batch, or `full`.
    batch: BatchSize = BatchSize::Rows(100), check |config| config.batch.check(config.accumulate);
    /// Batches whose gradients add up to one update.
    accumulate: usize = 1;
    /// Whether each epoch takes the examples in a new random order.
    shuffle: bool = true;
    /// Seed of initial weights, splits, order and dropout.
    seed: u64 = 1;
    /// `auto`, `cpu`, `gpu`, an index or a part of an adapter's name.
    device: String = "auto".to_string();
    /// Threads of the CPU backend; `None` is one per core. Results do not depend on their number.
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize> = None, check |config| check_threads(config.threads);
    /// What activations are stored as, and how matrix products are made.
    precision: Precision = Precision::F32;

    /// Weight of the examples of each class in training; `None` is equal weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    class_weights: Option<ClassWeights> = None,
        check |config| config.class_weights.as_ref().map_or(Ok(()), ClassWeights::check);
    /// What training minimizes.
    loss: Loss = Loss::default(), check |config| config.loss.check();
    /// The update rule.
    optimizer: Optimizer = Optimizer::sgd(), check |config| config.optimizer.check();
    /// How the learning rate changes.
    schedule: Schedule = Schedule::default(), check |config| config.schedule.check(config.epochs);
    /// What keeps weights small.
    regularization: Regularization = Regularization::default(), check |config| config.regularization.check();
    /// Bounds on gradients.
    clipping: Clipping = Clipping::default(), check |config| config.clipping.check();
    /// When to stop before the last epoch, and with which model; `None` trains all epochs and keeps the last model.
    #[serde(skip_serializing_if = "Option::is_none")]
    early_stopping: Option<EarlyStopping> = None,
        check |config| config.early_stopping.map_or(Ok(()), |stopping| stopping.check());
}

fn default_network() -> Network {
    "784-512-256-10".parse::<Arch>().expect("the default architecture parses").into()
}

/// The most threads that the CPU backend starts.
const MOST_THREADS: usize = 512;

/// Checks a number of threads; `None` is one per core.
///
/// # Errors
/// Zero, or more than are useful.
pub fn check_threads(threads: Option<usize>) -> Result<(), SettingError> {
    let Some(threads) = threads else { return Ok(()) };
    let must = format!("the CPU backend takes from 1 to {MOST_THREADS} (leave it out for one per core)");
    SettingError::unless((1..=MOST_THREADS).contains(&threads), "threads", threads, must)
}

fn check_epochs(epochs: usize) -> Result<(), SettingError> {
    SettingError::unless(epochs > 0, "epochs", epochs, "training needs at least one pass over the data")?;
    SettingError::unless(u32::try_from(epochs).is_ok(), "epochs", epochs, "epochs are counted in 32 bits")
}

impl Config {
    /// Checks every setting that can be judged without data or device.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn validate(&self) -> Result<(), SettingError> {
        CHECKS.iter().try_for_each(|check| check(self))
    }

    /// The network to train.
    pub fn network(&self) -> Network {
        let Config { arch, activation, dropout, init, .. } = self;
        Network { arch: arch.clone(), activation: activation.clone(), dropout: dropout.clone(), init: *init }
    }

    /// The batches and updates of an epoch over `examples` training examples.
    pub fn batching(&self, examples: usize) -> Batching {
        Batching::new(self.batch, self.accumulate, examples)
    }

    /// How the training of the network is recorded, in these batches and with equal class weights.
    pub fn training_options(&self, batching: Batching) -> TrainingOptions {
        let Config { loss, optimizer, regularization, clipping, precision, .. } = *self;
        let (batch, fuse_updates) = (batching.rows, batching.per_update == 1);
        let options =
            TrainingOptions { batch, loss, optimizer, regularization, clipping, ..TrainingOptions::default() };
        TrainingOptions { precision, fuse_updates, ..options }
    }

    /// How the data is split.
    pub fn split(&self) -> Split {
        let Config { validation, test, pool, subset, seed, .. } = *self;
        Split { validation, test, pool, subset, seed }
    }
}
