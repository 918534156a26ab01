//! Dropout's forward pass, and the factors that both passes multiply by.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::step::Step;
use crate::kernels::{flat_grid, wgsl};
use crate::math::random::{Stream, philox_lanes};
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, simd};

params! {
    /// Inverted dropout (Srivastava et al., JMLR 2014): `output = input * factor`, both `[batch, features]`, where a
    /// factor is 0 with probability p, else `1 / (1 - p)`.
    pub struct Dropout {
        /// Rows of a full batch.
        pub batch: u32,
        /// Columns.
        pub features: u32,
        /// Where in the network it is: each place draws its own numbers.
        pub site: u32,
        /// `p * 2^32`: what a random word must reach for its value to be kept.
        pub threshold: u32,
        /// `1 / (1 - p)`.
        pub scale: f32,
    }
}

impl Dropout {
    /// Dropout with probability `p` to drop, in `[0, 1)`.
    pub fn new(batch: usize, features: usize, site: usize, p: f64) -> Dropout {
        let [batch, features, site] = [batch, features, site].map(|n| n as u32);
        Dropout { batch, features, site, threshold: (p * 2f64.powi(32)) as u32, scale: (1.0 / (1.0 - p)) as f32 }
    }

    /// Threads of a launch: one for four neighbouring columns.
    pub(super) fn grid_of(batch: u32, features: u32) -> [u32; 3] {
        flat_grid(batch as usize * (features as usize).div_ceil(4))
    }

    /// The factors of a batch's row, the twin of `shaders/elementwise/shared/dropout.wgsl`.
    #[inline(always)]
    pub(super) fn factors<T: Real>(&self, step: &Step, row: usize, factors: &mut [T]) {
        let [low, high] = Stream::Dropout { site: self.site, epoch: step.epoch }.words();
        let (position, scale) = (step.start + row as u32, T::from_f32(self.scale));
        for (block, factors) in factors.chunks_mut(4 * LANES).enumerate() {
            let quads = std::array::from_fn(|lane| (block * LANES + lane) as u32);
            let counter = [quads, [position; LANES], [low; LANES], [high; LANES]];
            let words = philox_lanes::<LANES>(counter, [step.seed_low, step.seed_high]);
            for (column, factor) in factors.iter_mut().enumerate() {
                *factor = if words[column % 4][column / 4] >= self.threshold { scale } else { T::zero() };
            }
        }
    }

    /// Calls `row` for every row of the batch with its number and its factors, spread over threads.
    pub(super) fn for_each_row<T: Real, R: Send>(
        &self,
        step: &Step,
        rows: impl IndexedParallelIterator<Item = R>,
        row: impl Fn(R, &[T]) + Sync + Send,
    ) {
        let features = self.features as usize;
        rows.enumerate().with_min_len(MIN_PARALLEL.div_ceil(4 * features)).for_each_init(
            || vec![T::zero(); features],
            |factors, (index, values)| {
                simd!(self.factors(step, index, factors));
                simd!(row(values, factors));
            },
        );
    }
}

/// Philox calls side by side.
const LANES: usize = 16;

impl KernelSpec for Dropout {
    const NAME: &'static str = "dropout";
    const WGSL: &'static str = wgsl!(
        "elementwise/dropout",
        "shared/stored",
        "shared/step",
        "shared/linear",
        "shared/philox",
        "elementwise/shared/dropout"
    );
    const SLOTS: &'static [Slot] =
        &[Slot::read("input", DType::F32).or_half(), Slot::write("output", DType::F32).or_half()];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        Dropout::grid_of(self.batch, self.features)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.batch as usize * self.features as usize; 2]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (step, features) = (arguments.step(), self.features as usize);
        let (input, output) = (arguments.reals(0), arguments.reals_mut(1));
        let rows = output.par_chunks_mut(features).zip(input.par_chunks(features));
        self.for_each_row(step, rows, |(output, input), factors| {
            for ((output, &input), &factor) in output.iter_mut().zip(input).zip(factors) {
                *output = input * factor;
            }
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::Poison]).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        dropout_cases().map(|(label, dropout, step)| dropout.case(label).step(step)).collect()
    }
}

/// Shapes at the edges of the quads and of the lanes, rates from none to nearly all, later batches.
pub(super) fn dropout_cases() -> impl Iterator<Item = (String, Dropout, Step)> {
    let shapes = [(1, 1, 0.5, 0), (3, 4, 0.2, 1), (7, 13, 0.5, 2), (5, 63, 0.3, 3), (2, 65, 0.9, 0), (4, 301, 0.0, 5)];
    shapes.into_iter().map(|(batch, features, p, site)| {
        let step = Step { seed_low: 7, seed_high: 1, epoch: 2, ..Step::batch(40 * site as u32, batch as u32) };
        (
            format!("batch {batch}, features {features}, rate {p}, site {site}"),
            Dropout::new(batch, features, site, p),
            step,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(dropout: &Dropout, step: Step, row: usize) -> Vec<f64> {
        let mut factors = vec![f64::NAN; dropout.features as usize];
        dropout.factors(&step, row, &mut factors);
        factors
    }

    /// Of 100,000 values a share of p is dropped, within four standard errors; the mean factor is 1.
    #[test]
    fn the_share_that_is_dropped_is_the_rate() {
        for p in [0.0, 0.2, 0.5, 0.9] {
            let n = 100_000;
            let drawn = factors(&Dropout::new(1, n, 0, p), Step::batch(0, 1), 0);
            let dropped = drawn.iter().filter(|&&factor| factor == 0.0).count() as f64 / n as f64;
            assert!((dropped - p).abs() <= 4.0 * (p * (1.0 - p) / n as f64).sqrt(), "{p}: {dropped}");
            assert!(drawn.iter().all(|&factor| factor == 0.0 || (factor - 1.0 / (1.0 - p)).abs() < 1e-6), "{p}");
        }
    }

    #[test]
    fn every_site_epoch_seed_and_example_draws_its_own() {
        let dropout = Dropout::new(8, 64, 0, 0.5);
        let step = Step { epoch: 1, seed_low: 1, ..Step::batch(0, 8) };
        let first = factors(&dropout, step, 0);
        for other in [
            factors(&Dropout { site: 1, ..dropout }, step, 0),
            factors(&dropout, Step { epoch: 2, ..step }, 0),
            factors(&dropout, Step { seed_low: 2, ..step }, 0),
            factors(&dropout, Step { seed_high: 1, ..step }, 0),
            factors(&dropout, step, 1),
        ] {
            assert_ne!(first, other);
        }
        // An example's factors do not depend on how the epoch is cut into batches.
        assert_eq!(factors(&dropout, Step { start: 5, ..step }, 0), factors(&dropout, Step { start: 2, ..step }, 3));
    }
}
