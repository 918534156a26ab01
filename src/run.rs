//! The parts of a training run outside the network: configuration, learning-rate schedule, early stopping, history.

pub mod config;
pub mod early_stopping;
pub mod history;
pub mod metric;
pub mod schedule;
