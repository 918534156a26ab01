//! Timing training steps, after checking that they compute rightly.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::trainer::set_rates;
use crate::arch::Arch;
use crate::backend::cpu::CpuBackend;
use crate::backend::{Backend, Program};
use crate::data::{Dataset, Normalization};
use crate::error::Error;
use crate::model::{Model, Recording, TrainingOptions};
use crate::optim::Optimizer;
use crate::plan::Phase;
use crate::random::{Stream, unit};
use crate::step::Step;

/// Batches of made-up examples on the device.
const BATCHES: usize = 4;

/// Seed of parameters and examples.
const SEED: u64 = 1;

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
/// The first step's loss must agree with that of the CPU backend in `f64` to 1e-3; else nothing is timed.
///
/// # Errors
/// [`Error::WrongResult`] where it does not; a device that fails; a network too large for it.
pub fn bench(options: &BenchOptions, backend: &dyn Backend) -> Result<BenchReport, Error> {
    let model = Model::new(&options.arch);
    let dataset = made_up(&options.arch, options.batch * BATCHES);
    let training = TrainingOptions { batch: options.batch, optimizer: options.optimizer, loss_scale: 1.0 };
    let recording = model.record_training(dataset.shape(Normalization::UNIT), &training)?;
    let mut program = backend.load(&recording.plan)?;
    recording.upload(program.as_mut(), &dataset)?;
    model.initialize(&recording, program.as_mut(), SEED)?;

    let mut steps = StepSource { options, next: 1 };
    let begun = Instant::now();
    let mut first_loss = f32::NAN;
    program.run(Phase::Train, &steps.take(1), &mut |batches| {
        first_loss = batches[0].loss_sum / batches[0].rows as f32;
        ControlFlow::Continue(())
    })?;
    let first = begun.elapsed();
    check_loss(&model, &dataset, options.batch, first_loss)?;

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
                let mut step = Step { start: start as u32, rows: batch as u32, ..Step::default() };
                set_rates(&mut step, &self.options.optimizer, t);
                step
            })
            .collect()
    }
}

fn check_loss(model: &Model, dataset: &Dataset, batch: usize, loss: f32) -> Result<(), Error> {
    let recording: Recording = model.record_evaluation(dataset.shape(Normalization::UNIT), batch)?;
    let mut reference = CpuBackend::<f64>::new(None)?.load_program(&recording.plan);
    recording.upload(&mut reference, dataset)?;
    model.initialize(&recording, &mut reference, SEED)?;
    let step = Step { rows: batch as u32, ..Step::default() };
    let mut expected = f64::NAN;
    reference.run(Phase::Eval, &[step], &mut |batches| {
        expected = f64::from(batches[0].loss_sum) / batch as f64;
        ControlFlow::Continue(())
    })?;
    let loss = f64::from(loss);
    // Written so that a NaN is wrong.
    if (loss - expected).abs() <= 1e-3 * expected.abs() { Ok(()) } else { Err(Error::WrongResult { loss, expected }) }
}
