//! A batch out of the resident data set.

use rayon::prelude::*;

use super::{flat_grid, wgsl};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::random::{Stream, permute, unit};
use crate::real::Real;
use crate::step::Step;

params! {
    /// `inputs[r] = scale * images[order[start + r]] + offset` and `targets[r] = labels[order[start + r]]`; rows past the
    /// step's own are zeros.
    pub struct Gather {
        /// Rows of a full batch.
        pub batch: u32,
        /// Bytes of an example.
        pub features: u32,
        /// Examples of the data set.
        pub examples: u32,
        /// Factor on a byte.
        pub scale: f32,
        /// Added after scaling.
        pub offset: f32,
    }
}

impl KernelSpec for Gather {
    const NAME: &'static str = "gather";
    const WGSL: &'static str = wgsl!("gather", "step", "linear");
    const SLOTS: &'static [Slot] = &[
        Slot::read("images", DType::U8),
        Slot::read("labels", DType::U32),
        Slot::read("order", DType::U32),
        Slot::write("inputs", DType::F32),
        Slot::write("targets", DType::U32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.batch as usize * self.features as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        let [batch, features, examples] = [self.batch, self.features, self.examples].map(|n| n as usize);
        vec![examples * features, examples, examples, batch * features, batch]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let (images, labels, order) = (arguments.bytes(0), arguments.integers(1), arguments.integers(2));
        let (inputs, targets) = (arguments.reals_mut(3), arguments.integers_mut(4));
        let features = self.features as usize;
        // All 256 values once, so that a row is a table look-up.
        let widened: [T; 256] =
            std::array::from_fn(|byte| T::from_f32(byte as f32) * T::from_f32(self.scale) + T::from_f32(self.offset));
        inputs.par_chunks_mut(features).zip(targets).enumerate().with_min_len(16).for_each(|(row, (input, target))| {
            if row >= step.rows as usize {
                input.fill(T::zero());
                *target = 0;
                return;
            }
            let example = order[step.start as usize + row] as usize;
            *target = labels[example];
            let bytes = &images[example * features..][..features];
            for (value, &byte) in input.iter_mut().zip(bytes) {
                *value = widened[usize::from(byte)];
            }
        });
    }

    fn cases() -> Vec<Case> {
        let case = |batch: u32, features: u32, examples: u32, start: u32, rows: u32| {
            let random = |i: u32, bound: u32| (unit(Stream::ParityCase(9), 0, u64::from(i)) * bound as f32) as u32;
            Case::new(
                format!("batch {batch}, features {features}, examples {examples}, {rows} rows from {start}"),
                Gather { batch, features, examples, scale: 1.0 / 255.0, offset: -0.25 },
                vec![
                    Input::U8((0..examples * features).map(|i| random(i, 256) as u8).collect()),
                    Input::U32((0..examples).map(|i| random(i, 10)).collect()),
                    Input::U32((0..examples).map(|i| permute(i, examples, Stream::ParityCase(10), 0)).collect()),
                    Input::Poison,
                    Input::Poison,
                ],
            )
            .step(Step { start, rows, ..Step::default() })
            .tolerance(Tolerance {
                absolute: 1e-7,
                relative: 1e-6,
                reason: "one multiply and one add, perhaps fused",
            })
        };
        vec![
            case(1, 1, 1, 0, 1),
            case(4, 7, 13, 9, 4),
            case(8, 5, 11, 8, 3),
            case(16, 784, 37, 20, 16),
            case(65_537, 256, 3, 0, 3),
        ]
    }
}
