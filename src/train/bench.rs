//! Timing training steps, after checking that their results are correct.

mod case;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use self::case::BenchCase;
use crate::backend::{Backend, Program};
use crate::error::Error;
use crate::kernels::precision::Precision;
use crate::kernels::step::Step;
use crate::nn::arch::Arch;
use crate::nn::optim::Optimizer;
use crate::plan::{Launch, Phase};
use crate::profile::{Profile, TIMED_STEPS, WARM_UP_STEPS};

/// Steps whose losses are reported: three times through all examples.
const FIRST_STEPS: usize = 3 * case::BATCHES;

/// Steps whose losses are checked: the second and third take a right backward pass and update too.
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
    /// What activations are stored as, and how products are made.
    pub precision: Precision,
    /// Whether to time each launch too.
    pub profile: bool,
    /// Where examples and initial parameters are written to, so that other programs may be timed at the same work.
    pub export: Option<PathBuf>,
}

/// Least, middle and greatest of the rounds' times a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "they say what they are")]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

/// The tile in which a launch that is a matrix product computes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "they say what they are")]
pub struct TileChoice {
    pub kernel: &'static str,
    pub rows: u32,
    pub columns: usize,
    pub tile: &'static str,
}

/// What was measured. The names are a contract: scripts read them.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// The network.
    pub arch: Arch,
    /// Examples a step.
    pub batch: usize,
    /// What activations are stored as, and how products are made.
    pub precision: Precision,
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
    /// Milliseconds from `started` to the end of the first step.
    pub cold_start_ms: f64,
    /// Mean losses of the first steps.
    pub losses: Vec<f64>,
    /// Bytes held on the device.
    pub peak_bytes: u64,
    /// Tiles of matrix products on a GPU.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiles: Vec<TileChoice>,
    /// Where the time goes, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

/// Times training steps on made-up examples. The process began at `started`.
///
/// The losses of the first steps must agree with those of the CPU backend in `f64` to 1e-3, in half precision to 1e-2, else nothing is timed.
///
/// # Errors
/// [`Error::WrongResult`] where they do not; a device that fails; a network too large for it; a file that cannot be written.
pub fn bench(options: &BenchOptions, backend: &dyn Backend, started: Instant) -> Result<BenchReport, Error> {
    let case = BenchCase::new(options, backend)?;
    let mut program = case.load(backend)?;
    let begun = Instant::now();
    let mut losses = mean_losses(program.as_mut(), &case.steps(1, 1))?;
    let (first_step, cold_start) = (begun.elapsed(), started.elapsed());
    losses.extend(mean_losses(program.as_mut(), &case.steps(2, FIRST_STEPS - 1))?);
    let expected = mean_losses(&mut case.reference()?, &case.steps(1, CHECKED_STEPS))?;
    check(&losses[..CHECKED_STEPS], &expected, if options.precision.is_half() { 1e-2 } else { 1e-3 })?;
    if let Some(path) = &options.export {
        case.export(path)?;
    }

    let mut next = 1 + FIRST_STEPS as u64;
    let mut run = |count: usize| -> Result<Duration, Error> {
        let steps = case.steps(next, count);
        next += count as u64;
        let begun = Instant::now();
        program.run(Phase::Train, &steps, &mut |_| ControlFlow::Continue(()))?;
        Ok(begun.elapsed())
    };
    let mut per_round = 1;
    // Warm up, and find how many steps fill a round.
    for _ in 0..3 {
        let step = run(per_round)? / per_round as u32;
        per_round = (ROUND.as_nanos().div_ceil(step.as_nanos().max(1)) as usize).clamp(1, options.steps.max(16));
    }
    let rounds = options.steps.div_ceil(per_round).max(3);
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push(run(per_round)?.as_secs_f64() * 1e3 / per_round as f64);
    }
    times.sort_by(f64::total_cmp);
    let median = (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0;
    let profile = if options.profile {
        let steps = case.steps(next, WARM_UP_STEPS + TIMED_STEPS);
        Some(Profile::measure(Phase::Train, &steps, program.as_mut(), backend)?)
    } else {
        None
    };
    Ok(BenchReport {
        arch: options.arch.clone(),
        batch: options.batch,
        precision: options.precision,
        device: backend.name(),
        backend: backend.kind(),
        steps: rounds * per_round,
        ms_per_step: Spread { min: times[0], median, max: times[times.len() - 1] },
        images_per_second: options.batch as f64 / median * 1e3,
        gflops: case.recording.plan.flops(Phase::Train) as f64 / median / 1e6,
        first_step_ms: first_step.as_secs_f64() * 1e3,
        cold_start_ms: cold_start.as_secs_f64() * 1e3,
        losses,
        peak_bytes: program.allocated_bytes(),
        tiles: tiles(program.as_ref()),
        profile,
    })
}

fn tiles(program: &dyn Program) -> Vec<TileChoice> {
    let launches = program.plan().launches(Phase::Train).iter().enumerate();
    let choice = |(index, launch): (usize, &Launch)| {
        let (product, tile) = (launch.kernel.product)(&launch.params).zip(program.tile(Phase::Train, index))?;
        Some(TileChoice { kernel: launch.kernel.name, rows: product.rows, columns: product.columns, tile: tile.name })
    };
    launches.filter_map(choice).collect()
}

/// Mean losses of some training steps.
fn mean_losses(program: &mut dyn Program, steps: &[Step]) -> Result<Vec<f64>, Error> {
    let mut losses = Vec::new();
    program.run(Phase::Train, steps, &mut |batches| {
        losses.extend(batches.iter().map(|batch| f64::from(batch.loss_sum) / f64::from(batch.rows)));
        ControlFlow::Continue(())
    })?;
    Ok(losses)
}

fn check(losses: &[f64], expected: &[f64], tolerance: f64) -> Result<(), Error> {
    for (step, (&loss, &expected)) in losses.iter().zip(expected).enumerate() {
        // Written so that a NaN is wrong.
        let right = (loss - expected).abs() <= tolerance * expected.abs();
        if !right {
            return Err(Error::WrongResult { step: step + 1, loss, expected });
        }
    }
    Ok(())
}
