//! The runs of a sweep, all checked before the first one trains.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Parser;
use gpunet::low_level::run::config::Config;
use gpunet::low_level::store::Progress;
use gpunet::low_level::train::check;

use super::grid::{self, Setting};
use crate::cli::sentence::sentence;
use crate::cli::{DeviceArguments, train};

/// Bytes that every file system takes for the name of a folder.
const LONGEST_NAME: usize = 200;

/// A combination as typed after `gpunet`.
#[derive(Debug, Parser)]
#[command(name = "train", disable_help_flag = true)]
struct Typed {
    #[command(flatten)]
    train: train::Arguments,
}

/// What all runs of a sweep have in common.
pub(super) struct Base<'a> {
    pub(super) recipe: &'a Path,
    /// Device of the combinations that name none.
    pub(super) device: &'a DeviceArguments,
    /// Folder that holds the run folders.
    pub(super) out: &'a Path,
}

/// A run of a sweep.
#[derive(Debug)]
pub(super) struct Planned {
    /// Its combination and, where seeds are swept, its seed.
    pub(super) name: String,
    /// Its combination without the seed: the runs of a group differ only in their seeds.
    pub(super) group: String,
    /// Arguments of `gpunet train` for this run.
    pub(super) arguments: train::Arguments,
    pub(super) config: Config,
    pub(super) folder: PathBuf,
}

/// Plans the runs of all combinations, with `seeds` seeds each.
///
/// # Errors
/// A combination that `gpunet train` would refuse, or two that are the same.
pub(super) fn plan(base: &Base<'_>, grid: &[Vec<Setting>], seeds: Option<u64>) -> anyhow::Result<Vec<Planned>> {
    if seeds.unwrap_or(1).saturating_mul(grid.len() as u64) > grid::MOST as u64 {
        bail!("--seeds and --grid ask for more than {} runs; sweep fewer values at once", grid::MOST);
    }
    let mut runs = Vec::new();
    for settings in grid {
        let group = grid::name(settings);
        let Some(seeds) = seeds else {
            runs.push(plan_run(base, settings, group)?);
            continue;
        };
        if settings.iter().any(|setting| setting.key == "seed") {
            bail!("--seeds and a seed in --grid contradict each other; leave one of them out");
        }
        let first = plan_run(base, settings, group.clone())?.config.seed;
        for seed in first..first.saturating_add(seeds) {
            runs.push(plan_run(base, &[&settings[..], &[Setting::seed(seed)]].concat(), group.clone())?);
        }
    }
    refuse_equals(&runs)?;
    check_data_and_devices(&runs)?;
    Ok(runs)
}

fn plan_run(base: &Base<'_>, settings: &[Setting], group: String) -> anyhow::Result<Planned> {
    let name = grid::name(settings);
    if name.len() > LONGEST_NAME {
        bail!("--grid: {name} is too long for the name of a folder; sweep fewer settings at once, or shorter values");
    }
    let options = settings.iter().map(|setting| OsString::from(setting.word()));
    let recipe = ["train".into(), "--recipe".into(), base.recipe.as_os_str().to_os_string()];
    let typed = Typed::try_parse_from(recipe.into_iter().chain(options));
    let mut arguments = match typed {
        Ok(typed) => typed.train,
        Err(error) => bail!("run {name}: {}", problem(&error)),
    };
    arguments.settings.given.default_to(&base.device.chosen);
    arguments.settings.device.add(&base.device.flags);
    let config = match arguments.config() {
        Ok(config) => config,
        Err(error) => bail!("run {name}: {}", sentence(&error)),
    };
    let folder = base.out.join(&name);
    if folder.exists() && !folder.is_dir() {
        bail!(
            "{} is a file, where run {name} needs a folder; choose another --out, or move the file",
            folder.display()
        );
    }
    arguments.out = Some(folder.clone());
    Ok(Planned { name, group, arguments, config, folder })
}

/// The sentence and the tip of a clap error, without the usage.
fn problem(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text.split("\n\nFor more information").next().unwrap_or_default();
    text.trim_start_matches("error: ").trim_end().to_string()
}

fn refuse_equals(runs: &[Planned]) -> anyhow::Result<()> {
    let mut seen = HashMap::new();
    for run in runs {
        if let Some(other) = seen.insert(toml::to_string(&run.config)?, &run.name) {
            bail!(
                "--grid: {other} and {} are the same settings; leave one of them out (a value with commas stands in brackets)",
                run.name
            );
        }
    }
    Ok(())
}

/// Checks that every run fits its data and device. Each pair of data and device is loaded once for all runs that share it.
fn check_data_and_devices(runs: &[Planned]) -> anyhow::Result<()> {
    let needs = |run: &Planned| {
        let Config { data, device, threads, .. } = &run.config;
        (data.clone(), run.config.split(), device.clone(), *threads)
    };
    let mut left: Vec<&Planned> = runs.iter().collect();
    while let Some(&first) = left.first() {
        let in_run = |run: &Planned, error: anyhow::Error| anyhow!("run {}: {}", run.name, sentence(&error));
        let (dataset, device) =
            train::prepare(&first.arguments.settings, &first.config).map_err(|error| in_run(first, error))?;
        let (alike, others) = left.into_iter().partition(|run| needs(run) == needs(first));
        left = others;
        for run in alike {
            check(&run.config, &dataset, device.backend.as_ref()).map_err(|error| in_run(run, error.into()))?;
        }
    }
    Ok(())
}

impl Planned {
    /// How far the run got in an earlier start of the sweep.
    ///
    /// # Errors
    /// A folder that holds a run with other settings.
    pub(super) fn progress(&self) -> anyhow::Result<Progress> {
        let progress = Progress::of(&self.folder)?;
        let held = match &progress {
            Progress::Missing => return Ok(progress),
            Progress::Stopped(config) => config,
            Progress::Finished(run) => &run.config,
        };
        // A run folder records the number of validation examples, even if it was a default.
        let validation = self.config.validation.or(held.validation);
        // Threads do not change the result, and a run may continue on another device.
        let (threads, device) = (held.threads, held.device.clone());
        let wanted = toml::to_string(&Config { validation, threads, device, ..self.config.clone() })?;
        let held = toml::to_string(held)?;
        if wanted == held {
            return Ok(progress);
        }
        let only_in = |one: &str, other: &str| {
            let lines = one.lines().filter(|line| !other.lines().any(|l| l == *line)).map(|line| format!("`{line}`"));
            lines.collect::<Vec<_>>().join(", ")
        };
        bail!(
            "{} holds a run with other settings: {} there, {} here; choose another --out, or remove that folder",
            self.folder.display(),
            or_nothing(only_in(&held, &wanted)),
            or_nothing(only_in(&wanted, &held))
        )
    }
}

fn or_nothing(lines: String) -> String {
    if lines.is_empty() { "nothing".to_string() } else { lines }
}
