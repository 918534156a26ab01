//! The entries, by heading of the help.

use std::str::FromStr;

use anyhow::bail;
use clap::builder::StringValueParser;
use gpunet::low_level::data::NormalizationKind;
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::nn::init::Init;
use gpunet::low_level::nn::loss::Loss;
use gpunet::low_level::nn::network::PerLayer;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::run::config::BatchSize;
use gpunet::low_level::run::early_stopping::EarlyStopping;
use gpunet::low_level::run::schedule::Schedule;
use gpunet::low_level::settings::{parse, word};

use super::Setting;
use super::values::{batch_in_words, class_weights, one_of, schedule};

pub(super) fn entries() -> Vec<Setting> {
    let groups = [
        ("Network", network()),
        ("Data", data()),
        ("Optimizer", optimizer()),
        ("Training", training()),
        ("Loss", loss()),
        ("Regularization", regularization()),
        ("Device", device()),
    ];
    let under = |(heading, group): (_, Vec<Setting>)| group.into_iter().map(move |entry| Setting { heading, ..entry });
    groups.into_iter().flat_map(under).collect()
}

fn network() -> Vec<Setting> {
    vec![
        Setting::fallible("arch", "ARCH", StringValueParser::new(), |config, layers| {
            config.arch = layers.parse()?;
            Ok(())
        })
        .help("Layers, inputs first, such as 784-500-10 or 1x28x28-32C5-MP2-512-10; a recipe may have [[layers]] instead")
        .shown_elsewhere(),
        Setting::new("activation", "NAME", word::<Activation>, |config, name| config.activation = PerLayer::All(name))
            .help(format!("Activation of the hidden layers: {}; a recipe may list one per layer", one_of(Activation::ALL.map(Activation::name)))),
        Setting::new("init", "NAME", Init::from_str, |config, init| config.init = init).help(
            "Distribution of the initial weights: he, xavier or lecun with -normal or -uniform, gaussian:S or zeros",
        ),
        Setting::new("dropout", "P", f64::from_str, |config, rate| config.dropout = PerLayer::All(rate))
            .help("Probability of dropping a value of each hidden layer; a recipe may list one for the inputs and one per layer"),
    ]
}

fn data() -> Vec<Setting> {
    vec![
        Setting::new("data", "NAME|DIR", StringValueParser::new(), |config, data| config.data = data)
            .help("`mnist`, which is bundled, or a folder with the four IDX files of a data set, gzipped or not")
            .resumable()
            .shown_elsewhere(),
        Setting::new("validation", "N", usize::from_str, |config, count| config.validation = Some(count))
            .help("Training examples held back for validation")
            .default("5,000, or a sixth of a smaller set")
            .shown_elsewhere(),
        Setting::new("test", "N", usize::from_str, |config, count| config.test = Some(count))
            .help("Test examples")
            .default("all that the data set has"),
        Setting::switch("pool", |config, pool| config.pool = pool)
            .help("Whether to put training and test data together and split them anew"),
        Setting::new("subset", "N", usize::from_str, |config, count| config.subset = Some(count))
            .help("Train on N examples only, with the classes as balanced as possible")
            .default("all"),
        Setting::new("normalization", "NAME", word::<NormalizationKind>, |config, name| config.normalization = name)
            .help(format!("How bytes become inputs: {}", one_of(NormalizationKind::ALL.map(NormalizationKind::name)))),
    ]
}

fn optimizer() -> Vec<Setting> {
    let (sgd, adam) = (Optimizer::sgd(), Optimizer::adam());
    let rates = [sgd, adam].map(|optimizer| format!("{} for {}", optimizer.learning_rate(), optimizer.name()));
    vec![
        Setting::new("optimizer", "NAME", parse::<Optimizer>, |config, optimizer| config.optimizer = optimizer)
            .help(format!(
                "How gradients become new parameters: {}, with settings behind colons, such as momentum:momentum=0.95; \
                 sgd is plain gradient descent",
                one_of(Optimizer::all().iter().map(Optimizer::name))
            ))
            .kinds(Optimizer::all())
            .short_forms(&["adam", "sgd", "momentum", "rmsprop"])
            .shown_as(|config, _| Some(config.optimizer.to_string())),
        Setting::new("lr", "F", f64::from_str, |config, rate| {
            config.optimizer = config.optimizer.with_learning_rate(rate);
        })
        .path("optimizer.learning_rate")
        .help("Learning rate")
        .default(format!("the optimizer's: {}", rates.join(", "))),
        Setting::new("clip-norm", "F", f64::from_str, |config, norm| config.clipping.norm = Some(norm))
            .path("clipping.norm")
            .help("Scale all gradients down together when their norm exceeds this bound")
            .default("off"),
        Setting::new("clip-value", "F", f64::from_str, |config, value| config.clipping.value = Some(value))
            .path("clipping.value")
            .help("Limit every gradient to the range from -F to F")
            .default("off"),
    ]
}

