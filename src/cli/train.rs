//! `gpunet train`.

mod display;
mod options;

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use anyhow::bail;
use gpunet::low_level::backend::device::Device;
use gpunet::low_level::data::{Dataset, Part};
use gpunet::low_level::run::config::Config;
use gpunet::low_level::store::{Checkpoint, RunFolder};
use gpunet::low_level::train::{Event, Metrics, Outcome, check, is_finished, overfit, profile, resume, train};

use super::options::manner;
use super::output::{self, line, thousands};
use super::runs;
use super::sentence::sentence;
use super::{Ended, warn_of_plain_products, warn_of_software};

use display::Display;
pub(super) use options::{Arguments, Settings};

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    if let Some(path) = &arguments.resume {
        return go_on(arguments, path);
    }
    let mut config = arguments.config()?;
    let (dataset, device) = prepare(&arguments.settings, &config)?;
    if arguments.overfit.is_some() {
        return check_overfit(&config, &dataset, &device);
    }
    config.validation = Some(dataset.part(Part::Validation).len());
    let run = runs::create(arguments.out.as_deref(), &config, arguments.force)?;
    train_with(arguments, &config, &dataset, &device, run, None)
}

fn go_on(arguments: &Arguments, path: &Path) -> anyhow::Result<Ended> {
    let (run, settled, checkpoint) = RunFolder::resume(path)?;
    let config = arguments.settings.apply(settled)?;
    let (dataset, device) = prepare(&arguments.settings, &config)?;
    let (trained, folder) = (checkpoint.history.len(), path.display());
    line(&format!("continuing {folder} after epoch {trained}"))?;
    if trained > config.epochs {
        bail!(
            "{folder} was trained for {trained} epochs already; --epochs must be at least that, not {}",
            config.epochs
        );
    }
    if trained == config.epochs {
        let more = trained + 1;
        line(&format!("all {} epochs are trained; --epochs {more} or more trains it longer", config.epochs))?;
    } else if is_finished(&config, &checkpoint.history) {
        line("the run stopped early and keeps its best model; nothing is left to train")?;
    }
    train_with(arguments, &config, &dataset, &device, run, Some(checkpoint))
}

/// `--overfit`: the goal is to predict every example correctly.
fn check_overfit(config: &Config, dataset: &Dataset, device: &Device) -> anyhow::Result<Ended> {
    let examples = dataset.part(Part::Train).len();
    line(&format!("overfitting {} to {examples} examples of {}", config.arch, dataset.name))?;
    let mut written = Ok(());
    let outcome = match overfit(config, dataset, device.backend.as_ref(), &mut |reached| {
        let (percent, loss) = (100.0 * reached.metrics.accuracy(), reached.metrics.loss());
        let text = format!("epoch {}/{}  accuracy {percent:.2} %  loss {loss:.4}", reached.epochs, config.epochs);
        if written.is_ok() {
            written = line(&text);
        }
    }) {
        Err(error) if error.is_divergence() => {
            line(&format!("overfitting failed: {}", sentence(&error.into())))?;
            return Ok(Ended::GoalMissed);
        }
        outcome => outcome?,
    };
    written?;
    if outcome.is_reached() {
        line(&format!("overfitting succeeded: all examples are correct after epoch {}", outcome.epochs))?;
        return Ok(Ended::Well);
    }
    line(&format!(
        "overfitting failed: {} of {examples} examples are correct after epoch {}; check --lr, --normalization, --init and the labels",
        outcome.metrics.correct, outcome.epochs
    ))?;
    Ok(Ended::GoalMissed)
}

/// Loads the data while it opens the device, and checks that both fit the settings. Writes nothing.
pub(super) fn prepare(settings: &Settings, config: &Config) -> anyhow::Result<(Dataset, Device)> {
    let (dataset, device) = thread::scope(|scope| {
        let dataset = scope.spawn(|| Dataset::load(&config.data, &config.split()));
        let device = settings.device.open(config, settings.device.tuning());
        (dataset.join().unwrap_or_else(|panic| resume_unwind(panic)), device)
    });
    // An error about the data comes before one about the device.
    let dataset = dataset?;
    config.arch.check_data(&dataset)?;
    if let Some(weights) = &config.class_weights {
        weights.resolve(&dataset.class_counts(Part::Train))?;
    }
    let device = device?;
    warn_of_software(&device);
    warn_of_plain_products(&device, config.precision);
    check(config, &dataset, device.backend.as_ref())?;
    Ok((dataset, device))
}

fn train_with(
    arguments: &Arguments,
    config: &Config,
    dataset: &Dataset,
    device: &Device,
    mut run: RunFolder,
    checkpoint: Option<Checkpoint<'_>>,
) -> anyhow::Result<Ended> {
    let (backend, path) = (device.backend.as_ref(), run.path().to_path_buf());
    line(&format!(
        "training {} on {} with {}, {}",
        config.arch,
        dataset.name,
        backend.name(),
        manner(config, dataset.part(Part::Train).len())
    ))?;
    let profile = match &arguments.profile {
        Some(file) => Some((profile(config, dataset, backend)?, file.clone().unwrap_or(path.join("profile.json")))),
        None => None,
    };
    if let Some((profile, _)) = &profile {
        super::profile::print(profile)?;
    }
    let mut display = Display::new(config.epochs);
    let mut is_latest = false;
    let on_event = &mut |event: Event<'_>| {
        if matches!(event, Event::Epoch { .. }) && !is_latest {
            is_latest = true;
            if let Err(error) = runs::point_latest(&path) {
                display.above(|| output::warn(&error.to_string()));
            }
        }
        display.show(event);
        ControlFlow::Continue(())
    };
    let outcome = match checkpoint {
        Some(checkpoint) => resume(config, checkpoint, dataset, backend, Some(&mut run), on_event)?,
        None => train(config, dataset, backend, Some(&mut run), on_event)?,
    };
    display.finish()?;
    report(config, &outcome)?;
    if outcome.left_out > 0 {
        let skipped = thousands(outcome.left_out);
        output::warn(&format!(
            "{skipped} updates were skipped because gradients overflowed f16; the loss scale was lowered"
        ));
    }
    let most_of_a_class = dataset.class_counts(Part::Test).into_iter().max().unwrap_or(0) as u64;
    if outcome.test.is_some_and(|test| test.correct <= most_of_a_class) {
        let instead = "try a smaller --lr, another --optimizer such as adam, or `gpunet lr-find`";
        output::warn(&format!(
            "always predicting one class would be as accurate: the network learned nothing; {instead}"
        ));
    }
    line(&format!("saved in {}", path.display()))?;
    if let Some((profile, file)) = &profile {
        super::profile::keep(profile, file)?;
    }
    Ok(Ended::Well)
}

fn report(config: &Config, outcome: &Outcome) -> std::io::Result<()> {
    let (trained, kept) = (outcome.history.len(), outcome.kept_epoch);
    if trained < config.epochs {
        line(&format!("stopped early, after epoch {trained}"))?;
    }
    if config.early_stopping.is_some() {
        line(&format!("the model is that of epoch {kept}, the best"))?;
    }
    let Some(test) = outcome.test else { return Ok(()) };
    let Metrics { correct, examples, .. } = test;
    let (percent, loss) = (100.0 * test.accuracy(), test.loss());
    line(&format!("test accuracy {percent:.2} % ({correct} of {examples}), loss {loss:.4}"))
}
