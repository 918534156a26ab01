//! The training loop.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::Instant;

use super::evaluate::evaluate_part;
use super::prepare::{batching, record};
use super::steps::epoch_steps;
use super::{Ending, Event, EventHandler, Metrics, Outcome};
use crate::backend::{Backend, Logged, Program};
use crate::data::{Dataset, Part};
use crate::error::Error;
use crate::kernels::step::Step;
use crate::nn::model::{Model, Recording};
use crate::plan::{Data, Phase, Tensor};
use crate::run::config::{Batching, Config};
use crate::run::history::EpochRecord;
use crate::run::schedule::RunLength;
use crate::store::{Checkpoint, RunFolder, SavedModel};

/// Trains a new model and evaluates it on the test set once, at the end. Each epoch is kept in `run` where one is given.
///
/// A handler that breaks ends training: after [`Event::Epoch`] with the model of that epoch, after [`Event::Batches`] with
/// the parameters as the last step left them. A run folder then holds the last whole epoch and counts as unfinished.
///
/// # Errors
/// Settings that make no sense or do not fit the data, a device that fails, a loss that is no number, a file that cannot be
/// written. Epochs kept before stay as they are.
pub fn train(
    config: &Config,
    dataset: &Dataset,
    backend: &dyn Backend,
    run: Option<&mut RunFolder>,
    on_event: &mut EventHandler<'_>,
) -> Result<Outcome, Error> {
    Training::begin(config, dataset, backend)?.train(run, on_event)
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
    on_event: &mut EventHandler<'_>,
) -> Result<Outcome, Error> {
    let mut trainer = Training::new(config, dataset, backend)?;
    trainer.restore(checkpoint)?;
    if let Some(run) = run.as_deref_mut() {
        // A kill may have come between the checkpoint and what is made from it.
        let parameters = trainer.parameters()?;
        trainer.keep_epoch(run, &parameters)?;
    }
    trainer.train(run, on_event)
}

/// A run that is being trained.
pub(super) struct Training<'a> {
    pub(super) config: &'a Config,
    pub(super) dataset: &'a Dataset,
    model: Model,
    pub(super) recording: Recording,
    pub(super) program: Box<dyn Program>,
    batching: Batching,
    pub(super) history: Vec<EpochRecord>,
    /// Updates made so far.
    pub(super) updates: u64,
    /// Parameters of the best epoch so far, where that is the one to keep.
    pub(super) best: Option<Vec<Vec<f32>>>,
}

impl<'a> Training<'a> {
    /// Everything loaded; parameters are still zeros.
    fn new(config: &'a Config, dataset: &'a Dataset, backend: &dyn Backend) -> Result<Training<'a>, Error> {
        let batching = batching(config, dataset);
        let (model, recording) = record(config, dataset, config.normalization.fit(dataset), backend)?;
        let mut program = backend.load(&recording.plan)?;
        recording.upload(program.as_mut(), dataset)?;
        let (history, updates, best) = (Vec::new(), 0, None);
        Ok(Training { config, dataset, model, recording, program, batching, history, updates, best })
    }

    /// A new model.
    pub(super) fn begin(
        config: &'a Config,
        dataset: &'a Dataset,
        backend: &dyn Backend,
    ) -> Result<Training<'a>, Error> {
        let mut trainer = Training::new(config, dataset, backend)?;
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

    fn train(mut self, mut run: Option<&mut RunFolder>, on_event: &mut EventHandler<'_>) -> Result<Outcome, Error> {
        let ending = self.train_epochs(run.as_deref_mut(), on_event)?;
        // What is kept is what is tested.
        if let Some(best) = self.best.take() {
            self.write_parameters(&best)?;
        }
        let kept_epoch = self.kept_epoch().unwrap_or(self.history.len());
        let test = self.evaluate(Part::Test)?;
        if let Some(loss) = test.map(|test| test.loss()).filter(|loss| !loss.is_finite()) {
            return Err(Error::LossNotFinite { loss });
        }
        let left_out = self.recording.updates_left_out(self.program.as_mut())?;
        let (parameters, metadata) = (self.parameters()?, self.metadata());
        let model = SavedModel { metadata, parameters };
        let outcome = Outcome { ending, test, model, kept_epoch, history: self.history, left_out };
        if let (Some(run), Some(test), true) = (run, &test, ending != Ending::Stopped) {
            run.keep_test(&outcome.test_record(test))?;
        }
        Ok(outcome)
    }

    /// Trains, validates and keeps epoch after epoch.
    fn train_epochs(
        &mut self,
        mut run: Option<&mut RunFolder>,
        on_event: &mut EventHandler<'_>,
    ) -> Result<Ending, Error> {
        if on_event(self.started()).is_break() {
            return Ok(Ending::Stopped);
        }
        while !is_finished(self.config, &self.history) {
            let epoch = self.history.len() + 1;
            let begun = Instant::now();
            let Some((trained, learning_rate)) = self.train_epoch(epoch, on_event)? else {
                return Ok(Ending::Stopped);
            };
            let training = begun.elapsed();
            let validated = self.evaluate(Part::Validation)?;
            if let Some(loss) = validated.map(|part| part.loss()).filter(|loss| !loss.is_finite()) {
                let learning_rate = self.config.optimizer.learning_rate();
                return Err(Error::ValidationDiverged { loss, epoch, learning_rate });
            }
            let record = EpochRecord {
                epoch,
                train_loss: trained.loss(),
                train_accuracy: trained.accuracy(),
                val_loss: validated.map(|part| part.loss()),
                val_accuracy: validated.map(|part| part.accuracy()),
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
            let flow = on_event(Event::Epoch { record, training, examples: self.batching.examples });
            if flow.is_break() && !is_finished(self.config, &self.history) {
                return Ok(Ending::Stopped);
            }
        }
        Ok(if self.history.len() < self.config.epochs { Ending::EarlyStopping } else { Ending::AllEpochs })
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

    /// Trains an epoch: the sums of its batches during training, and the learning rate of its last update; `None`
    /// where the handler stopped it.
    pub(super) fn train_epoch(
        &mut self,
        epoch: usize,
        on_event: &mut EventHandler<'_>,
    ) -> Result<Option<(Metrics, f64)>, Error> {
        let updates = self.batching.updates() as u64;
        let length = RunLength { updates_per_epoch: updates, epochs: self.config.epochs };
        let factors: Vec<f64> = self.config.schedule.factors(length, &self.history).collect();
        let base = self.config.optimizer.learning_rate();
        let last_rate = base * factors.last().copied().unwrap_or(1.0);
        let steps = self.steps(epoch, self.updates, factors.into_iter());
        let mut so_far = Metrics::default();
        let mut done = 0;
        let (mut diverged, mut flow) = (None, ControlFlow::Continue(()));
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
            flow = on_event(Event::Batches { epoch, batches, so_far });
            flow
        })?;
        self.updates += updates;
        match diverged {
            Some(error) => Err(error),
            None => Ok(flow.is_continue().then_some((so_far, last_rate))),
        }
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

    /// The figures of a part; `None` where it has no examples.
    pub(super) fn evaluate(&mut self, part: Part) -> Result<Option<Metrics>, Error> {
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
}

/// Whether a run with this history has nothing left to train.
pub fn is_finished(config: &Config, history: &[EpochRecord]) -> bool {
    history.len() >= config.epochs || config.early_stopping.is_some_and(|stopping| stopping.stops(history))
}
