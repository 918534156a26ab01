//! Timing training steps, after checking that they compute rightly.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::steps::set_rates;
use crate::arch::Arch;
use crate::backend::cpu::CpuBackend;
use crate::backend::{Backend, Program};
use crate::data::{Dataset, Normalization};
use crate::error::Error;
use crate::model::{DataShape, Model, Recording, TrainingOptions};
use crate::optim::Optimizer;
use crate::plan::Phase;
use crate::random::{Stream, unit};
use crate::step::Step;

/// Batches of made-up examples on the device.
const BATCHES: usize = 4;

/// Seed of parameters and examples.
const SEED: u64 = 1;

/// Steps whose losses are checked.
const CHECKED_STEPS: usize = 3;

/// How long one timed round lasts at least, so that clocks and waiting do not show.
const ROUND: Duration = Duration::from_millis(40);

/// What to time.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// The network.
    pub arch: Arch,
    /// Examples a step.
    pub batch: usize,
    /// Steps to time at least.
    pub steps: usize,
    /// The update.
    pub optimizer: Optimizer,
}

/// Least, middle and greatest of the rounds' times a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "they say what they are")]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

/// What was measured: the object of `gpunet bench --json`.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// The network.
    pub arch: Arch,
    /// Examples a step.
    pub batch: usize,
    /// Name of the device.
    pub device: String,
    /// `cpu` or a graphics API.
    pub backend: String,
    /// Steps that were timed.
    pub steps: usize,
    /// Milliseconds a step.
    pub ms_per_step: Spread,
    /// Examples a second, at the median.
    pub images_per_second: f64,
    /// 10^9 floating-point operations a second, at the median.
    pub gflops: f64,
    /// Milliseconds of the very first step, which may still compile or fault in memory.
    pub first_step_ms: f64,
    /// Bytes held on the device.
    pub peak_bytes: u64,
}

/// Times training steps on made-up examples.
///
/// The losses of the first steps must agree with those of the CPU backend in `f64` to 1e-3, which takes a right backward pass
/// and update too; else nothing is timed.
///
/// # Errors
/// [`Error::WrongResult`] where they do not; a device that fails; a network too large for it.
pub fn bench(options: &BenchOptions, backend: &dyn Backend) -> Result<BenchReport, Error> {
    let model = Model::new(&options.arch);
    let examples = options.batch.saturating_mul(BATCHES);
    let shape =
        DataShape { train: examples, examples, features: options.arch.inputs(), normalization: Normalization::UNIT };
    let training = TrainingOptions { batch: options.batch, optimizer: options.optimizer, ..TrainingOptions::default() };
    // Recording and loading refuse what is too large, before examples are made.
    let recording = model.record_training(shape, &training)?;
    let mut program = backend.load(&recording.plan)?;
    let dataset = made_up(&options.arch, examples);
    recording.upload(program.as_mut(), &dataset)?;
    model.initialize(&recording, program.as_mut(), SEED)?;

    let mut steps = StepSource { options, next: 1 };
    let begun = Instant::now();
    let mut losses = first_losses(program.as_mut(), &steps.take(1))?;
    let first = begun.elapsed();
    losses.extend(first_losses(program.as_mut(), &steps.take(CHECKED_STEPS - 1))?);
    check_losses(&model, &recording, &dataset, options, &losses)?;

    let mut run = |program: &mut dyn Program, count: usize| -> Result<Duration, Error> {
        let steps = steps.take(count);
        let begun = Instant::now();
        program.run(Phase::Train, &steps, &mut |_| ControlFlow::Continue(()))?;
        Ok(begun.elapsed())
    };
    let mut per_round = 1;
    // Warm up, and find how many steps fill a round.
    for _ in 0..3 {
        let step = run(program.as_mut(), per_round)? / per_round as u32;
        per_round = (ROUND.as_nanos().div_ceil(step.as_nanos().max(1)) as usize).clamp(1, options.steps.max(16));
    }
    let rounds = options.steps.div_ceil(per_round).max(3);
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push(run(program.as_mut(), per_round)?.as_secs_f64() * 1e3 / per_round as f64);
    }
    times.sort_by(f64::total_cmp);
    let median = (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0;
    Ok(BenchReport {
        arch: options.arch.clone(),
        batch: options.batch,
        device: backend.name(),
        backend: backend.kind(),
        steps: rounds * per_round,
        ms_per_step: Spread { min: times[0], median, max: times[times.len() - 1] },
        images_per_second: options.batch as f64 / median * 1e3,
        gflops: recording.plan.flops(Phase::Train) as f64 / median / 1e6,
        first_step_ms: first.as_secs_f64() * 1e3,
        peak_bytes: program.allocated_bytes(),
    })
}

/// Random bytes with random labels: timing does not depend on them.
fn made_up(arch: &Arch, count: usize) -> Dataset {
    let (features, classes) = (arch.inputs(), arch.outputs());
    let random = |i: usize, bound: usize| (unit(Stream::Benchmark, SEED, i as u64) * bound as f32) as usize;
    let images = (0..count * features).map(|i| random(i, 256) as u8).collect();
    let labels = (0..count).map(|i| random(count * features + i, classes) as u32).collect();
    Dataset::in_memory("made-up examples", images, labels, features, classes)
}

/// Batches one after another, over and over.
struct StepSource<'a> {
    options: &'a BenchOptions,
    next: u64,
}

impl StepSource<'_> {
    fn take(&mut self, count: usize) -> Vec<Step> {
        let batch = self.options.batch;
        let first = self.next;
        self.next += count as u64;
        (first..self.next)
            .map(|t| {
                let start = (t as usize - 1) % BATCHES * batch;
                let mut step = Step::batch(start as u32, batch as u32);
                set_rates(&mut step, &self.options.optimizer, t, 1.0);
                step
            })
            .collect()
    }
}

/// Mean losses of some training steps.
fn first_losses(program: &mut dyn Program, steps: &[Step]) -> Result<Vec<f64>, Error> {
    let mut losses = Vec::new();
    program.run(Phase::Train, steps, &mut |batches| {
        losses.extend(batches.iter().map(|batch| f64::from(batch.loss_sum) / f64::from(batch.rows)));
        ControlFlow::Continue(())
    })?;
    Ok(losses)
}

fn check_losses(
    model: &Model,
    recording: &Recording,
    dataset: &Dataset,
    options: &BenchOptions,
    losses: &[f64],
) -> Result<(), Error> {
    let mut reference = CpuBackend::<f64>::new(None)?.load_program(&recording.plan)?;
    recording.upload(&mut reference, dataset)?;
    model.initialize(recording, &mut reference, SEED)?;
    let steps = StepSource { options, next: 1 }.take(losses.len());
    let expected = first_losses(&mut reference, &steps)?;
    for (step, (&loss, &expected)) in losses.iter().zip(&expected).enumerate() {
        // Written so that a NaN is wrong.
        let right = (loss - expected).abs() <= 1e-3 * expected.abs();
        if !right {
            return Err(Error::WrongResult { step: step + 1, loss, expected });
        }
    }
    Ok(())
}
