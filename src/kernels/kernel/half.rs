//! Half precision: slots that hold activations as f16 as well as f32. A kernel computes in f32 either way; what it stores them as is a name
//! in its shader (`shaders/shared/stored.wgsl`).

use std::borrow::Cow;

use super::{Kernel, Slot};
use crate::kernels::precision::Precision;
use crate::kernels::tile::Tile;

/// How the shader says what activations are stored as.
const STORED: &str = "alias stored = f32;";

impl Slot {
    /// The same slot, whose tensor may also be of f16: like those of all other such slots of its kernel.
    pub const fn or_half(self) -> Slot {
        Slot { or_half: true, ..self }
    }
}

impl Kernel {
    /// Whether it has slots for tensors in half precision.
    pub fn takes_half(&self) -> bool {
        self.slots.iter().any(|slot| slot.or_half)
    }

    /// The WGSL module with another tile in the place of the usual one, and activations stored in this precision.
    pub fn wgsl_in(&self, tile: Option<&Tile>, precision: Precision) -> Cow<'static, str> {
        let wgsl = tile.map_or(self.wgsl.into(), |tile| self.wgsl_with(tile));
        let wgsl = match precision {
            Precision::F32 | Precision::F32Split => wgsl,
            Precision::F16 => format!("enable f16;\n{}", wgsl.replacen(STORED, "alias stored = f16;", 1)).into(),
        };
        // What a part enables must stand before all else.
        let (enabled, rest): (Vec<&str>, Vec<&str>) = wgsl.lines().partition(|line| line.starts_with("enable "));
        if enabled.is_empty() {
            return wgsl;
        }
        enabled.into_iter().chain(rest).collect::<Vec<_>>().join("\n").into()
    }
}
