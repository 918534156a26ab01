//! Training and evaluation: the only loop over epochs. It yields events and prints nothing.

pub mod bench;
mod evaluate;
mod events;
mod overfit;
mod prepare;
mod profile;
mod range_test;
mod steps;
mod trainer;

pub use evaluate::{ClassReport, Evaluation, evaluate};
pub use events::{Event, Metrics, Outcome};
pub use overfit::{Overfit, overfit};
pub use prepare::check;
pub use profile::profile;
pub use range_test::{RangeCurve, RangePoint, RangeTestOptions, range_test};
pub use trainer::{is_finished, resume, train};
