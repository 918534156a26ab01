//! What runs plans: the CPU backend, which is the reference and the fallback, and the GPU backend.

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

/// Takes what steps logged, some steps at a time and in order, and says whether to go on.
pub type Logged<'a> = dyn FnMut(&[BatchMetrics]) -> ControlFlow<()> + 'a;

/// When a launch ran.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The step, by its place among those that were run.
    pub step: usize,
    /// The launch, by its place in the phase.
    pub launch: usize,
    /// When it began, by the device's clock.
    pub begin: Duration,
    /// When it had ended.
    pub end: Duration,
}

impl Span {
    /// How long it took.
    pub fn seconds(&self) -> f64 {
        self.end.saturating_sub(self.begin).as_secs_f64()
    }
}

/// A device that plans can be loaded on.
pub trait Backend: Send + Sync {
    /// What it is, for reports: the adapter's name, or the CPU's threads.
    fn name(&self) -> String;

    /// `cpu`, or the graphics API.
    fn kind(&self) -> String;

    /// Whether `plan` is within the device's limits, found without loading it.
    ///
    /// # Errors
    /// A network or data set too large for the device.
    fn check(&self, plan: &Plan) -> Result<(), DeviceError>;

    /// Makes everything that replaying `plan` needs: buffers (zeroed), pipelines, bindings.
    ///
    /// # Errors
    /// A network or data set too large for the device, or a shader that its driver rejects.
    fn load(&self, plan: &Plan) -> Result<Box<dyn Program>, DeviceError>;

    /// Whether it takes plans in half precision.
    fn has_half(&self) -> bool {
        true
    }

    /// Whether parameters had better be updated where their gradients are made: that spares memory's traffic, and costs registers.
    fn fuses_updates(&self) -> bool {
        true
    }

    /// The tiles that it takes for matrix products of that precision; none where it computes them in another way.
    fn tiles(&self, _precision: Precision) -> Vec<&'static Tile> {
        Vec::new()
    }

    /// [`Backend::load`], with every product in `tile`, which is one of [`Backend::tiles`].
    ///
    /// # Errors
    /// Likewise.
    fn load_in(&self, plan: &Plan, _tile: &'static Tile) -> Result<Box<dyn Program>, DeviceError> {
        self.load(plan)
    }
}

/// A plan on a device. Loading allocates; nothing that runs does, but for profiling.
pub trait Program: Send {
    /// The plan.
    fn plan(&self) -> &Plan;

    /// Overwrites a tensor. Panics where `data` is not of the tensor's type and length.
    ///
    /// # Errors
    /// A device that was lost.
    fn write(&mut self, tensor: Tensor, data: Data<'_>) -> Result<(), DeviceError>;

    /// The values of a float tensor, after everything that was run. Waits for the device: never inside a loop.
    ///
    /// # Errors
    /// A device that was lost.
    fn slow_read_f32(&mut self, tensor: Tensor) -> Result<Vec<f32>, DeviceError>;

    /// The values of an integer tensor, likewise.
    ///
    /// # Errors
    /// A device that was lost.
    fn slow_read_u32(&mut self, tensor: Tensor) -> Result<Vec<u32>, DeviceError>;

    /// Replays `phase` once for each step, in order, and hands over what the steps logged, some steps at a time, as it
    /// becomes known. Returns when all is done, or soon after `logged` asks to stop.
    ///
    /// # Errors
    /// A device that was lost.
    fn run(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<(), DeviceError>;

    /// Replays `phase` likewise to the same bits, and tells when each launch ran. Slower than [`Program::run`].
    ///
    /// # Errors
    /// [`crate::backend::DeviceError::NoTimestamps`]; a device that was lost.
    fn profile(&mut self, phase: Phase, steps: &[Step], logged: &mut Logged<'_>) -> Result<Vec<Span>, DeviceError>;

    /// Runs one launch of `phase` alone; parity tests look at its results.
    ///
    /// # Errors
    /// A device that was lost.
    fn run_launch(&mut self, phase: Phase, index: usize, step: &Step) -> Result<(), DeviceError>;

    /// The tile in which a launch computes, where it is a matrix product and the device is a GPU.
    fn tile(&self, _phase: Phase, _index: usize) -> Option<&'static Tile> {
        None
    }

    /// Bytes this program holds on its device.
    fn allocated_bytes(&self) -> u64;
}
