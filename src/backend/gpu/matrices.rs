//! Units that multiply small matrices at once, such as tensor cores: what an adapter has, and whether it computes rightly.

use super::GpuBackend;
use crate::backend::DeviceError;
use crate::backend::cpu::CpuBackend;
use crate::backend::parity::{Comparison, Form, check_case_in, check_kernel_in};
use crate::kernels::kernel::{Case, Input, KernelSpec};
use crate::kernels::precision::Precision;
use crate::kernels::tile::{BLOCK, Tile};
use crate::kernels::{DenseForward, DenseGrad, DenseInputGrad};

/// Leave to use features that wgpu calls experimental, of which only cooperative matrices are asked for.
pub(super) fn experimental_features() -> wgpu::ExperimentalFeatures {
    // SAFETY: what they load and store lies within a tile's own memory (shaders/product/shared/tile_units.wgsl, tile_matrix.wgsl and tile_split.wgsl).
    // Nothing is trained with them before an adapter has computed some products rightly.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}

/// Rows and columns of the matrices in half precision that subgroups multiply at once, with sums in f32, the largest there are; and how many threads
/// those subgroups have, where that is known.
pub(super) fn shape(adapter: &wgpu::Adapter) -> Option<(u32, u32)> {
    use wgpu::CooperativeScalarType::{F16, F32};
    let needed = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX | wgpu::Features::SHADER_F16;
    let fits = |shape: &&wgpu::CooperativeMatrixProperties| {
        let is_square = shape.m_size == shape.n_size && shape.n_size == shape.k_size;
        is_square && shape.ab_type == F16 && shape.cr_type == F32 && !shape.saturating_accumulation
    };
    let shapes = adapter.cooperative_matrix_properties();
    let side = shapes.iter().filter(fits).map(|shape| shape.m_size).max();
    let info = adapter.get_info();
    let threads = match info.backend {
        // Apple's SIMD groups, for which wgpu tells bounds that hold of all Metal devices.
        wgpu::Backend::Metal => Some(32),
        _ => Some(info.subgroup_min_size).filter(|&least| least == info.subgroup_max_size),
    };
    side.zip(threads).filter(|_| adapter.features().contains(needed))
}

impl GpuBackend {
    /// Sees whether tiles of matrices can be trusted, before they are chosen for products of that precision.
    pub(super) fn try_matrices(&self, precision: Precision) {
        match precision {
            Precision::F32 => {}
            Precision::F32Split => self.tiles.try_matrices(precision, |tile| {
                // Sums of matrices, of which only Vulkan's shaders have any.
                self.summary.backend == "vulkan" && self.multiplies_rightly(tile, precision) && self.splits_well(tile)
            }),
            Precision::F16 => self.tiles.try_matrices(precision, |tile| self.multiplies_rightly(tile, precision)),
        }
    }

    /// Whether products in a tile come out right: with both operands contiguous along the sum, one, and none.
    fn multiplies_rightly(&self, tile: &'static Tile, precision: Precision) -> bool {
        let form = Form { tile: Some(tile), precision };
        let kernels = [DenseForward::KERNEL, DenseInputGrad::KERNEL, DenseGrad::KERNEL];
        kernels.into_iter().all(|kernel| check_kernel_in(self, kernel, form).is_ok_and(|report| report.ok))
    }

    /// Whether sums of a thousand products in a tile that splits operands are at most twice as far off as those of the usual one, and rows and
    /// columns of very different sizes come out right.
    fn splits_well(&self, tile: &'static Tile) -> bool {
        let [long, apart] = [1024, 16].map(|rows| DenseGrad { rows, inputs: 64, outputs: 64, bias_at: 0 });
        // Columns of one size and the other in turn.
        let columns = |sizes: [f32; 2]| {
            let value = |at: u32| (0.5 + (at % 7) as f32 / 14.0) * sizes[at as usize % 2];
            Input::F32((0..apart.rows * 64).map(value).collect())
        };
        let [huge, tiny] = [115, -115].map(|exponent| 2f32.powi(exponent));
        let (long, apart) = (long.case("a long sum"), apart.case("sizes apart"));
        let apart = apart.input(0, columns([huge, tiny])).input(1, columns([tiny, 1.0]));
        let compared = |case: &Case, tile, precision| {
            let form = Form { tile: Some(tile), precision };
            let (_, comparison) = check_case_in(self, form, &CpuBackend::new(None)?, DenseGrad::KERNEL, case)?;
            Ok::<Comparison, DeviceError>(comparison)
        };
        let is_well = || -> Result<bool, DeviceError> {
            let split = |case: &Case| compared(case, tile, Precision::F32Split);
            let plain = compared(&long, &BLOCK, Precision::F32)?.worst_share;
            Ok(split(&apart)?.failure.is_none() && split(&long)?.worst_share <= 2.0 * plain)
        };
        is_well().is_ok_and(|is_well| is_well)
    }
}
