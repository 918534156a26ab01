//! Values of options: as lists in the help, as text in the first line of `train`, and how to read them.

use gpunet::low_level::nn::loss::ClassWeights;
use gpunet::low_level::run::config::{BatchSize, Batching, Config};
use gpunet::low_level::run::schedule::Schedule;
use gpunet::low_level::settings::SpecError;

/// `a, b or c`.
pub(super) fn one_of(names: impl IntoIterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

pub(super) fn batch_in_words(config: &Config, examples: usize) -> Option<String> {
    let Batching { rows, per_update, .. } = config.batching(examples);
    Some(match config.batch {
        BatchSize::Full => "full batch".to_string(),
        BatchSize::Rows(_) if per_update > 1 => format!("batch {rows} times {per_update}"),
        BatchSize::Rows(_) => format!("batch {rows}"),
    })
}

/// Reads `step:every=10`, and whether the text sets the warm-up.
pub(super) fn schedule(text: &str) -> Result<(Schedule, bool), SpecError> {
    let names_warmup = text.split(':').any(|part| part.split('=').next().is_some_and(|key| key.trim() == "warmup"));
    Ok((Schedule::parse(text)?, names_warmup))
}

/// Reads `balanced`, or numbers with commas between them.
pub(super) fn class_weights(text: &str) -> Result<ClassWeights, String> {
    if text == "balanced" {
        return Ok(ClassWeights::Balanced);
    }
    let weights: Result<Vec<f64>, _> = text.split(',').map(|weight| weight.trim().parse()).collect();
    weights.map(ClassWeights::Listed).map_err(|_| "class weights are `balanced`, or a number per class".to_string())
}
