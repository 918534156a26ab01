//! Convolutions on the CPU, over maps `[channels, height, width, batch]`: direct, without a matrix of windows.
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

use crate::real::Real;

/// Output channels side by side in registers.
pub(crate) const CHANNELS: usize = 4;

/// Output channels that one task computes from one copy of its rows.
pub(crate) const TASK_CHANNELS: usize = 8 * CHANNELS;

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
    /// At most [`TASK_CHANNELS`] channels `[rows, columns, batch]`.
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
    /// Whether there is a fast way besides the direct one.
    const WINOGRAD: bool;
    /// Writes the strip.
    fn strip(strip: Strip<'_, '_, Self>);
    /// Writes the sums.
    fn sums(sums: Sums<'_, '_, Self>);
}

/// A way to convolve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// By the definition.
    Direct,
    /// With fewer multiplications ([`winograd`]).
    Winograd,
}

/// Sums over channels and taps of maps: a convolution, or what its input owes.
pub(crate) struct Correlation<'a, T> {
    /// `[channels, height, width, batch]`.
    pub(crate) from: &'a [T],
    /// Channels, height, width and batch.
    pub(crate) shape: [usize; 4],
    /// Side of the windows.
    pub(crate) kernel: usize,
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
        // A task has the same rows of neighbouring channels, which are apart in memory.
        let blocks: Vec<_> = groups.chunks(TASK_CHANNELS / CHANNELS).collect();
        let mut tasks: Vec<Vec<&mut [T]>> = Vec::new();
        tasks.resize_with(blocks.len() * strips, || Vec::with_capacity(TASK_CHANNELS));
        let line = self.columns.len() * self.shape[3];
        let maps = result[..channels * self.rows.len() * line].chunks_mut(self.rows.len() * line);
        for (channel, map) in maps.enumerate() {
            for (strip, rows) in map.chunks_mut(task_rows * line).enumerate() {
                tasks[channel / TASK_CHANNELS * strips + strip].push(rows);
            }
        }
        tasks.par_iter_mut().enumerate().for_each(|(task, to)| {
            let (block, first) = (task / strips, task % strips * task_rows);
            let rows = first..self.rows.len().min(first + task_rows);
            T::strip(Strip { of: self, method, weights: blocks[block], rows, to });
            for (lane, values) in to.iter_mut().enumerate() {
                let channel = block * TASK_CHANNELS + lane;
                finish(channel, (channel * self.rows.len() + first) * line, values);
            }
        });
    }

    /// The faster one.
    fn method(&self, channels: usize) -> Method {
        let fits = winograd::fits(self.kernel, &self.rows) && winograd::fits(self.kernel, &self.columns);
        if T::WINOGRAD && fits && winograd::pays(self.shape[0].min(channels)) {
            Method::Winograd
        } else {
            Method::Direct
        }
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
        let sources = 0..self.shape[0];
        match method {
            // `[channels, kernel, kernel]`.
            Method::Direct => {
                let of_source = |source: usize| (0..self.kernel * self.kernel).map(move |tap| (source, tap));
                sources.flat_map(of_source).map(|(source, tap)| lanes(source, tap)).collect()
            }
            Method::Winograd => winograd::pack(sources, &self.rows, &self.columns, lanes),
        }
    }
}
