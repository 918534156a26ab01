//! Tuning: finds the fastest tile of each product by timing.

use std::time::{Duration, Instant};

use super::GpuProgram;
use crate::backend::DeviceError;
use crate::backend::gpu::dispatch::Dispatch;
use crate::backend::gpu::pipelines::Form;
use crate::backend::gpu::tiles::key;
use crate::backend::gpu::timestamps::Timestamps;
use crate::backend::gpu::{GpuBackend, Tuning};
use crate::kernels::step::Step;
use crate::kernels::tile::Tile;
use crate::plan::Phase;

/// How long tuning may delay loading. Products that remain are timed the next time.
const PATIENCE: Duration = Duration::from_millis(300);

/// Launches per pass, so that a pass takes more than a few ticks of the clock.
const LAUNCHES: usize = 4;

/// Timed passes, of which the fastest counts; one more warms up.
const PASSES: usize = 3;

/// Share of the expected tile's time that another tile must save.
const MARGIN: f64 = 0.03;

impl GpuProgram {
    /// Times the tiles of every product whose tile is not known yet, the largest product first. Then uses and remembers
    /// the fastest ones. Products run on this program's own buffers, which are zero before and after.
    pub(super) fn tune(&mut self, backend: &GpuBackend) -> Result<(), DeviceError> {
        let anew = backend.tuning == Tuning::Anew;
        let mut unknown: Vec<(Phase, usize, String)> = Vec::new();
        for phase in Phase::ALL {
            for (index, launch) in self.plan.launches(phase).iter().enumerate() {
                let key = key(&self.plan, launch);
                let is_new = unknown.iter().all(|(.., other)| *other != key);
                if (launch.kernel.product)(&launch.params).is_some()
                    && launch.kernel.takes_any_tile()
                    && (anew || backend.tiles.known(&key).is_none())
                    && is_new
                {
                    unknown.push((phase, index, key));
                }
            }
        }
        unknown.sort_by_key(|&(phase, index, _)| {
            let launch = &self.plan.launches(phase)[index];
            std::cmp::Reverse((launch.kernel.flops)(&launch.params))
        });
        let begun = Instant::now();
        let mut chosen = Vec::new();
        for (phase, index, key) in unknown {
            if !anew && begun.elapsed() > PATIENCE {
                break;
            }
            let tile = self.quickest(backend, phase, index)?;
            chosen.push((key, tile));
        }
        backend.tiles.keep(&chosen);
        for phase in Phase::ALL {
            for index in 0..self.plan.launches(phase).len() {
                let key = key(&self.plan, &self.plan.launches(phase)[index]);
                if let Some((_, tile)) = chosen.iter().find(|(other, _)| *other == key) {
                    self.dispatches[phase as usize][index] =
                        self.dispatch(&backend.pipelines, phase, index, Some(tile));
                }
            }
        }
        Ok(())
    }

    /// The tile in which a launch is fastest. The expected tile wins unless another is faster by [`MARGIN`].
    fn quickest(&mut self, backend: &GpuBackend, phase: Phase, index: usize) -> Result<&'static Tile, DeviceError> {
        let launch = &self.plan.launches(phase)[index].clone();
        let precision = self.plan.precision_of(launch);
        let tiles = backend.tiles.in_use(precision);
        backend.pipelines.compile(backend, tiles.iter().map(|&tile| Form { launch, tile: Some(tile), precision }))?;
        let dispatches: Vec<Dispatch> =
            tiles.iter().map(|&tile| self.dispatch(&backend.pipelines, phase, index, Some(tile))).collect();

        let passes = (1 + PASSES) * tiles.len();
        let timestamps = Timestamps::new(&self.shared, passes)?;
        let first = self.write_steps(&[Step::default()], 0);
        let mut encoder = self.shared.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for number in 0..passes {
            let mut pass = timestamps.begin_pass(&mut encoder, number);
            for _ in 0..LAUNCHES {
                dispatches[number / (1 + PASSES)].encode(&mut pass, first);
            }
        }
        for (slot, &tensor) in launch.kernel.slots.iter().zip(&launch.args) {
            if slot.access.writes() {
                encoder.clear_buffer(&self.buffers[self.plan.tensor(tensor).buffer], 0, None);
            }
        }
        let submission = timestamps.submit(&self.shared, encoder, passes);
        self.shared.wait(Some(submission))?;
        let times = timestamps.take(&self.shared, passes, &mut None)?;
        let quickest_pass =
            |passes: &[[f64; 2]]| passes[1..].iter().map(|[begin, end]| end - begin).fold(f64::INFINITY, f64::min);
        let times: Vec<f64> = times.chunks_exact(1 + PASSES).map(quickest_pass).collect();
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        let expected = backend.tiles.expected(launch, precision).map(|tile| tile.name);
        let of_expected = tiles.iter().position(|tile| Some(tile.name) == expected);
        let of_least = times.iter().position(|&time| time == least);
        let best = of_expected.filter(|&tile| times[tile] * (1.0 - MARGIN) <= least).or(of_least).unwrap_or(0);
        Ok(tiles[best])
    }
}
