//! The training loop.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::Instant;

use super::evaluate::evaluate_part;
use super::{Event, Metrics, Outcome};
use crate::backend::{Backend, Program};
use crate::config::Config;
use crate::data::{Dataset, Normalization, Part};
use crate::error::Error;
use crate::model::{Model, Recording, TrainingOptions};
use crate::optim::Optimizer;
use crate::plan::{Data, Phase, Tensor};
use crate::step::Step;
use crate::store::{Checkpoint, EpochRecord, ModelMetadata, RunFolder, SavedModel, TestRecord, to_toml};

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
    let mut trainer = Trainer::new(config, dataset, backend)?;
    trainer.model.initialize(&trainer.recording, trainer.program.as_mut(), config.seed)?;
    trainer.train(run, on_event)
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
        trainer.keep_epoch(run, parameters)?;
    }
    trainer.train(run, on_event)
}

struct Trainer<'a> {
    config: &'a Config,
    dataset: &'a Dataset,
    model: Model,
    recording: Recording,
    program: Box<dyn Program>,
    history: Vec<EpochRecord>,
    /// Steps trained so far.
    steps: u64,
}

impl<'a> Trainer<'a> {
    fn new(config: &'a Config, dataset: &'a Dataset, backend: &dyn Backend) -> Result<Trainer<'a>, Error> {
        config.validate()?;
        dataset.check_arch(&config.arch)?;
        let model = Model::new(&config.arch);
        // A batch larger than the training part would only be padding.
        let batch = config.batch.min(dataset.part(Part::Train).len().max(1));
        let options = TrainingOptions { batch, optimizer: config.optimizer, ..TrainingOptions::default() };
        let recording = model.record_training(dataset.shape(Normalization::UNIT), &options)?;
        let mut program = backend.load(&recording.plan)?;
        recording.upload(program.as_mut(), dataset)?;
        Ok(Trainer { config, dataset, model, recording, program, history: Vec::new(), steps: 0 })
    }

    fn restore(&mut self, checkpoint: Checkpoint<'_>) -> Result<(), Error> {
        if checkpoint.data != self.dataset.fingerprint() {
            return Err(Error::OtherData { data: self.dataset.name.clone() });
        }
        let tensors = self.recording.parameters.iter().chain(&self.recording.state);
        let values = checkpoint.parameters.iter().chain(&checkpoint.state);
        let length = |tensor: &Tensor| self.recording.plan.tensor(*tensor).len();
        if !tensors.clone().map(length).eq(values.clone().map(Vec::len)) {
            return Err(Error::CheckpointMisfit);
        }
        for (&tensor, values) in tensors.zip(values) {
            self.program.write(tensor, Data::F32(values))?;
        }
        (self.history, self.steps) = (checkpoint.history, checkpoint.steps);
        Ok(())
    }

    fn train(mut self, mut run: Option<&mut RunFolder>, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Outcome, Error> {
        let examples = self.dataset.part(Part::Train).len();
        on_event(Event::Started {
            train: examples,
            validation: self.dataset.part(Part::Validation).len(),
            test: self.dataset.part(Part::Test).len(),
            parameters: self.model.parameter_count(),
            device_bytes: self.program.allocated_bytes(),
        });
        let mut parameters = self.parameters()?;
        for epoch in self.history.len() + 1..=self.config.epochs {
            let begun = Instant::now();
            let trained = self.train_epoch(epoch, on_event)?;
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
                learning_rate: self.config.optimizer.learning_rate(),
                seconds: begun.elapsed().as_secs_f64(),
            };
            self.history.push(record);
            parameters = self.parameters()?;
            if let Some(run) = run.as_deref_mut() {
                parameters = self.keep_epoch(run, parameters)?;
            }
            on_event(Event::Epoch { record, training, examples });
        }
        let test = self.test(run)?;
        Ok(Outcome { history: self.history, test, parameters })
    }

    /// Evaluates the test part, and keeps what it came to.
    fn test(&mut self, run: Option<&mut RunFolder>) -> Result<Metrics, Error> {
        let test = self.evaluate(Part::Test)?;
        if let (Some(run), 1..) = (run, test.examples) {
            let (epoch, count, accuracy, loss) = (self.history.len(), test.examples, test.accuracy(), test.loss());
            if !loss.is_finite() {
                return Err(Error::LossNotFinite { loss });
            }
            run.keep_test(&TestRecord { epoch, count, accuracy, loss })?;
        }
        Ok(test)
    }

    /// Writes model and checkpoint, and gives the parameters back.
    fn keep_epoch(&mut self, run: &mut RunFolder, parameters: Vec<Vec<f32>>) -> Result<Vec<Vec<f32>>, Error> {
        let mut state = Vec::new();
        for &tensor in &self.recording.state {
            state.push(self.program.slow_read_f32(tensor)?);
        }
        let model = SavedModel { metadata: self.metadata(), parameters };
        let checkpoint = Checkpoint {
            config: to_toml(self.config),
            data: self.dataset.fingerprint(),
            history: self.history.clone(),
            steps: self.steps,
            parameters: Cow::Borrowed(&model.parameters),
            state,
        };
        run.keep_epoch(&model, &checkpoint)?;
        Ok(model.parameters)
    }

    fn train_epoch(&mut self, epoch: usize, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Metrics, Error> {
        let count = self.dataset.part(Part::Train).len();
        let steps = epoch_steps(self.config, self.recording.batch, count, epoch, self.steps);
        self.program.run(Phase::Shuffle, &steps[..1.min(steps.len())], &mut |_| ControlFlow::Continue(()))?;
        let mut so_far = Metrics::default();
        let mut done = 0;
        let mut diverged = None;
        self.program.run(Phase::Train, &steps, &mut |batches| {
            for batch in batches {
                so_far.add(batch);
                done += 1;
                if !batch.loss_sum.is_finite() {
                    let loss = batch.loss_sum / batch.rows as f32;
                    let learning_rate = self.config.optimizer.learning_rate();
                    diverged = Some(Error::Diverged { loss, epoch, step: done, learning_rate });
                    return ControlFlow::Break(());
                }
            }
            on_event(Event::Batches { epoch, batches, so_far });
            ControlFlow::Continue(())
        })?;
        self.steps += steps.len() as u64;
        diverged.map_or(Ok(so_far), Err)
    }

    fn evaluate(&mut self, part: Part) -> Result<Metrics, Error> {
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

    fn metadata(&self) -> ModelMetadata {
        let (arch, classes) = (self.config.arch.clone(), self.dataset.classes.clone());
        ModelMetadata::new(arch, Normalization::UNIT, classes, self.dataset.name.clone())
    }
}

/// The steps of an epoch over positions `0..count` of the order, the last one short where the batch does not divide.
///
/// `before` is the number of steps trained in earlier epochs.
pub(crate) fn epoch_steps(config: &Config, batch: usize, count: usize, epoch: usize, before: u64) -> Vec<Step> {
    (0..count)
        .step_by(batch)
        .zip(before + 1..)
        .map(|(start, t)| {
            let mut step = Step {
                seed_low: config.seed as u32,
                seed_high: (config.seed >> 32) as u32,
                epoch: epoch as u32,
                ..Step::batch(start as u32, batch.min(count - start) as u32)
            };
            set_rates(&mut step, &config.optimizer, t);
            step
        })
        .collect()
}

/// Sets the scalars that the optimizer's kernel reads in step `t`, counted from 1.
pub(crate) fn set_rates(step: &mut Step, optimizer: &Optimizer, t: u64) {
    let [first, second] = optimizer.bias_corrections(t);
    step.learning_rate = optimizer.learning_rate() as f32;
    step.first_moment_correction = first as f32;
    step.second_moment_correction = second as f32;
}
