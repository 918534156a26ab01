//! A plan loaded on a GPU.

mod profile;
mod transfer;
mod tune;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::GpuBackend;
use super::dispatch::{Dispatch, Uniforms};
use super::pipelines::{Form, Pipelines};
use super::readback::{Readback, Shared};
use crate::backend::DeviceError;
use crate::backend::{Logged, Program, Span};
use crate::kernels::step::{BatchMetrics, Step};
use crate::kernels::tile::Tile;
use crate::plan::{Data, LOG_ROWS, Launch, Phase, Plan, SUBMISSIONS_IN_FLIGHT, Tensor, UNIFORM_STRIDE};

/// Target time of one submission. It is long enough to hide encoding, short enough to show progress, and far below the
/// two seconds or so after which desktop drivers reset a busy GPU.
const SUBMISSION_TIME: Duration = Duration::from_millis(50);

/// A submission in flight: some steps, and where their log goes.
#[derive(Debug)]
struct Flight {
    submission: wgpu::SubmissionIndex,
    rows: Vec<u32>,
    lane: usize,
}

/// A plan with its buffers, pipelines and bind groups.
pub(super) struct GpuProgram {
    plan: Plan,
    shared: Shared,
    buffers: Vec<wgpu::Buffer>,
    steps: wgpu::Buffer,
    params: wgpu::Buffer,
    /// Host memory in which step rows are laid out before writing: LOG_ROWS strides.
    step_rows: Vec<u8>,
    dispatches: [Vec<Dispatch>; 3],
    readbacks: [Readback; SUBMISSIONS_IN_FLIGHT],
    allocated: u64,
    /// One number per phase, since evaluation is faster than training.
    steps_per_submission: [usize; 3],
}

impl GpuProgram {
    pub(super) fn new(
        backend: &GpuBackend,
        plan: Plan,
        tile: Option<&'static Tile>,
    ) -> Result<GpuProgram, DeviceError> {
        let shared = Shared::of(backend);
        let device = &shared.device;
        let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let mut allocated = 0;
        let mut buffer = |label: &str, size: u64, usage: wgpu::BufferUsages| {
            allocated += size;
            device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
        };
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let buffers: Vec<wgpu::Buffer> = plan
            .buffers()
            .iter()
            .enumerate()
            .map(|(index, info)| buffer(&info.name, plan.buffer_bytes(index), storage))
            .collect();
        let steps = buffer("steps", plan.step_uniform_bytes(), uniform);
        let params = buffer("launch parameters", plan.launch_uniform_bytes(), uniform);
        // A copy must not be empty, so a plan without a log has buffers of one word.
        let readbacks = std::array::from_fn(|_| Readback::new(device, plan.staging_bytes().max(4)));
        allocated += plan.staging_bytes() * SUBMISSIONS_IN_FLIGHT as u64;
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(backend.out_of_memory(&plan, &error.to_string()));
        }

        let tile_of = |launch: &Launch| {
            let usual = backend.tiles.of(&plan, launch);
            if launch.kernel.takes_any_tile() { usual.and(tile).or(usual) } else { usual }
        };
        let launches = Phase::ALL.into_iter().flat_map(|phase| plan.launches(phase));
        let form = |launch| Form { launch, tile: tile_of(launch), precision: plan.precision_of(launch) };
        backend.pipelines.compile(backend, launches.clone().map(form))?;
        let tiles: Vec<_> = launches.clone().map(tile_of).collect();
        for (index, launch) in launches.enumerate() {
            shared.queue.write_buffer(&params, params_offset(index), bytemuck::cast_slice(&launch.params));
        }
        shared.faults.check()?;
        let step_rows = vec![0; LOG_ROWS * UNIFORM_STRIDE];
        let mut program = GpuProgram {
            plan,
            shared,
            buffers,
            steps,
            params,
            step_rows,
            dispatches: Default::default(),
            readbacks,
            allocated,
            steps_per_submission: [1; 3],
        };
        let mut tiles = tiles.into_iter();
        for phase in Phase::ALL {
            let tiles = tiles.by_ref().take(program.plan.launches(phase).len()).enumerate();
            let dispatches =
                tiles.map(|(index, tile)| program.dispatch(&backend.pipelines, phase, index, tile)).collect();
            program.dispatches[phase as usize] = dispatches;
        }
        if backend.tunes() && tile.is_none() {
            program.tune(backend)?;
        }
        if let Some(cache) = &backend.pipeline_cache {
            cache.keep();
        }
        for (tensor, values) in program.plan.constants().to_vec() {
            program.write(tensor, Data::F32(&values))?;
        }
        Ok(program)
    }

    /// A launch with its pipeline, which must be compiled already.
    fn dispatch(&self, pipelines: &Pipelines, phase: Phase, index: usize, tile: Option<&'static Tile>) -> Dispatch {
        let launch = &self.plan.launches(phase)[index];
        let before: usize = Phase::ALL[..phase as usize].iter().map(|&before| self.plan.launches(before).len()).sum();
        let params_offset = params_offset(before + index);
        let uniforms = Uniforms { params: &self.params, params_offset, steps: &self.steps };
        let pipeline = &pipelines.of(Form { launch, tile, precision: self.plan.precision_of(launch) });
        Dispatch::new(&self.shared.device, &self.plan, launch, tile, pipeline, &self.buffers, uniforms)
    }

    /// Writes the scalars of `steps` into lane `lane` of the step buffer, and returns the offset of the first row.
    fn write_steps(&mut self, steps: &[Step], lane: usize) -> u32 {
        self.plan.assert_steps(steps);
        let first = lane * LOG_ROWS * UNIFORM_STRIDE;
        for (row, step) in self.step_rows.chunks_exact_mut(UNIFORM_STRIDE).zip(steps) {
            row[..size_of::<Step>()].copy_from_slice(bytemuck::bytes_of(step));
        }
        self.shared.queue.write_buffer(&self.steps, first as u64, &self.step_rows[..steps.len() * UNIFORM_STRIDE]);
        first as u32
    }

    /// Encodes and submits some steps, and requests their log.
    fn submit(&mut self, phase: Phase, steps: &[Step], lane: usize) -> Flight {
        let numbered: Vec<Step> = (0..).zip(steps).map(|(log_row, step)| Step { log_row, ..*step }).collect();
        let first = self.write_steps(&numbered, lane);
        let mut encoder = self.shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for (slot, step) in steps.iter().enumerate() {
                let dispatches = self.dispatches[phase as usize].iter().zip(self.plan.launches(phase));
                for (dispatch, _) in dispatches.filter(|(_, launch)| launch.runs_in(step)) {
                    dispatch.encode(&mut pass, first + (slot * UNIFORM_STRIDE) as u32);
                }
            }
        }
        let log = self.plan.log(phase);
        let bytes = log_bytes(steps.len());
        if let Some(log) = log {
            self.readbacks[lane].copy(&mut encoder, &self.buffers[self.plan.tensor(log).buffer], 0, bytes);
        }
        let submission = self.shared.queue.submit([encoder.finish()]);
        if log.is_some() {
            self.readbacks[lane].request(bytes);
        }
        Flight { submission, rows: steps.iter().map(|step| step.rows).collect(), lane }
    }

    /// Waits for a submission and passes on its log.
    fn land(&self, phase: Phase, flight: Flight, logged: &mut Logged<'_>) -> Result<ControlFlow<()>, DeviceError> {
        self.shared.wait(Some(flight.submission))?;
        if self.plan.log(phase).is_none() {
            return Ok(ControlFlow::Continue(()));
        }
        let metrics = self.readbacks[flight.lane].take(&self.shared, log_bytes(flight.rows.len()), |bytes| {
            let log: Vec<f32> = bytemuck::pod_collect_to_vec(bytes);
            let rows = log.chunks_exact(2).zip(&flight.rows);
            rows.map(|(row, &rows)| BatchMetrics { loss_sum: row[0], correct: row[1] as u32, rows }).collect::<Vec<_>>()
        })?;
        Ok(logged(&metrics))
    }
}

