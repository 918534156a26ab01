//! `gpunet train`.

use std::path::PathBuf;

use clap::Args;
use gpunet::arch::Arch;
use gpunet::config::Config;
use gpunet::data::{Dataset, MNIST, Part};
use gpunet::device::OpenDevice;
use gpunet::optim::Optimizer;
use gpunet::store::{Checkpoint, EpochRecord, RunFolder, load_config, point_latest};
use gpunet::train::{Event, Metrics, resume, train};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{self, bytes, line, thousands};
use super::{DeviceArguments, Ended};

/// Options that a run which goes on has settled before.
const RESUME_KEEPS: [&str; 10] = ["arch", "adam", "sgd", "lr", "batch", "seed", "validation", "recipe", "out", "force"];

#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Layer sizes, inputs first [default: 784-512-256-10]
    #[arg(long)]
    arch: Option<String>,

    /// Train with Adam
    #[arg(long, conflicts_with = "sgd")]
    adam: bool,

    /// Train with gradient descent (the default)
    #[arg(long)]
    sgd: bool,

    /// Learning rate [default: 0.3 with gradient descent, 0.001 with Adam]
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    lr: Option<f64>,

    /// Examples a step [default: 100]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch: Option<usize>,

    /// Passes over the training data [default: 12]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<usize>,

    /// Seed of initialization, split and order [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,

    /// `mnist`, which is bundled, or a directory with the four IDX files of a data set, gzipped or not [default: mnist]
    #[arg(long, value_name = "NAME|DIR")]
    data: Option<String>,

    /// Training examples held back for validation [default: 5,000, or a sixth of a smaller set]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    validation: Option<usize>,

    /// Take settings from a file, such as the config.toml of a run; other options win over it
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,

    /// Go on with a run that stopped, to the same result as without the stop; --epochs may ask for more
    #[arg(long, value_name = "DIR", conflicts_with_all = RESUME_KEEPS)]
    pub(super) resume: Option<PathBuf>,

    /// Folder of the run [default: runs/<arch>-<time>]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Replace the run that --out already holds
    #[arg(long, requires = "out")]
    force: bool,

    #[command(flatten)]
    device: DeviceArguments,
}

