//! The training loop.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::Instant;

use super::evaluate::evaluate_part;
use super::prepare::{batching, record};
use super::steps::epoch_steps;
use super::{Event, Metrics, Outcome};
use crate::backend::{Backend, Logged, Program};
use crate::data::{Dataset, Part};
use crate::error::Error;
use crate::kernels::step::Step;
use crate::nn::model::{Model, Recording};
use crate::plan::{Data, Phase, Tensor};
use crate::run::config::{Batching, Config};
use crate::run::history::EpochRecord;
use crate::run::schedule::RunLength;
use crate::store::{Checkpoint, ModelMetadata, RunFolder, SavedModel, TestRecord};

/// Trains a new model and evaluates it on the test part once, at the end. Each epoch is kept in `run` where one is given.
///
/// # Errors
/// Settings that make no sense or do not fit the data, a device that fails, a loss that is no number, a file that cannot be
/// written. Epochs kept before stay as they are.
pub fn train(
    config: &Config,
    dataset: &Dataset,
    backend: &dyn Backend,
    run: Option<&mut RunFolder>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, Error> {
    Trainer::begin(config, dataset, backend)?.train(run, on_event)
}

/// Goes on from a checkpoint until `config.epochs` are trained: on the same device, to the same bits as without the stop.
///
/// # Errors
/// As [`train`]; and a checkpoint that does not fit its own settings.
pub fn resume(
    config: &Config,
    checkpoint: Checkpoint<'_>,
    dataset: &Dataset,
    backend: &dyn Backend,
    mut run: Option<&mut RunFolder>,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, Error> {
    let mut trainer = Trainer::new(config, dataset, backend)?;
    trainer.restore(checkpoint)?;
    if let Some(run) = run.as_deref_mut() {
        // A kill may have come between the checkpoint and what is made from it.
        let parameters = trainer.parameters()?;
        trainer.keep_epoch(run, &parameters)?;
    }
    trainer.train(run, on_event)
}

pub(super) struct Trainer<'a> {
    config: &'a Config,
    dataset: &'a Dataset,
    model: Model,
    recording: Recording,
    program: Box<dyn Program>,
    batching: Batching,
    history: Vec<EpochRecord>,
    /// Updates made so far.
    updates: u64,
    /// Parameters of the best epoch so far, where that is the one to keep.
    best: Option<Vec<Vec<f32>>>,
}

impl<'a> Trainer<'a> {
    /// Everything loaded; parameters are still zeros.
    fn new(config: &'a Config, dataset: &'a Dataset, backend: &dyn Backend) -> Result<Trainer<'a>, Error> {
        let batching = batching(config, dataset);
        let (model, recording) = record(config, dataset, config.normalization.fit(dataset), backend)?;
        let mut program = backend.load(&recording.plan)?;
        recording.upload(program.as_mut(), dataset)?;
        let (history, updates, best) = (Vec::new(), 0, None);
        Ok(Trainer { config, dataset, model, recording, program, batching, history, updates, best })
    }

    /// A new model.
    pub(super) fn begin(config: &'a Config, dataset: &'a Dataset, backend: &dyn Backend) -> Result<Trainer<'a>, Error> {
        let mut trainer = Trainer::new(config, dataset, backend)?;
        trainer.model.initialize(&trainer.recording, trainer.program.as_mut(), config.seed)?;
        Ok(trainer)
    }

    fn restore(&mut self, checkpoint: Checkpoint<'_>) -> Result<(), Error> {
        if checkpoint.data != self.dataset.fingerprint() {
            return Err(Error::OtherData { data: self.dataset.name.clone() });
        }
        self.write_parameters(&checkpoint.parameters)?;
        self.write_tensors(&self.recording.state.clone(), &checkpoint.state)?;
        (self.history, self.updates) = (checkpoint.history, checkpoint.updates);
        self.best = checkpoint.best.map(Cow::into_owned);
        if self.best.is_some() != (self.config.early_stopping.is_some() && !self.history.is_empty()) {
            return Err(Error::CheckpointMisfit);
        }
        Ok(())
    }

    fn train(mut self, mut run: Option<&mut RunFolder>, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Outcome, Error> {
        let examples = self.batching.examples;
        on_event(self.started());
        while !is_finished(self.config, &self.history) {
            let epoch = self.history.len() + 1;
            let begun = Instant::now();
            let (trained, learning_rate) = self.train_epoch(epoch, on_event)?;
            let training = begun.elapsed();
            let validated = self.evaluate(Part::Validation)?;
            if validated.examples > 0 && !validated.loss().is_finite() {
                let (loss, learning_rate) = (validated.loss(), self.config.optimizer.learning_rate());
                return Err(Error::ValidationDiverged { loss, epoch, learning_rate });
            }
            let record = EpochRecord {
                epoch,
                train_loss: trained.loss(),
                train_accuracy: trained.accuracy(),
                val_loss: validated.loss(),
                val_accuracy: validated.accuracy(),
                learning_rate,
                seconds: begun.elapsed().as_secs_f64(),
            };
            self.history.push(record);
            let parameters = self.parameters()?;
            if self.kept_epoch() == Some(epoch) {
                self.best = Some(parameters.clone());
            }
            if let Some(run) = run.as_deref_mut() {
                self.keep_epoch(run, &parameters)?;
            }
            on_event(Event::Epoch { record, training, examples });
        }
        // What is kept is what is tested.
        if let Some(best) = self.best.take() {
            self.write_parameters(&best)?;
        }
        let kept_epoch = self.kept_epoch().unwrap_or(self.history.len());
        let test = self.test(run, kept_epoch)?;
        let left_out = self.recording.updates_left_out(self.program.as_mut())?;
        Ok(Outcome { test, parameters: self.parameters()?, kept_epoch, history: self.history, left_out })
    }

    /// Evaluates the test part with the model that is kept, and keeps what it came to.
    fn test(&mut self, run: Option<&mut RunFolder>, kept_epoch: usize) -> Result<Metrics, Error> {
        let test = self.evaluate(Part::Test)?;
        if let (Some(run), 1..) = (run, test.examples) {
            let (epoch, count, accuracy, loss) = (self.history.len(), test.examples, test.accuracy(), test.loss());
            if !loss.is_finite() {
                return Err(Error::LossNotFinite { loss });
            }
            run.keep_test(&TestRecord { epoch, kept_epoch: Some(kept_epoch), count, accuracy, loss })?;
        }
        Ok(test)
    }

    pub(super) fn started(&self) -> Event<'static> {
        Event::Started {
            train: self.batching.examples,
            validation: self.dataset.part(Part::Validation).len(),
            test: self.dataset.part(Part::Test).len(),
            parameters: self.model.parameter_count(),
            device_bytes: self.program.allocated_bytes(),
        }
    }

    /// The epoch whose model is kept instead of the last: the best, where early stopping asks for it.
    fn kept_epoch(&self) -> Option<usize> {
        self.config.early_stopping.and_then(|stopping| stopping.best_epoch(&self.history))
    }

    /// Writes model and checkpoint; `parameters` are those of the last epoch.
    fn keep_epoch(&mut self, run: &mut RunFolder, parameters: &[Vec<f32>]) -> Result<(), Error> {
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

    /// Trains an epoch: what its batches came to while they were learnt, and the learning rate of its last update.
    pub(super) fn train_epoch(
        &mut self,
        epoch: usize,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<(Metrics, f64), Error> {
        let updates = self.batching.updates() as u64;
        let length = RunLength { updates_per_epoch: updates, epochs: self.config.epochs };
        let factors: Vec<f64> = self.config.schedule.factors(length, &self.history).collect();
        let base = self.config.optimizer.learning_rate();
        let last_rate = base * factors.last().copied().unwrap_or(1.0);
        let steps = self.steps(epoch, self.updates, factors.into_iter());
        let mut so_far = Metrics::default();
        let mut done = 0;
        let mut diverged = None;
        self.run_steps(&steps, &mut |batches| {
            for batch in batches {
                so_far.add(batch);
                done += 1;
                if !batch.loss_sum.is_finite() {
                    let loss = batch.loss_sum / batch.rows as f32;
                    diverged = Some(Error::Diverged { loss, epoch, step: done, learning_rate: base });
                    return ControlFlow::Break(());
                }
            }
            on_event(Event::Batches { epoch, batches, so_far });
            ControlFlow::Continue(())
        })?;
        self.updates += updates;
        diverged.map_or(Ok((so_far, last_rate)), Err)
    }

    /// The steps of an epoch, `before` updates from the start, with these factors on the learning rate; as many as there are.
    pub(super) fn steps(&self, epoch: usize, before: u64, factors: impl Iterator<Item = f64>) -> Vec<Step> {
        epoch_steps(self.config, self.batching, epoch, before, factors)
    }

    /// Draws the epoch's order, and runs its steps.
    pub(super) fn run_steps(&mut self, steps: &[Step], logged: &mut Logged<'_>) -> Result<(), Error> {
        if let (true, Some(first)) = (self.config.shuffle, steps.first()) {
            self.program.run(Phase::Shuffle, std::slice::from_ref(first), &mut |_| ControlFlow::Continue(()))?;
        }
        Ok(self.program.run(Phase::Train, steps, logged)?)
    }

    /// What it trains on.
    pub(super) fn program(&mut self) -> &mut dyn Program {
        self.program.as_mut()
    }

    pub(super) fn evaluate(&mut self, part: Part) -> Result<Metrics, Error> {
        evaluate_part(self.program.as_mut(), self.recording.batch, self.dataset.part(part))
    }

    /// The parameters, all finite.
    fn parameters(&mut self) -> Result<Vec<Vec<f32>>, Error> {
        let mut parameters = Vec::new();
        for &tensor in &self.recording.parameters {
            let values = self.program.slow_read_f32(tensor)?;
            if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
                let (epoch, learning_rate) = (self.history.len(), self.config.optimizer.learning_rate());
                return Err(Error::ParameterDiverged { value, epoch, learning_rate });
            }
            parameters.push(values);
        }
        Ok(parameters)
    }

    fn write_parameters(&mut self, values: &[Vec<f32>]) -> Result<(), Error> {
        self.write_tensors(&self.recording.parameters.clone(), values)
    }

    /// Writes a list of tensors, whose values may come from a file.
    fn write_tensors(&mut self, tensors: &[Tensor], values: &[Vec<f32>]) -> Result<(), Error> {
        let lengths = tensors.iter().map(|&tensor| self.recording.plan.tensor(tensor).len());
        if !lengths.eq(values.iter().map(Vec::len)) {
            return Err(Error::CheckpointMisfit);
        }
        let mut pairs = tensors.iter().zip(values);
        Ok(pairs.try_for_each(|(&tensor, values)| self.program.write(tensor, Data::F32(values)))?)
    }

    fn metadata(&self) -> ModelMetadata {
        let Config { arch, activation, .. } = self.config;
        let (normalization, classes) = (self.recording.normalization.clone(), self.dataset.classes.clone());
        ModelMetadata {
            activation: activation.clone(),
            loss: self.config.loss,
            precision: self.config.precision,
            // Where the test part is not the data set's own, only the split tells what it is.
            split: (self.config.pool || self.config.test.is_some()).then(|| self.config.split()),
            ..ModelMetadata::new(arch.clone(), normalization, classes, self.dataset.name.clone())
        }
    }
}

/// Whether a run with this history has nothing left to train.
pub fn is_finished(config: &Config, history: &[EpochRecord]) -> bool {
    history.len() >= config.epochs || config.early_stopping.is_some_and(|stopping| stopping.stops(history))
}
