//! The command line: a file a command. The only code that prints.

mod bench;
mod compare;
mod doctor;
#[cfg(test)]
mod documents;
mod eval;
mod inspect;
mod lr_find;
mod output;
mod profile;
mod runs;
mod sentence;
mod sweep;
mod table;
mod train;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use etcetera::BaseStrategy;
use gpunet::low_level::backend::device::{Device, DeviceOptions};
use gpunet::low_level::backend::gpu::{ShaderChecks, Tuning};
use gpunet::low_level::error::Error;
use gpunet::low_level::kernels::precision::Precision;

/// Trains neural-network classifiers on any GPU, and on the CPU where there is none.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network; without options, a good one on the bundled MNIST
    Train(Box<train::Arguments>),
    /// Evaluate a trained model on test data
    Eval(eval::Arguments),
    /// Compare runs: a table, and their learning curves as pictures
    Compare(compare::Arguments),
    /// Try growing learning rates, draw the loss over them and suggest one
    LrFind(Box<lr_find::Arguments>),
    /// Train a recipe with every combination of some settings, and compare the runs
    Sweep(sweep::Arguments),
    /// Time training steps
    Bench(bench::Arguments),
    /// List the adapters and check every kernel on the chosen device
    Doctor(doctor::Arguments),
    /// Show a network's layers, parameters, operations and memory
    Inspect(inspect::Arguments),
}

/// How a command ends when nothing went wrong: 0, or 1 where it ran and its goal was missed.
enum Ended {
    Well,
    GoalMissed,
}

/// Parses the command line, runs the command, reports an error: exit code 0, 1 (goal missed) or 2 (error).
pub fn main() -> ExitCode {
    let started = Instant::now();
    let result = match Cli::parse().command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::LrFind(arguments) => lr_find::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments, started),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
    };
    match result {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::GoalMissed) => ExitCode::from(1),
        Err(error) => {
            output::report(&error);
            ExitCode::from(2)
        }
    }
}

/// Options of every command that opens a device.
#[derive(Clone, Debug, Args)]
struct DeviceArguments {
    /// auto, cpu, gpu, an adapter's number or a part of its name (`gpunet doctor` lists them) [default: auto]
    #[arg(long, value_name = "DEVICE", help_heading = "Device")]
    device: Option<String>,

    /// Threads of the CPU backend [default: one a core]; results do not depend on it
    #[arg(long, value_name = "N", help_heading = "Device")]
    threads: Option<usize>,

    /// Compile shaders with bounds and loop checks
    #[arg(long, help_heading = "Device")]
    checked_shaders: bool,

    /// Do not time which tiles of matrix products suit a GPU best; results do not depend on it
    #[arg(long, help_heading = "Device")]
    no_tune: bool,
}

impl DeviceArguments {
    /// Takes from `other` what is not given here.
    fn default_to(&mut self, other: &DeviceArguments) {
        self.device = self.device.take().or_else(|| other.device.clone());
        self.threads = self.threads.or(other.threads);
        self.checked_shaders |= other.checked_shaders;
        self.no_tune |= other.no_tune;
    }

    /// Opens the device, and says so loudly where it is a GPU in name only.
    fn open(&self) -> Result<Device, Error> {
        self.open_tuning(self.tuning())
    }

    /// The same, but as to tuning.
    fn open_tuning(&self, tuning: Tuning) -> Result<Device, Error> {
        let device = self.open_as(self.device.as_deref().unwrap_or("auto"), self.threads, tuning)?;
        warn_of_software(&device);
        Ok(device)
    }

    fn tuning(&self) -> Tuning {
        if self.no_tune { Tuning::Off } else { Tuning::WhereNew }
    }

    /// Opens a device that another source, such as a recipe, may have named, and says nothing.
    fn open_as(&self, device: &str, threads: Option<usize>, tuning: Tuning) -> Result<Device, Error> {
        gpunet::low_level::run::config::check_threads(threads)?;
        let checks = if self.checked_shaders { ShaderChecks::Checked } else { ShaderChecks::Trusted };
        let cache = etcetera::choose_base_strategy().ok().map(|folders| folders.cache_dir().join("gpunet"));
        Ok(Device::open(device, &DeviceOptions { threads, checks, tuning, cache })?)
    }
}

/// Says so where products are not what a precision asks for.
fn warn_of_plain_products(device: &Device, precision: Precision) {
    let splits = || device.backend.tiles(precision).iter().any(|tile| tile.uses_matrices());
    if precision == Precision::F32Split && !splits() {
        let name = device.backend.name();
        output::warn(&format!("{name} has no matrix units that f32-split could count on: products are those of f32"));
    }
}

/// Says so loudly where a device is a GPU in name only.
fn warn_of_software(device: &Device) {
    if device.is_software_adapter() {
        output::warn(&format!(
            "{} is a SOFTWARE adapter: it computes on the CPU, many times slower than `--device cpu`",
            device.backend.name()
        ));
    }
}
