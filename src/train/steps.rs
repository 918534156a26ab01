//! The steps of an epoch: which examples, at what rate, and where an update comes.

use crate::kernels::step::Step;
use crate::run::config::{Batching, Config};

/// The steps of epoch `epoch`, counted from 1, over positions `0..examples` of the order.
///
/// `before` is the number of updates made in earlier epochs; `factors` are those on the learning rate, one an update.
pub(super) fn epoch_steps(
    config: &Config,
    batching: Batching,
    epoch: usize,
    before: u64,
    factors: impl Iterator<Item = f64>,
) -> Vec<Step> {
    let Batching { rows, per_update, examples } = batching;
    let rows_per_update = rows.saturating_mul(per_update);
    let updates = (0..examples).step_by(rows_per_update).zip(before + 1..).zip(factors);
    let mut steps = Vec::new();
    for ((first, t), factor) in updates {
        let end = first.saturating_add(rows_per_update).min(examples);
        for (accumulated, start) in (first..end).step_by(rows).enumerate() {
            let rows = rows.min(end - start);
            let mut step = Step {
                seed_low: config.seed as u32,
                seed_high: (config.seed >> 32) as u32,
                epoch: epoch as u32,
                update_rows: (end - first) as u32,
                accumulated: accumulated as u32,
                updates: u32::from(start + rows == end),
                ..Step::batch(start as u32, rows as u32)
            };
            config.optimizer.set_scalars(&mut step, t, factor);
            steps.push(step);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::config::BatchSize;

    fn steps(batch: BatchSize, accumulate: usize, examples: usize) -> Vec<Step> {
        let config = Config { seed: 1 << 32 | 5, ..Config::default() };
        let batching = Batching::new(batch, accumulate, examples);
        epoch_steps(&config, batching, 3, 10, [1.0, 0.5, 0.25, 0.125].into_iter())
    }

    #[test]
    fn batches_add_up_to_updates_and_both_may_be_short() {
        let steps = steps(BatchSize::Rows(10), 3, 75);
        let of = |step: &Step| (step.start, step.rows, step.update_rows, step.accumulated, step.updates);
        let expected = [
            (0, 10, 30, 0, 0),
            (10, 10, 30, 1, 0),
            (20, 10, 30, 2, 1),
            (30, 10, 30, 0, 0),
            (40, 10, 30, 1, 0),
            (50, 10, 30, 2, 1),
            (60, 10, 15, 0, 0),
            (70, 5, 15, 1, 1),
        ];
        assert_eq!(steps.iter().map(of).collect::<Vec<_>>(), expected);
        assert_eq!((steps[0].seed_low, steps[0].seed_high, steps[0].epoch), (5, 1, 3));
        let rates: Vec<f32> = steps.iter().map(|step| step.learning_rate).collect();
        assert_eq!(rates, [0.3, 0.3, 0.3, 0.15, 0.15, 0.15, 0.075, 0.075]);
    }

    #[test]
    fn a_full_batch_is_one_update() {
        let steps = steps(BatchSize::Full, 1, 4500);
        assert_eq!(
            steps.iter().map(|step| (step.rows, step.updates)).collect::<Vec<_>>(),
            [(1500, 0), (1500, 0), (1500, 1)]
        );
        assert!(steps.iter().all(|step| step.update_rows == 4500));
    }
}
