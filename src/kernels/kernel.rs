//! What a kernel is: one WGSL file and its CPU twin behind one descriptor.
//!
//! A kernel is a plain struct of its launch parameters (dimensions, rates) that implements [`KernelSpec`]:
//!
//! ```text
//! shaders/optim/adam.wgsl      the compute shader, entry point `main`
//! src/kernels/optim/adam.rs    struct Adam { rates, length } + impl KernelSpec: slots, grid, CPU twin, cases
//! ```
//!
//! [`Kernel`] is the same with its type erased, so that plans and backends can hold a list of kernels. Nothing here
//! knows a device. `tests/numerics/shaders.rs` compares the descriptor with the shader itself: bindings, access,
//! workgroup size, parameter layout.

mod arguments;
mod case;
mod half;
mod params;

pub use arguments::{Argument, Arguments, Elements, ElementsMut, MAX_SLOTS};
pub(crate) use case::words;
pub use case::{Case, Input, Tolerance};
pub use params::{Field, Params, Scalar};
pub use params::{joined, params};

use crate::kernels::tile::Product;
use crate::math::real::Real;

/// The largest number of groups that WebGPU guarantees along one axis of a dispatch.
pub const MAX_GROUPS_PER_AXIS: u32 = 65_535;

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// 32-bit float on the device; `f32` or `f64` on the CPU backend.
    F32,
    /// 16-bit float on the device. The CPU backend computes in its own precision and rounds what a launch writes to
    /// f16.
    F16,
    /// 32-bit unsigned integer.
    U32,
    /// Bytes, four to a 32-bit word in WGSL.
    U8,
}

impl DType {
    /// Bytes per element on a device.
    pub const fn size(self) -> usize {
        match self {
            DType::F32 | DType::U32 => 4,
            DType::F16 => 2,
            DType::U8 => 1,
        }
    }

    /// Whether it is a float type. The host writes and reads floats of any width as f32.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F16)
    }
}

/// What a kernel does with a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// The launch writes every element it covers and reads none.
    Write,
    /// Updated in place.
    ReadWrite,
}

impl Access {
    /// Memory transfers per element: one if it is read or written, two if both.
    pub(crate) const fn transfers(self) -> u64 {
        match self {
            Access::Read | Access::Write => 1,
            Access::ReadWrite => 2,
        }
    }

    /// Whether the slot is written.
    pub const fn writes(self) -> bool {
        !matches!(self, Access::Read)
    }
}

/// A named storage binding of a kernel: slot `i` is `@group(0) @binding(i + 2)`.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Name of the WGSL variable.
    pub name: &'static str,
    /// How it is used.
    pub access: Access,
    /// Element type.
    pub dtype: DType,
    /// Whether the tensor may also be stored in half precision.
    pub or_half: bool,
}

impl Slot {
    /// A slot that is read.
    pub const fn read(name: &'static str, dtype: DType) -> Slot {
        Slot { name, access: Access::Read, dtype, or_half: false }
    }

    /// A slot that is written without being read.
    pub const fn write(name: &'static str, dtype: DType) -> Slot {
        Slot { name, access: Access::Write, dtype, or_half: false }
    }

    /// A slot that is updated in place.
    pub const fn update(name: &'static str, dtype: DType) -> Slot {
        Slot { name, access: Access::ReadWrite, dtype, or_half: false }
    }
}

/// A kernel, with its parameters as the implementing struct.
pub trait KernelSpec: Params {
    /// The name of its `.wgsl` and `.rs` files.
    const NAME: &'static str;
    /// The whole WGSL module: the shared parts that the kernel uses, then the kernel's own file.
    const WGSL: &'static str;
    /// Storage bindings in order.
    const SLOTS: &'static [Slot];
    /// Names of the WGSL `override` constants that a launch sets, all `u32`.
    const CONSTANTS: &'static [&'static str] = &[];
    /// `@workgroup_size` of `main`.
    const WORKGROUP: [u32; 3];
    /// Whether it reads the per-step uniform, [`crate::kernels::step::Step`].
    const USES_STEP: bool = false;

    /// Number of workgroups along each axis. The default is for matrix products: their shape determines the grid.
    fn grid(&self) -> [u32; 3] {
        self.product()
            .expect("a kernel that is not a matrix product defines its grid")
            .grid(&crate::kernels::tile::BLOCK)
    }

    /// The shape of the result if the kernel is a matrix product.
    fn product(&self) -> Option<Product> {
        None
    }

    /// Minimum number of elements of each slot. Plans are checked against it, so shaders need no bounds checks.
    fn lengths(&self) -> Vec<usize>;

    /// Floating-point operations per launch. A multiply-add counts as two.
    fn flops(&self) -> u64 {
        0
    }

    /// Least bytes that a launch moves to and from memory, with all floats in f32: one transfer per element that is
    /// read, one per element that is written.
    fn bytes(&self) -> u64 {
        let slots = Self::SLOTS.iter().zip(self.lengths());
        slots.map(|(slot, length)| slot.access.transfers() * length as u64 * slot.dtype.size() as u64).sum()
    }

    /// The CPU twin.
    fn run<T: Real>(&self, arguments: Arguments<'_, T>);

    /// A launch of this shape on generated inputs, with the tolerance of its results. It must work for any valid shape.
    fn case(&self, label: impl Into<String>) -> Case;

    /// Launches that `gpunet doctor` and the parity tests run on every backend.
    fn cases() -> Vec<Case>;

    /// The type-erased descriptor.
    const KERNEL: &'static Kernel = &Kernel::of::<Self>();
}

