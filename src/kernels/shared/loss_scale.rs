//! The factor on the loss whose gradient is made, as its tensor `[5]` holds it and kernels read it (`shaders/shared/loss_scale.wgsl`).
//!
//! In half precision it keeps gradients from vanishing, and changes in the course of training: Micikevicius et al., "Mixed precision
//! training", ICLR 2018, section 3.2. In single precision it is a constant.

use crate::kernels::kernel::{Case, DType, Input, Slot, Tolerance};
use crate::math::real::Real;

/// Elements of the tensor.
pub const LENGTH: usize = 5;
/// The factor.
pub const SCALE: usize = 0;
/// 1 / factor.
pub const INVERSE: usize = 1;
/// Updates that were made since it changed, or could have.
pub const UPDATES: usize = 2;
/// 0 where gradients overflowed, so that the update is left out; else 1.
pub const APPLIES: usize = 3;
/// How many updates were left out so far.
pub const LEFT_OUT: usize = 4;

/// The slot of kernels that read it.
pub const SLOT: Slot = Slot::read("loss_scale", DType::F32);

/// What the tensor holds of a factor that has not changed yet.
pub fn values(scale: f32) -> Vec<f32> {
    vec![scale, 1.0 / scale, 0.0, 1.0, 0.0]
}

/// Whether the update is left out.
pub fn leaves_out<T: Real>(loss_scale: &[T]) -> bool {
    loss_scale[APPLIES] == T::zero()
}

/// What parity cases have in that slot: a scale of 1, and an update that is made.
pub fn applies() -> Input {
    Input::F32(values(1.0))
}

/// The cases of a part of an update, whose last slot is the loss scale, and one that is left out.
pub fn with_one_left_out(cases: impl Iterator<Item = Case>) -> Vec<Case> {
    let mut cases: Vec<Case> = cases.collect();
    let case = Case { label: "left out".to_string(), tolerance: Tolerance::EXACT, ..cases[1].clone() };
    let last = case.inputs.len() - 1;
    cases.push(case.input(last, Input::F32(vec![1.0, 1.0, 0.0, 0.0, 0.0])));
    cases
}
