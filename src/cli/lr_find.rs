//! `gpunet lr-find`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use gpunet::low_level::files::{FileError, make_folder, write_file};
use gpunet::low_level::report::{range_curve, two_digits};
use gpunet::low_level::train::{RangeCurve, RangeTestOptions, range_test};

use super::output::{self, line};
use super::{Ended, train};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: train::Settings,

    /// Learning rate of the first update
    #[arg(long, value_name = "F", default_value_t = RangeTestOptions::default().from, allow_negative_numbers = true, help_heading = "Range test")]
    from: f64,

    /// Learning rate of the last update
    #[arg(long, value_name = "F", default_value_t = RangeTestOptions::default().to, allow_negative_numbers = true, help_heading = "Range test")]
    to: f64,

    /// Number of updates; each rate is a constant factor above the one before
    #[arg(long, value_name = "N", default_value_t = RangeTestOptions::default().updates, help_heading = "Range test")]
    updates: usize,

    /// Where to write the curve: a folder, or a path to which .csv, .svg and .png are added [default: lr-find]
    #[arg(long, value_name = "PATH", help_heading = "Range test")]
    out: Option<PathBuf>,
}

/// The option of the range test's setting at `path`: its own name.
pub(super) fn option_of(path: &str) -> Option<&'static str> {
    ["from", "to", "updates"].into_iter().find(|option| *option == path)
}

/// Name of the files without --out.
const FILES: &str = "lr-find";

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let config = arguments.settings.config()?;
    let options = RangeTestOptions { from: arguments.from, to: arguments.to, updates: arguments.updates };
    options.check()?;
    let (dataset, device) = train::prepare(&arguments.settings, &config)?;
    line(&format!(
        "training {} on {} with {}, {}, at rates from {} to {}",
        config.arch,
        dataset.name,
        device.backend.name(),
        config.optimizer.name(),
        options.from,
        options.to
    ))?;
    // Find out whether the curve can be written before making it.
    let stem = output::stem(arguments.out.as_deref(), FILES);
    make_folder(&stem)?;
    let curve = range_test(&config, &dataset, device.backend.as_ref(), &options)?;
    if curve.points.len() < 2 {
        bail!("the loss is NaN or infinite from the first rate on; check --init, --normalization and --from");
    }
    let files = save(&curve, &stem)?;
    let ended = report(&curve)?;
    line(&format!("the curve is in {files}"))?;
    Ok(ended)
}

/// Writes points and picture, and returns the names of the files.
fn save(curve: &RangeCurve, stem: &Path) -> anyhow::Result<String> {
    let csv = with_csv(stem);
    write_file(&csv, &curve.to_csv().map_err(FileError::new("write", &csv))?)?;
    let [svg, png] = range_curve(curve).draw()?.save(stem)?;
    Ok(format!("{}, {} and {}", csv.display(), svg.display(), png.display()))
}

/// Name of the file of points. A dot in the stem does not begin an extension.
fn with_csv(stem: &Path) -> PathBuf {
    let mut name = stem.as_os_str().to_os_string();
    name.push(".csv");
    name.into()
}

fn report(curve: &RangeCurve) -> std::io::Result<Ended> {
    let (Some(steepest), Some(cautious)) = (curve.steepest(), curve.tenth_of_minimum()) else {
        line("the loss falls at none of these rates by more than its noise; check --init, --from, --to and the data")?;
        return Ok(Ended::GoalMissed);
    };
    line(&format!(
        "the loss falls fastest at {}; a tenth of the rate with the lowest loss is {}",
        two_digits(steepest),
        two_digits(cautious)
    ))?;
    line(&format!("a learning rate to start with: --lr {}", two_digits(steepest)))?;
    if curve.is_still_falling() {
        output::warn("the loss still fell at the last rate; try a larger --to");
    }
    Ok(Ended::Well)
}
