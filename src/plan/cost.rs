//! The cost of a plan: memory by role, and floating-point operations.

use serde::Serialize;

use super::{Phase, Plan, Role};

/// Rows of the log, and so the most steps that a backend may run before it reads their metrics.
pub const LOG_ROWS: usize = 128;

/// Bytes between two uniforms of one buffer: WebGPU's default alignment for dynamic uniform offsets.
pub const UNIFORM_STRIDE: usize = 256;

/// Submissions in flight on a GPU: one runs while the next is encoded.
pub const SUBMISSIONS_IN_FLIGHT: usize = 2;

/// Bytes of a plan on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Bytes of tensors by role, in the order of [`Role::ALL`], without empty roles.
    pub tensors: Vec<(Role, u64)>,
    /// Launch parameters and per-step scalars.
    pub uniforms: u64,
    /// Host-visible buffers for reading metrics back.
    pub staging: u64,
}

impl Memory {
    /// Sum of all bytes.
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

    /// Bytes of the per-step uniforms: one row for each step that can be in flight.
    pub fn step_uniform_bytes(&self) -> u64 {
        (SUBMISSIONS_IN_FLIGHT * LOG_ROWS * UNIFORM_STRIDE) as u64
    }

    /// Bytes of the launch parameters: one row per launch.
    pub fn launch_uniform_bytes(&self) -> u64 {
        let launches: usize = self.phases.iter().map(Vec::len).sum();
        (launches.max(1) * UNIFORM_STRIDE) as u64
    }

    /// Bytes of one host-visible buffer for metrics.
    pub fn staging_bytes(&self) -> u64 {
        self.log.map_or(0, |log| self.tensor(log).len() as u64 * 4)
    }

    /// Bytes that this plan takes on a GPU once it is loaded. Running it adds nothing.
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
