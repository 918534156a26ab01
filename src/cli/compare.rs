//! `gpunet compare`.

use std::path::{Path, PathBuf};

use clap::Args;
use gpunet::low_level::files::make_folder;
use gpunet::low_level::report::{LearningCurve, learning_curves};
use gpunet::low_level::run::history::EpochRecord;
use gpunet::low_level::store::{SavedRun, Summary, find_runs, short_names};

use super::Ended;
use super::output::{self, line, metric, thousands};
use super::table::table;

/// Name of the pictures without --out.
pub(super) const PICTURES: &str = "comparison";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folders, and folders with runs in them
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,

    /// Where to draw the learning curves: a folder, or a path to which .svg and .png are added [default: comparison]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,

    /// Print a JSON array with one object per run
    #[arg(long)]
    json: bool,
}

/// A run beside others.
pub(super) struct Compared {
    pub(super) summary: Summary,
    pub(super) history: Vec<EpochRecord>,
    /// The loss that it reports.
    loss: &'static str,
}

impl Compared {
    pub(super) fn new(name: String, run: SavedRun) -> Compared {
        Compared { summary: Summary::new(name, &run), loss: run.config.loss.name(), history: run.history }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let paths = find_runs(&arguments.runs)?;
    let mut runs = Vec::new();
    for (path, name) in paths.iter().zip(short_names(&paths)) {
        runs.push(Compared::new(name, SavedRun::load(path)?));
    }
    let pictures = draw(&runs, &output::stem(arguments.out.as_deref(), PICTURES))?;
    if arguments.json {
        output::json(&runs.iter().map(|run| &run.summary).collect::<Vec<_>>())?;
    } else {
        print(&runs)?;
        line(&pictures)?;
    }
    Ok(Ended::Well)
}

/// Draws the learning curves as `<stem>.svg` and `<stem>.png`, and returns a line that says so.
pub(super) fn draw(runs: &[Compared], stem: &Path) -> anyhow::Result<String> {
    make_folder(stem)?;
    let curves: Vec<_> = runs
        .iter()
        .map(|run| LearningCurve { name: &run.summary.name, loss: run.loss, history: &run.history })
        .collect();
    let [svg, png] = learning_curves(&curves).draw()?.save(stem)?;
    Ok(format!("learning curves in {} and {}", svg.display(), png.display()))
}

/// Prints the table, and which run has the best validation accuracy.
pub(super) fn print(runs: &[Compared]) -> std::io::Result<()> {
    let groups = [("", 1), ("validation %", 2), ("validation loss", 2), ("test", 2), ("", 1), ("", 1), ("", 1)];
    let header = ["run", "best", "final", "best@epoch", "final", "%", "loss", "epochs", "time", "params"];
    let rows = runs.iter().map(|run| cells(&run.summary)).collect::<Vec<_>>();
    for text in table(&groups, &[&[header.map(String::from).to_vec()], &rows[..]].concat()) {
        line(&text)?;
    }
    if runs.iter().any(|run| run.loss != runs[0].loss) {
        line("the runs minimize different losses, which cannot be compared")?;
    }
    let bests = runs.iter().filter_map(|run| run.summary.best_val_accuracy.map(|best| (&run.summary.name, best)));
    // The first of equals.
    if let Some((name, best)) = bests.rev().max_by(|(_, a), (_, b)| a.value.total_cmp(&b.value)) {
        line(&format!("best validation accuracy: {name}, {:.2} % in epoch {}", 100.0 * best.value, best.epoch))?;
    }
    Ok(())
}

fn cells(summary: &Summary) -> Vec<String> {
    let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_string());
    let percent = |share: f64| format!("{:.2}", 100.0 * share);
    let (test, diverged) = (summary.test, summary.diverged.as_ref().map(|_| "diverged".to_string()));
    vec![
        summary.name.clone(),
        shown(summary.best_val_accuracy.map(|best| percent(best.value))),
        shown(summary.final_val_accuracy.map(percent)),
        shown(summary.best_val_loss.map(|best| format!("{:.4}@{}", best.value, best.epoch))),
        shown(summary.final_val_loss.map(|loss| format!("{loss:.4}"))),
        shown(diverged.or(test.map(|test| percent(test.accuracy)))),
        shown(test.map(|test| format!("{:.4}", test.loss))),
        summary.epochs.to_string(),
        clock(summary.seconds),
        match summary.parameters {
            few @ ..10_000 => thousands(few as u64),
            many => metric(many as f64).trim_end().to_string(),
        },
    ]
}

/// Seconds as `m:ss` or `h:mm:ss`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!([0.4, 59.6, 754.0, 3600.0, 36_061.0].map(clock), ["0:00", "1:00", "12:34", "1:00:00", "10:01:01"]);
    }
}
