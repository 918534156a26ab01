//! Code that the Rust rivals share: the case file, the notation and the protocol.

mod arch;
mod file;
mod protocol;

pub use arch::{Layer, layers};
pub use file::{BATCHES, Batch, Case, Tensor};
pub use protocol::{Network, Start, serve};
