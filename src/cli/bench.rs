//! `gpunet bench`.

use clap::Args;
use gpunet::arch::Arch;
use gpunet::config::{BatchSize, Config};
use gpunet::optim::Optimizer;
use gpunet::train::bench::{BenchOptions, BenchReport, bench};

use super::output::{self, bytes, line, metric, thousands};
use super::{DeviceArguments, Ended};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Layers, inputs first, such as 784-500-10 or 1x28x28-32C5-MP2-512-10
    #[arg(long, default_value = "784-3000-2500-2000-1500-1000-500-10")]
    arch: String,

    /// Examples a step
    #[arg(long, value_name = "N", default_value_t = 256)]
    batch: usize,

    /// Steps to time at least, after as many as it takes to warm up
    #[arg(long, value_name = "N", default_value_t = 30)]
    steps: usize,

    /// Time gradient descent instead of Adam
    #[arg(long)]
    sgd: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    device: DeviceArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let arch: Arch = arguments.arch.parse()?;
    if arguments.steps == 0 {
        anyhow::bail!("--steps is 0; a benchmark times at least one step");
    }
    let optimizer = if arguments.sgd { Optimizer::sgd() } else { Optimizer::adam() };
    Config { batch: BatchSize::Rows(arguments.batch), optimizer, ..Config::default() }.validate()?;
    let device = arguments.device.open()?;
    let options = BenchOptions { arch, batch: arguments.batch, steps: arguments.steps, optimizer };
    let report = bench(&options, device.backend.as_ref())?;
    if arguments.json {
        output::json(&report)?
    } else {
        print(&report)?
    }
    Ok(Ended::Well)
}

fn print(report: &BenchReport) -> std::io::Result<()> {
    let BenchReport { arch, batch, device, backend, steps, ms_per_step: ms, .. } = report;
    line(&format!("{arch}, batch {batch}, {device} ({backend}), {steps} steps"))?;
    line(&format!("ms a step: median {:.2}, from {:.2} to {:.2}", ms.median, ms.min, ms.max))?;
    let (rate, flops) = (thousands(report.images_per_second as u64), metric(report.gflops * 1e9));
    line(&format!("{rate} images/s, {flops}FLOP/s; first step {:.1} ms", report.first_step_ms))?;
    line(&format!("{} held on the device; the first losses agree with the CPU's in f64", bytes(report.peak_bytes)))
}
