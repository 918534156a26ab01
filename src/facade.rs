//! What a user of the library builds on: a trainer, what a run of it came to, and the trained model.

mod model;
mod run;
mod trainer;

pub use model::Model;
pub use run::Run;
pub use trainer::Trainer;
