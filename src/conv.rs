//! Convolutions on the CPU, over maps `[channels, height, width, batch]`: direct, without a matrix of windows.
//!
//! With the examples innermost (Krizhevsky's cuda-convnet, 2012), neighbours in memory are the same pixel of other images: they
//! fill vectors whatever the width of a map, and windows, strides and padding are only a choice of which vectors to read.

mod axis;
mod reference;
mod vectors;

pub(crate) use axis::Axis;

use crate::real::Real;

/// Output channels side by side in registers.
pub(crate) const CHANNELS: usize = 4;

/// Output channels that one task computes from one copy of its rows.
pub(crate) const TASK_CHANNELS: usize = 8 * CHANNELS;

/// Some neighbouring channels of one row of the result: sums over all channels and taps of weight times value.
pub struct Lines<'a, 'b, T> {
    /// `[channels, height, width, batch]`.
    pub(crate) from: &'a [T],
    /// Channels, height, width and batch.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
    /// For every [`CHANNELS`] channels of the result `[channels, kernel, kernel]`, of each the weights of these.
    pub(crate) weights: &'a [Vec<[T; CHANNELS]>],
    /// Taps of this row.
    pub(crate) row: &'a [(usize, usize)],
    /// How columns see columns.
    pub(crate) columns: &'a Axis,
    /// At most [`TASK_CHANNELS`] lines `[columns, batch]`.
    pub(crate) to: &'a mut [&'b mut [T]],
}

/// Products of gradients and windows, summed over some rows of the output.
pub struct Sums<'a, 'b, T> {
    /// `[channels, height, width, batch]`.
    pub(crate) input: &'a [T],
    /// Of the input: channels, height, width and batch.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
    /// Of at most [`TASK_CHANNELS`] output channels, the gradients of these rows: `[rows, columns, batch]` each.
    pub(crate) gradients: &'a [&'a [T]],
    /// Taps of these rows.
    pub(crate) rows: &'a [Vec<(usize, usize)>],
    /// How columns of the output see columns of the input.
    pub(crate) columns: &'a Axis,
    /// Of each output channel, `[channels, kernel, kernel]`.
    pub(crate) to: &'a mut [&'b mut [T]],
}

/// What convolutions are made from.
pub trait Convolve: Sized {
    /// Writes the lines.
    fn lines(lines: Lines<'_, '_, Self>);
    /// Writes the sums.
    fn sums(sums: Sums<'_, '_, Self>);
}

/// Packs weights for [`Lines`]: for each tap of each channel of `from`, those of [`CHANNELS`] channels of the result, zeros where
/// there are fewer.
pub(crate) fn pack<T: Real>(
    taps: usize,
    channels: std::ops::Range<usize>,
    weight: impl Fn(usize, usize) -> T,
) -> Vec<[T; CHANNELS]> {
    let of_tap = |tap: usize| {
        let of_lane = |lane: usize| {
            let channel = channels.start + lane;
            if channel < channels.end { weight(channel, tap) } else { T::zero() }
        };
        std::array::from_fn(of_lane)
    };
    (0..taps).map(of_tap).collect()
}
