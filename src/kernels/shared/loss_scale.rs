//! The loss scale: a factor on the loss before its gradient is computed. This file defines its tensor `[5]`, as
//! `shaders/shared/loss_scale.wgsl` does for WGSL.
//!
//! In half precision the scale keeps small gradients from becoming zero, and adapts during training (Micikevicius et
//! al., "Mixed precision training", ICLR 2018, section 3.2). In single precision it is a constant.

use crate::kernels::kernel::{Case, DType, Input, Slot, Tolerance};
use crate::math::real::Real;

/// Length of the tensor.
pub const LENGTH: usize = 5;
/// The factor.
pub const SCALE: usize = 0;
/// 1 / factor.
pub const INVERSE: usize = 1;
/// Updates counted towards the next doubling of the scale. An overflow resets the count.
pub const UPDATES: usize = 2;
/// 0 if gradients overflowed and the update is skipped, else 1.
pub const APPLIES: usize = 3;
/// Updates skipped so far.
pub const LEFT_OUT: usize = 4;

/// The slot in kernels that read the tensor.
pub const SLOT: Slot = Slot::read("loss_scale", DType::F32);

/// The tensor's initial contents, for a scale that has not changed yet.
pub fn values(scale: f32) -> Vec<f32> {
    vec![scale, 1.0 / scale, 0.0, 1.0, 0.0]
}

/// Whether the update is skipped.
pub fn leaves_out<T: Real>(loss_scale: &[T]) -> bool {
    loss_scale[APPLIES] == T::zero()
}

/// The slot's contents in parity cases: scale 1, update not skipped.
pub fn applies() -> Input {
    Input::F32(values(1.0))
}

/// The given cases of an update kernel, whose last slot is the loss scale, and one more with a skipped update.
pub fn with_one_left_out(cases: impl Iterator<Item = Case>) -> Vec<Case> {
    let mut cases: Vec<Case> = cases.collect();
    let case = Case { label: "left out".to_string(), tolerance: Tolerance::EXACT, ..cases[1].clone() };
    let last = case.inputs.len() - 1;
    cases.push(case.input(last, Input::F32(vec![1.0, 1.0, 0.0, 0.0, 0.0])));
    cases
}