impl Program for GpuProgram {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn write(&mut self, tensor: Tensor, data: Data<'_>) -> Result<(), DeviceError> {
        self.write_tensor(tensor, data)
    }

    fn slow_read_f32(&mut self, tensor: Tensor) -> Result<Vec<f32>, DeviceError> {
        self.read_floats(tensor)
    }

    fn slow_read_u32(&mut self, tensor: Tensor) -> Result<Vec<u32>, DeviceError> {
        Ok(bytemuck::pod_collect_to_vec(&self.read_bytes(tensor)?))
    }

    fn run(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<(), DeviceError> {
        let mut flights: VecDeque<Flight> = VecDeque::with_capacity(SUBMISSIONS_IN_FLIGHT);
        let mut rest = steps;
        // Submissions in flight when `logged` asks to stop still complete, but are not reported.
        let mut stopped = false;
        let mut going_on = |metrics: &[BatchMetrics]| {
            if !stopped {
                stopped = logged(metrics).is_break();
            }
            if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut lane = 0;
        let mut last_landing = Instant::now();
        while !rest.is_empty() || !flights.is_empty() {
            if !rest.is_empty() && flights.len() < SUBMISSIONS_IN_FLIGHT {
                let (now, later) = rest.split_at(self.steps_per_submission[phase as usize].min(rest.len()));
                flights.push_back(self.submit(phase, now, lane));
                lane = (lane + 1) % SUBMISSIONS_IN_FLIGHT;
                rest = later;
            } else if let Some(flight) = flights.pop_front() {
                let count = flight.rows.len();
                if self.land(phase, flight, &mut going_on)?.is_break() {
                    rest = &[];
                }
                let per_step = last_landing.elapsed() / count as u32;
                last_landing = Instant::now();
                let fitting = SUBMISSION_TIME.as_nanos() / per_step.as_nanos().max(1);
                // At most doubled, so that one fast step does not mislead.
                let fill = &mut self.steps_per_submission[phase as usize];
                *fill = (fitting as usize).clamp(1, LOG_ROWS.min(2 * *fill));
            }
        }
        Ok(())
    }

    fn profile(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<Vec<Span>, DeviceError> {
        self.run_profiled(phase, steps, logged)
    }

    fn run_launch(&mut self, phase: Phase, index: usize, step: &Step) -> Result<(), DeviceError> {
        let first = self.write_steps(&[*step], 0);
        let mut encoder = self.shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            self.dispatches[phase as usize][index].encode(&mut pass, first);
        }
        let submission = self.shared.queue.submit([encoder.finish()]);
        self.shared.wait(Some(submission))
    }

    fn tile(&self, phase: Phase, index: usize) -> Option<&'static Tile> {
        self.dispatches[phase as usize][index].tile
    }

    fn allocated_bytes(&self) -> u64 {
        self.allocated
    }
}

/// Offset of a launch's parameters. `number` counts the launches of all phases.
fn params_offset(number: usize) -> u64 {
    (number * UNIFORM_STRIDE) as u64
}

/// Bytes of the first `rows` rows of the log.
fn log_bytes(rows: usize) -> u64 {
    rows as u64 * 8
}
