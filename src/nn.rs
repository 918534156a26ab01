//! Networks: their notation, layers, losses and optimizers, and how a step of theirs is recorded as a plan.

pub mod arch;
pub mod clipping;
pub mod init;
pub mod layers;
pub mod loss;
pub mod model;
pub mod network;
pub mod optim;
pub mod regularization;
