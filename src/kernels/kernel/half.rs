//! Half precision: slots for activations take f16 as well as f32. A kernel computes in f32 either way. Its shader
//! declares such slots with the type `stored` (`shaders/shared/stored.wgsl`).

use std::borrow::Cow;

use super::{Kernel, Slot};
use crate::kernels::precision::Precision;
use crate::kernels::tile::Tile;

/// The line in which a shader defines the type of stored activations.
const STORED: &str = "alias stored = f32;";

impl Slot {
    /// The same slot, whose tensor may also be f16. All such slots of a launch have the same type.
    pub const fn or_half(self) -> Slot {
        Slot { or_half: true, ..self }
    }
}

impl Kernel {
    /// Whether it has slots for tensors in half precision.
    pub fn takes_half(&self) -> bool {
        self.slots.iter().any(|slot| slot.or_half)
    }

    /// The WGSL module with this tile instead of the default one, and activations stored in this precision.
    pub fn wgsl_in(&self, tile: Option<&Tile>, precision: Precision) -> Cow<'static, str> {
        let wgsl = tile.map_or(self.wgsl.into(), |tile| self.wgsl_with(tile));
        let wgsl = match precision {
            Precision::F32 | Precision::F32Split => wgsl,
            Precision::F16 => format!("enable f16;\n{}", wgsl.replacen(STORED, "alias stored = f16;", 1)).into(),
        };
        // WGSL wants `enable` directives before everything else.
        let (enabled, rest): (Vec<&str>, Vec<&str>) = wgsl.lines().partition(|line| line.starts_with("enable "));
        if enabled.is_empty() {
            return wgsl;
        }
        enabled.into_iter().chain(rest).collect::<Vec<_>>().join("\n").into()
    }
}
