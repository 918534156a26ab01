//! How many bits activations have, and with how many they are multiplied.

use serde::{Deserialize, Serialize};

/// What activations and their gradients are stored as, and how products are made on a GPU. Parameters, their gradients, the optimizer's state
/// and all sums are f32 in any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Single precision, of which products are sums of three in half precision on units that multiply small matrices: Ootomo and Yokota,
    /// "Recovering single precision accuracy from tensor cores while surpassing the FP32 theoretical peak performance", IJHPCA 2022. Where a
    /// device has no such units, or they come out worse than twice as far off as plain products, those are taken.
    F32Split,
    /// Half precision, with a loss scale that keeps small gradients from vanishing: Micikevicius et al., "Mixed precision training", ICLR 2018.
    F16,
}

impl Precision {
    /// All there are.
    pub const ALL: [Precision; 3] = [Precision::F32, Precision::F32Split, Precision::F16];

    /// Name, as in recipes.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F32Split => "f32-split",
            Precision::F16 => "f16",
        }
    }

    /// Whether activations are stored in half precision.
    pub const fn is_half(self) -> bool {
        matches!(self, Precision::F16)
    }
}
