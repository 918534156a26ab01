//! What the kernels of batch normalization share: where the values of a channel are.

use std::ops::Range;

use rayon::prelude::*;

use crate::arch::Shape;
use crate::kernel::params;
use crate::real::Real;
use crate::simd::MIN_PARALLEL;
use crate::step::Step;

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
        /// Added to variances.
        pub epsilon: f32,
    }
}

impl ChannelSizes {
    /// Those of a batch of values of that shape.
    pub fn new(batch: usize, shape: Shape, epsilon: f64) -> ChannelSizes {
        let channels = shape.channels();
        let length = shape.len() / channels * batch;
        let (channel_stride, value_stride) = match shape {
            Shape::Features(features) => (1, features),
            Shape::Maps { .. } => (length, 1),
        };
        let [batch, channels, length, channel_stride, value_stride] =
            [batch, channels, length, channel_stride, value_stride].map(|n| n as u32);
        ChannelSizes { batch, channels, length, channel_stride, value_stride, epsilon: epsilon as f32 }
    }

    /// Number of values of all channels.
    pub(crate) fn total(&self) -> usize {
        self.channels as usize * self.length as usize
    }

    /// How many values of a channel are of the step's own examples.
    pub(crate) fn count(&self, step: &Step) -> usize {
        self.length as usize / self.batch as usize * step.rows.max(1) as usize
    }

    /// Where the values of a channel of the step's own examples are, in pieces.
    pub(crate) fn pieces(&self, channel: usize, step: &Step) -> impl Iterator<Item = Range<usize>> + use<> {
        let ChannelSizes { batch, length, channel_stride, value_stride, .. } = *self;
        let [batch, length, channel_stride, value_stride] =
            [batch, length, channel_stride, value_stride].map(|n| n as usize);
        let (rows, first) = (step.rows as usize, channel * channel_stride);
        // Neighbouring examples are one piece where they are neighbours in memory, and of a full batch all values.
        let (pieces, stride, piece) = match value_stride {
            1 if rows == batch => (1, length, length),
            1 => (length / batch, batch, rows),
            _ => (rows, value_stride, 1),
        };
        (0..pieces).map(move |index| first + index * stride).map(move |start| start..start + piece)
    }

    /// Calls `write` for pieces of the output of one channel each, with the channel and where the piece begins.
    pub(crate) fn for_each_piece<T: Real>(&self, output: &mut [T], write: impl Fn(usize, usize, &mut [T]) + Sync) {
        let (channels, length) = (self.channels as usize, self.length as usize);
        if self.value_stride == 1 {
            output[..self.total()].par_chunks_mut(length).enumerate().for_each(|(channel, values)| {
                values.par_chunks_mut(MIN_PARALLEL).enumerate().for_each(|(piece, values)| {
                    write(channel, channel * length + piece * MIN_PARALLEL, values);
                });
            });
        } else {
            output[..self.total()].par_chunks_mut(channels).enumerate().with_min_len(16).for_each(|(row, values)| {
                for (channel, value) in values.chunks_mut(1).enumerate() {
                    write(channel, row * channels + channel, value);
                }
            });
        }
    }
}

/// Awkward shapes, full batches and short ones: one value, one channel, channels past a workgroup's threads, features and maps.
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
        (3, Shape::Features(1), 3),
    ];
    cases.into_iter().map(|(batch, shape, rows)| {
        (format!("batch {batch} of {shape}, {rows} rows"), ChannelSizes::new(batch, shape, 1e-5), Step::batch(0, rows))
    })
}
