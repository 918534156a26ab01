//! What the kernels of batch normalization share: where the values of a channel are.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernels::kernel::params;
use crate::kernels::step::Step;
use crate::math::real::Real;
use crate::math::shape::Shape;
use crate::math::simd::MIN_PARALLEL;

params! {
    /// Channels of a batch: maps `[channels, height, width, batch]`, or the columns of `[batch, features]`.
    pub struct ChannelSizes {
        /// Examples of a full batch.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Values of a channel in a full batch.
        pub length: u32,
        /// From a channel to the next.
        pub channel_stride: u32,
        /// From a value of a channel to the next. Value i is of example i % batch.
        pub value_stride: u32,
    }
}

impl ChannelSizes {
    /// Those of a batch of values of that shape.
    pub fn new(batch: usize, shape: Shape) -> ChannelSizes {
        let channels = shape.channels();
        let length = shape.len() / channels * batch;
        let (channel_stride, value_stride) = match shape {
            Shape::Features(features) => (1, features),
            Shape::Maps { .. } => (length, 1),
        };
        let [batch, channels, length, channel_stride, value_stride] =
            [batch, channels, length, channel_stride, value_stride].map(|n| n as u32);
        ChannelSizes { batch, channels, length, channel_stride, value_stride }
    }

    /// Number of values of all channels.
    pub(crate) fn total(&self) -> usize {
        self.channels as usize * self.length as usize
    }

    /// How many values of a channel are of the step's own examples.
    pub(crate) fn count(&self, step: &Step) -> usize {
        self.length as usize / self.batch as usize * step.rows.max(1) as usize
    }

    /// Whether neighbouring values are of neighbouring channels, as in features; else they are of one channel, as in
    /// maps.
    pub(crate) fn of_features(&self) -> bool {
        self.value_stride != 1
    }

    /// Calls `work` for blocks of neighbouring channels, with their part of each tensor that has a value a channel: 256
    /// features, or a single map.
    pub(crate) fn for_each_block<T: Real, const N: usize>(
        &self,
        tensors: [&mut [T]; N],
        work: impl Fn(Range<usize>, [&mut [T]; N]) + Sync,
    ) {
        let (channels, block) = (self.channels as usize, if self.of_features() { 256 } else { 1 });
        let mut parts = tensors.map(|tensor| tensor.split_at_mut(channels).0.chunks_mut(block));
        let blocks = (0..channels).step_by(block);
        let tasks: Vec<_> = blocks
            .map(|first| {
                (first..channels.min(first + block), parts.each_mut().map(|part| part.next().expect("as many")))
            })
            .collect();
        tasks.into_par_iter().for_each(|(channels, tensors)| work(channels, tensors));
    }

    /// Sums over the step's own examples, of each channel of a block. Of maps, `of_piece` tells the sums of a piece of
    /// the values; of features, `add_row` adds those of an example. Both are told where the values are.
    pub(crate) fn sum<T: Real, const N: usize>(
        &self,
        channels: &Range<usize>,
        step: &Step,
        sums: [&mut [T]; N],
        of_piece: impl Fn(Range<usize>) -> [T; N],
        add_row: impl Fn(Range<usize>, &mut [&mut [T]; N]),
    ) {
        let mut sums = sums;
        sums.iter_mut().for_each(|sums| sums.fill(T::zero()));
        let (batch, rows) = (self.batch as usize, step.rows as usize);
        if self.of_features() {
            for row in 0..rows {
                let first = row * self.channels as usize;
                add_row(first + channels.start..first + channels.end, &mut sums);
            }
            return;
        }
        let length = self.length as usize;
        // Of a full batch all values are one piece; else those of each place are.
        let (piece, stride) = if rows == batch { (length, length) } else { (rows, batch) };
        for start in (channels.start * length..channels.end * length).step_by(stride) {
            for (sum, of_piece) in sums.iter_mut().zip(of_piece(start..start + piece)) {
                sum[0] += of_piece;
            }
        }
    }

    /// Calls `write` for pieces of the output, with the first value's channel and where it is. A piece is of one map,
    /// or of all features of an example.
    pub(crate) fn for_each_piece<T: Real>(&self, output: &mut [T], write: impl Fn(usize, usize, &mut [T]) + Sync) {
        let (channels, length) = (self.channels as usize, self.length as usize);
        let output = &mut output[..self.total()];
        if self.of_features() {
            let rows = output.par_chunks_mut(channels).enumerate();
            rows.with_min_len(MIN_PARALLEL.div_ceil(channels))
                .for_each(|(row, values)| write(0, row * channels, values));
        } else {
            output.par_chunks_mut(length).enumerate().for_each(|(channel, values)| {
                values.par_chunks_mut(MIN_PARALLEL).enumerate().for_each(|(piece, values)| {
                    write(channel, channel * length + piece * MIN_PARALLEL, values);
                });
            });
        }
    }
}

/// Awkward shapes, full batches and short ones: one value, one channel, channels past a workgroup's threads, features
/// and maps.
pub(crate) fn awkward_cases() -> impl Iterator<Item = (String, ChannelSizes, Step)> {
    let maps = |channels, height, width| Shape::Maps { channels, height, width };
    let cases = [
        (2, maps(1, 1, 1), 2),
        (5, maps(3, 4, 2), 5),
        (9, maps(17, 3, 3), 4),
        (33, maps(2, 5, 7), 33),
        (64, maps(3, 1, 20), 63),
        (7, Shape::Features(13), 7),
        (130, Shape::Features(300), 129),
        (4, Shape::Features(257), 4),
        (3, Shape::Features(1), 3),
    ];
    cases.into_iter().map(|(batch, shape, rows)| {
        (format!("batch {batch} of {shape}, {rows} rows"), ChannelSizes::new(batch, shape), Step::batch(0, rows))
    })
}