impl Arguments {
    /// The run's settings: those given, or defaults, under the options.
    pub(super) fn config(&self, given: Option<Config>) -> anyhow::Result<Config> {
        let mut config = match (given, &self.recipe) {
            (Some(config), _) => config,
            (None, Some(path)) => load_config(path)?,
            (None, None) => Config::default(),
        };
        if let Some(arch) = &self.arch {
            config.arch = arch.parse::<Arch>()?;
        }
        match config.optimizer {
            Optimizer::Sgd { .. } if self.adam => config.optimizer = Optimizer::adam(),
            Optimizer::Adam { .. } if self.sgd => config.optimizer = Optimizer::sgd(),
            _ => {}
        }
        if let Some(lr) = self.lr {
            config.optimizer = config.optimizer.with_learning_rate(lr);
        }
        config.batch = self.batch.unwrap_or(config.batch);
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.seed = self.seed.unwrap_or(config.seed);
        config.validation = self.validation.or(config.validation);
        config.threads = self.device.threads.or(config.threads);
        for (setting, given) in [(&mut config.data, &self.data), (&mut config.device, &self.device.device)] {
            if let Some(given) = given {
                setting.clone_from(given);
            }
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

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    match &arguments.resume {
        Some(path) => {
            let (run, settled, checkpoint) = RunFolder::resume(path)?;
            let config = arguments.config(Some(settled))?;
            let (dataset, device) = prepare(arguments, &config)?;
            let (trained, folder) = (checkpoint.history.len(), path.display());
            line(&format!("going on with {folder} after epoch {trained}"))?;
            if trained >= config.epochs {
                let more = trained + 1;
                line(&format!("it has all {} epochs; --epochs {more} or more would train it longer", config.epochs))?;
            }
            train_with(&config, &dataset, &device, run, Some(checkpoint))
        }
        None => {
            let mut config = arguments.config(None)?;
            let (dataset, device) = prepare(arguments, &config)?;
            config.validation = Some(dataset.part(Part::Validation).len());
            let run = RunFolder::create(arguments.out.as_deref(), &config, arguments.force)?;
            train_with(&config, &dataset, &device, run, None)
        }
    }
}

/// Loads the data and opens the device, before anything is written.
pub(super) fn prepare(arguments: &Arguments, config: &Config) -> anyhow::Result<(Dataset, OpenDevice)> {
    let dataset = Dataset::load(&config.data, config.validation, config.seed)?;
    dataset.check_arch(&config.arch)?;
    Ok((dataset, arguments.device.open_as(&config.device, config.threads)?))
}

fn train_with(
    config: &Config,
    dataset: &Dataset,
    device: &OpenDevice,
    mut run: RunFolder,
    checkpoint: Option<Checkpoint<'_>>,
) -> anyhow::Result<Ended> {
    let Config { arch, optimizer, .. } = config;
    let batch = config.batch.min(dataset.part(Part::Train).len());
    let (backend, path) = (device.backend.as_ref(), run.path().to_path_buf());
    line(&format!("training {arch} on {} with {}, {optimizer}, batch {batch}", dataset.name, backend.name()))?;
    let mut display = Display::new(config.epochs);
    let mut is_latest = false;
    let on_event = &mut |event: Event<'_>| {
        if matches!(event, Event::Epoch { .. }) && !is_latest {
            is_latest = true;
            if let Err(error) = point_latest(&path) {
                display.bar.suspend(|| output::warn(&error.to_string()));
            }
        }
        display.show(event);
    };
    let outcome = match checkpoint {
        Some(checkpoint) => resume(config, checkpoint, dataset, backend, Some(&mut run), on_event)?,
        None => train(config, dataset, backend, Some(&mut run), on_event)?,
    };
    display.result?;
    let Metrics { correct, examples, .. } = outcome.test;
    let (percent, loss) = (100.0 * outcome.test.accuracy(), outcome.test.loss());
    line(&format!("test accuracy {percent:.2} % ({correct} of {examples}), loss {loss:.4}"))?;
    line(&format!("saved in {}", path.display()))?;
    Ok(Ended::Well)
}

/// Shows events: a bar on a terminal, and a line an epoch.
struct Display {
    bar: ProgressBar,
    epochs: usize,
    train: usize,
    result: std::io::Result<()>,
}

impl Display {
    fn new(epochs: usize) -> Display {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if output::has_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let template = "{prefix} {wide_bar} {percent:>3} % {msg} {per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{} images/s", thousands(state.per_sec() as u64));
            };
            bar.set_style(style.with_key("per_sec", rate));
        }
        Display { bar, epochs, train: 0, result: Ok(()) }
    }

    fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Started { train, validation, test, parameters, device_bytes } => {
                self.train = train;
                self.bar.set_length((train * self.epochs) as u64);
                let counts = [train, validation, test, parameters].map(|count| thousands(count as u64));
                let [train, validation, test, parameters] = counts;
                let memory = bytes(device_bytes);
                self.line(&format!(
                    "{train} training, {validation} validation, {test} test examples; {parameters} parameters, {memory}"
                ));
            }
            Event::Batches { epoch, so_far, .. } => {
                self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
                self.bar.set_message(format!("loss {:.4} accuracy {:.2} %", so_far.loss(), 100.0 * so_far.accuracy()));
                self.bar.set_position((epoch - 1) as u64 * self.train as u64 + so_far.examples);
            }
            Event::Epoch { record, training, examples } => {
                let rate = thousands((examples as f64 / training.as_secs_f64()) as u64);
                self.line(&epoch_line(&record, self.epochs, &rate));
                if record.epoch == self.epochs {
                    self.bar.finish_and_clear();
                }
            }
        }
    }

    /// Prints above the bar. The first failure to write is kept for the end; training goes on.
    fn line(&mut self, text: &str) {
        let written = self.bar.suspend(|| line(text));
        if self.result.is_ok() {
            self.result = written;
        }
    }
}

fn epoch_line(record: &EpochRecord, epochs: usize, rate: &str) -> String {
    let EpochRecord { epoch, train_loss, val_loss, seconds, .. } = *record;
    let (train, validation) = (100.0 * record.train_accuracy, 100.0 * record.val_accuracy);
    format!(
        "epoch {epoch}/{epochs}  train loss {train_loss:.4} accuracy {train:.2} %  validation loss {val_loss:.4} accuracy \
         {validation:.2} %  {rate} images/s  {seconds:.1} s"
    )
}