/// A [`KernelSpec`] with its type erased: plans refer to it and backends load it.
///
/// Its functions take `params`, the 32-bit words of the kernel's parameter struct.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// Name, unique.
    pub name: &'static str,
    /// WGSL source, entry point `main`.
    pub wgsl: &'static str,
    /// Storage bindings in order.
    pub slots: &'static [Slot],
    /// Launch parameters in order.
    pub fields: &'static [Field],
    /// Override constants in order.
    pub constants: &'static [&'static str],
    /// `@workgroup_size`.
    pub workgroup: [u32; 3],
    /// Whether it reads the per-step uniform.
    pub uses_step: bool,
    /// Number of workgroups along each axis. For matrix products, the grid of the default tile.
    pub grid: fn(params: &[u32]) -> [u32; 3],
    /// The shape of the result if the kernel is a matrix product.
    pub product: fn(params: &[u32]) -> Option<Product>,
    /// Minimum number of elements of each slot.
    pub lengths: fn(params: &[u32]) -> Vec<usize>,
    /// Floating-point operations per launch.
    pub flops: fn(params: &[u32]) -> u64,
    /// Least bytes that a launch moves, with all floats in f32.
    pub bytes: fn(params: &[u32]) -> u64,
    /// CPU twin in single precision.
    pub run_f32: fn(params: &[u32], Arguments<'_, f32>),
    /// CPU twin in double precision.
    pub run_f64: fn(params: &[u32], Arguments<'_, f64>),
    /// A launch on generated inputs, with a label.
    pub case: fn(params: &[u32], label: &str) -> Case,
    /// Parity cases.
    pub cases: fn() -> Vec<Case>,
}

impl Kernel {
    /// Erases the type of a kernel.
    pub const fn of<K: KernelSpec>() -> Kernel {
        Kernel {
            name: K::NAME,
            wgsl: K::WGSL,
            slots: K::SLOTS,
            fields: K::FIELDS,
            constants: K::CONSTANTS,
            workgroup: K::WORKGROUP,
            uses_step: K::USES_STEP,
            grid: |params| typed::<K>(params).grid(),
            product: |params| typed::<K>(params).product(),
            lengths: |params| typed::<K>(params).lengths(),
            flops: |params| typed::<K>(params).flops(),
            bytes: |params| typed::<K>(params).bytes(),
            run_f32: |params, arguments| typed::<K>(params).run(arguments),
            run_f64: |params, arguments| typed::<K>(params).run(arguments),
            case: |params, label| typed::<K>(params).case(label),
            cases: K::cases,
        }
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Serializes as the kernel's name: a plan names its shaders and does not contain them.
impl serde::Serialize for Kernel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

fn typed<K: Params>(words: &[u32]) -> &K {
    bytemuck::from_bytes(bytemuck::cast_slice(words))
}

/// The grid of a kernel that runs `groups` workgroups in a row. Beyond 65,535 groups the grid is folded into two axes.
///
/// In WGSL the group's number is `group.y * groups.x + group.x`. Surplus groups in the last row must return.
pub fn linear_grid(groups: usize) -> [u32; 3] {
    let groups = u32::try_from(groups).unwrap_or(u32::MAX).max(1);
    if groups <= MAX_GROUPS_PER_AXIS {
        return [groups, 1, 1];
    }
    let rows = groups.div_ceil(MAX_GROUPS_PER_AXIS);
    [groups.div_ceil(rows), rows, 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_grids_cover_without_passing_the_limit() {
        for groups in [0, 1, 7, 65_535, 65_536, 65_537, 77_608, 1 << 24] {
            let [x, y, z] = linear_grid(groups);
            assert!(x as usize * y as usize * z as usize >= groups.max(1), "{groups}");
            assert!(x <= MAX_GROUPS_PER_AXIS && y <= MAX_GROUPS_PER_AXIS && z == 1, "{groups}");
            assert!((x as usize * y as usize) < groups.max(1) + y as usize, "{groups}: less than a row of surplus");
        }
    }
}
