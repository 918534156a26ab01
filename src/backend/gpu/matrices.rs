//! Units that multiply small matrices at once, such as tensor cores: what an adapter has, and whether it computes rightly.

use super::GpuBackend;
use crate::kernel::KernelSpec;
use crate::kernel::tile::Tile;
use crate::kernels::DenseForward;
use crate::parity::{Form, check_kernel_in};
use crate::precision::Precision;

/// Leave to use features that wgpu calls experimental, of which only cooperative matrices are asked for.
pub(super) fn experimental_features() -> wgpu::ExperimentalFeatures {
    // SAFETY: what they load and store lies within a tile's own memory (shaders/lib/tile_matrix.wgsl), and they are used only after the adapter
    // has computed some products rightly.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}

/// Rows and columns of the matrices in half precision that subgroups multiply at once, with sums in f32; the largest there are.
pub(super) fn side(adapter: &wgpu::Adapter) -> Option<u32> {
    use wgpu::CooperativeScalarType::{F16, F32};
    let needed = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX | wgpu::Features::SHADER_F16;
    let fits = |shape: &&wgpu::CooperativeMatrixProperties| {
        let is_square = shape.m_size == shape.n_size && shape.n_size == shape.k_size;
        is_square && shape.ab_type == F16 && shape.cr_type == F32 && !shape.saturating_accumulation
    };
    let shapes = adapter.cooperative_matrix_properties();
    shapes.iter().filter(fits).map(|shape| shape.m_size).max().filter(|_| adapter.features().contains(needed))
}

impl GpuBackend {
    /// Whether products in a tile come out right.
    pub(super) fn multiplies_rightly(&self, tile: &'static Tile) -> bool {
        let form = Form { tile: Some(tile), precision: Precision::F16 };
        check_kernel_in(self, DenseForward::KERNEL, form).is_ok_and(|report| report.ok)
    }
}
