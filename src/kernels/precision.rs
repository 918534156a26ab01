//! The precision in which activations are stored and multiplied.

use serde::{Deserialize, Serialize};

/// The type in which activations and their gradients are stored, and how a GPU multiplies them. Parameters, their
/// gradients, the optimizer's state and all sums are f32 in every precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Single precision in memory, multiplied on tensor cores: each operand is split into a high and a low f16 half,
    /// and three products of halves are added (Ootomo and Yokota, "Recovering single precision accuracy from tensor
    /// cores while surpassing the FP32 theoretical peak performance", IJHPCA 2022). Devices without tensor cores use
    /// plain f32 products; so do devices whose split products have more than twice the error of plain ones.
    F32Split,
    /// Half precision, with a loss scale that keeps small gradients from becoming zero (Micikevicius et al., "Mixed
    /// precision training", ICLR 2018).
    F16,
}

impl Precision {
    /// All precisions.
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
