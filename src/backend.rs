//! Backends run plans. The CPU backend is the reference and the fallback; the GPU backend uses wgpu.

pub mod cpu;
pub mod device;
mod error;
pub mod gpu;
pub mod parity;

pub use error::DeviceError;

use std::ops::ControlFlow;
use std::time::Duration;

use crate::kernels::precision::Precision;
use crate::kernels::step::{BatchMetrics, Step};
use crate::kernels::tile::Tile;
use crate::plan::{Data, Phase, Plan, Tensor};

/// Receives the metrics of steps in order, several steps at a time, and returns whether to continue.
pub type Logged<'a> = dyn FnMut(&[BatchMetrics]) -> ControlFlow<()> + 'a;

/// When a launch ran.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Index of the step among those that were run.
    pub step: usize,
    /// Index of the launch in the phase.
    pub launch: usize,
    /// Start, by the device's clock.
    pub begin: Duration,
    /// End, by the device's clock.
    pub end: Duration,
}

impl Span {
    /// Duration in seconds.
    pub fn seconds(&self) -> f64 {
        self.end.saturating_sub(self.begin).as_secs_f64()
    }
}

/// A device that plans can be loaded on.
pub trait Backend: Send + Sync {
    /// Name for reports: the adapter's name, or the CPU with its number of threads.
    fn name(&self) -> String;

    /// `cpu` or the graphics API.
    fn kind(&self) -> String;

    /// Checks that `plan` is within the device's limits, without loading it.
    ///
    /// # Errors
    /// A network or data set that is too large for the device, or half precision where the device has none.
    fn check(&self, plan: &Plan) -> Result<(), DeviceError>;

    /// Creates everything that running `plan` needs: buffers, pipelines and bindings. Tensors start as zeros, except
    /// the plan's constants.
    ///
    /// # Errors
    /// Those of [`Backend::check`], too little memory, or a shader that the driver rejects.
    fn load(&self, plan: &Plan) -> Result<Box<dyn Program>, DeviceError>;

    /// Whether plans in half precision can be loaded.
    fn has_half(&self) -> bool {
        true
    }

    /// Whether fused updates are faster: kernels that compute a gradient and update the parameter at once. They save
    /// memory traffic but need more registers.
    fn fuses_updates(&self) -> bool {
        true
    }

    /// The tiles available for matrix products in this precision; none if the backend does not use tiles.
    fn tiles(&self, _precision: Precision) -> Vec<&'static Tile> {
        Vec::new()
    }

    /// [`Backend::load`] with every product in `tile`, one of [`Backend::tiles`].
    ///
    /// # Errors
    /// Those of [`Backend::load`].
    fn load_in(&self, plan: &Plan, _tile: &'static Tile) -> Result<Box<dyn Program>, DeviceError> {
        self.load(plan)
    }
}

/// A plan loaded on a device. [`Program::run`] allocates no device memory; profiling and reading tensors may.
pub trait Program: Send {
    /// The plan.
    fn plan(&self) -> &Plan;

    /// Overwrites a tensor. Panics if `data` has another type or length than the tensor.
    ///
    /// # Errors
    /// A device that was lost.
    fn write(&mut self, tensor: Tensor, data: Data<'_>) -> Result<(), DeviceError>;

    /// The values of a float tensor after everything that was run. Waits for the device, so keep it out of loops.
    ///
    /// # Errors
    /// A device that was lost.
    fn slow_read_f32(&mut self, tensor: Tensor) -> Result<Vec<f32>, DeviceError>;

    /// The values of an integer tensor; otherwise like [`Program::slow_read_f32`].
    ///
    /// # Errors
    /// A device that was lost.
    fn slow_read_u32(&mut self, tensor: Tensor) -> Result<Vec<u32>, DeviceError>;

    /// Runs `phase` once for each step, in order. `logged` receives the metrics of several steps at a time, as they
    /// arrive. Returns when all steps are done, or soon after `logged` asks to stop.
    ///
    /// # Errors
    /// A device that was lost.
    fn run(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<(), DeviceError>;

    /// Runs `phase` like [`Program::run`], with bitwise equal results, and returns when each launch ran. It is slower,
    /// and may run all steps even if `logged` asks to stop.
    ///
    /// # Errors
    /// [`crate::backend::DeviceError::NoTimestamps`] or a lost device.
    fn profile(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<Vec<Span>, DeviceError>;

    /// Runs one launch of `phase` alone, for parity tests.
    ///
    /// # Errors
    /// A device that was lost.
    fn run_launch(&mut self, phase: Phase, index: usize, step: &Step) -> Result<(), DeviceError>;

    /// The tile of a launch; only for matrix products on a GPU.
    fn tile(&self, _phase: Phase, _index: usize) -> Option<&'static Tile> {
        None
    }

    /// Bytes that this program holds on its device.
    fn allocated_bytes(&self) -> u64;
}
