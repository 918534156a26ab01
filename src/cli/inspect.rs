//! `gpunet inspect`.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;
use gpunet::low_level::data::Dataset;
use gpunet::low_level::data::{DataShape, FeatureType};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::nn::arch::Arch;
use gpunet::low_level::nn::model::Model;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::{BufferInfo, Memory, Phase, Role};
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::settings;
use gpunet::low_level::store::{ModelMetadata, SavedModel, load_config};
use serde::Serialize;

use super::Ended;
use super::output::{self, bytes, line, metric, thousands};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run folder or model file [default: the newest run]
    #[arg(conflicts_with = "arch")]
    model: Option<PathBuf>,

    /// Layers, inputs first, such as 784-500-10 or 1x28x28-32C5-MP2-512-10
    #[arg(long)]
    arch: Option<String>,

    /// Examples per step [default: those of the run, else 100]
    #[arg(long, value_name = "N")]
    batch: Option<usize>,

    /// Examples on the device [default: those of the run's data; without a run 70,000, as in MNIST]
    #[arg(long, value_name = "N")]
    examples: Option<usize>,

    /// Count the memory of Adam [default: the run's optimizer, else gradient descent]
    #[arg(long, conflicts_with = "sgd")]
    adam: bool,

    /// Count the memory of gradient descent
    #[arg(long)]
    sgd: bool,

    /// Precision of activations and matrix products: f32, f32-split or f16 [default: that of the run, else f32]
    #[arg(long, value_name = "NAME", value_parser = settings::word::<Precision>)]
    precision: Option<Precision>,

    /// Print the recorded plan too
    #[arg(long)]
    plan: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Number of examples for a network without a run: that of the bundled MNIST.
const MNIST_EXAMPLES: usize = 70_000;

#[derive(Serialize)]
struct Report {
    arch: Arch,
    batch: usize,
    optimizer: String,
    precision: Precision,
    layers: Vec<LayerReport>,
    parameters: usize,
    flops_per_step: u64,
    memory: Memory,
    total_bytes: u64,
    /// What `total_bytes` would be if no two activations shared a buffer.
    unshared_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<gpunet::low_level::plan::Plan>,
}

/// Bytes count parameters, their gradients, the state of the optimizer, and activations with their gradients.
#[derive(Serialize)]
struct LayerReport {
    layer: String,
    parameters: usize,
    /// Operations of the forward pass on one example.
    forward_flops: u64,
    bytes: u64,
}

impl Arguments {
    /// The settings of the plan, which are those of the run or the defaults under the options, and the sizes of the data.
    fn config(&self) -> anyhow::Result<(Config, DataShape)> {
        let (mut config, is_run) = match &self.arch {
            Some(text) => (Config { arch: text.parse()?, ..Config::default() }, false),
            None => run_config(self.model.as_deref())?,
        };
        config.batch = self.batch.map_or(config.batch, BatchSize::Rows);
        config.precision = self.precision.unwrap_or(config.precision);
        if self.adam {
            config.optimizer = Optimizer::adam();
        } else if self.sgd {
            config.optimizer = Optimizer::sgd();
        }
        config.validate()?;
        if self.examples == Some(0) {
            bail!("--examples is 0; a data set has at least one example");
        }
        if is_run && self.examples.is_none() {
            let load = Dataset::load(&config.data, &config.split());
            let data = load.map_err(|error| anyhow!("{error}; --examples N inspects the run without its data"))?;
            config.arch.check_data(&data)?;
            let shape = data.shape(config.normalization.without_constants());
            return Ok((config, shape));
        }
        let normalization = config.normalization.without_constants();
        let (examples, features) = (self.examples.unwrap_or(MNIST_EXAMPLES), config.arch.inputs());
        Ok((config, DataShape { train: examples, examples, features, values: FeatureType::Bytes, normalization }))
    }
}

