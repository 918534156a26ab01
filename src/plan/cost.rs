//! What a plan takes: memory by role, floating-point operations.

use serde::Serialize;

use super::{Phase, Plan, Role};

/// Rows of the log: the most steps that a backend may run before it reads their metrics.
pub const LOG_ROWS: usize = 128;

/// Bytes between two uniforms of one buffer: WebGPU's default alignment of a dynamic uniform offset.
pub const UNIFORM_STRIDE: usize = 256;

/// Submissions that a GPU backend keeps under way: one runs while the next is encoded.
pub const SUBMISSIONS_IN_FLIGHT: usize = 2;

/// Bytes that a plan takes on a GPU device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Bytes of the tensors by role, in the order of [`Role::ALL`]; roles that take none are left out.
    pub tensors: Vec<(Role, u64)>,
    /// Launch parameters and per-step scalars.
    pub uniforms: u64,
    /// Host-visible buffers that metrics are read through.
    pub staging: u64,
}

impl Memory {
    /// All bytes.
    pub fn total(&self) -> u64 {
        self.tensors.iter().map(|(_, bytes)| bytes).sum::<u64>() + self.uniforms + self.staging
    }
}

impl Plan {
    /// Bytes of a buffer, rounded up to whole words.
    pub fn buffer_bytes(&self, buffer: usize) -> u64 {
        let info = &self.buffers[buffer];
        (info.len as u64 * info.dtype.size() as u64).next_multiple_of(4)
    }

    /// Bytes of the per-step uniforms: a row for each step that may be under way.
    pub fn step_uniform_bytes(&self) -> u64 {
        (SUBMISSIONS_IN_FLIGHT * LOG_ROWS * UNIFORM_STRIDE) as u64
    }

    /// Bytes of the launch parameters: a row for each launch.
    pub fn launch_uniform_bytes(&self) -> u64 {
        let launches: usize = self.phases.iter().map(Vec::len).sum();
        (launches.max(1) * UNIFORM_STRIDE) as u64
    }

    /// Bytes of one of the buffers that metrics are read through.
    pub fn staging_bytes(&self) -> u64 {
        self.log.map_or(0, |log| self.tensor(log).len() as u64 * 4)
    }

    /// Bytes that loading this plan takes on a GPU device; nothing is added while it runs.
    pub fn memory(&self) -> Memory {
        let bytes_of = |role| {
            (0..self.buffers.len()).filter(|&b| self.buffers[b].role == role).map(|b| self.buffer_bytes(b)).sum::<u64>()
        };
        Memory {
            tensors: Role::ALL.map(|role| (role, bytes_of(role))).into_iter().filter(|&(_, bytes)| bytes > 0).collect(),
            uniforms: self.launch_uniform_bytes() + self.step_uniform_bytes(),
            staging: self.staging_bytes() * SUBMISSIONS_IN_FLIGHT as u64,
        }
    }

    /// Floating-point operations of one replay of `phase`, counting a multiply-add as two.
    pub fn flops(&self, phase: Phase) -> u64 {
        self.launches(phase).iter().map(|launch| (launch.kernel.flops)(&launch.params)).sum()
    }
}
