//! Evaluation: the forward pass over a part of a data set.

use std::ops::{ControlFlow, Range};

use serde::Serialize;

use super::Metrics;
use crate::backend::{Backend, Program};
use crate::data::{DataError, Dataset, Part};
use crate::error::Error;
use crate::kernels::step::Step;
use crate::math::shape::Shape;
use crate::nn::arch::Arch;
use crate::nn::model::Model;
use crate::plan::{Data, Phase};
use crate::store::SavedModel;

/// The most rows of a batch where no training plan sets them.
const MOST_ROWS: usize = 500;

/// Values that a batch may have between two layers, where one example has fewer: 16 MB in f32.
const MOST_VALUES: usize = 4_000_000;

/// What a model makes of examples whose classes are known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evaluation {
    /// Loss and accuracy.
    pub metrics: Metrics,
    /// `confusion[true class][predicted class]`: number of examples.
    pub confusion: Vec<Vec<u64>>,
}

/// How the examples of one class were classified. The names are a contract: scripts read them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassReport {
    /// Name.
    pub class: String,
    /// Share of the examples given this class that are of it; 0 where none was given it.
    pub precision: f64,
    /// Share of the examples of this class that were given it; 0 where there is none.
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 where both are.
    pub f1: f64,
    /// Examples of this class.
    pub support: u64,
}

impl Evaluation {
    /// Precision, recall and F1 of every class.
    pub fn per_class(&self, names: &[String]) -> Vec<ClassReport> {
        let share = |part: u64, whole: u64| {
            if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
        };
        let reports = names.iter().enumerate().map(|(class, name)| {
            let right = self.confusion[class][class];
            let support: u64 = self.confusion[class].iter().sum();
            let given: u64 = self.confusion.iter().map(|row| row[class]).sum();
            let (precision, recall, f1) =
                (share(right, given), share(right, support), share(2 * right, given + support));
            ClassReport { class: name.clone(), precision, recall, f1, support }
        });
        reports.collect()
    }
}

/// Evaluates a saved model on a part of a data set, in the precision that it was trained in.
///
/// # Errors
/// Data that does not fit the model, a part without examples, or a device that fails.
pub fn evaluate(model: &SavedModel, dataset: &Dataset, part: Part, backend: &dyn Backend) -> Result<Evaluation, Error> {
    model.metadata.check_features(dataset.values.kind())?;
    dataset.check_model(model.metadata.arch.input(), model.metadata.arch.outputs())?;
    let network = Model::of(&model.metadata.network());
    let positions = dataset.part(part);
    let missing = || DataError::NoPart { data: dataset.name.clone(), part: part.name() };
    let batch = most_rows(&model.metadata.arch).min(positions.len()).max(1);
    let data = dataset.shape(model.metadata.normalization.clone());
    let (loss, precision) = (model.metadata.loss, model.metadata.precision);
    let recording = network.record_evaluation(data, batch, loss, precision)?.with_shared_buffers();
    let mut program = backend.load(&recording.plan)?;
    recording.upload(program.as_mut(), dataset)?;
    for (&tensor, values) in recording.parameters.iter().zip(&model.parameters) {
        program.write(tensor, Data::F32(values))?;
    }
    let metrics = evaluate_part(program.as_mut(), batch, positions.clone())?.ok_or_else(missing)?;
    if !metrics.loss().is_finite() {
        return Err(Error::LossNotFinite { loss: metrics.loss() });
    }
    let predictions = program.slow_read_u32(recording.loss.predictions)?;
    let classes = dataset.classes.len();
    let mut confusion = vec![vec![0; classes]; classes];
    for position in positions {
        confusion[dataset.labels[position] as usize][predictions[position] as usize] += 1;
    }
    Ok(Evaluation { metrics, confusion })
}

/// The rows of a batch that only evaluates: a network with wide layers takes fewer.
pub fn most_rows(arch: &Arch) -> usize {
    let widest = arch.shapes().iter().map(Shape::len).max().unwrap_or(1);
    (MOST_VALUES / widest).clamp(1, MOST_ROWS)
}

/// Replays the evaluation phase over the positions of a part; `None` where it has no examples.
pub(super) fn evaluate_part(
    program: &mut dyn Program,
    batch: usize,
    part: Range<usize>,
) -> Result<Option<Metrics>, Error> {
    let steps: Vec<Step> = part
        .clone()
        .step_by(batch)
        .map(|start| Step::batch(start as u32, batch.min(part.end - start) as u32))
        .collect();
    let mut metrics = Metrics::default();
    program.run(Phase::Eval, &steps, &mut |batches| {
        batches.iter().for_each(|batch| metrics.add(batch));
        ControlFlow::Continue(())
    })?;
    Ok((metrics.examples > 0).then_some(metrics))
}
