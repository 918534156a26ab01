//! The command line: one file per command. The only code that prints.

mod bench;
mod compare;
mod doctor;
#[cfg(test)]
mod documents;
mod eval;
mod inspect;
mod lr_find;
mod options;
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
use gpunet::low_level::run::config::{Config, check_threads};

use self::options::Given;

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
    /// Evaluate a trained model on the test set
    Eval(eval::Arguments),
    /// Compare runs in a table, and draw their learning curves
    Compare(compare::Arguments),
    /// Try rising learning rates, draw the loss over them and suggest one
    LrFind(Box<lr_find::Arguments>),
    /// Train a recipe with every combination of some settings, and compare the runs
    Sweep(sweep::Arguments),
    /// Time training steps
    Bench(bench::Arguments),
    /// List the adapters and check every kernel on the chosen device
    Doctor(doctor::Arguments),
    /// Show the layers, parameters, operations and memory of a network
    Inspect(inspect::Arguments),
}

/// How a command ends without an error: with exit code 0, or with 1 if it missed its goal.
enum Ended {
    Well,
    GoalMissed,
}

/// Parses the command line, runs the command and reports its error. Exit codes are 0, 1 (goal missed) and 2 (error).
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
    #[command(flatten)]
    chosen: Given<true>,

    #[command(flatten)]
    flags: DeviceFlags,
}

impl DeviceArguments {
    /// Opens the device, and warns if it is a software adapter.
    fn open(&self) -> anyhow::Result<Device> {
        self.open_tuning(self.flags.tuning())
    }

    /// The same, with another way of tuning.
    fn open_tuning(&self, tuning: Tuning) -> anyhow::Result<Device> {
        let device = self.flags.open(&self.chosen.apply(Config::default())?, tuning)?;
        warn_of_software(&device);
        Ok(device)
    }
}

/// How to open a device, whichever it is.
#[derive(Clone, Debug, Args)]
struct DeviceFlags {
    /// Compile shaders with bounds and loop checks
    #[arg(long, help_heading = "Device")]
    checked_shaders: bool,

    /// Do not time which tiles of matrix products suit a GPU best; results do not depend on the tiles
    #[arg(long, help_heading = "Device")]
    no_tune: bool,
}

impl DeviceFlags {
    fn tuning(&self) -> Tuning {
        if self.no_tune { Tuning::Off } else { Tuning::WhereNew }
    }

    /// Adds the flags of `other`.
    fn add(&mut self, other: &DeviceFlags) {
        self.checked_shaders |= other.checked_shaders;
        self.no_tune |= other.no_tune;
    }

    /// Opens the device that the settings of a run name. Prints nothing.
    fn open(&self, config: &Config, tuning: Tuning) -> Result<Device, Error> {
        check_threads(config.threads)?;
        let checks = if self.checked_shaders { ShaderChecks::Checked } else { ShaderChecks::Trusted };
        let cache = etcetera::choose_base_strategy().ok().map(|folders| folders.cache_dir().join("gpunet"));
        let options = DeviceOptions { threads: config.threads, checks, tuning, cache };
        Ok(Device::open(&config.device, &options)?)
    }
}

/// Warns if the device does not make products as the precision asks.
fn warn_of_plain_products(device: &Device, precision: Precision) {
    let splits = || device.backend.tiles(precision).iter().any(|tile| tile.uses_matrices());
    if precision == Precision::F32Split && !splits() {
        let name = device.backend.name();
        output::warn(&format!("{name} has no matrix units that f32-split can use: products are computed in f32"));
    }
}

/// Warns if a GPU is a software adapter.
fn warn_of_software(device: &Device) {
    if device.is_software_adapter() {
        output::warn(&format!(
            "{} is a SOFTWARE adapter: it computes on the CPU, many times slower than `--device cpu`",
            device.backend.name()
        ));
    }
}
