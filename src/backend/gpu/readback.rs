//! Reading values back from a GPU.

use super::GpuBackend;
use crate::backend::DeviceError;

/// A host-visible buffer that the device copies into.
#[derive(Debug)]
pub(super) struct Readback {
    buffer: wgpu::Buffer,
}

impl Readback {
    pub(super) fn new(device: &wgpu::Device, bytes: u64) -> Readback {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let label = Some("readback");
        Readback {
            buffer: device.create_buffer(&wgpu::BufferDescriptor {
                label,
                size: bytes,
                usage,
                mapped_at_creation: false,
            }),
        }
    }

    /// Encodes a copy of `bytes` bytes of `source` from `offset` on.
    pub(super) fn copy(&self, encoder: &mut wgpu::CommandEncoder, source: &wgpu::Buffer, offset: u64, bytes: u64) {
        encoder.copy_buffer_to_buffer(source, offset, &self.buffer, 0, bytes);
    }

    /// Requests the bytes. They are available after waiting for the device.
    pub(super) fn request(&self, bytes: u64) {
        // Errors show when the mapped range is requested.
        self.buffer.map_async(wgpu::MapMode::Read, 0..bytes, |_| {});
    }

    /// Passes the bytes to `use_bytes` and returns the buffer to the device.
    pub(super) fn take<R>(
        &self,
        backend: &Shared,
        bytes: u64,
        use_bytes: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, DeviceError> {
        backend.faults.check()?;
        let result = {
            let view = self
                .buffer
                .get_mapped_range(0..bytes)
                .map_err(|error| DeviceError::Fault { message: format!("reading results back failed: {error}") })?;
            use_bytes(&view)
        };
        self.buffer.unmap();
        Ok(result)
    }
}

/// The parts of a backend that its programs need.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) faults: super::Faults,
    /// The adapter's name.
    pub(super) adapter: String,
}

impl Shared {
    pub(super) fn of(backend: &GpuBackend) -> Shared {
        let adapter = backend.summary.name.clone();
        Shared { device: backend.device.clone(), queue: backend.queue.clone(), faults: backend.faults.clone(), adapter }
    }

    /// Waits for a submission, or for all of them if it is `None`.
    pub(super) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<(), DeviceError> {
        let waited = self.device.poll(wgpu::PollType::Wait { submission_index: submission, timeout: None });
        self.faults.check()?;
        waited.map(|_| ()).map_err(|error| DeviceError::Fault { message: error.to_string() })
    }
}
