//! A plan loaded on the CPU.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::TwinReal;
use super::memory::Memory;
use crate::backend::DeviceError;
use crate::backend::{Logged, Program, Span};
use crate::kernels::kernel::{Argument, Arguments, DType, MAX_SLOTS};
use crate::kernels::step::{BatchMetrics, Step};
use crate::plan::{Data, Launch, Phase, Plan, Tensor};

/// Steps run about this long between two calls of `logged`: handing work to the thread pool and back takes longer than
/// a step of a small network.
const REPORT_INTERVAL: Duration = Duration::from_millis(5);

/// A plan with its buffers, computing in `T`.
#[derive(Debug)]
pub struct CpuProgram<T> {
    plan: Plan,
    memory: Vec<Memory<T>>,
    pool: Arc<rayon::ThreadPool>,
}

impl<T: TwinReal> CpuProgram<T> {
    pub(super) fn new(plan: Plan, pool: Arc<rayon::ThreadPool>) -> Result<CpuProgram<T>, DeviceError> {
        let memory: Option<_> = plan.buffers().iter().map(Memory::zeroed).collect();
        let memory = memory.ok_or_else(|| DeviceError::HostMemory { needed: plan.memory().total() })?;
        let mut program = CpuProgram { plan, memory, pool };
        for (tensor, values) in program.plan.constants().to_vec() {
            program.write(tensor, Data::F32(&values))?;
        }
        Ok(program)
    }

    /// The values of a float tensor in the backend's precision.
    pub fn reals(&self, tensor: Tensor) -> &[T] {
        let info = self.plan.tensor(tensor);
        self.memory[info.buffer].reals(info)
    }

    /// The same values, mutable.
    pub fn reals_mut(&mut self, tensor: Tensor) -> &mut [T] {
        let info = self.plan.tensor(tensor);
        self.memory[info.buffer].reals_mut(info)
    }

    /// Runs steps, and records when each launch ran if `spans` is given.
    fn replay(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>, mut spans: Option<&mut Vec<Span>>) {
        self.plan.assert_steps(steps);
        let pool = Arc::clone(&self.pool);
        let log = self.plan.log(phase);
        let clock = Instant::now();
        let mut rest = steps.iter().enumerate();
        while rest.len() > 0 {
            let mut metrics = Vec::new();
            let last_report = Instant::now();
            pool.install(|| {
                for (number, step) in rest.by_ref() {
                    // The metrics are read after every step, so every step writes the first row of the log.
                    let step = Step { log_row: 0, ..*step };
                    let launches = self.plan.launches(phase).iter().enumerate();
                    for (index, launch) in launches.filter(|(_, launch)| launch.runs_in(&step)) {
                        let begin = clock.elapsed();
                        run_launch(&self.plan, &mut self.memory, launch, &step);
                        if let Some(spans) = &mut spans {
                            spans.push(Span { step: number, launch: index, begin, end: clock.elapsed() });
                        }
                    }
                    metrics.extend(log.map(|log| self.metrics(log, &step)));
                    if last_report.elapsed() >= REPORT_INTERVAL {
                        break;
                    }
                }
            });
            if log.is_some() && logged(&metrics).is_break() {
                break;
            }
        }
    }

    /// The metrics that `step` wrote to the first row of the log.
    fn metrics(&self, log: Tensor, step: &Step) -> BatchMetrics {
        let log = self.reals(log);
        BatchMetrics { loss_sum: log[0].as_f64() as f32, correct: log[1].as_f64() as u32, rows: step.rows }
    }
}

impl<T: TwinReal> Program for CpuProgram<T> {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn write(&mut self, tensor: Tensor, data: Data<'_>) -> Result<(), DeviceError> {
        self.plan.assert_data(tensor, &data);
        let info = self.plan.tensor(tensor);
        self.memory[info.buffer].write(info, data);
        Ok(())
    }

    fn slow_read_f32(&mut self, tensor: Tensor) -> Result<Vec<f32>, DeviceError> {
        Ok(self.reals(tensor).iter().map(|value| value.as_f64() as f32).collect())
    }

    fn slow_read_u32(&mut self, tensor: Tensor) -> Result<Vec<u32>, DeviceError> {
        let info = self.plan.tensor(tensor);
        Ok(self.memory[info.buffer].integers(info).to_vec())
    }

    fn run(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<(), DeviceError> {
        self.replay(phase, steps, logged, None);
        Ok(())
    }

    fn profile(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<Vec<Span>, DeviceError> {
        let mut spans = Vec::new();
        self.replay(phase, steps, logged, Some(&mut spans));
        Ok(spans)
    }

    fn run_launch(&mut self, phase: Phase, index: usize, step: &Step) -> Result<(), DeviceError> {
        self.plan.assert_steps(&[*step]);
        let pool = Arc::clone(&self.pool);
        pool.install(|| run_launch(&self.plan, &mut self.memory, &self.plan.launches(phase)[index], step));
        Ok(())
    }

    fn allocated_bytes(&self) -> u64 {
        self.memory.iter().map(Memory::bytes).sum()
    }
}

/// Runs one launch. The buffers that it writes are taken out of `memory` meanwhile. This works because the plan's check
/// rules out launches that write a buffer and also use it in another slot.
fn run_launch<T: TwinReal>(plan: &Plan, memory: &mut [Memory<T>], launch: &Launch, step: &Step) {
    let slots = launch.kernel.slots;
    let mut written: [Option<(usize, Memory<T>)>; MAX_SLOTS] = Default::default();
    for ((slot, &arg), place) in slots.iter().zip(&launch.args).zip(&mut written) {
        if slot.access.writes() {
            let buffer = plan.tensor(arg).buffer;
            *place = Some((buffer, std::mem::replace(&mut memory[buffer], Memory::placeholder())));
        }
    }
    let mut arguments: [Option<Argument<'_, T>>; MAX_SLOTS] = Default::default();
    for ((argument, &arg), lent) in arguments.iter_mut().zip(&launch.args).zip(&mut written) {
        let info = plan.tensor(arg);
        *argument = Some(match lent {
            Some((_, memory)) => memory.lend_mut(info),
            None => memory[info.buffer].lend(info),
        });
    }
    T::twin(launch.kernel)(&launch.params, Arguments::new(arguments, &launch.constants, step));
    for (buffer, lent) in written.into_iter().flatten() {
        memory[buffer] = lent;
    }
    // A GPU would store these values in half precision, so they are rounded to it.
    for (slot, &arg) in slots.iter().zip(&launch.args) {
        let info = plan.tensor(arg);
        if slot.access.writes() && info.dtype == DType::F16 {
            T::round_to_half(memory[info.buffer].reals_mut(info));
        }
    }
}
