//! What is kept of a run on disk: after each epoch, and at its end.

use std::borrow::Cow;

use super::training::Training;
use super::{Metrics, Outcome};
use crate::data::{Part, Split};
use crate::error::Error;
use crate::run::config::Config;
use crate::store::{Checkpoint, ModelMetadata, RunFolder, SavedModel, TestRecord};

impl Training<'_> {
    /// Writes model and checkpoint; `parameters` are those of the last epoch.
    pub(super) fn keep_epoch(&mut self, run: &mut RunFolder, parameters: &[Vec<f32>]) -> Result<(), Error> {
        let mut state = Vec::new();
        for &tensor in &self.recording.state {
            state.push(self.program.slow_read_f32(tensor)?);
        }
        let kept = self.best.as_deref().unwrap_or(parameters).to_vec();
        let model = SavedModel { metadata: self.metadata(), parameters: kept };
        let checkpoint = Checkpoint {
            config: self.config.to_recipe(),
            data: self.dataset.fingerprint(),
            history: self.history.clone(),
            updates: self.updates,
            parameters: Cow::Borrowed(parameters),
            best: self.best.as_deref().map(Cow::Borrowed),
            state,
        };
        Ok(run.keep_epoch(&model, &checkpoint)?)
    }

    /// What the model file says of the model.
    pub(super) fn metadata(&self) -> ModelMetadata {
        let Config { arch, activation, .. } = self.config;
        let (normalization, classes) = (self.recording.normalization.clone(), self.dataset.classes.clone());
        ModelMetadata {
            activation: activation.clone(),
            features: self.dataset.values.kind(),
            loss: self.config.loss,
            precision: self.config.precision,
            split: self.split(),
            ..ModelMetadata::new(arch.clone(), normalization, classes, self.dataset.name.clone())
        }
    }

    /// How the data set was parted, where its test set is not the source's own: then only the split tells what it is.
    fn split(&self) -> Option<Split> {
        let (_, split) = self.dataset.origin.as_ref()?;
        let validation = Some(self.dataset.part(Part::Validation).len());
        (split.pool || split.test.is_some()).then(|| Split { validation, ..split.clone() })
    }
}

impl Outcome {
    /// The content of `test.json`, which marks the run as finished.
    pub(super) fn test_record(&self, test: &Metrics) -> TestRecord {
        let (epoch, kept_epoch) = (self.history.len(), Some(self.kept_epoch));
        TestRecord { epoch, kept_epoch, count: test.examples, accuracy: test.accuracy(), loss: test.loss() }
    }
}
