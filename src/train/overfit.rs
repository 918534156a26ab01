//! The overfit check: can the network memorize a few examples?

use super::training::Training;
use super::{Metrics, go_on};
use crate::backend::Backend;
use crate::data::{Dataset, Part};
use crate::error::Error;
use crate::nn::network::PerLayer;
use crate::nn::regularization::Regularization;
use crate::run::config::Config;
use crate::run::schedule::Schedule;

/// What an overfit check came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overfit {
    /// Epochs that were trained.
    pub epochs: usize,
    /// The training examples after the last of them.
    pub metrics: Metrics,
}

impl Overfit {
    /// Whether every example is classified correctly.
    pub fn is_reached(&self) -> bool {
        self.metrics.correct == self.metrics.examples
    }
}

/// Trains until every training example is classified correctly, or all epochs are over. Everything that keeps a network from
/// memorizing is off. Nothing is saved, and no other set is looked at. `on_epoch` is called after each epoch.
///
/// # Errors
/// As [`super::train`].
pub fn overfit(
    config: &Config,
    dataset: &Dataset,
    backend: &dyn Backend,
    on_epoch: &mut dyn FnMut(Overfit),
) -> Result<Overfit, Error> {
    let (dropout, schedule) = (PerLayer::All(0.0), Schedule::default());
    // AdamW comes with a decay of its own.
    let regularization = Regularization { weight_decay: Some(0.0), ..Regularization::default() };
    let loss = config.loss.plain();
    let (class_weights, early_stopping) = (None, None);
    let config = Config { dropout, loss, class_weights, schedule, regularization, early_stopping, ..config.clone() };
    let mut trainer = Training::begin(&config, dataset, backend)?;
    let mut reached = Overfit { epochs: 0, metrics: Metrics::default() };
    while reached.epochs < config.epochs {
        let epochs = reached.epochs + 1;
        trainer.train_epoch(epochs, &mut go_on)?;
        reached = Overfit { epochs, metrics: trainer.evaluate(Part::Train)?.unwrap_or_default() };
        let loss = reached.metrics.loss();
        if !loss.is_finite() {
            return Err(Error::LossNotFinite { loss });
        }
        on_epoch(reached);
        if reached.is_reached() {
            break;
        }
    }
    Ok(reached)
}
