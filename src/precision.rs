//! How many bits activations have.

use serde::{Deserialize, Serialize};

/// What activations and their gradients are stored as. Parameters, their gradients, the optimizer's state and all sums are f32 in either:
/// Micikevicius et al., "Mixed precision training", ICLR 2018.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Half precision, with a loss scale that keeps small gradients from vanishing.
    F16,
}

impl Precision {
    /// Name, as in recipes.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
        }
    }
}
