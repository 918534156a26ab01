//! A batch out of the resident data set.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::step::Step;
use crate::kernels::{flat_grid, wgsl};
use crate::math::random::{Stream, permute, unit};
use crate::math::real::Real;
use crate::math::simd::simd;

params! {
    /// `inputs[r, j] = factors[k] * images[e, j] + offsets[k]` and `targets[r] = labels[e]`, where `e = order[start + r]` and k
    /// is j, or e where `by_example` is not 0; rows past the step's own are zeros.
    pub struct Gather {
        /// Rows of a full batch.
        pub batch: u32,
        /// Bytes of an example.
        pub features: u32,
        /// Examples of the data set.
        pub examples: u32,
        /// Whether factors and offsets are one an example, 1, or one a feature, 0.
        pub by_example: u32,
    }
}

impl KernelSpec for Gather {
    const NAME: &'static str = "gather";
    const WGSL: &'static str = wgsl!("data/gather", "shared/stored", "shared/step", "shared/linear");
    const SLOTS: &'static [Slot] = &[
        Slot::read("images", DType::U8),
        Slot::read("labels", DType::U32),
        Slot::read("order", DType::U32),
        Slot::read("factors", DType::F32),
        Slot::read("offsets", DType::F32),
        Slot::write("inputs", DType::F32).or_half(),
        Slot::write("targets", DType::U32),
    ];
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

    /// Of the data set only the batch.
    fn bytes(&self) -> u64 {
        let [batch, features] = [self.batch, self.features].map(u64::from);
        batch * features * 5 + batch * 12 + features * 8
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let step = arguments.step();
        let (images, labels, order) = (arguments.bytes(0), arguments.integers(1), arguments.integers(2));
        let (factors, offsets) = (arguments.reals(3), arguments.reals(4));
        let (inputs, targets) = (arguments.reals_mut(5), arguments.integers_mut(6));
        let (features, by_example) = (self.features as usize, self.by_example != 0);
        inputs.par_chunks_mut(features).zip(targets).enumerate().with_min_len(16).for_each(|(row, (input, target))| {
            if row >= step.rows as usize {
                input.fill(T::zero());
                *target = 0;
                return;
            }
            let example = order[step.start as usize + row] as usize;
            *target = labels[example];
            let bytes = &images[example * features..][..features];
            simd!({
                let widened = input.iter_mut().zip(bytes.iter().map(|&byte| T::from_f32(f32::from(byte))));
                if by_example {
                    let (factor, offset) = (factors[example], offsets[example]);
                    widened.for_each(|(value, byte)| *value = byte * factor + offset);
                } else {
                    let constants = factors.iter().zip(offsets);
                    widened
                        .zip(constants)
                        .for_each(|((value, byte), (&factor, &offset))| *value = byte * factor + offset);
                }
            });
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let (features, examples) = (self.features, self.examples);
        let random = |i: u32, bound: u32| (unit(Stream::ParityCase(9), 0, u64::from(i)) * bound as f32) as u32;
        let inputs = vec![
            Input::U8((0..examples * features).map(|i| random(i, 256) as u8).collect()),
            Input::U32((0..examples).map(|i| random(i, 10)).collect()),
            Input::U32((0..examples).map(|i| permute(i, examples, Stream::ParityCase(10), 0)).collect()),
            Input::Uniform { low: 0.0, high: 0.01 },
            Input::SIGNED,
            Input::Poison,
            Input::Poison,
        ];
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 1e-7,
            relative: 1e-6,
            reason: "one multiply and one add, perhaps fused",
        })
    }

    fn cases() -> Vec<Case> {
        let case = |batch: u32, features: u32, examples: u32, start: u32, rows: u32, by_example: bool| {
            let constants = if by_example { "an example" } else { "a feature" };
            let label = format!(
                "batch {batch}, features {features}, examples {examples}, {rows} rows from {start}, constants go with {constants}"
            );
            Gather { batch, features, examples, by_example: u32::from(by_example) }.case(label).step(Step {
                start,
                rows,
                ..Step::default()
            })
        };
        vec![
            case(1, 1, 1, 0, 1, false),
            case(4, 7, 13, 9, 4, false),
            case(8, 5, 11, 8, 3, true),
            case(16, 784, 37, 20, 16, true),
            case(65_537, 256, 3, 0, 3, false),
        ]
    }
}
