//! Convolutions on the CPU, over maps `[channels, height, width, batch]`: direct, without a matrix of windows, or with Winograd's
//! minimal filtering.
//!
//! With the examples innermost (Krizhevsky's cuda-convnet, 2012), neighbours in memory are the same pixel of other images: they
//! fill vectors whatever the width of a map, and windows, strides and padding are only a choice of which vectors to read.

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

/// Channels of the result side by side in registers.
pub(crate) const CHANNELS: usize = 4;

/// Channels of the result that a task computes from one copy of its rows, of `channels` that so many strips of rows are made of: as
/// many as leave several tasks for each thread, at most 32. What is computed does not depend on it.
pub(crate) fn task_channels(channels: usize, strips: usize) -> usize {
    let wanted = (4 * rayon::current_num_threads()).div_ceil(strips.max(1));
    channels.div_ceil(wanted).next_multiple_of(CHANNELS).clamp(CHANNELS, 8 * CHANNELS)
}

/// Some neighbouring rows of some neighbouring channels of the result: sums over all channels and taps of weight times value.
pub struct Strip<'a, 'b, T> {
    /// What the whole result is made from.
    pub(crate) of: &'a Correlation<'a, T>,
    /// How weights are laid out, and so how sums are made.
    pub(crate) method: Method,
    /// For every [`CHANNELS`] channels of the result, the weights of these, as the method lays them out.
    pub(crate) weights: &'a [Vec<[T; CHANNELS]>],
    /// Rows of the result.
    pub(crate) rows: Range<usize>,
    /// Channels `[rows, columns, batch]`.
    pub(crate) to: &'a mut [&'b mut [T]],
}

/// The weights' gradient: products of output gradients and windows, summed over some rows of the output.
pub struct WeightGrad<'a, 'b, T> {
    /// `[channels, height, width, batch]`.
    pub(crate) input: &'a [T],
    /// Of the input: channels, height, width and batch.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
    /// Of some output channels, the gradients of these rows: `[rows, columns, batch]` each.
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
    /// Whether it has [`Method::Winograd`].
    const WINOGRAD: bool;
    /// Writes the strip.
    fn strip(strip: Strip<'_, '_, Self>);
    /// Writes the gradient.
    fn weight_grad(task: WeightGrad<'_, '_, Self>);
}

/// A way to convolve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// By the definition.
    Direct,
    /// With fewer multiplications ([`winograd`]).
    Winograd,
}

/// Sums over channels and taps of maps: a convolution, or its input's gradient.
pub(crate) struct Correlation<'a, T> {
    /// `[channels, height, width, batch]`.
    pub(crate) from: &'a [T],
    /// Channels, height, width and batch.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
    /// From one window to the next.
    pub(crate) stride: usize,
    /// How rows see rows.
    pub(crate) rows: Axis,
    /// How columns see columns.
    pub(crate) columns: Axis,
}

impl<T: Real> Correlation<'_, T> {
    /// Computes a result of so many channels `[channels, rows, columns, batch]`. `weight` is asked for a channel of the result, one of
    /// the source and a tap; `finish` gets some rows of a channel, the channel and where they begin.
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
        // A task has the same rows of neighbouring channels, which are apart in memory.
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

    /// Winograd's where it applies and its transformations are likely to pay.
    fn method(&self, channels: usize) -> Method {
        let sizes = [self.rows.len(), self.columns.len()];
        let pays = T::WINOGRAD && winograd::pays(self.kernel, self.stride, sizes, [self.shape[0], channels]);
        if pays { Method::Winograd } else { Method::Direct }
    }

    /// Lays out the weights of some channels of the result, zeros where they are fewer than [`CHANNELS`].
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
