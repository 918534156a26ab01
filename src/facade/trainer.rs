//! Training in a few lines.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Model, Run};
use crate::backend::device::{Device, DeviceOptions};
use crate::data::{Dataset, NormalizationKind, Part};
use crate::error::Error;
use crate::kernels::activation::Activation;
use crate::kernels::precision::Precision;
use crate::nn::arch::Arch;
use crate::nn::clipping::Clipping;
use crate::nn::init::Init;
use crate::nn::loss::{ClassWeights, Loss};
use crate::nn::network::PerLayer;
use crate::nn::optim::Optimizer;
use crate::nn::regularization::Regularization;
use crate::run::config::{BatchSize, Config};
use crate::run::early_stopping::EarlyStopping;
use crate::run::schedule::Schedule;
use crate::store::{Checkpoint, RunFolder};
use crate::train::{Event, EventHandler, go_on, resume, train};

/// Trains networks. Each method sets one thing; [`Trainer::fit`] trains.
///
/// Without further settings a network is trained as `gpunet train` would: see [`Config`] for the defaults.
///
/// ```
/// use gpunet::optim::Adam;
/// use gpunet::{Dataset, Device, Split, Trainer};
///
/// // Two classes of points on a line: below 0, and above.
/// let x: Vec<f32> = (0..200).map(|i| i as f32 / 100.0 - 0.995).collect();
/// let y: Vec<u32> = x.iter().map(|&x| u32::from(x > 0.0)).collect();
/// let data = Dataset::from_features(&x, 1, &y)?.split(Split::fractions(0.1, 0.1))?;
/// let run = Trainer::new("1-8-2".parse()?)
///     .optimizer(Adam { learning_rate: 0.01, ..Adam::default() })
///     .batch(20)
///     .epochs(20)
///     .device(Device::cpu()?)
///     .fit(&data)?;
/// assert!(run.test()?.accuracy() > 0.8);
/// assert_eq!(run.model.predict(&[-0.9f32, 0.9])?, [0, 1]);
/// # Ok::<(), gpunet::Error>(())
/// ```
#[must_use = "nothing is trained before `fit`"]
pub struct Trainer<'a> {
    config: Config,
    /// Chosen by the kind of the features unless the caller did.
    normalization: Option<NormalizationKind>,
    device: Option<Arc<Device>>,
    folder: Folder,
    on_event: Box<EventHandler<'a>>,
}

/// Where a run is kept.
enum Folder {
    Nowhere,
    New { path: PathBuf, replace: bool },
    Resumed { run: RunFolder, settled: Box<Config>, checkpoint: Checkpoint<'static> },
}

impl<'a> Trainer<'a> {
    /// Trains a network of this architecture, such as `"784-500-10".parse()?`.
    pub fn new(arch: Arch) -> Trainer<'a> {
        let config = Config { arch, ..Config::default() };
        Trainer { config, normalization: None, device: None, folder: Folder::Nowhere, on_event: Box::new(go_on) }
    }

