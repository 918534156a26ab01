//! A trained model that classifies examples.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::Program;
use crate::backend::device::{Device, DeviceOptions};
use crate::data::{DataError, DataShape, Dataset, Feature, FeatureType, Part};
use crate::error::Error;
use crate::kernels::step::Step;
use crate::nn::arch::Arch;
use crate::nn::model::{self, Recording};
use crate::plan::{Data, Phase};
use crate::store::{SavedModel, find_model};
use crate::train::{Evaluation, evaluate, most_rows};

/// A trained model. It classifies examples of the kind that it was trained on, bytes or `f32`, and normalizes them as in
/// training.
///
/// The first prediction loads the weights onto the device, where they stay. Examples pass through the network in batches.
/// Predictions on one device do not depend on how examples are grouped beyond the rounding of `f32`.
pub struct Model {
    saved: SavedModel,
    state: Mutex<State>,
}

/// What prediction keeps between calls.
struct State {
    /// Opened when it is first needed.
    device: Option<Arc<Device>>,
    /// A plan for single examples, and one for more.
    loaded: [Option<Loaded>; 2],
}

/// The network on a device, for batches of some size.
struct Loaded {
    recording: Recording,
    program: Box<dyn Program>,
}

impl Model {
    pub(super) fn new(saved: SavedModel, device: Option<Arc<Device>>) -> Model {
        Model { saved, state: Mutex::new(State { device, loaded: [None, None] }) }
    }

    /// Reads a model file, or the model of a run folder: those that [`Model::save`] or `gpunet train` wrote. Predictions run on
    /// the device that [`Device::auto`] finds, unless [`Model::on`] names another.
    ///
    /// # Errors
    /// A file that is missing, damaged, or no model of gpunet.
    pub fn load(path: impl AsRef<Path>) -> Result<Model, Error> {
        Ok(Model::new(SavedModel::load(&find_model(path.as_ref())?)?, None))
    }

    /// Writes the model as a safetensors file, whole or not at all: tensors `layers.<i>.weight` and `layers.<i>.bias` in PyTorch's
    /// layout, and all else that the model needs as JSON in the metadata.
    ///
    /// # Errors
    /// A file that cannot be written, or parameters that are not finite.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(self.saved.save(path.as_ref())?)
    }

    /// The same model on this device.
    #[must_use]
    pub fn on(self, device: impl Into<Arc<Device>>) -> Model {
        Model::new(self.saved, Some(device.into()))
    }

    /// Layers, and the shapes between them.
    pub fn arch(&self) -> &Arch {
        &self.saved.metadata.arch
    }

    /// Names of the classes, in the order of their numbers.
    pub fn classes(&self) -> &[String] {
        &self.saved.metadata.classes
    }

    /// What the features of an example must be.
    pub fn features(&self) -> FeatureType {
        self.saved.metadata.features
    }

    /// The most likely class of each example, `[examples]`. `examples` are `[examples, features]`, row by row; none give none.
    ///
    /// # Errors
    /// Values of another type than in training, no whole rows, a feature that is not finite, outputs that overflow, or a
    /// device that fails.
    pub fn predict<T: Feature>(&self, examples: &[T]) -> Result<Vec<u32>, Error> {
        let logits = self.logits(examples)?;
        let best =
            |row: &[f32]| (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        Ok(logits.chunks_exact(self.arch().outputs()).map(|row| best(row) as u32).collect())
    }

    /// The softmax of each example's logits, `[examples, classes]`, row by row: the probabilities of the classes as far as the
    /// model was trained by softmax cross-entropy. Other losses do not calibrate them.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn probabilities<T: Feature>(&self, examples: &[T]) -> Result<Vec<f32>, Error> {
        let mut values = self.logits(examples)?;
        for row in values.chunks_exact_mut(self.arch().outputs()) {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f64> = row.iter().map(|&logit| (f64::from(logit) - f64::from(largest)).exp()).collect();
            let sum: f64 = powers.iter().sum();
            row.iter_mut().zip(powers).for_each(|(value, power)| *value = (power / sum) as f32);
        }
        Ok(values)
    }

    /// The outputs of the last layer for each example, `[examples, classes]`, row by row.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn logits<T: Feature>(&self, examples: &[T]) -> Result<Vec<f32>, Error> {
        self.saved.metadata.check_features(T::TYPE)?;
        let features = self.arch().inputs();
        if !examples.len().is_multiple_of(features) {
            return Err(DataError::Examples { values: examples.len(), features }.into());
        }
        T::check(examples, features)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut logits = Vec::with_capacity(examples.len() / features * self.arch().outputs());
        let rows = (examples.len() / features).min(most_rows(self.arch()));
        for batch in examples.chunks((rows * features).max(1)) {
            logits.extend(state.loaded(&self.saved, rows)?.run(batch, features)?);
        }
        match logits.iter().position(|logit| !logit.is_finite()) {
            Some(at) => Err(Error::OutputNotFinite { example: at / self.arch().outputs(), output: logits[at] }),
            None => Ok(logits),
        }
    }

    /// Loss, accuracy and the confusion matrix on a part of a data set.
    ///
    /// # Errors
    /// Data that does not fit the model, a part without examples, or a device that fails.
    pub fn evaluate(&self, data: &Dataset, part: Part) -> Result<Evaluation, Error> {
        let device = self.state.lock().unwrap_or_else(PoisonError::into_inner).device()?;
        evaluate(&self.saved, data, part, device.backend.as_ref())
    }
}

