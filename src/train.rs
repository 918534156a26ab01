//! Training and evaluation: the only loop over epochs. It yields events and prints nothing.

pub mod bench;
mod evaluate;
mod events;
mod keeping;
mod overfit;
mod prepare;
mod profile;
mod range_test;
mod steps;
mod training;

pub use evaluate::{ClassReport, Evaluation, evaluate, most_rows};
pub use events::{Ending, Event, EventHandler, Metrics, Outcome, go_on};
pub use overfit::{Overfit, overfit};
pub use prepare::check;
pub use profile::profile;
pub use range_test::{RangeCurve, RangePoint, RangeTestOptions, range_test};
pub use training::{is_finished, resume, train};