    /// Goes on with the run in a folder, with its settings: on the same device to the same bits as without the stop. Only
    /// epochs, device and threads may be changed, and the data must be the same.
    ///
    /// # Errors
    /// A folder without a sound checkpoint.
    pub fn resume(folder: impl AsRef<Path>) -> Result<Trainer<'a>, Error> {
        let (run, config, checkpoint) = RunFolder::resume(folder.as_ref())?;
        let settled = Box::new(config.clone());
        let trainer = Trainer::new(config.arch.clone()).config(config);
        Ok(Trainer { folder: Folder::Resumed { run, settled, checkpoint }, ..trainer })
    }

    /// Takes all settings from a configuration, such as [`Config::from_recipe`] reads, its architecture and normalization included.
    /// The settings of the data (`data`, `pool`, `validation`, `test`, `subset`) do not count: the data is what [`Trainer::fit`] is given.
    pub fn config(self, config: Config) -> Trainer<'a> {
        Trainer { normalization: Some(config.normalization), config, ..self }
    }

    /// Activation of the hidden layers; ReLU by default.
    pub fn activation(mut self, activation: Activation) -> Trainer<'a> {
        self.config.activation = PerLayer::All(activation);
        self
    }

    /// Probability to drop a value of each hidden layer, from 0 up to but below 1; 0 by default.
    pub fn dropout(mut self, rate: f64) -> Trainer<'a> {
        self.config.dropout = PerLayer::All(rate);
        self
    }

    /// What weights start from; He's normal distribution by default.
    pub fn init(mut self, init: Init) -> Trainer<'a> {
        self.config.init = init;
        self
    }

    /// How features become inputs. By default bytes are scaled to `[0, 1]` and `f32` features are standardized, each by its
    /// own mean and deviation in the training set ([`NormalizationKind::usual`]).
    pub fn normalization(mut self, normalization: NormalizationKind) -> Trainer<'a> {
        self.normalization = Some(normalization);
        self
    }

    /// Passes over the training set; 12 by default.
    pub fn epochs(mut self, epochs: usize) -> Trainer<'a> {
        self.config.epochs = epochs;
        self
    }

    /// Examples of a batch; 100 by default, and at most the training set.
    pub fn batch(mut self, rows: usize) -> Trainer<'a> {
        self.config.batch = BatchSize::Rows(rows);
        self
    }

    /// One update an epoch, made from the whole training set.
    pub fn full_batch(mut self) -> Trainer<'a> {
        self.config.batch = BatchSize::Full;
        self
    }

    /// Batches whose gradients add up to one update; 1 by default.
    pub fn accumulate(mut self, batches: usize) -> Trainer<'a> {
        self.config.accumulate = batches;
        self
    }

    /// Whether each epoch takes the examples in an order of its own; it does by default.
    pub fn shuffle(mut self, shuffle: bool) -> Trainer<'a> {
        self.config.shuffle = shuffle;
        self
    }

    /// Seed of initial weights, order and dropout; 1 by default. The same seed on the same device gives the same bits.
    pub fn seed(mut self, seed: u64) -> Trainer<'a> {
        self.config.seed = seed;
        self
    }

    /// Storage of activations and the way products are made; plain `f32` by default.
    pub fn precision(mut self, precision: Precision) -> Trainer<'a> {
        self.config.precision = precision;
        self
    }

    /// What training minimizes; softmax cross-entropy by default.
    pub fn loss(mut self, loss: Loss) -> Trainer<'a> {
        self.config.loss = loss;
        self
    }

    /// Weights of the classes' examples in the loss; all alike by default.
    pub fn class_weights(mut self, weights: ClassWeights) -> Trainer<'a> {
        self.config.class_weights = Some(weights);
        self
    }

    /// The update rule with its settings, such as [`Adam`](crate::nn::optim::Adam); gradient descent by default.
    pub fn optimizer(mut self, optimizer: impl Into<Optimizer>) -> Trainer<'a> {
        self.config.optimizer = optimizer.into();
        self
    }

    /// How the learning rate changes in the course of the run; it is constant by default.
    pub fn schedule(mut self, schedule: Schedule) -> Trainer<'a> {
        self.config.schedule = schedule;
        self
    }

    /// Penalties on weights, weight decay and bounds on weights; none by default.
    pub fn regularization(mut self, regularization: Regularization) -> Trainer<'a> {
        self.config.regularization = regularization;
        self
    }

    /// Bounds on gradients; none by default.
    pub fn clipping(mut self, clipping: Clipping) -> Trainer<'a> {
        self.config.clipping = clipping;
        self
    }

    /// Stops before the last epoch once the validation set shows no more gain, and keeps the best model.
    pub fn early_stopping(mut self, stopping: EarlyStopping) -> Trainer<'a> {
        self.config.early_stopping = Some(stopping);
        self
    }

    /// The device to train and to predict on; by default the one that the configuration names, which is `auto` unless it says otherwise.
    pub fn device(self, device: impl Into<Arc<Device>>) -> Trainer<'a> {
        Trainer { device: Some(device.into()), ..self }
    }

    /// Keeps the run in this folder, as `gpunet train` does: settings, history, model and checkpoint after each epoch. Without it
    /// nothing is written. A folder that holds a run is refused.
    pub fn run_folder(self, path: impl Into<PathBuf>) -> Trainer<'a> {
        Trainer { folder: Folder::New { path: path.into(), replace: false }, ..self }
    }

    /// As [`Trainer::run_folder`], but a run that the folder holds is replaced when the first epoch is kept.
    pub fn replace_run_folder(self, path: impl Into<PathBuf>) -> Trainer<'a> {
        Trainer { folder: Folder::New { path: path.into(), replace: true }, ..self }
    }

    /// Calls `handler` with each [`Event`]. Where it returns [`ControlFlow::Break`] training ends, and [`Run::ending`] says so:
    /// after an epoch with that epoch's model, within an epoch with the parameters as the last step left them. A run folder
    /// then holds the last whole epoch, and [`Trainer::resume`] can go on from there.
    pub fn on_event(self, handler: impl FnMut(Event<'_>) -> ControlFlow<()> + 'a) -> Trainer<'a> {
        Trainer { on_event: Box::new(handler), ..self }
    }

    /// Trains on the training set, judges each epoch on the validation set if there is one, and evaluates the test set once at
    /// the end if there is one.
    ///
    /// # Errors
    /// Settings that make no sense or do not fit the data, a device that is missing or fails, a loss that is not finite, a run
    /// folder that cannot be written.
    pub fn fit(mut self, data: &Dataset) -> Result<Run, Error> {
        let usual = NormalizationKind::usual(data.values.kind());
        self.config.normalization = self.normalization.unwrap_or(usual);
        if let Folder::Resumed { settled, .. } = &self.folder {
            let Config { epochs, threads, device, .. } = self.config.clone();
            if (Config { epochs, threads, device, ..(**settled).clone() }) != self.config {
                return Err(Error::OtherSettings);
            }
        } else {
            describe(data, &mut self.config);
        }
        let Trainer { config, device, folder, mut on_event, .. } = self;
        config.validate()?;
        let device = match device {
            Some(device) => device,
            None => {
                let options = DeviceOptions { threads: config.threads, ..DeviceOptions::default() };
                Arc::new(Device::open(&config.device, &options)?)
            }
        };
        let backend = device.backend.as_ref();
        let (outcome, path) = match folder {
            Folder::Nowhere => (train(&config, data, backend, None, &mut on_event)?, None),
            Folder::New { path, replace } => {
                let mut run = RunFolder::create(&path, replace)?;
                (train(&config, data, backend, Some(&mut run), &mut on_event)?, Some(path))
            }
            Folder::Resumed { mut run, checkpoint, .. } => {
                let outcome = resume(&config, checkpoint, data, backend, Some(&mut run), &mut on_event)?;
                (outcome, Some(run.path().to_path_buf()))
            }
        };
        Ok(Run {
            model: Model::new(outcome.model, Some(device)),
            history: outcome.history,
            ending: outcome.ending,
            kept_epoch: outcome.kept_epoch,
            test: outcome.test,
            left_out: outcome.left_out,
            folder: path,
            data: data.name.clone(),
        })
    }
}

/// Writes into a configuration where the data came from and how it was split.
fn describe(data: &Dataset, config: &mut Config) {
    match &data.origin {
        Some((name, split)) => {
            config.data.clone_from(name);
            config.validation = Some(data.part(Part::Validation).len());
            (config.test, config.pool, config.subset) = (split.test, split.pool, split.subset);
        }
        None => {
            config.data.clone_from(&data.name);
            (config.validation, config.test, config.pool, config.subset) = (None, None, false, None);
        }
    }
}
