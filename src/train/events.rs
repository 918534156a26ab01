//! What training tells its caller.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::kernels::step::BatchMetrics;
use crate::run::history::EpochRecord;
use crate::store::SavedModel;

/// Losses and correct predictions over any number of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Sum of the examples' losses.
    pub loss_sum: f64,
    /// Examples classified correctly.
    pub correct: u64,
    /// Examples.
    pub examples: u64,
}

impl Metrics {
    /// Adds a batch.
    pub fn add(&mut self, batch: &BatchMetrics) {
        self.loss_sum += f64::from(batch.loss_sum);
        self.correct += u64::from(batch.correct);
        self.examples += u64::from(batch.rows);
    }

    /// Mean loss of an example; NaN before the first batch.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.examples as f64
    }

    /// Share of examples classified correctly, 0 to 1; NaN before the first batch.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.examples as f64
    }
}

/// Takes events, and says whether training goes on.
pub type EventHandler<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 'a;

/// The handler of whoever wants no events.
pub fn go_on(_event: Event<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Something happened in training.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Everything is loaded and the first epoch is about to begin.
    Started {
        /// Training examples.
        train: usize,
        /// Validation examples.
        validation: usize,
        /// Test examples.
        test: usize,
        /// Trainable values.
        parameters: usize,
        /// Bytes held on the device.
        device_bytes: u64,
    },
    /// Batches of the running epoch were trained on.
    Batches {
        /// Epoch, from 1.
        epoch: usize,
        /// What each of them logged.
        batches: &'a [BatchMetrics],
        /// All of the epoch so far.
        so_far: Metrics,
    },
    /// An epoch is trained, validated and kept.
    Epoch {
        /// Its row of the history.
        record: EpochRecord,
        /// Time that the training steps alone took.
        training: Duration,
        /// Training examples.
        examples: usize,
    },
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// All epochs were trained.
    AllEpochs,
    /// Early stopping saw no improvement any more.
    EarlyStopping,
    /// The event handler stopped it.
    Stopped,
}

/// What a run came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// All whole epochs.
    pub history: Vec<EpochRecord>,
    /// Why there are no more of them.
    pub ending: Ending,
    /// The test set, evaluated once; `None` where there is none.
    pub test: Option<Metrics>,
    /// The epoch that the model is of: the last, or the best where early stopping keeps that. A handler that stopped within
    /// an epoch has left further steps in the model.
    pub kept_epoch: usize,
    /// The model.
    pub model: SavedModel,
    /// Updates that were left out because gradients passed what half precision holds.
    pub left_out: u64,
}
