//! What training tells its caller.

use std::time::Duration;

use crate::kernels::step::BatchMetrics;
use crate::run::history::EpochRecord;

/// Losses and right predictions over any number of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Sum of the examples' losses.
    pub loss_sum: f64,
    /// Examples told right.
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

    /// Mean loss of an example.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.examples as f64
    }

    /// Share of examples told right, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.examples as f64
    }
}

/// Something happened in training.
#[derive(Clone, Copy, Debug)]
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

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// All epochs.
    pub history: Vec<EpochRecord>,
    /// The test part, evaluated once.
    pub test: Metrics,
    /// The epoch that the model is of: the last, or the best where early stopping keeps that.
    pub kept_epoch: usize,
    /// Its parameters, in the order of [`crate::nn::model::Model::parameters`].
    pub parameters: Vec<Vec<f32>>,
    /// Updates that were left out because gradients passed what half precision holds.
    pub left_out: u64,
}
