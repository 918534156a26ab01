//! The options of `gpunet train`.

use std::path::PathBuf;

use clap::Args;
use gpunet::low_level::data::NormalizationKind;
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::nn::init::Init;
use gpunet::low_level::nn::loss::{ClassWeights, Loss};
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::run::config::BatchSize;
use gpunet::low_level::run::early_stopping::EarlyStopping;
use gpunet::low_level::run::schedule::Schedule;
use gpunet::low_level::settings;

use super::settings::GivenSchedule;
use crate::cli::DeviceArguments;

/// Options that a run which goes on has settled before.
#[rustfmt::skip]
const SETTLED: [&str; 37] = [
    "arch", "activation", "init", "dropout", "validation", "test", "pool", "subset", "normalization", "lr", "batch", "accumulate",
    "shuffle", "seed", "loss", "label_smoothing", "class_weights", "schedule", "warmup", "early_stopping", "optimizer", "adam", "sgd", "momentum", "rmsprop", "clip_norm",
    "clip_value", "precision", "l1", "l2", "weight_decay", "max_norm", "recipe", "out", "force", "overfit", "rule",
];

/// Settings of a run. Each wins over what a recipe says.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Settings {
    /// Take settings from a file, such as the config.toml of a run; other options win over it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub(super) recipe: Option<PathBuf>,

    /// Layers, inputs first, such as 784-500-10 or 1x28x28-32C5-MP2-512-10 [default: 784-512-256-10]
    #[arg(long, help_heading = "Network")]
    pub(super) arch: Option<String>,

    /// Of the hidden layers: relu, leaky-relu, elu, gelu, silu, tanh, sigmoid, mish, hard-swish, identity [default: relu]
    #[arg(long, value_name = "NAME", value_parser = settings::word::<Activation>, help_heading = "Network")]
    pub(super) activation: Option<Activation>,

    /// Initial weights: he, xavier or lecun, with -normal or -uniform, gaussian:S, zeros [default: he-normal]
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    pub(super) init: Option<Init>,

    /// Probability to drop a value of each hidden layer [default: 0]
    #[arg(long, value_name = "P", allow_negative_numbers = true, help_heading = "Network")]
    pub(super) dropout: Option<f64>,

    /// `mnist`, which is bundled, or a directory with the four IDX files of a data set, gzipped or not [default: mnist]
    #[arg(long, value_name = "NAME|DIR", help_heading = "Data")]
    pub(super) data: Option<String>,

    /// Training examples held back for validation [default: 5,000, or a sixth of a smaller set]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Data")]
    pub(super) validation: Option<usize>,

    /// Test examples [default: all that the data set has]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Data")]
    pub(super) test: Option<usize>,

    /// Whether to put training and test data together and part them anew [default: false]
    #[arg(long, value_name = "BOOL", help_heading = "Data")]
    pub(super) pool: Option<bool>,

    /// Train on N examples only, as many of each class as can be
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Data")]
    pub(super) subset: Option<usize>,

    /// scale, standardize, standardize-per-pixel, standardize-per-image, mean-image, none [default: scale]
    #[arg(long, value_name = "NAME", value_parser = settings::word::<NormalizationKind>, help_heading = "Data")]
    pub(super) normalization: Option<NormalizationKind>,

    /// Learning rate [default: the optimizer's; 0.3 of gradient descent, 0.001 of Adam]
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Training")]
    pub(super) lr: Option<f64>,

    /// Examples a batch, or `full` for one update an epoch [default: 100]
    #[arg(long, value_name = "N|full", allow_negative_numbers = true, help_heading = "Training")]
    pub(super) batch: Option<BatchSize>,

    /// Batches whose gradients add up to one update [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Training")]
    pub(super) accumulate: Option<usize>,

    /// Passes over the training data [default: 12]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Training")]
    pub(super) epochs: Option<usize>,

    /// Whether each epoch takes the examples in an order of its own [default: true]
    #[arg(long, value_name = "BOOL", help_heading = "Training")]
    pub(super) shuffle: Option<bool>,

    /// Seed of initialization, split, order and dropout [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64), help_heading = "Training")]
    pub(super) seed: Option<u64>,

    /// How the learning rate changes: constant, step, exponential, inverse-time, inverse-sqrt, polynomial, cosine, one-cycle or
    /// plateau, with settings behind colons, such as step:every=10:factor=0.5 [default: constant]
    #[arg(long, value_name = "NAME", value_parser = super::settings::schedule, help_heading = "Training")]
    pub(super) schedule: Option<GivenSchedule>,

    /// Epochs in which the learning rate first rises to its full value [default: 0]
    #[arg(long, value_name = "EPOCHS", allow_negative_numbers = true, help_heading = "Training")]
    pub(super) warmup: Option<f64>,

    /// Stop when validation gains nothing more, and keep the best model: patience=N, and perhaps metric=val-accuracy
    #[arg(long, value_name = "patience=N", value_parser = settings::parse::<EarlyStopping>, help_heading = "Training")]
    pub(super) early_stopping: Option<EarlyStopping>,

    /// softmax-cross-entropy, svm or mse, with settings behind colons, such as svm:variant=crammer-singer
    /// [default: softmax-cross-entropy]
    #[arg(long, value_name = "NAME", value_parser = settings::parse::<Loss>, help_heading = "Loss")]
    pub(super) loss: Option<Loss>,

    /// Share of cross-entropy's target distribution that is spread evenly over all classes [default: 0]
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Loss")]
    pub(super) label_smoothing: Option<f64>,

    /// How much the examples of each class weigh: `balanced`, or a number a class with commas between [default: all alike]
    #[arg(long, value_name = "balanced|W,..", value_parser = super::settings::class_weights, help_heading = "Loss")]
    pub(super) class_weights: Option<ClassWeights>,

    /// sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw or lion, with settings behind colons, such as
    /// momentum:momentum=0.95 [default: sgd]
    #[arg(long, value_name = "NAME", value_parser = settings::parse::<Optimizer>, group = "rule", help_heading = "Optimizer")]
    pub(super) optimizer: Option<Optimizer>,

    /// Short for --optimizer adam
    #[arg(long, group = "rule", help_heading = "Optimizer")]
    pub(super) adam: bool,

    /// Short for --optimizer sgd, gradient descent
    #[arg(long, group = "rule", help_heading = "Optimizer")]
    pub(super) sgd: bool,

    /// Short for --optimizer momentum
    #[arg(long, group = "rule", help_heading = "Optimizer")]
    pub(super) momentum: bool,

    /// Short for --optimizer rmsprop
    #[arg(long, group = "rule", help_heading = "Optimizer")]
    pub(super) rmsprop: bool,

    /// Scale gradients down to this norm where theirs, all together, is larger
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Optimizer")]
    pub(super) clip_norm: Option<f64>,

    /// Bound every gradient's size
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Optimizer")]
    pub(super) clip_value: Option<f64>,

    /// Factor on the sum of the weights' sizes, added to the loss [default: 0]
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Regularization")]
    pub(super) l1: Option<f64>,

    /// Factor on half the sum of the weights' squares, added to the loss [default: 0]
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Regularization")]
    pub(super) l2: Option<f64>,

    /// Share of the weights, times the learning rate, taken away before each update [default: 0; of AdamW 0.01]
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Regularization")]
    pub(super) weight_decay: Option<f64>,

    /// Scale the weights that come into a unit down to this norm where theirs is larger
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = "Regularization")]
    pub(super) max_norm: Option<f64>,

    /// f32; f32-split, of which a GPU's matrix units make products from halves; or f16, with a loss scale that keeps small gradients from vanishing
    /// [default: f32]
    #[arg(long, value_name = "f32|f32-split|f16", value_parser = settings::word::<Precision>, help_heading = "Device")]
    pub(super) precision: Option<Precision>,

    #[command(flatten)]
    pub(in crate::cli) device: DeviceArguments,
}

