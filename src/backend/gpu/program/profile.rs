//! When launches run, by the adapter's timestamps.

use std::time::Duration;

use super::{GpuProgram, log_bytes};
use crate::backend::gpu::readback::Readback;
use crate::backend::{Logged, Span};
use crate::error::{DeviceError, Error};
use crate::plan::Phase;
use crate::step::Step;

/// Bytes of a timestamp.
const TIMESTAMP: u64 = 8;

impl GpuProgram {
    /// A pass a launch, since WebGPU takes timestamps where passes begin and end, and a submission a step.
    pub(super) fn run_profiled(
        &mut self,
        phase: Phase,
        steps: &[Step],
        logged: &mut Logged<'_>,
    ) -> Result<Vec<Span>, Error> {
        let adapter = &self.shared.adapter;
        if !self.shared.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Err(DeviceError::NoTimestamps { adapter: adapter.clone() }.into());
        }
        let launches = self.plan.launches(phase).len();
        let timestamps = Timestamps::new(&self.shared.device, launches as u64);
        let nanoseconds = f64::from(self.shared.queue.get_timestamp_period());
        let mut spans = Vec::new();
        let mut origin = None;
        for (number, step) in steps.iter().enumerate() {
            let running: Vec<usize> =
                (0..launches).filter(|&launch| self.plan.launches(phase)[launch].runs_in(step)).collect();
            for (ticks, &launch) in self.time_step(phase, step, &running, &timestamps, logged)?.iter().zip(&running) {
                let origin = *origin.get_or_insert(ticks[0]);
                let [begin, end] = ticks.map(|ticks| {
                    Duration::from_nanos((ticks.saturating_sub(origin) as f64 * nanoseconds).round() as u64)
                });
                spans.push(Span { step: number, launch, begin, end });
            }
        }
        Ok(spans)
    }

    /// Runs these launches in one submission; when each began and ended, in ticks.
    fn time_step(
        &mut self,
        phase: Phase,
        step: &Step,
        running: &[usize],
        timestamps: &Timestamps,
        logged: &mut Logged<'_>,
    ) -> Result<Vec<[u64; 2]>, Error> {
        let first = self.write_steps(&[Step { log_row: 0, ..*step }], 0);
        let mut encoder = self.shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (place, &launch) in (0..).zip(running) {
            let descriptor =
                wgpu::ComputePassDescriptor { label: None, timestamp_writes: Some(timestamps.around(place)) };
            self.dispatches[phase as usize][launch].encode(&mut encoder.begin_compute_pass(&descriptor), first);
        }
        let bytes = timestamps.resolve(&mut encoder, running.len() as u64);
        let log = self.plan.log(phase);
        if let Some(log) = log {
            self.readbacks[0].copy(&mut encoder, &self.buffers[self.plan.tensor(log).buffer], 0, log_bytes(1));
        }
        let submission = self.shared.queue.submit([encoder.finish()]);
        timestamps.readback.request(bytes);
        if log.is_some() {
            self.readbacks[0].request(log_bytes(1));
        }
        let flight = super::Flight { submission, rows: vec![step.rows], lane: 0 };
        // All steps are run, whatever `logged` says: there are few.
        let _ = self.land(phase, flight, logged)?;
        timestamps.readback.take(&self.shared, bytes, bytemuck::pod_collect_to_vec)
    }
}

/// Room for the timestamps of a submission.
struct Timestamps {
    /// A set holds so many queries and no more.
    sets: Vec<wgpu::QuerySet>,
    resolved: wgpu::Buffer,
    readback: Readback,
}

/// Launches of a set.
const SET: u64 = wgpu::QUERY_SET_MAX_QUERIES as u64 / 2;

impl Timestamps {
    fn new(device: &wgpu::Device, launches: u64) -> Timestamps {
        let set = |_| {
            device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: wgpu::QUERY_SET_MAX_QUERIES,
            })
        };
        let size = launches * 2 * TIMESTAMP;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let label = Some("timestamps");
        let resolved = device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false });
        Timestamps {
            sets: (0..launches.div_ceil(SET)).map(set).collect(),
            resolved,
            readback: Readback::new(device, size),
        }
    }

    /// The queries around the launch at that place of a submission.
    fn around(&self, place: u64) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = (place % SET * 2) as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.sets[(place / SET) as usize],
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    /// Encodes what brings the timestamps of the first `launches` to the host; how many bytes those are.
    fn resolve(&self, encoder: &mut wgpu::CommandEncoder, launches: u64) -> u64 {
        for (set, first) in self.sets.iter().zip((0..launches).step_by(SET as usize)) {
            let queries = 0..((launches - first).min(SET) * 2) as u32;
            encoder.resolve_query_set(set, queries, &self.resolved, first * 2 * TIMESTAMP);
        }
        let bytes = launches * 2 * TIMESTAMP;
        self.readback.copy(encoder, &self.resolved, 0, bytes);
        bytes
    }
}
