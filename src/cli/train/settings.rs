//! The settings that options come to.

use anyhow::bail;
use gpunet::low_level::data::MNIST;
use gpunet::low_level::nn::arch::Arch;
use gpunet::low_level::nn::loss::{ClassWeights, Loss};
use gpunet::low_level::nn::network::PerLayer;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::run::config::Config;
use gpunet::low_level::run::schedule::Schedule;
use gpunet::low_level::settings::SpecError;
use gpunet::low_level::store::load_config;

use super::options::{Arguments, Settings};

/// Epochs after which an overfit check that asks for no number gives up.
const OVERFIT_EPOCHS: usize = 200;

impl Settings {
    /// `config` with what the options say.
    pub(in crate::cli) fn apply(&self, mut config: Config) -> anyhow::Result<Config> {
        if let Some(arch) = &self.arch {
            config.arch = arch.parse::<Arch>()?;
        }
        if let Some(activation) = self.activation {
            config.activation = PerLayer::All(activation);
        }
        if let Some(rate) = self.dropout {
            config.dropout = PerLayer::All(rate);
        }
        if let Some(optimizer) = self.optimizer() {
            config.optimizer = optimizer;
        }
        if let Some(lr) = self.lr {
            config.optimizer = config.optimizer.with_learning_rate(lr);
        }
        if let Some(loss) = self.loss {
            config.loss = loss;
        }
        if let Some(given) = self.label_smoothing {
            match &mut config.loss {
                Loss::SoftmaxCrossEntropy { label_smoothing } => *label_smoothing = given,
                other => bail!("--label-smoothing is for softmax-cross-entropy; the loss is {}", other.name()),
            }
        }
        if let Some(given) = self.schedule {
            // A recipe's warm-up may come before any schedule.
            let warmup = if given.names_warmup { given.schedule.warmup } else { config.schedule.warmup };
            config.schedule = Schedule { warmup, ..given.schedule };
        }
        // Options that are given are set, one like the other.
        macro_rules! set {
            ($($setting:ident),*) => { $(if let Some(given) = &self.$setting { config.$setting = given.clone(); })* };
        }
        set!(init, data, pool, normalization, batch, accumulate, epochs, shuffle, seed, precision);
        config.schedule.warmup = self.warmup.unwrap_or(config.schedule.warmup);
        config.validation = self.validation.or(config.validation);
        config.test = self.test.or(config.test);
        config.subset = self.subset.or(config.subset);
        config.class_weights = self.class_weights.clone().or(config.class_weights);
        config.early_stopping = self.early_stopping.or(config.early_stopping);
        config.regularization.l1 = self.l1.unwrap_or(config.regularization.l1);
        config.regularization.l2 = self.l2.unwrap_or(config.regularization.l2);
        config.regularization.weight_decay = self.weight_decay.or(config.regularization.weight_decay);
        config.regularization.max_norm = self.max_norm.or(config.regularization.max_norm);
        config.clipping.norm = self.clip_norm.or(config.clipping.norm);
        config.clipping.value = self.clip_value.or(config.clipping.value);
        config.threads = self.device.threads.or(config.threads);
        if let Some(device) = &self.device.device {
            config.device.clone_from(device);
        }
        // Other commands, run elsewhere, find the data again.
        if let Ok(directory) = std::fs::canonicalize(&config.data)
            && config.data != MNIST
        {
            config.data = directory.to_string_lossy().into_owned();
        }
        config.validate()?;
        Ok(config)
    }
}

impl Settings {
    /// The optimizer that the options name, with its own defaults.
    fn optimizer(&self) -> Option<Optimizer> {
        let short = [("adam", self.adam), ("sgd", self.sgd), ("momentum", self.momentum), ("rmsprop", self.rmsprop)];
        let named = short.into_iter().find(|&(_, given)| given).and_then(|(name, _)| Optimizer::named(name));
        self.optimizer.or(named)
    }
}

/// A schedule as an option gives it.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenSchedule {
    schedule: Schedule,
    /// Whether it says for how long to warm up, be it 0.
    names_warmup: bool,
}

/// Reads `step:every=10`.
pub(super) fn schedule(text: &str) -> Result<GivenSchedule, SpecError> {
    let names_warmup = text.split(':').any(|part| part.split('=').next().is_some_and(|key| key.trim() == "warmup"));
    Ok(GivenSchedule { schedule: Schedule::parse(text)?, names_warmup })
}

/// Reads `balanced`, or numbers with commas between.
pub(super) fn class_weights(text: &str) -> Result<ClassWeights, String> {
    if text == "balanced" {
        return Ok(ClassWeights::Balanced);
    }
    let weights: Result<Vec<f64>, _> = text.split(',').map(|weight| weight.trim().parse()).collect();
    weights.map(ClassWeights::Listed).map_err(|_| "class weights are `balanced`, or a number a class".to_string())
}

impl Settings {
    /// The recipe's settings, or the defaults.
    fn base(&self) -> anyhow::Result<Config> {
        Ok(match &self.recipe {
            Some(path) => load_config(path)?,
            None => Config::default(),
        })
    }

    /// The settings of a new run: the recipe's, or the defaults, under the options.
    pub(in crate::cli) fn config(&self) -> anyhow::Result<Config> {
        self.apply(self.base()?)
    }
}

impl Arguments {
    /// The settings of a new run; of an overfit check they are what the options say of it.
    pub(in crate::cli) fn config(&self) -> anyhow::Result<Config> {
        let Some(examples) = self.overfit else { return self.settings.config() };
        let (subset, epochs, schedule, early_stopping) = (Some(examples), OVERFIT_EPOCHS, Schedule::default(), None);
        let base = Config { subset, epochs, schedule, early_stopping, ..self.settings.base()? };
        self.settings.apply(base)
    }
}
