//! A batch out of the resident data set, where its features are bytes.

use crate::kernels::data::shared::gather::{self, FACTORS, INPUTS, LABELS, OFFSETS, ORDER, TARGETS};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, params};
use crate::kernels::{flat_grid, wgsl};
use crate::math::random::{Stream, unit};
use crate::math::real::Real;

params! {
    /// `inputs[r, j] = factors[k] * features[e, j] + offsets[k]` and `targets[r] = labels[e]`, where `e = order[start + r]` and k
    /// is j, or e where `by_example` is not 0; rows past the step's own are zeros.
    pub struct Gather {
        /// Rows of a full batch.
        pub batch: u32,
        /// Values of an example.
        pub features: u32,
        /// Examples of the data set.
        pub examples: u32,
        /// Whether factors and offsets are one an example, 1, or one a feature, 0.
        pub by_example: u32,
    }
}

impl KernelSpec for Gather {
    const NAME: &'static str = "gather";
    const WGSL: &'static str =
        wgsl!("data/gather", "shared/stored", "shared/step", "shared/linear", "data/shared/gather");
    const SLOTS: &'static [Slot] =
        &[Slot::read("features", DType::U8), LABELS, ORDER, FACTORS, OFFSETS, INPUTS, TARGETS];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.batch as usize * self.features as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        let [batch, features, examples] = [self.batch, self.features, self.examples].map(|n| n as usize);
        let constants = if self.by_example != 0 { examples } else { features };
        vec![examples * features, examples, examples, constants, constants, batch * features, batch]
    }

    fn bytes(&self) -> u64 {
        gather::bytes(self, 1)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let values = arguments.bytes(0);
        gather::gather(self, arguments, values, |byte| T::from_f32(f32::from(byte)));
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let random = |i: u32| (unit(Stream::ParityCase(9), 0, u64::from(i)) * 256.0) as u8;
        let values = Input::U8((0..self.examples * self.features).map(random).collect());
        gather::case(*self, self, values, label)
    }

    fn cases() -> Vec<Case> {
        gather::cases(|sizes| sizes)
    }
}