fn training() -> Vec<Setting> {
    vec![
        Setting::new("batch", "N|full", BatchSize::from_str, |config, batch| config.batch = batch)
            .help("Examples per batch, or `full` for one update per epoch")
            .shown_as(batch_in_words),
        Setting::new("accumulate", "N", usize::from_str, |config, batches| config.accumulate = batches)
            .help("Batches whose gradients add up to one update")
            .shown_elsewhere(),
        Setting::new("epochs", "N", usize::from_str, |config, epochs| config.epochs = epochs)
            .help("Passes over the training set")
            .resumable()
            .shown_elsewhere(),
        Setting::switch("shuffle", |config, shuffle| config.shuffle = shuffle)
            .help("Whether each epoch takes the examples in a new random order"),
        // TOML has no larger integers.
        Setting::new("seed", "N", clap::value_parser!(u64).range(..=i64::MAX as u64), |config, seed| {
            config.seed = seed
        })
        .help("Seed of initial weights, splits, order and dropout")
        .shown_elsewhere(),
        Setting::new("schedule", "NAME", schedule, |config, (given, names_warmup)| {
            // The warm-up of a recipe stays, whatever schedule follows it.
            let warmup = if names_warmup { given.warmup } else { config.schedule.warmup };
            config.schedule = Schedule { warmup, ..given };
        })
        .help(format!(
            "How the learning rate changes: {}, with settings behind colons, such as step:every=10:factor=0.5",
            one_of(Schedule::NAMES)
        ))
        .kinds(Schedule::NAMES.iter().flat_map(|name| Schedule::named(name)))
        .shown_as(|config, _| (config.schedule != Schedule::default()).then(|| config.schedule.to_string())),
        Setting::new("warmup", "EPOCHS", f64::from_str, |config, epochs| config.schedule.warmup = epochs)
            .section("schedule")
            .help("Epochs in which the learning rate first rises to its full value"),
        Setting::new("early-stopping", "patience=N", parse::<EarlyStopping>, |config, stopping| {
            config.early_stopping = Some(stopping);
        })
        .help(
            "Stop when validation no longer improves, and keep the best model: patience=N, and perhaps more settings \
             behind colons, such as patience=5:metric=val-accuracy",
        )
        .kinds([EarlyStopping::default()])
        .default("off")
        .shown_as(|config, _| config.early_stopping.map(|stopping| stopping.to_string())),
    ]
}

fn loss() -> Vec<Setting> {
    vec![
        Setting::new("loss", "NAME", parse::<Loss>, |config, loss| config.loss = loss)
            .help(format!(
                "What training minimizes: {}, with settings behind colons, such as svm:variant=crammer-singer",
                one_of(Loss::ALL.iter().map(Loss::name))
            ))
            .kinds(Loss::ALL),
        Setting::fallible("label-smoothing", "F", f64::from_str, |config, given| match &mut config.loss {
            Loss::SoftmaxCrossEntropy { label_smoothing } => {
                *label_smoothing = given;
                Ok(())
            }
            other => bail!("--label-smoothing is for softmax-cross-entropy; the loss is {}", other.name()),
        })
        .section("loss")
        .help("Share of the target distribution of softmax-cross-entropy that is spread evenly over all classes"),
        Setting::new("class-weights", "balanced|W,..", class_weights, |config, weights| {
            config.class_weights = Some(weights);
        })
        .help("Weight of the examples of each class: `balanced`, or a number per class with commas between them")
        .default("equal"),
    ]
}

fn regularization() -> Vec<Setting> {
    let decaying = Optimizer::all().into_iter().filter(|optimizer| optimizer.default_weight_decay() > 0.0);
    let decays = decaying.map(|optimizer| format!("; {} with {}", optimizer.default_weight_decay(), optimizer.name()));
    vec![
        Setting::new("l1", "F", f64::from_str, |config, factor| config.regularization.l1 = factor)
            .section("regularization")
            .help("Factor on the sum of the weights' absolute values, added to the loss"),
        Setting::new("l2", "F", f64::from_str, |config, factor| config.regularization.l2 = factor)
            .section("regularization")
            .help("Factor on half the sum of the weights' squares, added to the loss"),
        Setting::new("weight-decay", "F", f64::from_str, |config, decay| {
            config.regularization.weight_decay = Some(decay);
        })
        .section("regularization")
        .help("Before each update, shrink the weights by this share times the learning rate")
        .default(format!("0{}", decays.collect::<String>())),
        Setting::new("max-norm", "F", f64::from_str, |config, norm| config.regularization.max_norm = Some(norm))
            .section("regularization")
            .help("After each update, scale down the weights that lead into a unit when their norm exceeds this bound")
            .default("off"),
    ]
}

fn device() -> Vec<Setting> {
    vec![
        Setting::new("precision", "NAME", word::<Precision>, |config, precision| config.precision = precision).help(
            "f32; f32-split, which multiplies f32 on the half-precision matrix units of a GPU; or f16, which stores \
             activations in half precision and scales the loss so that small gradients do not vanish",
        ),
        Setting::new("device", "DEVICE", StringValueParser::new(), |config, device| config.device = device)
            .help("auto, cpu, gpu, an adapter's number or a part of its name (`gpunet doctor` lists them)")
            .resumable()
            .opens_device()
            .shown_elsewhere(),
        Setting::new("threads", "N", usize::from_str, |config, threads| config.threads = Some(threads))
            .help("Threads of the CPU backend; results do not depend on their number")
            .default("one per core")
            .resumable()
            .opens_device()
            .shown_elsewhere(),
    ]
}
