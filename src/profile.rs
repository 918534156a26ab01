//! Where the time of a phase's steps goes, launch by launch, and how near each launch comes to what its device can do.

mod ceilings;
mod trace;

use serde::Serialize;

pub use ceilings::Ceilings;

use crate::backend::DeviceError;
use crate::backend::{Backend, Program, Span};
use crate::kernels::kernel::Kernel;
use crate::kernels::step::Step;
use crate::plan::{Phase, Plan};

/// Steps that run before others are timed: compilers and page faults show in the first.
pub const WARM_UP_STEPS: usize = 3;

/// Steps that are timed.
pub const TIMED_STEPS: usize = 20;

/// What a launch took.
#[derive(Clone, Debug, Serialize)]
pub struct LaunchProfile {
    /// Its kernel.
    pub kernel: &'static Kernel,
    /// What it writes: the name of the first tensor.
    pub output: String,
    /// The tile it computes in, where it is a matrix product on a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tile: Option<&'static str>,
    /// Microseconds, the median of the steps.
    pub microseconds: f64,
    /// Its part of all launches' time, from 0 to 1.
    pub share: f64,
    /// 10^9 floating-point operations a second.
    pub gflops: f64,
    /// 10^9 bytes a second, where each value that it reads or writes goes to or comes from memory once.
    pub gigabytes_per_second: f64,
    /// The nearer of the two to its ceiling, as a part of it. More than 1 for what stays in caches.
    pub of_ceiling: f64,
    #[serde(skip)]
    flops: u64,
    #[serde(skip)]
    bytes: u64,
}

/// What the steps of a phase took.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Name of the device.
    pub device: String,
    /// `cpu` or a graphics API.
    pub backend: String,
    /// The phase.
    pub phase: Phase,
    /// Steps that were timed.
    pub steps: usize,
    /// Milliseconds from the beginning of a step's first launch to the end of its last, the median. Timing keeps launches apart, so that
    /// it may be more than a step takes otherwise.
    pub ms_per_step: f64,
    /// What the device reached in the same run.
    pub ceilings: Ceilings,
    /// The launches in order.
    pub launches: Vec<LaunchProfile>,
    #[serde(skip)]
    spans: Vec<Span>,
}

impl Profile {
    /// Replays `phase` of a loaded plan and times its launches, and what the device can do at most.
    ///
    /// # Errors
    /// [`crate::backend::DeviceError::NoTimestamps`]; a device that was lost.
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

/// The middle value; 0 of none, which is what a launch takes that ran in no step.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count => (values[(count - 1) / 2] + values[count / 2]) / 2.0,
    }
}
