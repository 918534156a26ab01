//! Gradient descent.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Update};
use crate::kernels::{self, DenseUpdate};
use crate::plan::Launch;

/// `p -= learning_rate * g`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Step size; 0.3.
    pub learning_rate: f64,
}

impl Default for Sgd {
    fn default() -> Sgd {
        Sgd { learning_rate: 0.3 }
    }
}

impl Rule for Sgd {
    fn title(&self) -> &'static str {
        "gradient descent"
    }

    fn record(&self, update: &mut Update<'_>) {
        update.launch(kernels::Sgd { length: update.length() }, &[]);
    }

    fn fused(&self, parameters: DenseUpdate) -> Option<Launch> {
        Some(Launch::of(kernels::DenseSgd(parameters), &[], &[]))
    }
}