/// Every choice that has settings of its own, with their defaults, as the options take them.
fn defaults() -> String {
    let optimizers = Optimizer::all().map(|optimizer| ("--optimizer", settings::text(&optimizer)));
    let schedules = Schedule::NAMES.iter().flat_map(|name| Schedule::named(name));
    let schedules = schedules.map(|schedule| ("--schedule", settings::text(&schedule)));
    let losses = Loss::ALL.map(|loss| ("--loss", settings::text(&loss)));
    let stopping = ("--early-stopping", settings::text(&EarlyStopping::default()));
    let all = optimizers.into_iter().chain(schedules).chain(losses).chain([stopping]);
    let lines = all.map(|(option, text)| format!("\n  {option} {text}"));
    format!("Settings and their defaults:{}", lines.collect::<String>())
}

#[derive(Clone, Debug, Args)]
#[command(after_help = defaults())]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(in crate::cli) settings: Settings,

    /// Go on with a run that stopped, to the same result as without the stop; --epochs may ask for more
    #[arg(long, value_name = "DIR", conflicts_with_all = SETTLED, help_heading = "Run")]
    pub(in crate::cli) resume: Option<PathBuf>,

    /// Folder of the run [default: runs/<arch>-<time>]
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Replace the run that --out already holds
    #[arg(long, requires = "out", help_heading = "Run")]
    pub(super) force: bool,

    /// First time each launch of some steps, print a table and write a trace [default file: profile.json of the run]
    #[arg(long, value_name = "FILE.json", num_args = 0..=1, require_equals = true, help_heading = "Run")]
    pub(super) profile: Option<Option<PathBuf>>,

    /// Only see whether the network can learn N examples by heart; keeps nothing
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with_all = ["out", "resume", "subset", "profile"], help_heading = "Run")]
    pub(super) overfit: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new option must be listed as settled, or be one of those that a run may change its mind about.
    #[test]
    fn a_run_that_goes_on_takes_only_what_it_may() {
        let command = Arguments::augment_args(clap::Command::new("train"));
        let may = ["resume", "epochs", "data", "device", "threads", "checked_shaders", "no_tune", "profile"];
        for id in command.get_arguments().map(|argument| argument.get_id().as_str()) {
            assert!(SETTLED.contains(&id) != may.contains(&id), "{id}");
        }
    }
}
