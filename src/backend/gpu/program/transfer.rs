//! Writing tensors to a GPU and reading them back.

use half::f16;
use half::slice::HalfFloatSliceExt;
use half::vec::HalfFloatVecExt;

use super::GpuProgram;
use crate::backend::DeviceError;
use crate::backend::gpu::readback::Readback;
use crate::kernels::kernel::DType;
use crate::plan::{Data, Tensor};

impl GpuProgram {
    /// See [`crate::backend::Program::write`].
    pub(super) fn write_tensor(&self, tensor: Tensor, data: Data<'_>) -> Result<(), DeviceError> {
        self.plan.assert_data(tensor, &data);
        let info = self.plan.tensor(tensor);
        let offset = (info.offset * info.dtype.size()) as u64;
        let halves: Vec<f16>;
        let bytes: &[u8] = match data {
            Data::F32(values) if info.dtype == DType::F16 => {
                halves = Vec::from_f32_slice(values);
                bytemuck::cast_slice(&halves)
            }
            Data::F32(values) => bytemuck::cast_slice(values),
            Data::U32(values) => bytemuck::cast_slice(values),
            Data::U8(values) => values,
        };
        // Writes are in whole words. A tensor that ends within a word has its buffer to itself, so the last word may be
        // padded.
        let whole = bytes.len() / 4 * 4;
        let (buffer, queue) = (&self.buffers[info.buffer], &self.shared.queue);
        queue.write_buffer(buffer, offset, &bytes[..whole]);
        if whole < bytes.len() {
            let mut last = [0; 4];
            last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            queue.write_buffer(buffer, offset + whole as u64, &last);
        }
        self.shared.faults.check()
    }

    /// See [`crate::backend::Program::slow_read_f32`].
    pub(super) fn read_floats(&self, tensor: Tensor) -> Result<Vec<f32>, DeviceError> {
        let bytes = self.read_bytes(tensor)?;
        let info = self.plan.tensor(tensor);
        if info.dtype == DType::F16 {
            let halves: Vec<f16> = bytemuck::pod_collect_to_vec(&bytes);
            return Ok(halves[..info.len()].to_f32_vec());
        }
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }

    /// The bytes of a tensor, rounded up to whole words.
    pub(super) fn read_bytes(&self, tensor: Tensor) -> Result<Vec<u8>, DeviceError> {
        let info = self.plan.tensor(tensor);
        assert_ne!(info.dtype, DType::U8, "bytes are not read back");
        let size = info.dtype.size();
        // Copies are in whole words. A half-precision tensor has its buffer to itself, so the last word may be padded.
        let (offset, bytes) = ((info.offset * size) as u64, ((info.len() * size) as u64).next_multiple_of(4));
        let readback = Readback::new(&self.shared.device, bytes);
        let mut encoder = self.shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        readback.copy(&mut encoder, &self.buffers[info.buffer], offset, bytes);
        let submission = self.shared.queue.submit([encoder.finish()]);
        readback.request(bytes);
        self.shared.wait(Some(submission))?;
        readback.take(&self.shared, bytes, <[u8]>::to_vec)
    }
}
