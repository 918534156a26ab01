//! What both gathers share, as their shaders do in `shaders/data/shared/gather.wgsl`.

use rayon::prelude::*;

use crate::kernels::Gather;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance};
use crate::kernels::step::Step;
use crate::math::random::{Stream, permute, unit};
use crate::math::real::Real;
use crate::math::simd::simd;

/// The slots behind the features.
pub const LABELS: Slot = Slot::read("labels", DType::U32);
/// See [`LABELS`].
pub const ORDER: Slot = Slot::read("order", DType::U32);
/// See [`LABELS`].
pub const FACTORS: Slot = Slot::read("factors", DType::F32);
/// See [`LABELS`].
pub const OFFSETS: Slot = Slot::read("offsets", DType::F32);
/// See [`LABELS`].
pub const INPUTS: Slot = Slot::write("inputs", DType::F32).or_half();
/// See [`LABELS`].
pub const TARGETS: Slot = Slot::write("targets", DType::U32);

/// The twin, on features `[examples, features]` that `widen` makes floats of.
#[inline(always)]
pub fn gather<T: Real, V: Copy + Sync>(
    sizes: &Gather,
    mut arguments: Arguments<'_, T>,
    values: &[V],
    widen: impl Fn(V) -> T + Sync + Send,
) {
    let step = arguments.step();
    let (labels, order) = (arguments.integers(1), arguments.integers(2));
    let (factors, offsets) = (arguments.reals(3), arguments.reals(4));
    let (inputs, targets) = (arguments.reals_mut(5), arguments.integers_mut(6));
    let (features, by_example) = (sizes.features as usize, sizes.by_example != 0);
    inputs.par_chunks_mut(features).zip(targets).enumerate().with_min_len(16).for_each(|(row, (input, target))| {
        if row >= step.rows as usize {
            input.fill(T::zero());
            *target = 0;
            return;
        }
        let example = order[step.start as usize + row] as usize;
        *target = labels[example];
        let values = &values[example * features..][..features];
        simd!({
            let widened = input.iter_mut().zip(values.iter().map(|&value| widen(value)));
            if by_example {
                let (factor, offset) = (factors[example], offsets[example]);
                widened.for_each(|(input, value)| *input = value * factor + offset);
            } else {
                let constants = factors.iter().zip(offsets);
                widened
                    .zip(constants)
                    .for_each(|((input, value), (&factor, &offset))| *input = value * factor + offset);
            }
        });
    });
}

/// Bytes that a launch moves where a feature has `size`: of the data set only the batch.
pub fn bytes(sizes: &Gather, size: u64) -> u64 {
    let [batch, features] = [sizes.batch, sizes.features].map(u64::from);
    batch * features * (4 + size) + batch * 12 + features * 8
}

/// A launch on these features.
pub fn case<K: KernelSpec>(kernel: K, sizes: &Gather, features: Input, label: impl Into<String>) -> Case {
    let examples = sizes.examples;
    let random = |i: u32| (unit(Stream::ParityCase(9), 0, u64::from(i)) * 10.0) as u32;
    let inputs = vec![
        features,
        Input::U32((0..examples).map(random).collect()),
        Input::U32((0..examples).map(|i| permute(i, examples, Stream::ParityCase(10), 0)).collect()),
        Input::Uniform { low: 0.0, high: 0.01 },
        Input::SIGNED,
        Input::Poison,
        Input::Poison,
    ];
    Case::new(label, kernel, inputs).tolerance(Tolerance {
        absolute: 1e-7,
        relative: 1e-6,
        reason: "one multiply and one add, perhaps fused",
    })
}

/// Sizes and steps of parity cases: short batches, batches from the middle, both kinds of constants.
pub fn cases<K: KernelSpec>(kernel: impl Fn(Gather) -> K) -> Vec<Case> {
    let case = |batch: u32, features: u32, examples: u32, start: u32, rows: u32, by_example: bool| {
        let constants = if by_example { "an example" } else { "a feature" };
        let label = format!(
            "batch {batch}, features {features}, examples {examples}, {rows} rows from {start}, constants go with {constants}"
        );
        let sizes = Gather { batch, features, examples, by_example: u32::from(by_example) };
        kernel(sizes).case(label).step(Step { start, rows, ..Step::default() })
    };
    vec![
        case(1, 1, 1, 0, 1, false),
        case(4, 7, 13, 9, 4, false),
        case(8, 5, 11, 8, 3, true),
        case(16, 784, 37, 20, 16, true),
        case(65_537, 256, 3, 0, 3, false),
    ]
}