impl State {
    fn device(&mut self) -> Result<Arc<Device>, Error> {
        let device = match &self.device {
            Some(device) => device.clone(),
            None => Arc::new(Device::open("auto", &DeviceOptions::default())?),
        };
        Ok(self.device.insert(device).clone())
    }

    /// The network for batches of at least `rows`. A larger batch than was ever needed replaces what is loaded.
    fn loaded(&mut self, model: &SavedModel, rows: usize) -> Result<&mut Loaded, Error> {
        let device = self.device()?;
        let slot = &mut self.loaded[usize::from(rows > 1)];
        let fitting = match slot.take() {
            Some(loaded) if loaded.recording.batch >= rows => loaded,
            _ => {
                let most = most_rows(&model.metadata.arch);
                Loaded::new(model, rows.next_power_of_two().min(most), &device)?
            }
        };
        Ok(slot.insert(fitting))
    }
}

impl Loaded {
    fn new(model: &SavedModel, batch: usize, device: &Device) -> Result<Loaded, Error> {
        let metadata = &model.metadata;
        let (features, values, normalization) =
            (metadata.arch.inputs(), metadata.features, metadata.normalization.clone());
        let data = DataShape { train: batch, examples: batch, features, values, normalization };
        let network = model::Model::of(&metadata.network());
        let recording = network.record_evaluation(data, batch, metadata.loss, metadata.precision)?;
        let recording = recording.with_shared_buffers();
        let mut program = device.backend.load(&recording.plan)?;
        program.write(recording.order, Data::U32(&(0..batch as u32).collect::<Vec<_>>()))?;
        for (&tensor, values) in recording.parameters.iter().zip(&model.parameters) {
            program.write(tensor, Data::F32(values))?;
        }
        Ok(Loaded { recording, program })
    }

    /// The logits of at most a batch of examples.
    fn run<T: Feature>(&mut self, examples: &[T], features: usize) -> Result<Vec<f32>, Error> {
        let rows = examples.len() / features;
        let mut values = examples.to_vec();
        values.resize(self.recording.batch * features, T::default());
        self.recording.upload_features(self.program.as_mut(), &T::own(values))?;
        let step = Step::batch(0, rows as u32);
        self.program.run(Phase::Eval, &[step], &mut |_| ControlFlow::Continue(()))?;
        let mut logits = self.program.slow_read_f32(self.recording.logits)?;
        logits.truncate(logits.len() / self.recording.batch * rows);
        Ok(logits)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("metadata", &self.saved.metadata).finish_non_exhaustive()
    }
}
