//! Convolutions on the CPU over maps `[channels, height, width, batch]`: direct, without a matrix of windows, or with
//! Winograd's minimal filtering.
//!
//! The examples are innermost, as in Krizhevsky's cuda-convnet (2012): neighbours in memory are the same pixel of
//! different images. They fill vectors whatever the width of a map. Windows, strides and padding only decide which
//! vectors are read.

mod axis;
mod direct;
mod reference;
mod vectors;
mod weight_grad;
mod winograd;

use std::ops::Range;

use rayon::prelude::*;

pub(crate) use axis::Axis;

use crate::math::real::Real;

/// Output channels whose sums share registers.
pub(crate) const CHANNELS: usize = 4;

/// Output channels that a task computes from one copy of its rows, given `channels` output channels and `strips` strips
/// of rows. The number leaves several tasks for each thread and is at most 32. Results do not depend on it.
pub(crate) fn task_channels(channels: usize, strips: usize) -> usize {
    let wanted = (4 * rayon::current_num_threads()).div_ceil(strips.max(1));
    channels.div_ceil(wanted).next_multiple_of(CHANNELS).clamp(CHANNELS, 8 * CHANNELS)
}

/// A task: some neighbouring rows of some neighbouring output channels. Each value is the sum of weight times value
/// over all channels and taps.
pub struct Strip<'a, 'b, T> {
    /// The whole convolution.
    pub(crate) of: &'a Correlation<'a, T>,
    /// The method, which decides the layout of weights and the order of sums.
    pub(crate) method: Method,
    /// The weights of each group of [`CHANNELS`] output channels, in the method's layout.
    pub(crate) weights: &'a [Vec<[T; CHANNELS]>],
    /// Rows of the result.
    pub(crate) rows: Range<usize>,
    /// The output channels, `[rows, columns, batch]` each.
    pub(crate) to: &'a mut [&'b mut [T]],
}

/// A task of the weights' gradient: products of output gradients and windows, summed over some output rows.
pub struct WeightGrad<'a, 'b, T> {
    /// `[channels, height, width, batch]`.
    pub(crate) input: &'a [T],
    /// Channels, height, width and batch of the input.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
    /// Output gradients of these rows, one slice `[rows, columns, batch]` per output channel.
    pub(crate) gradients: &'a [&'a [T]],
    /// Taps of these rows, with the input row of each.
    pub(crate) rows: &'a [Vec<(usize, usize)>],
    /// The input columns that output columns read.
    pub(crate) columns: &'a Axis,
    /// Receives the gradient, one slice `[channels, kernel, kernel]` per output channel.
    pub(crate) to: &'a mut [&'b mut [T]],
}

/// The convolution tasks of a float type.
pub trait Convolve: Sized {
    /// Whether [`Method::Winograd`] is available.
    const WINOGRAD: bool;
    /// Computes a strip.
    fn strip(strip: Strip<'_, '_, Self>);
    /// Computes the weights' gradient of a task.
    fn weight_grad(task: WeightGrad<'_, '_, Self>);
}

/// How a convolution is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// By the definition.
    Direct,
    /// With fewer multiplications ([`winograd`]).
    Winograd,
}

/// Sums over channels and taps: a convolution, or the gradient of its input.
pub(crate) struct Correlation<'a, T> {
    /// The source, `[channels, height, width, batch]`.
    pub(crate) from: &'a [T],
    /// Channels, height, width and batch of the source.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
    /// Distance between neighbouring windows.
    pub(crate) stride: usize,
    /// The source rows that each row of the result reads.
    pub(crate) rows: Axis,
    /// The source columns that each column of the result reads.
    pub(crate) columns: Axis,
}

impl<T: Real> Correlation<'_, T> {
    /// Computes a result `[channels, rows, columns, batch]`. `weight(channel, source, tap)` gives the weight of an
    /// output channel, a source channel and a tap. `finish(channel, start, values)` gets some rows of an output channel
    /// with the index of their first element.
    pub(crate) fn run(
        &self,
        result: &mut [T],
        channels: usize,
        weight: impl Fn(usize, usize, usize) -> T + Sync,
        finish: impl Fn(usize, usize, &mut [T]) + Sync,
    ) {
        let method = self.method(channels);
        let groups: Vec<Vec<[T; CHANNELS]>> = (0..channels.div_ceil(CHANNELS))
            .into_par_iter()
            .map(|group| {
                let first = group * CHANNELS;
                self.pack(method, first..channels.min(first + CHANNELS), &weight)
            })
            .collect();
        let task_rows = if method == Method::Winograd { winograd::ROWS } else { 1 };
        let strips = self.rows.len().div_ceil(task_rows);
        let task_channels = task_channels(channels, strips);
        // A task has the same rows of neighbouring channels, which are not contiguous in memory.
        let blocks: Vec<_> = groups.chunks(task_channels / CHANNELS).collect();
        let mut tasks: Vec<Vec<&mut [T]>> = Vec::new();
        tasks.resize_with(blocks.len() * strips, || Vec::with_capacity(task_channels));
        let line = self.columns.len() * self.shape[3];
        let maps = result[..channels * self.rows.len() * line].chunks_mut(self.rows.len() * line);
        for (channel, map) in maps.enumerate() {
            for (strip, rows) in map.chunks_mut(task_rows * line).enumerate() {
                tasks[channel / task_channels * strips + strip].push(rows);
            }
        }
        tasks.par_iter_mut().enumerate().for_each(|(task, to)| {
            let (block, first) = (task / strips, task % strips * task_rows);
            let rows = first..self.rows.len().min(first + task_rows);
            T::strip(Strip { of: self, method, weights: blocks[block], rows, to });
            for (lane, values) in to.iter_mut().enumerate() {
                let channel = block * task_channels + lane;
                finish(channel, (channel * self.rows.len() + first) * line, values);
            }
        });
    }

    /// Winograd if it applies and is likely to be faster, else direct.
    fn method(&self, channels: usize) -> Method {
        let sizes = [self.rows.len(), self.columns.len()];
        let pays = T::WINOGRAD && winograd::pays(self.kernel, self.stride, sizes, [self.shape[0], channels]);
        if pays { Method::Winograd } else { Method::Direct }
    }

    /// Lays out the weights of at most [`CHANNELS`] output channels; missing channels are zeros.
    fn pack(
        &self,
        method: Method,
        channels: Range<usize>,
        weight: impl Fn(usize, usize, usize) -> T,
    ) -> Vec<[T; CHANNELS]> {
        let lanes = |source: usize, tap: usize| {
            let lane = |lane: usize| {
                let channel = channels.start + lane;
                if channel < channels.end { weight(channel, source, tap) } else { T::zero() }
            };
            std::array::from_fn(lane)
        };
        let area = self.kernel * self.kernel;
        match method {
            // `[channels, kernel, kernel]`.
            Method::Direct => (0..self.shape[0] * area).map(|tap| lanes(tap / area, tap % area)).collect(),
            Method::Winograd => winograd::pack(self.shape[0], &self.rows, &self.columns, lanes),
        }
    }
}
