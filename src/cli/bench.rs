//! `gpunet bench`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use gpunet::low_level::backend::gpu::Tuning;
use gpunet::low_level::files::make_folder;
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::nn::arch::Arch;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::settings;
use gpunet::low_level::train::bench::{BenchOptions, BenchReport, TileChoice, bench};

use super::output::{self, bytes, line, metric, thousands};
use super::{DeviceArguments, Ended, profile, warn_of_plain_products};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Layers, inputs first, such as 784-500-10 or 1x28x28-32C5-MP2-512-10
    #[arg(long, default_value = "784-3000-2500-2000-1500-1000-500-10")]
    arch: String,

    /// Examples per step
    #[arg(long, value_name = "N", default_value_t = 256)]
    batch: usize,

    /// Least number of steps to time, after a warm-up
    #[arg(long, value_name = "N", default_value_t = 30)]
    steps: usize,

    /// Time gradient descent instead of Adam
    #[arg(long)]
    sgd: bool,

    /// Precision of activations and matrix products: f32, f32-split or f16
    #[arg(long, value_name = "NAME", value_parser = settings::word::<Precision>, default_value = "f32")]
    precision: Precision,

    /// Write the random examples and the initial parameters, so that another program can be timed on the same work
    #[arg(long, value_name = "FILE.safetensors")]
    export: Option<PathBuf>,

    /// Time each launch too, and write a trace [default: profile.json]
    #[arg(long, value_name = "FILE.json", num_args = 0..=1, require_equals = true, default_missing_value = "profile.json")]
    profile: Option<PathBuf>,

    /// Choose the tiles of matrix products by timing them again, and keep the choice for later runs on this GPU
    #[arg(long, conflicts_with = "no_tune")]
    tune: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    device: DeviceArguments,
}

pub(super) fn run(arguments: &Arguments, started: Instant) -> anyhow::Result<Ended> {
    let arch: Arch = arguments.arch.parse()?;
    if arguments.steps == 0 {
        anyhow::bail!("--steps is 0; a benchmark times at least one step");
    }
    // Adam's first updates move parameters by the whole rate, however small their gradients are. Where a gradient is only rounding, devices
    // move in different directions, and at the usual rate the losses of the headline network would differ by more than is allowed.
    let adam = Optimizer::adam().with_learning_rate(1e-4);
    let optimizer = if arguments.sgd { Optimizer::sgd() } else { adam };
    Config { batch: BatchSize::Rows(arguments.batch), optimizer, ..Config::default() }.validate()?;
    let device = if arguments.tune { arguments.device.open_tuning(Tuning::Anew)? } else { arguments.device.open()? };
    if arguments.tune && device.adapter.is_none() {
        anyhow::bail!("--tune needs a GPU, and this is {}; --device gpu chooses one", device.backend.name());
    }
    warn_of_plain_products(&device, arguments.precision);
    for file in [&arguments.profile, &arguments.export].into_iter().flatten() {
        make_folder(file)?;
    }
    let options = BenchOptions {
        arch,
        batch: arguments.batch,
        steps: arguments.steps,
        optimizer,
        precision: arguments.precision,
        profile: arguments.profile.is_some(),
        export: arguments.export.clone(),
    };
    let report = bench(&options, device.backend.as_ref(), started)?;
    if arguments.json {
        output::json(&report)?
    } else {
        print(&report)?
    }
    if let (true, false) = (arguments.tune, arguments.json) {
        print_tiles(&report)?;
    }
    if let (Some(profile), Some(path)) = (&report.profile, &arguments.profile) {
        if arguments.json {
            profile::write(profile, path)?;
        } else {
            profile::print(profile)?;
            profile::keep(profile, path)?;
        }
    }
    Ok(Ended::Well)
}

fn print_tiles(report: &BenchReport) -> std::io::Result<()> {
    line("tiles of matrix products, by rows and columns of the result:")?;
    for TileChoice { kernel, rows, columns, tile } in &report.tiles {
        line(&format!("  {kernel} {rows} x {columns}: {tile}"))?;
    }
    Ok(())
}

fn print(report: &BenchReport) -> std::io::Result<()> {
    let BenchReport { arch, batch, precision, device, backend, steps, ms_per_step: ms, .. } = report;
    line(&format!("{arch}, batch {batch}, {}, {device} ({backend}), {steps} steps", precision.name()))?;
    let digits = if ms.median < 1.0 { 4 } else { 2 };
    line(&format!("ms per step: median {:.digits$}, from {:.digits$} to {:.digits$}", ms.median, ms.min, ms.max))?;
    let (rate, flops) = (thousands(report.images_per_second as u64), metric(report.gflops * 1e9));
    line(&format!("{rate} images/s, {flops}FLOP/s"))?;
    line(&format!(
        "first step {:.1} ms; {:.0} ms from the start of the process to the end of that step",
        report.first_step_ms, report.cold_start_ms
    ))?;
    line(&format!("{} of device memory; the first losses agree with those of the CPU in f64", bytes(report.peak_bytes)))
}
