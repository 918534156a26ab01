//! Units that multiply small matrices, such as tensor cores: which ones an adapter has, and their self-test.

use super::GpuBackend;
use crate::backend::DeviceError;
use crate::backend::cpu::CpuBackend;
use crate::backend::parity::{Comparison, Form, check_case_in, check_kernel_in};
use crate::kernels::kernel::{Case, Input, KernelSpec};
use crate::kernels::precision::Precision;
use crate::kernels::tile::{BLOCK, Tile};
use crate::kernels::{DenseForward, DenseGrad, DenseInputGrad};

/// Permission for features that wgpu calls experimental. Only cooperative matrices are requested.
pub(super) fn experimental_features() -> wgpu::ExperimentalFeatures {
    // SAFETY: cooperative matrices only load and store within a tile's own memory
    // (shaders/product/shared/tile_units.wgsl, tile_matrix.wgsl and tile_split.wgsl). They are used for training only
    // after an adapter has passed the self-test.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}

/// The largest square half-precision matrices that subgroups multiply with sums in f32: their side, and the number of
/// threads in a subgroup. `None` if there are none or the number of threads is not known.
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
        // Apple's SIMD groups have 32 threads. wgpu reports only bounds for all Metal devices.
        wgpu::Backend::Metal => Some(32),
        _ => Some(info.subgroup_min_size).filter(|&least| least == info.subgroup_max_size),
    };
    side.zip(threads).filter(|_| adapter.features().contains(needed))
}

impl GpuBackend {
    /// Runs the self-test of tiles on matrix units, unless it has already run for this precision.
    pub(super) fn self_test_matrices(&self, precision: Precision) {
        match precision {
            Precision::F32 => {}
            Precision::F32Split => self.tiles.self_test_matrices(precision, |tile| {
                // Split products need sums over cooperative matrices, which only Vulkan shaders have.
                self.summary.backend == "vulkan"
                    && self.products_are_correct(tile, precision)
                    && self.split_is_accurate(tile)
            }),
            Precision::F16 => {
                self.tiles.self_test_matrices(precision, |tile| self.products_are_correct(tile, precision))
            }
        }
    }

    /// Whether products in a tile are correct: with both operands contiguous along the sum, with one, and with none.
    fn products_are_correct(&self, tile: &'static Tile, precision: Precision) -> bool {
        let form = Form { tile: Some(tile), precision };
        let kernels = [DenseForward::KERNEL, DenseInputGrad::KERNEL, DenseGrad::KERNEL];
        kernels.into_iter().all(|kernel| check_kernel_in(self, kernel, form).is_ok_and(|report| report.ok))
    }

    /// Whether a tile with split operands is accurate enough: a 1,024-term sum has at most twice the error of the usual
    /// tile, and rows and columns of very different magnitudes give correct products.
    fn split_is_accurate(&self, tile: &'static Tile) -> bool {
        let [long, apart] = [1024, 16].map(|rows| DenseGrad { rows, inputs: 64, outputs: 64, bias_at: 0 });
        // Columns alternate between two magnitudes.
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
        let is_accurate = || -> Result<bool, DeviceError> {
            let split = |case: &Case| compared(case, tile, Precision::F32Split);
            let plain = compared(&long, &BLOCK, Precision::F32)?.worst_share;
            Ok(split(&apart)?.failure.is_none() && split(&long)?.worst_share <= 2.0 * plain)
        };
        is_accurate().is_ok_and(|is_accurate| is_accurate)
    }
}
