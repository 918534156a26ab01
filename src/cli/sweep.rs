//! `gpunet sweep`.

mod grid;
mod planned;
mod seeds;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use gpunet::low_level::error::Error;
use gpunet::low_level::store::{Progress, SavedRun, load_config};

use self::planned::{Base, Planned, plan};
use super::compare::{self, Compared};
use super::output::{self, line};
use super::sentence::sentence;
use super::table::table;
use super::{DeviceArguments, Ended, train};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Settings of all runs: a recipe, such as the config.toml of a run
    recipe: PathBuf,

    /// Values to combine: options of `gpunet train` without dashes, such as "lr=0.1,0.01;batch=50,100;adam"; brackets hold a
    /// value with commas together
    #[arg(long, value_name = "SETTINGS", required_unless_present = "seeds")]
    grid: Option<String>,

    /// Train every combination with N seeds, counted from its own, and print mean and standard deviation
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: Option<u64>,

    /// Folder of the runs; started again, a sweep continues where it stopped [default: sweeps/<name of the recipe>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    // An error in the recipe is reported without naming a combination.
    load_config(&arguments.recipe)?;
    let out = arguments.out.clone().unwrap_or_else(|| {
        Path::new("sweeps").join(arguments.recipe.file_stem().unwrap_or(arguments.recipe.as_os_str()))
    });
    let grid = arguments.grid.as_deref().map_or(Ok(vec![Vec::new()]), grid::parse)?;
    if Progress::of(&out)? != Progress::Missing {
        bail!("{} is a run itself; choose another --out for the folder of a sweep's runs", out.display());
    }
    let base = Base { recipe: &arguments.recipe, device: &arguments.device, out: &out };
    let runs = plan(&base, &grid, arguments.seeds)?;
    let mut before = Vec::new();
    for run in &runs {
        before.push(run.progress()?);
    }
    let mut compared = Vec::new();
    for (index, (run, progress)) in runs.iter().zip(before).enumerate() {
        line(&format!("{} ({} of {})", run.name, index + 1, runs.len()))?;
        compared.push(train_one(run, progress)?);
        line("")?;
    }
    compare::print(&compared)?;
    if arguments.seeds.is_some() {
        let accuracy = |run: &Compared| run.summary.test.map(|test| test.accuracy);
        let accuracies = runs.iter().zip(&compared).map(|(run, compared)| (&run.group[..], accuracy(compared)));
        line("")?;
        for text in table(&[("", 1), ("", 1), ("", 1), ("", 1)], &seeds::rows(&accuracies.collect::<Vec<_>>())) {
            line(&text)?;
        }
    }
    line(&compare::draw(&compared, &out.join(compare::PICTURES))?)?;
    // If every run diverged, there is nothing to choose from.
    Ok(if compared.iter().any(|run| run.summary.diverged.is_none()) { Ended::Well } else { Ended::GoalMissed })
}

/// Trains a run, or the rest of it. Divergence is a warning and does not end the sweep.
fn train_one(run: &Planned, progress: Progress) -> anyhow::Result<Compared> {
    let mut arguments = run.arguments.clone();
    match progress {
        Progress::Finished(saved) => {
            line("finished before")?;
            return Ok(Compared::new(run.name.clone(), saved));
        }
        Progress::Stopped(_) => (arguments.out, arguments.resume) = (None, Some(run.folder.clone())),
        Progress::Missing => {}
    }
    let diverged = match train::run(&arguments) {
        Ok(_) => None,
        Err(error) if error.downcast_ref::<Error>().is_some_and(Error::is_divergence) => Some(sentence(&error)),
        Err(error) => return Err(error),
    };
    let none = SavedRun { path: run.folder.clone(), config: run.config.clone(), history: Vec::new(), test: None };
    let saved = match (&diverged, Progress::of(&run.folder)?) {
        (Some(_), Progress::Missing) => none,
        _ => SavedRun::load(&run.folder)?,
    };
    let mut compared = Compared::new(run.name.clone(), saved);
    if let Some(sentence) = &diverged {
        output::warn(sentence);
    }
    compared.summary.diverged = diverged;
    Ok(compared)
}
