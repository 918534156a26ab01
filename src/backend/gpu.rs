//! The GPU backend, over wgpu: the only part of the program that names it.
//!
//! [`GpuBackend::open`] opens an adapter, [`load`](crate::backend::Backend::load) resolves a plan into buffers, pipelines and
//! bind groups, and running only encodes those, many steps a submission.

mod adapters;
mod dispatch;
mod limits;
mod pipelines;
mod program;
mod readback;

use std::sync::{Arc, Mutex};

pub use adapters::{AdapterLimits, AdapterSummary, adapters};
use program::GpuProgram;

use super::{Backend, Program};
use crate::error::{DeviceError, Error};
use crate::kernel::tile::Tile;
use crate::plan::Plan;

/// Whether shaders carry run-time checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShaderChecks {
    /// None: our own kernels stay within their buffers, which plans check on the host.
    #[default]
    Trusted,
    /// Bounds of every access and of every loop, workgroup memory zeroed first.
    Checked,
}

/// An opened adapter.
pub struct GpuBackend {
    device: wgpu::Device,
    queue: wgpu::Queue,
    summary: AdapterSummary,
    checks: ShaderChecks,
    /// Threads of all subgroups, where they have as many and shaders may use them.
    subgroup: Option<u32>,
    /// The tile of all products, where one was asked for.
    tile: Option<&'static Tile>,
    faults: Faults,
}

impl GpuBackend {
    /// Opens the adapter that `choose` picks by its index in the list, the one of [`adapters()`]; `None` where it picks none.
    ///
    /// # Errors
    /// What `choose` says, or a driver that gives no device.
    pub fn open(
        choose: impl FnOnce(&[AdapterSummary]) -> Result<Option<usize>, DeviceError>,
        checks: ShaderChecks,
        tile: Option<&'static Tile>,
    ) -> Result<Option<GpuBackend>, Error> {
        let mut all = adapters::enumerate();
        let summaries: Vec<AdapterSummary> = all.iter().map(|(_, summary)| summary.clone()).collect();
        let Some(index) = choose(&summaries)? else { return Ok(None) };
        let (adapter, summary) = all.swap_remove(index);
        let features = adapter.features() & (wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY);
        let info = adapter.get_info();
        let same = features.contains(wgpu::Features::SUBGROUP) && info.subgroup_min_size == info.subgroup_max_size;
        let subgroup = same.then_some(info.subgroup_min_size);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("gpunet"),
            required_features: features,
            // All that the adapter has: the defaults stop at 128 MiB a binding.
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| DeviceError::Refused { adapter: summary.name.clone(), reason: error.to_string() })?;
        let faults = Faults::default();
        let (uncaptured, lost) = (faults.clone(), faults.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| uncaptured.note(error.to_string())));
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.note(format!("the device was lost ({message})"));
            }
        });
        Ok(Some(GpuBackend { device, queue, summary, checks, subgroup, tile, faults }))
    }

    /// What is known of the adapter.
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// Bytes of buffers that the driver now holds for this device, by its own count.
    pub fn buffer_memory(&self) -> u64 {
        // A wait lets go of what finished work still held.
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
        u64::try_from(self.device.get_internal_counters().hal.buffer_memory.read()).unwrap_or(0)
    }

    /// The error for a plan that does not fit the memory that is left.
    fn out_of_memory(&self, plan: &Plan, reason: &str) -> Error {
        let (adapter, needed) = (self.summary.name.clone(), plan.memory().total());
        DeviceError::OutOfMemory { adapter, needed, reason: reason.to_string() }.into()
    }
}

impl Backend for GpuBackend {
    fn name(&self) -> String {
        self.summary.name.clone()
    }

    fn kind(&self) -> String {
        self.summary.backend.clone()
    }

    fn check(&self, plan: &Plan) -> Result<(), Error> {
        match limits::first_excess(plan, &self.summary.limits) {
            None => Ok(()),
            Some(limits::Excess { what, needed, limit, allowed }) => {
                let adapter = self.summary.name.clone();
                Err(DeviceError::Limit { adapter, what, needed, limit, allowed }.into())
            }
        }
    }

    fn load(&self, plan: &Plan) -> Result<Box<dyn Program>, Error> {
        self.check(plan)?;
        Ok(Box::new(GpuProgram::new(self, plan.clone())?))
    }
}

/// What the driver reported outside a call: the first fault is kept and given to whoever waits next.
#[derive(Clone, Debug, Default)]
struct Faults(Arc<Mutex<Option<String>>>);

impl Faults {
    fn note(&self, message: String) {
        let mut first = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        first.get_or_insert(message);
    }

    /// The first fault, if there was one; it stays, since nothing run after it can be trusted.
    fn check(&self) -> Result<(), Error> {
        let first = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*first {
            Some(message) => Err(DeviceError::Fault { message: message.clone() }.into()),
            None => Ok(()),
        }
    }
}
