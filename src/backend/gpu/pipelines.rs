//! Pipelines: compiled shaders with their constants, shared by all launches that need the same one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::pipeline_cache::PipelineCache;
use super::{GpuBackend, ShaderChecks};
use crate::backend::DeviceError;
use crate::kernels::kernel::{Access, Kernel};
use crate::kernels::precision::Precision;
use crate::kernels::tile::Tile;
use crate::plan::Launch;

/// A compiled kernel and the layout its bind groups follow.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// A launch in the form in which it is compiled.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) launch: &'a Launch,
    /// The tile; only for products.
    pub(super) tile: Option<&'static Tile>,
    /// The precision of stored activations and of products.
    pub(super) precision: Precision,
}

/// Identifies a pipeline: source, tile, precision, constants. It uses the source, not the name, because tests plant
/// bugs in copies of a kernel.
type Key = (&'static str, Option<&'static str>, Precision, Vec<u32>);

impl Form<'_> {
    fn key(&self) -> Key {
        let Form { launch, tile, precision } = self;
        (launch.kernel.wgsl, tile.map(|tile| tile.name), *precision, launch.constants.clone())
    }
}

/// All pipelines compiled on a device, shared by the plans loaded there.
#[derive(Default)]
pub(super) struct Pipelines {
    compiled: Mutex<HashMap<Key, Pipeline>>,
}

impl Pipelines {
    /// Compiles the pipelines of forms that are new, on all cores.
    pub(super) fn compile<'a>(
        &self,
        backend: &GpuBackend,
        forms: impl Iterator<Item = Form<'a>>,
    ) -> Result<(), DeviceError> {
        let mut new: HashMap<Key, Form<'a>> = forms.map(|form| (form.key(), form)).collect();
        new.retain(|key, _| !self.lock().contains_key(key));
        let compiled = new.into_par_iter().map(|(key, form)| Ok((key, make(backend, form)?)));
        let compiled = compiled.collect::<Result<Vec<_>, DeviceError>>()?;
        self.lock().extend(compiled);
        Ok(())
    }

    /// The pipeline of a form. It must be compiled already.
    pub(super) fn of(&self, form: Form<'_>) -> Pipeline {
        self.lock()[&form.key()].clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Pipeline>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(backend: &GpuBackend, Form { launch, tile, precision }: Form<'_>) -> Result<Pipeline, DeviceError> {
    let (device, kernel) = (&backend.device, launch.kernel);
    // wgpu reports compilation failures of a driver as internal errors.
    let scopes = [wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal].map(|of| device.push_error_scope(of));
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(kernel.name),
        source: wgpu::ShaderSource::Wgsl(kernel.wgsl_in(tile, precision)),
    };
    let module = match backend.checks {
        ShaderChecks::Checked => device.create_shader_module(descriptor),
        // SAFETY: a plan is checked on the host: every slot holds as many elements as its kernel accesses, and kernels
        // are launched for at least as many examples and rows as steps may have. Steps and index values are checked
        // when they are passed in. The kernels' loops end by construction. The tests run each kernel with and without
        // checks.
        ShaderChecks::Trusted => unsafe {
            device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
        },
    };
    let layout = bind_group_layout(device, kernel);
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(kernel.name),
        bind_group_layouts: &[Some(&layout)],
        ..Default::default()
    });
    let constants: Vec<(&str, f64)> =
        kernel.constants.iter().zip(&launch.constants).map(|(&name, &value)| (name, f64::from(value))).collect();
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(kernel.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            zero_initialize_workgroup_memory: backend.checks == ShaderChecks::Checked,
        },
        cache: backend.pipeline_cache.as_ref().map(PipelineCache::handle),
    });
    let errors = scopes.into_iter().rev().filter_map(|scope| pollster::block_on(scope.pop()));
    // All scopes must be popped, the inner one first.
    if let Some(error) = errors.collect::<Vec<_>>().first() {
        let adapter = backend.summary.name.clone();
        return Err(DeviceError::Shader { kernel: kernel.name, adapter, reason: error.to_string() });
    }
    Ok(Pipeline { pipeline, layout })
}

/// Binding 0 has the launch's parameters, binding 1 the step's scalars with a dynamic offset. Then follows one storage
/// buffer per slot.
fn bind_group_layout(device: &wgpu::Device, kernel: &Kernel) -> wgpu::BindGroupLayout {
    let entry = |binding, ty, has_dynamic_offset| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
        count: None,
    };
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform, false)];
    if kernel.uses_step {
        entries.push(entry(1, wgpu::BufferBindingType::Uniform, true));
    }
    for (binding, slot) in (2..).zip(kernel.slots) {
        let read_only = slot.access == Access::Read;
        entries.push(entry(binding, wgpu::BufferBindingType::Storage { read_only }, false));
    }
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(kernel.name), entries: &entries })
}
