//! The adapters of this machine.

use serde::Serialize;

/// An adapter as shown by `gpunet doctor` and error messages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdapterSummary {
    /// Index in the list, usable as a device number.
    pub index: usize,
    /// Name, as given by the driver.
    pub name: String,
    /// Graphics API: `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Driver and its version.
    pub driver: String,
    /// The limits that matter for training.
    pub limits: AdapterLimits,
    /// The features that gpunet can use.
    pub features: Vec<&'static str>,
}

/// The limits that matter for training, with WebGPU's names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are WebGPU's own and are specified there")]
pub struct AdapterLimits {
    pub max_buffer_size: u64,
    pub max_storage_buffer_binding_size: u64,
    pub max_storage_buffers_per_shader_stage: u32,
    pub max_compute_workgroup_storage_size: u32,
    pub max_compute_invocations_per_workgroup: u32,
    pub max_compute_workgroups_per_dimension: u32,
    pub min_storage_buffer_offset_alignment: u32,
    pub min_uniform_buffer_offset_alignment: u32,
}

impl AdapterSummary {
    /// Whether the adapter computes on the CPU: llvmpipe, WARP, SwiftShader.
    pub fn is_software(&self) -> bool {
        self.kind == "software"
    }
}

/// Every adapter, hardware first, in a stable order.
pub fn adapters() -> Vec<AdapterSummary> {
    enumerate().into_iter().map(|(_, summary)| summary).collect()
}

/// The same list, with wgpu's adapters.
pub(super) fn enumerate() -> Vec<(wgpu::Adapter, AdapterSummary)> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut all: Vec<_> = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
        .into_iter()
        .map(|adapter| {
            let summary = summarise(&adapter);
            (adapter, summary)
        })
        .collect();
    all.sort_by_key(|(_, summary)| KINDS.iter().position(|&kind| kind == summary.kind));
    for (index, (_, summary)) in all.iter_mut().enumerate() {
        summary.index = index;
    }
    all
}

/// Kinds of adapters in order of preference.
const KINDS: [&str; 5] = ["discrete", "integrated", "virtual", "other", "software"];

fn summarise(adapter: &wgpu::Adapter) -> AdapterSummary {
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    };
    let useful = [
        (wgpu::Features::SHADER_F16, "shader-f16"),
        (wgpu::Features::SUBGROUP, "subgroup"),
        (wgpu::Features::TIMESTAMP_QUERY, "timestamp-query"),
        (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, "cooperative-matrix"),
    ];
    AdapterSummary {
        index: 0,
        name: info.name.trim().to_string(),
        backend: info.backend.to_str().to_string(),
        kind,
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        limits: AdapterLimits {
            max_buffer_size: limits.max_buffer_size,
            max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
            max_storage_buffers_per_shader_stage: limits.max_storage_buffers_per_shader_stage,
            max_compute_workgroup_storage_size: limits.max_compute_workgroup_storage_size,
            max_compute_invocations_per_workgroup: limits.max_compute_invocations_per_workgroup,
            max_compute_workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
            min_storage_buffer_offset_alignment: limits.min_storage_buffer_offset_alignment,
            min_uniform_buffer_offset_alignment: limits.min_uniform_buffer_offset_alignment,
        },
        features: useful.into_iter().filter(|(feature, _)| features.contains(*feature)).map(|(_, name)| name).collect(),
    }
}
