//! The CPU backend runs a plan with the kernels' CPU twins.
//!
//! In `f32` it trains on machines without a GPU. In `f64` it is the reference for kernels and gradient checks. The
//! order of every sum is independent of the number of threads, and so are the results.

mod memory;
mod program;

use std::marker::PhantomData;
use std::sync::Arc;

pub use program::CpuProgram;

use super::{Backend, Program};
use crate::backend::DeviceError;
use crate::kernels::kernel::{Arguments, Kernel};
use crate::math::real::Real;
use crate::plan::Plan;

/// A float type with CPU twins of the kernels.
pub trait TwinReal: Real {
    /// The twin of a kernel in this precision.
    fn twin(kernel: &Kernel) -> fn(params: &[u32], Arguments<'_, Self>);
}

impl TwinReal for f32 {
    fn twin(kernel: &Kernel) -> fn(params: &[u32], Arguments<'_, f32>) {
        kernel.run_f32
    }
}

impl TwinReal for f64 {
    fn twin(kernel: &Kernel) -> fn(params: &[u32], Arguments<'_, f64>) {
        kernel.run_f64
    }
}

/// The CPU as a device that computes in `T`.
#[derive(Clone, Debug)]
pub struct CpuBackend<T = f32> {
    pool: Arc<rayon::ThreadPool>,
    precision: PhantomData<T>,
}

impl<T: TwinReal> CpuBackend<T> {
    /// A backend with `threads` threads; `None` is one per core.
    ///
    /// # Errors
    /// The operating system provides no threads.
    pub fn new(threads: Option<usize>) -> Result<CpuBackend<T>, DeviceError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .thread_name(|i| format!("gpunet-{i}"))
            .build()
            .map_err(|cause| DeviceError::Threads { cause })?;
        Ok(CpuBackend { pool: Arc::new(pool), precision: PhantomData })
    }

    /// Loads a plan. The concrete type gives access to values in `T`.
    ///
    /// # Errors
    /// [`DeviceError::HostMemory`].
    pub fn load_program(&self, plan: &Plan) -> Result<CpuProgram<T>, DeviceError> {
        CpuProgram::new(plan.clone(), Arc::clone(&self.pool))
    }
}

impl<T: TwinReal> Backend for CpuBackend<T> {
    fn name(&self) -> String {
        let threads = self.pool.current_num_threads();
        format!("CPU, {threads} thread{}", if threads == 1 { "" } else { "s" })
    }

    fn kind(&self) -> String {
        "cpu".to_string()
    }

    /// Always succeeds: memory is the only limit, and only loading can test it.
    fn check(&self, _plan: &Plan) -> Result<(), DeviceError> {
        Ok(())
    }

    fn load(&self, plan: &Plan) -> Result<Box<dyn Program>, DeviceError> {
        Ok(Box::new(self.load_program(plan)?))
    }
}
