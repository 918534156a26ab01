//! Launches with everything resolved for WebGPU.

use super::pipelines::Pipeline;
use crate::kernels::step::Step;
use crate::kernels::tile::Tile;
use crate::plan::{Launch, Plan};

/// The uniform buffers of a launch.
#[derive(Clone, Copy)]
pub(super) struct Uniforms<'a> {
    /// Parameters of all launches.
    pub(super) params: &'a wgpu::Buffer,
    /// Offset of this launch's parameters, in bytes.
    pub(super) params_offset: u64,
    /// Rows of step scalars, bound with a dynamic offset.
    pub(super) steps: &'a wgpu::Buffer,
}

/// A resolved launch: running it takes three calls.
#[derive(Debug)]
pub(super) struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    uses_step: bool,
    grid: [u32; 3],
    /// The tile of a product.
    pub(super) tile: Option<&'static Tile>,
}

impl Dispatch {
    pub(super) fn new(
        device: &wgpu::Device,
        plan: &Plan,
        launch: &Launch,
        tile: Option<&'static Tile>,
        pipeline: &Pipeline,
        buffers: &[wgpu::Buffer],
        uniforms: Uniforms<'_>,
    ) -> Dispatch {
        let product = (launch.kernel.product)(&launch.params);
        let in_tiles = product.zip(tile).map(|(product, tile)| product.grid(tile));
        Dispatch {
            pipeline: pipeline.pipeline.clone(),
            bind_group: bind_group(device, plan, launch, &pipeline.layout, buffers, uniforms),
            uses_step: launch.kernel.uses_step,
            grid: in_tiles.unwrap_or_else(|| (launch.kernel.grid)(&launch.params)),
            tile,
        }
    }

    /// Appends the launch to a pass. `step_offset` is the offset of the step's scalars.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>, step_offset: u32) {
        pass.set_pipeline(&self.pipeline);
        let offsets = [step_offset];
        pass.set_bind_group(0, &self.bind_group, if self.uses_step { &offsets } else { &[] });
        let [x, y, z] = self.grid;
        pass.dispatch_workgroups(x, y, z);
    }
}

fn bind_group(
    device: &wgpu::Device,
    plan: &Plan,
    launch: &Launch,
    layout: &wgpu::BindGroupLayout,
    buffers: &[wgpu::Buffer],
    uniforms: Uniforms<'_>,
) -> wgpu::BindGroup {
    let range = |buffer, offset, bytes: u64| {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(bytes) })
    };
    let mut entries = vec![wgpu::BindGroupEntry {
        binding: 0,
        resource: range(uniforms.params, uniforms.params_offset, launch.params.len() as u64 * 4),
    }];
    if launch.kernel.uses_step {
        entries.push(wgpu::BindGroupEntry { binding: 1, resource: range(uniforms.steps, 0, size_of::<Step>() as u64) });
    }
    for (binding, &arg) in (2..).zip(&launch.args) {
        let info = plan.tensor(arg);
        let size = info.dtype.size();
        let bytes = ((info.len() * size) as u64).next_multiple_of(4);
        let resource = range(&buffers[info.buffer], (info.offset * size) as u64, bytes);
        entries.push(wgpu::BindGroupEntry { binding, resource });
    }
    device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(launch.kernel.name), layout, entries: &entries })
}
