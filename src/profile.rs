//! Profiles: the time of each launch in a phase, compared with the limits of the device.

mod ceilings;
mod trace;

use serde::Serialize;

pub use ceilings::Ceilings;

use crate::backend::DeviceError;
use crate::backend::{Backend, Program, Span};
use crate::kernels::kernel::Kernel;
use crate::kernels::step::Step;
use crate::plan::{Phase, Plan};

/// Steps before timing starts. Compilation and page faults slow down the first ones.
pub const WARM_UP_STEPS: usize = 3;

/// Timed steps.
pub const TIMED_STEPS: usize = 20;

/// Time and rates of one launch.
#[derive(Clone, Debug, Serialize)]
pub struct LaunchProfile {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Name of the first tensor that the launch writes.
    pub output: String,
    /// The tile of a matrix product; only on a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tile: Option<&'static str>,
    /// Microseconds, the median over the steps.
    pub microseconds: f64,
    /// Share of the time of all launches, from 0 to 1.
    pub share: f64,
    /// 10^9 floating-point operations per second.
    pub gflops: f64,
    /// 10^9 bytes per second, counting each value read or written once.
    pub gigabytes_per_second: f64,
    /// The larger of the two rates relative to their ceilings. Above 1 if data stays in caches.
    pub of_ceiling: f64,
    #[serde(skip)]
    flops: u64,
    #[serde(skip)]
    bytes: u64,
}

/// Times of a phase.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Name of the device.
    pub device: String,
    /// `cpu` or a graphics API.
    pub backend: String,
    /// The phase.
    pub phase: Phase,
    /// Number of timed steps.
    pub steps: usize,
    /// Milliseconds per step, the median: from the start of the first launch to the end of the last. Timing separates
    /// the launches, so an untimed step can be faster.
    pub ms_per_step: f64,
    /// The device's best rates, measured in the same run.
    pub ceilings: Ceilings,
    /// The launches, in order.
    pub launches: Vec<LaunchProfile>,
    #[serde(skip)]
    spans: Vec<Span>,
}

impl Profile {
    /// Runs `phase` of a loaded plan, times its launches, and measures the device's ceilings. `steps` must not be
    /// empty; all but the last may be used to warm up.
    ///
    /// # Errors
    /// [`crate::backend::DeviceError::NoTimestamps`], a lost device, or [`Ceilings::measure`]'s errors.
    pub fn measure(
        phase: Phase,
        steps: &[Step],
        program: &mut dyn Program,
        backend: &dyn Backend,
    ) -> Result<Profile, DeviceError> {
        let (first, timed) = steps.split_at(WARM_UP_STEPS.min(steps.len() - 1));
        let ignore = &mut |_: &_| std::ops::ControlFlow::Continue(());
        program.run(phase, first, ignore)?;
        let spans = program.profile(phase, timed, ignore)?;
        let ceilings = Ceilings::measure(backend, program.plan().precision())?;
        let plan = program.plan();
        let per_step = (0..timed.len()).map(|step| {
            let of = || spans.iter().filter(move |span| span.step == step);
            let (begin, end) = (of().map(|span| span.begin).min(), of().map(|span| span.end).max());
            end.unwrap_or_default().saturating_sub(begin.unwrap_or_default()).as_secs_f64() * 1e3
        });
        let ms_per_step = median(per_step.collect());
        let mut launches: Vec<LaunchProfile> = (0..plan.launches(phase).len())
            .map(|index| {
                let took = spans.iter().filter(|span| span.launch == index).map(Span::seconds);
                let tile = program.tile(phase, index).map(|tile| tile.name);
                LaunchProfile { tile, ..of_launch(plan, phase, index, median(took.collect()), &ceilings) }
            })
            .collect();
        let all: f64 = launches.iter().map(|launch| launch.microseconds).sum();
        launches.iter_mut().for_each(|launch| launch.share = launch.microseconds / all);
        let (device, backend) = (backend.name(), backend.kind());
        Ok(Profile { device, backend, phase, steps: timed.len(), ms_per_step, ceilings, launches, spans })
    }
}

fn of_launch(plan: &Plan, phase: Phase, index: usize, seconds: f64, ceilings: &Ceilings) -> LaunchProfile {
    let launch = &plan.launches(phase)[index];
    let written = launch.kernel.slots.iter().zip(&launch.args).find(|(slot, _)| slot.access.writes());
    let (flops, bytes) = ((launch.kernel.flops)(&launch.params), plan.bytes(launch));
    let per_second = |count: u64| if seconds > 0.0 { count as f64 / seconds / 1e9 } else { 0.0 };
    let (gflops, gigabytes_per_second) = (per_second(flops), per_second(bytes));
    LaunchProfile {
        kernel: launch.kernel,
        tile: None,
        output: written.map_or_else(String::new, |(_, &tensor)| plan.tensor(tensor).name.clone()),
        microseconds: seconds * 1e6,
        share: 0.0,
        gflops,
        gigabytes_per_second,
        of_ceiling: (gflops / ceilings.gflops).max(gigabytes_per_second / ceilings.gigabytes_per_second),
        flops,
        bytes,
    }
}

/// The median; 0 without values, for a launch that ran in no step.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count => (values[(count - 1) / 2] + values[count / 2]) / 2.0,
    }
}
