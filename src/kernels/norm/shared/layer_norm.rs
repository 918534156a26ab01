//! What the kernels of layer normalization share: where the values of an example are.

use crate::kernels::kernel::{linear_grid, params};
use crate::kernels::step::Step;
use crate::math::shape::Shape;

params! {
    /// Examples of a batch: the rows of `[batch, features]`, or the columns of maps `[channels, height, width, batch]`.
    pub struct ExampleSizes {
        /// Examples of a full batch.
        pub batch: u32,
        /// Values of an example.
        pub length: u32,
        /// From an example to the next.
        pub example_stride: u32,
        /// From a value of an example to the next.
        pub value_stride: u32,
    }
}

/// Examples that a task of a CPU twin works on where they lie side by side: enough to fill vectors.
pub(crate) const EXAMPLES_OF_A_TASK: usize = 32;

impl ExampleSizes {
    /// Those of a batch of examples of that shape.
    pub fn new(batch: usize, shape: Shape) -> ExampleSizes {
        let (example_stride, value_stride) = match shape {
            Shape::Features(features) => (features, 1),
            Shape::Maps { .. } => (1, batch),
        };
        let [batch, length, example_stride, value_stride] =
            [batch, shape.len(), example_stride, value_stride].map(|n| n as u32);
        ExampleSizes { batch, length, example_stride, value_stride }
    }

    /// Number of values of all examples.
    pub(crate) fn total(&self) -> usize {
        self.batch as usize * self.length as usize
    }

    /// Whether neighbouring values are of one example, as in features; else they are of neighbouring examples, as in
    /// maps.
    pub(crate) fn of_features(&self) -> bool {
        self.value_stride == 1
    }

    /// Where the values of places in neighbouring examples are, as in maps.
    pub(crate) fn row(&self, value: usize, first_example: usize, examples: usize) -> std::ops::Range<usize> {
        let start = value * self.batch as usize + first_example;
        start..start + examples
    }

    /// The grid of a kernel that makes a sum for each example.
    pub(crate) fn grid_of_examples(&self) -> [u32; 3] {
        lane_grid(self.batch, self.value_stride)
    }

    /// The grid of a kernel that makes a sum over examples for each of their values.
    pub(crate) fn grid_of_values(&self) -> [u32; 3] {
        lane_grid(self.length, self.example_stride)
    }
}

/// The grid that makes `sums` sums, the terms of each that far apart, as `shaders/norm/shared/lanes.wgsl` shares them
/// out.
fn lane_grid(sums: u32, term_stride: u32) -> [u32; 3] {
    let lanes = if term_stride == 1 { LANES_ALONG } else { LANES_ACROSS };
    linear_grid((sums as usize).div_ceil(256 / lanes))
}

/// Threads of a sum whose terms lie side by side.
pub(crate) const LANES_ALONG: usize = 64;

/// Threads of a sum whose terms lie apart.
pub(crate) const LANES_ACROSS: usize = 8;

/// Awkward shapes, full batches and short ones: one value, one example, sums past their lanes, examples past a
/// workgroup's.
pub(crate) fn awkward_cases() -> impl Iterator<Item = (String, ExampleSizes, Step)> {
    let maps = |channels, height, width| Shape::Maps { channels, height, width };
    let cases = [
        (1, Shape::Features(1), 1),
        (7, Shape::Features(13), 5),
        (5, Shape::Features(65), 5),
        (130, Shape::Features(300), 129),
        (257, Shape::Features(3), 257),
        (1, maps(3, 2, 2), 1),
        (5, maps(3, 4, 2), 4),
        (33, maps(2, 5, 7), 33),
        (67, maps(17, 3, 3), 66),
        (2, maps(1, 1, 1), 2),
    ];
    cases.into_iter().map(|case| labelled(case.0, case.1, case.2))
}

/// A case with its label: `rows` examples of a batch.
pub(crate) fn labelled(batch: usize, shape: Shape, rows: u32) -> (String, ExampleSizes, Step) {
    (format!("batch {batch} of {shape}, {rows} rows"), ExampleSizes::new(batch, shape), Step::batch(0, rows))
}
