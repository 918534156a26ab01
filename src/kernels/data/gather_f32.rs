//! A batch out of the resident data set, where its features are floats.

use crate::kernels::data::shared::gather::{self, FACTORS, INPUTS, LABELS, OFFSETS, ORDER, TARGETS};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, params};
use crate::kernels::{Gather, wgsl};
use crate::math::real::Real;

params! {
    /// What [`Gather`] computes, of floats.
    pub struct GatherF32(Gather);
}

impl KernelSpec for GatherF32 {
    const NAME: &'static str = "gather_f32";
    const WGSL: &'static str =
        wgsl!("data/gather_f32", "shared/stored", "shared/step", "shared/linear", "data/shared/gather");
    const SLOTS: &'static [Slot] =
        &[Slot::read("features", DType::F32), LABELS, ORDER, FACTORS, OFFSETS, INPUTS, TARGETS];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        self.0.grid()
    }

    fn lengths(&self) -> Vec<usize> {
        self.0.lengths()
    }

    fn bytes(&self) -> u64 {
        gather::bytes(&self.0, 4)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let values = arguments.reals(0);
        gather::gather(&self.0, arguments, values, |value| value);
    }

    fn case(&self, label: impl Into<String>) -> Case {
        gather::case(*self, &self.0, Input::Uniform { low: -1000.0, high: 1000.0 }, label)
    }

    fn cases() -> Vec<Case> {
        gather::cases(GatherF32)
    }
}
