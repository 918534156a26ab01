//! What a benchmark trains: made-up examples, and a network's plan over them.

use std::path::Path;

use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

use super::BenchOptions;
use crate::backend::cpu::CpuBackend;
use crate::backend::{Backend, Program};
use crate::data::{DataShape, Dataset, FeatureType, Normalization};
use crate::error::Error;
use crate::files::{FileError, write_file};
use crate::kernels::step::Step;
use crate::math::random::{Stream, unit};
use crate::nn::arch::Arch;
use crate::nn::model::{Model, Recording, TrainingOptions};
use crate::store::StoreError;

/// Batches of made-up examples on the device, which steps take in turn.
pub(super) const BATCHES: usize = 4;

/// Seed of parameters and examples.
const SEED: u64 = 1;

/// A recorded network with its examples.
pub(super) struct BenchCase<'a> {
    options: &'a BenchOptions,
    model: Model,
    pub(super) recording: Recording,
    dataset: Dataset,
}

impl<'a> BenchCase<'a> {
    /// Records the plan and sees that the device can have it, before examples are made.
    pub(super) fn new(options: &'a BenchOptions, backend: &dyn Backend) -> Result<BenchCase<'a>, Error> {
        let model = Model::new(&options.arch);
        let examples = options.batch.saturating_mul(BATCHES);
        let (features, normalization) = (options.arch.inputs(), Normalization::UNIT);
        let values = FeatureType::Bytes;
        let shape = DataShape { train: examples, examples, features, values, normalization };
        let BenchOptions { batch, optimizer, precision, .. } = *options;
        let fuse_updates = backend.fuses_updates();
        let training = TrainingOptions { batch, optimizer, precision, fuse_updates, ..TrainingOptions::default() };
        let recording = model.record_training(shape, &training)?.with_shared_buffers();
        backend.check(&recording.plan)?;
        Ok(BenchCase { options, model, recording, dataset: made_up(&options.arch, examples) })
    }

    /// The plan on a device, ready for its first step.
    pub(super) fn load(&self, backend: &dyn Backend) -> Result<Box<dyn Program>, Error> {
        let mut program = backend.load(&self.recording.plan)?;
        self.fill(program.as_mut())?;
        Ok(program)
    }

    /// The same in `f64` on the CPU: what losses are checked by.
    pub(super) fn reference(&self) -> Result<impl Program, Error> {
        let mut program = CpuBackend::<f64>::new(None)?.load_program(&self.recording.plan)?;
        self.fill(&mut program)?;
        Ok(program)
    }

    fn fill(&self, program: &mut dyn Program) -> Result<(), Error> {
        self.recording.upload(program, &self.dataset)?;
        Ok(self.model.initialize(&self.recording, program, SEED)?)
    }

    /// The steps from `first` on, counted from 1.
    pub(super) fn steps(&self, first: u64, count: usize) -> Vec<Step> {
        let batch = self.options.batch;
        let numbers = first..first + count as u64;
        let step = |t: u64| {
            let start = (t as usize - 1) % BATCHES * batch;
            let mut step = Step::batch(start as u32, batch as u32);
            self.options.optimizer.set_scalars(&mut step, t, 1.0);
            step
        };
        numbers.map(step).collect()
    }

    /// Writes examples and initial parameters as safetensors, so that other programs may do the same work.
    pub(super) fn export(&self, path: &Path) -> Result<(), Error> {
        let parameters = self.model.parameters();
        let values: Vec<Vec<f32>> = self.model.initial_values(SEED).collect();
        let Dataset { values: examples, labels, features, .. } = &self.dataset;
        let shaped = parameters.iter().zip(&values).map(|((name, parameter), values)| {
            (name.as_str(), Dtype::F32, parameter.shape.clone(), bytemuck::cast_slice(values))
        });
        let tensors = shaped.chain([
            ("images", Dtype::U8, vec![labels.len(), *features], examples.as_bytes()),
            ("labels", Dtype::U32, vec![labels.len()], bytemuck::cast_slice(labels)),
        ]);
        let views = tensors.map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(dtype, shape, bytes)?)));
        let bytes = views.collect::<Result<Vec<_>, _>>().and_then(|views| safetensors::serialize(views, None));
        let bytes = bytes.map_err(|error| FileError::new("write", path)(std::io::Error::other(error)));
        Ok(bytes.and_then(|bytes| write_file(path, &bytes)).map_err(StoreError::from)?)
    }
}

/// Random bytes with random labels: timing does not depend on them.
fn made_up(arch: &Arch, count: usize) -> Dataset {
    let (features, classes) = (arch.inputs(), arch.outputs());
    let random = |i: usize, bound: usize| (unit(Stream::Benchmark, SEED, i as u64) * bound as f32) as usize;
    let values: Vec<u8> = (0..count * features).into_par_iter().map(|i| random(i, 256) as u8).collect();
    let labels = (0..count).map(|i| random(count * features + i, classes) as u32).collect();
    Dataset::in_memory("made-up examples", values, labels, features, classes)
}
