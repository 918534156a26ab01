//! The GPU backend. Only this part of the program uses wgpu.
//!
//! [`GpuBackend::open`] opens an adapter. [`load`](crate::backend::Backend::load) turns a plan into buffers, pipelines
//! and bind groups. Running a plan only encodes these, many steps per submission.

mod adapters;
mod cache;
mod dispatch;
mod limits;
mod matrices;
mod pipeline_cache;
mod pipelines;
mod program;
mod readback;
mod tiles;
mod timestamps;

use std::sync::{Arc, Mutex};

pub use adapters::{AdapterLimits, AdapterSummary, adapters};
use pipeline_cache::PipelineCache;
use pipelines::Pipelines;
use program::GpuProgram;
use tiles::Tiles;

use super::{Backend, Program};
use crate::backend::DeviceError;
use crate::backend::device::DeviceOptions;
use crate::kernels::precision::Precision;
use crate::kernels::tile::{Tile, TileLimits};
use crate::plan::Plan;

/// Whether shaders contain run-time checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShaderChecks {
    /// No checks: gpunet's kernels stay within their buffers, because plans are checked on the host.
    #[default]
    Trusted,
    /// Checks on every access and loop; workgroup memory is zeroed first.
    Checked,
}

/// Whether loading a plan times tiles to choose one for each matrix product. The choice does not change results: all
/// candidates give the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tuning {
    /// No timing: the tile with the best expected speed is used.
    #[default]
    Off,
    /// Times products of new shapes for a fraction of a second.
    WhereNew,
    /// Times products of all shapes, however long it takes.
    Anew,
}

/// An opened adapter.
pub struct GpuBackend {
    device: wgpu::Device,
    queue: wgpu::Queue,
    summary: AdapterSummary,
    checks: ShaderChecks,
    tiles: Tiles,
    tuning: Tuning,
    pipelines: Pipelines,
    pipeline_cache: Option<PipelineCache>,
    faults: Faults,
}

impl GpuBackend {
    /// Opens an adapter. `choose` gets the list of [`adapters()`] and returns an index, or `None` to open none.
    ///
    /// # Errors
    /// Errors of `choose`, or a driver that provides no device.
    pub fn open(
        choose: impl FnOnce(&[AdapterSummary]) -> Result<Option<usize>, DeviceError>,
        options: &DeviceOptions,
    ) -> Result<Option<GpuBackend>, DeviceError> {
        let mut all = adapters::enumerate();
        let summaries: Vec<AdapterSummary> = all.iter().map(|(_, summary)| summary.clone()).collect();
        let Some(index) = choose(&summaries)? else { return Ok(None) };
        let (adapter, summary) = all.swap_remove(index);
        let wanted = wgpu::Features::SUBGROUP
            | wgpu::Features::TIMESTAMP_QUERY
            | wgpu::Features::PIPELINE_CACHE
            | wgpu::Features::SHADER_F16
            | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
        let features = adapter.features() & wanted;
        let info = adapter.get_info();
        let same_subgroups =
            features.contains(wgpu::Features::SUBGROUP) && info.subgroup_min_size == info.subgroup_max_size;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("gpunet"),
            required_features: features,
            // All limits of the adapter: the default limits allow only 128 MiB per binding.
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::Performance,
            experimental_features: matrices::experimental_features(),
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
        let limits = TileLimits {
            threads: summary.limits.max_compute_invocations_per_workgroup,
            memory: summary.limits.max_compute_workgroup_storage_size,
            subgroup: same_subgroups.then_some(info.subgroup_min_size),
            matrix: matrices::shape(&adapter),
        };
        let DeviceOptions { checks, tuning, cache, .. } = options;
        let file = |what: &str| cache.as_ref().map(|folder| cache::file(folder, what, &summary));
        let tiles = Tiles::new(limits, file("tiles").filter(|_| *tuning != Tuning::Off));
        let has_cache = features.contains(wgpu::Features::PIPELINE_CACHE);
        let pipeline_cache = file("pipelines").filter(|_| has_cache).map(|file| PipelineCache::open(&device, file));
        let (checks, tuning, pipelines) = (*checks, *tuning, Pipelines::default());
        Ok(Some(GpuBackend { device, queue, summary, checks, tiles, tuning, pipelines, pipeline_cache, faults }))
    }

    /// Whether loading times tiles. By default not on software adapters: their best tiles are known, and compiling
    /// for them is slow.
    fn tunes(&self) -> bool {
        let has_timestamps = self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        match self.tuning {
            Tuning::Off => false,
            Tuning::WhereNew => has_timestamps && !self.summary.is_software(),
            Tuning::Anew => true,
        }
    }

    /// The adapter's description.
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// Bytes of buffers that the driver currently holds for this device, by its own count.
    pub fn buffer_memory(&self) -> u64 {
        // Waiting releases buffers of finished work.
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
        u64::try_from(self.device.get_internal_counters().hal.buffer_memory.read()).unwrap_or(0)
    }

    /// The error for a plan that does not fit into the free memory.
    fn out_of_memory(&self, plan: &Plan, reason: &str) -> DeviceError {
        let (adapter, needed) = (self.summary.name.clone(), plan.memory().total());
        DeviceError::OutOfMemory { adapter, needed, reason: reason.to_string() }
    }
}

impl Backend for GpuBackend {
    fn name(&self) -> String {
        self.summary.name.clone()
    }

    fn kind(&self) -> String {
        self.summary.backend.clone()
    }

    fn check(&self, plan: &Plan) -> Result<(), DeviceError> {
        if plan.has_half() && !self.has_half() {
            return Err(DeviceError::NoHalf { adapter: self.summary.name.clone() });
        }
        match limits::first_excess(plan, &self.summary.limits) {
            None => Ok(()),
            Some(limits::Excess { what, needed, limit, allowed }) => {
                let adapter = self.summary.name.clone();
                Err(DeviceError::Limit { adapter, what, needed, limit, allowed })
            }
        }
    }

    fn load(&self, plan: &Plan) -> Result<Box<dyn Program>, DeviceError> {
        self.check(plan)?;
        self.self_test_matrices(plan.precision());
        Ok(Box::new(GpuProgram::new(self, plan.clone(), None)?))
    }

    fn has_half(&self) -> bool {
        self.device.features().contains(wgpu::Features::SHADER_F16)
    }

    /// Not on software adapters: they use the CPU's memory, whose caches hold the gradients anyway. There, fused
    /// updates were slower.
    fn fuses_updates(&self) -> bool {
        !self.summary.is_software()
    }

    fn tiles(&self, precision: Precision) -> Vec<&'static Tile> {
        self.self_test_matrices(precision);
        self.tiles.in_use(precision)
    }

    fn load_in(&self, plan: &Plan, tile: &'static Tile) -> Result<Box<dyn Program>, DeviceError> {
        self.check(plan)?;
        Ok(Box::new(GpuProgram::new(self, plan.clone(), Some(tile))?))
    }
}

/// Errors that the driver reported outside a call. The first one is kept and returned to every later wait.
#[derive(Clone, Debug, Default)]
struct Faults(Arc<Mutex<Option<String>>>);

impl Faults {
    fn note(&self, message: String) {
        let mut first = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        first.get_or_insert(message);
    }

    /// The first fault, if any. It stays, because nothing that runs after it can be trusted.
    fn check(&self) -> Result<(), DeviceError> {
        let first = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*first {
            Some(message) => Err(DeviceError::Fault { message: message.clone() }),
            None => Ok(()),
        }
    }
}
