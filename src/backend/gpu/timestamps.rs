//! Timestamps of compute passes, by the adapter's clock.

use super::readback::{Readback, Shared};
use crate::backend::DeviceError;

/// Bytes of a timestamp.
const TIMESTAMP: u64 = 8;

/// Passes per query set. WebGPU limits the queries of a set.
const SET: u64 = wgpu::QUERY_SET_MAX_QUERIES as u64 / 2;

/// Buffers for the timestamps of one submission.
pub(super) struct Timestamps {
    sets: Vec<wgpu::QuerySet>,
    resolved: wgpu::Buffer,
    readback: Readback,
    /// Nanoseconds per tick.
    period: f64,
}

impl Timestamps {
    /// Room for `passes` passes per submission.
    ///
    /// # Errors
    /// [`DeviceError::NoTimestamps`].
    pub(super) fn new(shared: &Shared, passes: usize) -> Result<Timestamps, DeviceError> {
        let device = &shared.device;
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Err(DeviceError::NoTimestamps { adapter: shared.adapter.clone() });
        }
        let label = Some("timestamps");
        let set = |_| {
            let (ty, count) = (wgpu::QueryType::Timestamp, wgpu::QUERY_SET_MAX_QUERIES);
            device.create_query_set(&wgpu::QuerySetDescriptor { label, ty, count })
        };
        let size = passes as u64 * 2 * TIMESTAMP;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        Ok(Timestamps {
            sets: (0..(passes as u64).div_ceil(SET)).map(set).collect(),
            resolved: device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false }),
            readback: Readback::new(device, size),
            period: f64::from(shared.queue.get_timestamp_period()),
        })
    }

    /// Begins pass `number` of a submission.
    pub(super) fn begin_pass<'e>(&self, encoder: &'e mut wgpu::CommandEncoder, number: usize) -> wgpu::ComputePass<'e> {
        let first = (number as u64 % SET * 2) as u32;
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                query_set: &self.sets[(number as u64 / SET) as usize],
                beginning_of_pass_write_index: Some(first),
                end_of_pass_write_index: Some(first + 1),
            }),
        })
    }

    /// Submits the encoded commands and requests the timestamps of the first `passes` passes.
    pub(super) fn submit(
        &self,
        shared: &Shared,
        mut encoder: wgpu::CommandEncoder,
        passes: usize,
    ) -> wgpu::SubmissionIndex {
        let passes = passes as u64;
        for (set, first) in self.sets.iter().zip((0..passes).step_by(SET as usize)) {
            let queries = 0..((passes - first).min(SET) * 2) as u32;
            encoder.resolve_query_set(set, queries, &self.resolved, first * 2 * TIMESTAMP);
        }
        let bytes = passes * 2 * TIMESTAMP;
        self.readback.copy(&mut encoder, &self.resolved, 0, bytes);
        let submission = shared.queue.submit([encoder.finish()]);
        self.readback.request(bytes);
        submission
    }

    /// Start and end of each pass, in nanoseconds since `origin`, after the submission was waited for. An unset
    /// `origin` becomes the start of the first pass.
    pub(super) fn take(
        &self,
        shared: &Shared,
        passes: usize,
        origin: &mut Option<u64>,
    ) -> Result<Vec<[f64; 2]>, DeviceError> {
        let bytes = passes as u64 * 2 * TIMESTAMP;
        let ticks: Vec<[u64; 2]> = self.readback.take(shared, bytes, bytemuck::pod_collect_to_vec)?;
        let origin = *origin.get_or_insert_with(|| ticks.first().map_or(0, |pass| pass[0]));
        let nanoseconds = |ticks: u64| ticks.saturating_sub(origin) as f64 * self.period;
        Ok(ticks.into_iter().map(|pass| pass.map(nanoseconds)).collect())
    }
}
