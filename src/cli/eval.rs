//! `gpunet eval`.

use std::path::PathBuf;

use clap::Args;
use gpunet::low_level::data::{Dataset, Part, dataset_name};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::settings;
use gpunet::low_level::store::{SavedModel, load_config};
use gpunet::low_level::train::{ClassReport, evaluate};
use serde::Serialize;

use super::output::{self, line};
use super::{DeviceArguments, Ended, warn_of_plain_products};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A run folder or model file [default: the newest run]
    model: Option<PathBuf>,

    /// `mnist` or a folder of IDX files [default: what the model was trained on]
    #[arg(long, value_name = "NAME|DIR")]
    data: Option<String>,

    /// Precision of activations and matrix products: f32, f32-split or f16 [default: as in training]
    #[arg(long, value_name = "NAME", value_parser = settings::word::<Precision>)]
    precision: Option<Precision>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    device: DeviceArguments,
}

/// The object of `--json`.
#[derive(Serialize)]
struct Report {
    dataset: String,
    count: u64,
    loss: f64,
    accuracy: f64,
    per_class: Vec<ClassReport>,
    confusion: Vec<Vec<u64>>,
    device: String,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let path = super::runs::find_model(arguments.model.as_deref())?;
    let mut model = SavedModel::load(&path)?;
    model.metadata.precision = arguments.precision.unwrap_or(model.metadata.precision);
    // A run knows where its data lies; a model file alone knows only the name of the data.
    let recipe = path.with_file_name("config.toml");
    let data = match &arguments.data {
        Some(data) => data.clone(),
        None if recipe.is_file() => load_config(&recipe)?.data,
        None => model.metadata.trained_on.clone(),
    };
    let dataset = match &model.metadata.split {
        // Only the split knows which examples are the test set and, in pooled data, which ones the model has not seen.
        Some(split) if dataset_name(&data) == model.metadata.trained_on => Dataset::load(&data, split)?,
        _ => Dataset::load_test(&data, model.metadata.arch.input(), model.metadata.classes.clone())?,
    };
    dataset.check_model(model.metadata.arch.input(), model.metadata.arch.outputs())?;
    let device = arguments.device.open()?;
    warn_of_plain_products(&device, model.metadata.precision);
    let evaluation = evaluate(&model, &dataset, Part::Test, device.backend.as_ref())?;
    let report = Report {
        dataset: dataset.name.clone(),
        count: evaluation.metrics.examples,
        loss: evaluation.metrics.loss(),
        accuracy: evaluation.metrics.accuracy(),
        per_class: evaluation.per_class(&dataset.classes),
        confusion: evaluation.confusion,
        device: device.backend.name(),
    };
    if arguments.json {
        output::json(&report)?;
    } else {
        line(&format!(
            "{} ({}) on the test set of {}, with {}",
            path.display(),
            model.metadata.arch,
            report.dataset,
            report.device
        ))?;
        print(&report)?;
    }
    Ok(Ended::Well)
}

fn print(report: &Report) -> std::io::Result<()> {
    let correct: u64 = report.confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
    let (percent, loss) = (100.0 * report.accuracy, report.loss);
    line(&format!("accuracy {percent:.2} % ({correct} of {}), loss {loss:.4}", report.count))?;

    let width = report.per_class.iter().map(|class| class.class.chars().count()).max().unwrap_or(0).max(5);
    line(&format!("\n{:<width$}  precision  recall      f1  support", "class"))?;
    for ClassReport { class, precision, recall, f1, support, .. } in &report.per_class {
        line(&format!("{class:<width$}  {precision:>9.4}  {recall:>6.4}  {f1:>6.4}  {support:>7}"))?;
    }

    let largest = report.confusion.iter().flatten().max().copied().unwrap_or(0).to_string().len();
    let cell = largest.max(width.min(8)) + 1;
    line("\nconfusion matrix: rows are true classes, columns are predicted classes")?;
    let header: String = report.per_class.iter().map(|class| format!("{:>cell$.8}", class.class)).collect();
    line(&format!("{:width$} {header}", ""))?;
    for (class, row) in report.per_class.iter().zip(&report.confusion) {
        let cells: String = row
            .iter()
            .map(|&count| if count == 0 { format!("{:>cell$}", ".") } else { format!("{count:>cell$}") })
            .collect();
        line(&format!("{:<width$} {cells}", class.class))?;
    }
    Ok(())
}
