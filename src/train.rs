//! Training and evaluation: the only loop over epochs. It yields events and prints nothing.

pub mod bench;
mod evaluate;
mod events;
mod range_test;
mod trainer;

pub use evaluate::{ClassReport, Evaluation, evaluate};
pub use events::{Event, Metrics, Outcome};
pub use range_test::{RangeCurve, RangePoint, RangeTestOptions, range_test};
pub use trainer::{resume, train};
