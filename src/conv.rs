//! Convolutions on the CPU, over maps `[channels, height, width, batch]`: direct, without a copy of the windows.
//!
//! With the examples innermost (Krizhevsky's cuda-convnet, 2012), neighbours in memory are the same pixel of other images: they
//! fill vectors whatever the width of a map, and windows, strides and padding are only a choice of which lines to read.

mod reference;
mod vectors;

use crate::real::Real;

/// Output channels side by side in registers.
pub(crate) const CHANNELS: usize = 4;

/// Which tap of a window meets which position of the other maps, for each position along one axis.
pub(crate) type Taps = Vec<Vec<(usize, usize)>>;

/// For each position of the output along an axis of `output` positions: the taps that see the input, and where.
pub(crate) fn taps_of_output(output: usize, input: usize, kernel: usize, stride: usize, padding: usize) -> Taps {
    let of = |position: usize| {
        let seen = move |tap: usize| Some((tap, (position * stride + tap).checked_sub(padding)?));
        (0..kernel).filter_map(seen).filter(|&(_, at)| at < input).collect()
    };
    (0..output).map(of).collect()
}

/// For each position of the input along an axis of `input` positions: the taps by which the output sees it, and from where.
pub(crate) fn taps_of_input(output: usize, input: usize, kernel: usize, stride: usize, padding: usize) -> Taps {
    let of = |position: usize| {
        let seen = move |tap: usize| {
            let start = (position + padding).checked_sub(tap)?;
            start.is_multiple_of(stride).then_some((tap, start / stride))
        };
        (0..kernel).filter_map(seen).filter(|&(_, at)| at < output).collect()
    };
    (0..input).map(of).collect()
}

/// Some neighbouring channels of one row of the result: sums over all channels and taps of weight times value.
pub struct Lines<'a, 'b, T> {
    /// `[channels, height, width, batch]`.
    pub(crate) from: &'a [T],
    /// Channels, height, width and batch.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
    /// `[channels, kernel, kernel]`, of each the weights of the result's channels.
    pub(crate) weights: &'a [[T; CHANNELS]],
    /// Taps of this row.
    pub(crate) row: &'a [(usize, usize)],
    /// Taps of each column.
    pub(crate) columns: &'a [Vec<(usize, usize)>],
    /// At most [`CHANNELS`] lines `[columns, batch]`.
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
    /// Of at most [`CHANNELS`] output channels, the gradients of these rows: `[rows, columns, batch]` each.
    pub(crate) gradients: &'a [&'a [T]],
    /// Taps of these rows.
    pub(crate) rows: &'a [Vec<(usize, usize)>],
    /// Taps of each column.
    pub(crate) columns: &'a [Vec<(usize, usize)>],
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
