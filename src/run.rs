//! What a training run is made from and what comes of its epochs: configuration, schedule, early stopping, history.

pub mod config;
pub mod early_stopping;
pub mod history;
pub mod metric;
pub mod schedule;
