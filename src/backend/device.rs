//! Devices by name or number.

use std::path::PathBuf;

use crate::backend::Backend;
use crate::backend::DeviceError;
use crate::backend::cpu::CpuBackend;
use crate::backend::gpu::{AdapterSummary, GpuBackend, ShaderChecks, Tuning};

/// Options for opening a device.
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    /// Threads of the CPU backend; `None` is one per core.
    pub threads: Option<usize>,
    /// Run-time checks in the GPU backend's shaders.
    pub checks: ShaderChecks,
    /// Whether the GPU backend times tiles for its matrix products.
    pub tuning: Tuning,
    /// Folder for files that speed up the next start: compiled shaders, and tiles found by timing.
    pub cache: Option<PathBuf>,
}

/// An opened device.
#[non_exhaustive]
pub struct Device {
    /// The backend.
    pub backend: Box<dyn Backend>,
    /// The adapter; only for a GPU.
    pub adapter: Option<AdapterSummary>,
}

impl Device {
    /// The first hardware GPU, or the CPU if there is none. It is never a software adapter.
    ///
    /// # Errors
    /// A driver that refuses.
    pub fn auto() -> Result<Device, DeviceError> {
        Device::named("auto")
    }

    /// The CPU, with one thread per core.
    ///
    /// # Errors
    /// An operating system that refuses threads.
    pub fn cpu() -> Result<Device, DeviceError> {
        Device::named("cpu")
    }

    /// The first GPU adapter, hardware or software; never the CPU backend.
    ///
    /// # Errors
    /// No adapter, or a driver that refuses.
    pub fn gpu() -> Result<Device, DeviceError> {
        Device::named("gpu")
    }

    /// The device that `wanted` names; see [`Device::open`].
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn named(wanted: &str) -> Result<Device, DeviceError> {
        Device::open(wanted, &DeviceOptions::default())
    }

    /// Opens the device that `wanted` names.
    ///
    /// - `auto`: the first hardware adapter, or the CPU backend if there is none; never a software adapter;
    /// - `cpu`: the CPU backend;
    /// - `gpu`: the first adapter, hardware or software; never the CPU backend;
    /// - a number: the adapter with that index;
    /// - anything else: the first adapter whose name contains it, ignoring case.
    ///
    /// # Errors
    /// No adapter, no adapter with that name or number, or an adapter that refuses.
    pub fn open(wanted: &str, options: &DeviceOptions) -> Result<Device, DeviceError> {
        let wanted = wanted.to_lowercase();
        if wanted == "cpu" {
            return cpu(options);
        }
        let choose = |adapters: &[AdapterSummary]| match wanted.as_str() {
            "auto" => Ok(adapters.first().filter(|adapter| !adapter.is_software()).map(|adapter| adapter.index)),
            "gpu" => adapters.first().map(|adapter| Some(adapter.index)).ok_or(DeviceError::NoAdapter),
            _ => named(&wanted, adapters).map(Some),
        };
        match GpuBackend::open(choose, options)? {
            Some(backend) => {
                let adapter = Some(backend.summary().clone());
                Ok(Device { backend: Box::new(backend), adapter })
            }
            None => cpu(options),
        }
    }

    /// Name for reports: the adapter's name, or the CPU with its number of threads.
    pub fn name(&self) -> String {
        self.backend.name()
    }

    /// Whether it is a GPU adapter that computes on the CPU. The user must be warned of that.
    pub fn is_software_adapter(&self) -> bool {
        self.adapter.as_ref().is_some_and(AdapterSummary::is_software)
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Device").field(&self.name()).finish()
    }
}

fn cpu(options: &DeviceOptions) -> Result<Device, DeviceError> {
    Ok(Device { backend: Box::new(CpuBackend::<f32>::new(options.threads)?), adapter: None })
}

/// The adapter with this number, or the first whose name contains this text in lower case.
fn named(wanted: &str, adapters: &[AdapterSummary]) -> Result<usize, DeviceError> {
    let found = match wanted.parse::<usize>() {
        Ok(index) => adapters.get(index),
        Err(_) => adapters.iter().find(|adapter| !wanted.is_empty() && adapter.name.to_lowercase().contains(wanted)),
    };
    found.map(|adapter| adapter.index).ok_or_else(|| {
        let available = adapters.iter().map(|adapter| adapter.name.clone()).collect();
        DeviceError::Unknown { wanted: wanted.to_string(), available }
    })
}