/// The settings beside a model file, and `true`, if it is part of a run; else the defaults with the architecture of the model.
fn run_config(model: Option<&Path>) -> anyhow::Result<(Config, bool)> {
    let file = super::runs::find_model(model)?;
    let recipe = file.with_file_name("config.toml");
    let ModelMetadata { arch, activation, loss, precision, .. } = SavedModel::load(&file)?.metadata;
    if recipe.is_file() {
        let config = load_config(&recipe)?;
        if config.arch != arch {
            bail!("the model {} is {arch}, but {} says {}", file.display(), recipe.display(), config.arch);
        }
        return Ok((config, true));
    }
    Ok((Config { arch, activation, loss, precision, ..Config::default() }, false))
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let (config, data) = arguments.config()?;
    let (model, examples) = (Model::of(&config.network()), data.examples);
    let batching = config.batching(data.train);
    let recording = model.record_training(data, &config.training_options(batching))?;
    let unshared_bytes = recording.plan.memory().total();
    let plan = recording.with_shared_buffers().plan;
    let memory = plan.memory();
    let report = Report {
        layers: layers(&model, &plan),
        parameters: model.parameter_count(),
        flops_per_step: plan.flops(Phase::Train),
        total_bytes: memory.total(),
        unshared_bytes,
        memory,
        batch: batching.rows,
        optimizer: config.optimizer.to_string(),
        precision: config.precision,
        plan: arguments.plan.then_some(plan),
        arch: config.arch,
    };
    if arguments.json {
        output::json(&report)?
    } else {
        print(&report, examples)?
    }
    Ok(Ended::Well)
}

fn layers(model: &Model, plan: &gpunet::low_level::plan::Plan) -> Vec<LayerReport> {
    // One value per parameter, unlike the loss scale.
    let arena = plan.find("parameters").map(|parameters| plan.tensor(parameters).len());
    let is_arena = |buffer: &&BufferInfo| buffer.role == Role::State && Some(buffer.len) == arena;
    let states = plan.buffers().iter().filter(is_arena).count() as u64;
    let reports = model.layers().iter().zip(model.scopes()).map(|(layer, scope)| {
        let trainable = layer.parameters().into_iter().filter(|parameter| parameter.trainable);
        let parameters: usize = trainable.map(|parameter| parameter.shape.iter().product::<usize>()).sum();
        let prefix = scope + ".";
        let of_layer = plan.tensors().filter(|(_, tensor)| tensor.name.starts_with(&prefix));
        let tensors: u64 = of_layer.map(|(_, tensor)| (tensor.len() * tensor.dtype.size()) as u64).sum();
        let bytes = tensors + states * parameters as u64 * 4;
        LayerReport { layer: layer.describe(), parameters, forward_flops: layer.forward_flops(), bytes }
    });
    reports.collect()
}

fn print(report: &Report, examples: usize) -> std::io::Result<()> {
    line(&format!(
        "{}, {}, {}, batch {}, {} examples on the device",
        report.arch,
        report.optimizer,
        report.precision.name(),
        report.batch,
        thousands(examples as u64)
    ))?;
    let width = report.layers.iter().map(|layer| layer.layer.len()).max().unwrap_or(0).max(32);
    line(&format!("\n{:<width$} {:>12}  {:>14}  {:>12}", "layer", "parameters", "FLOP/example", "bytes"))?;
    for LayerReport { layer, parameters, forward_flops, bytes: size } in &report.layers {
        let (parameters, flops) = (thousands(*parameters as u64), metric(*forward_flops as f64) + "FLOP");
        line(&format!("{layer:<width$} {parameters:>12}  {flops:>14}  {:>12}", bytes(*size)))?;
    }
    let flops = metric(report.flops_per_step as f64);
    line(&format!("{:<width$} {:>12}", "all", thousands(report.parameters as u64)))?;
    line(&format!("\none training step: {flops}FLOP"))?;
    line("memory on a GPU device, constant over a run:")?;
    for (role, size) in &report.memory.tensors {
        line(&format!("  {:<18} {:>12}  {:>16} bytes", role.name(), bytes(*size), thousands(*size)))?;
    }
    for (name, size) in [
        ("uniforms", report.memory.uniforms),
        ("staging", report.memory.staging),
        ("all", report.total_bytes),
        ("all, not sharing", report.unshared_bytes),
    ] {
        line(&format!("  {name:<18} {:>12}  {:>16} bytes", bytes(size), thousands(size)))?;
    }
    line("(activations that are not needed at the same time share buffers)")?;
    match &report.plan {
        Some(plan) => line(&format!("\n{plan}")),
        None => Ok(()),
    }
}
