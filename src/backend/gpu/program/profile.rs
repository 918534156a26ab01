//! Timing of launches.

use std::time::Duration;

use super::{Flight, GpuProgram, log_bytes};
use crate::backend::DeviceError;
use crate::backend::gpu::timestamps::Timestamps;
use crate::backend::{Logged, Span};
use crate::kernels::step::Step;
use crate::plan::Phase;

impl GpuProgram {
    /// Runs each launch in its own pass, since WebGPU takes timestamps at the ends of passes, and each step in its own
    /// submission.
    pub(super) fn run_profiled(
        &mut self,
        phase: Phase,
        steps: &[Step],
        logged: &mut Logged<'_>,
    ) -> Result<Vec<Span>, DeviceError> {
        let launches = self.plan.launches(phase).len();
        let timestamps = Timestamps::new(&self.shared, launches)?;
        let (mut spans, mut origin) = (Vec::new(), None);
        for (number, step) in steps.iter().enumerate() {
            let running: Vec<usize> =
                (0..launches).filter(|&launch| self.plan.launches(phase)[launch].runs_in(step)).collect();
            let flight = self.submit_timed(phase, step, &running, &timestamps);
            // All steps run even if `logged` asks to stop, as there are few.
            let _ = self.land(phase, flight, logged)?;
            let times = timestamps.take(&self.shared, running.len(), &mut origin)?;
            for (nanoseconds, launch) in times.into_iter().zip(running) {
                let [begin, end] = nanoseconds.map(|count| Duration::from_nanos(count.round() as u64));
                spans.push(Span { step: number, launch, begin, end });
            }
        }
        Ok(spans)
    }

    /// Submits these launches of a step.
    fn submit_timed(&mut self, phase: Phase, step: &Step, running: &[usize], timestamps: &Timestamps) -> Flight {
        let first = self.write_steps(&[Step { log_row: 0, ..*step }], 0);
        let mut encoder = self.shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (number, &launch) in running.iter().enumerate() {
            self.dispatches[phase as usize][launch].encode(&mut timestamps.begin_pass(&mut encoder, number), first);
        }
        let log = self.plan.log(phase);
        if let Some(log) = log {
            self.readbacks[0].copy(&mut encoder, &self.buffers[self.plan.tensor(log).buffer], 0, log_bytes(1));
        }
        let submission = timestamps.submit(&self.shared, encoder, running.len());
        if log.is_some() {
            self.readbacks[0].request(log_bytes(1));
        }
        Flight { submission, rows: vec![step.rows], lane: 0 }
    }
}
