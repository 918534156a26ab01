//! Code that the pooling kernels share. Its WGSL counterpart is `shaders/pool/shared/pool.wgsl`.

use std::ops::Range;

use crate::kernels::activation::Activation;
use crate::kernels::kernel::params;
use crate::math::shape::{Shape, Window};

params! {
    /// A pooling of `[channels, in_height, in_width, batch]` into `[channels, out_height, out_width, batch]`.
    pub struct PoolSizes {
        /// Examples, innermost in memory.
        pub batch: u32,
        /// Channels (maps).
        pub channels: u32,
        /// Rows of the input.
        pub in_height: u32,
        /// Columns of the input.
        pub in_width: u32,
        /// Rows of the output.
        pub out_height: u32,
        /// Columns of the output.
        pub out_width: u32,
        /// Rows of a window.
        pub window_height: u32,
        /// Columns of a window.
        pub window_width: u32,
        /// Distance from one window to the next.
        pub stride: u32,
        /// Rows and columns added on each side of the input, at most half a window.
        pub padding: u32,
    }
}

impl PoolSizes {
    /// The pooling of `batch` examples. Without a window, each channel is pooled as a whole.
    ///
    /// # Panics
    ///
    /// If the input is not an image or the window does not fit into it.
    pub fn new(batch: usize, input: Shape, window: Option<Window>) -> PoolSizes {
        let Shape::Maps { channels, height, width } = input else { panic!("pooling needs an image, not {input}") };
        let (size, positions, stride, padding) = match window {
            Some(window) => {
                let positions = [height, width].map(|length| window.positions(length).expect("the window fits"));
                ([window.size; 2], positions, window.stride, window.padding)
            }
            None => ([height, width], [1, 1], 1, 0),
        };
        PoolSizes {
            batch: batch as u32,
            channels: channels as u32,
            in_height: height as u32,
            in_width: width as u32,
            out_height: positions[0] as u32,
            out_width: positions[1] as u32,
            window_height: size[0] as u32,
            window_width: size[1] as u32,
            stride: stride as u32,
            padding: padding as u32,
        }
    }

    /// Values per window, including padding.
    pub(crate) fn window_len(&self) -> usize {
        self.window_height as usize * self.window_width as usize
    }

    /// Lengths of input and output.
    pub(crate) fn lengths(&self) -> [usize; 2] {
        [(self.in_height, self.in_width), (self.out_height, self.out_width)].map(|(height, width)| {
            [self.channels, height, width, self.batch].into_iter().map(|size| size as usize).product()
        })
    }

    /// Values per channel of the input and of the output, over all examples.
    pub(crate) fn map_lengths(&self) -> [usize; 2] {
        self.lengths().map(|length| length / self.channels as usize)
    }

    /// The windows over one channel, without padding.
    pub(crate) fn windows(&self) -> Windows {
        Windows {
            rows: (0..self.out_height).map(|row| self.window(row, self.window_height, self.in_height)).collect(),
            columns: (0..self.out_width).map(|column| self.window(column, self.window_width, self.in_width)).collect(),
            width: self.in_width as usize,
        }
    }

    /// The rows (or columns) of the input that the window at an output position sees, without padding.
    fn window(&self, position: u32, size: u32, length: u32) -> Range<usize> {
        let start = position * self.stride;
        let end = (start + size).saturating_sub(self.padding).min(length);
        start.saturating_sub(self.padding) as usize..end as usize
    }
}

/// The windows over one channel: the rows and columns that each window sees.
pub(crate) struct Windows {
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
    /// Columns of the input.
    width: usize,
}

impl Windows {
    /// The pixel indices of each window, in order.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        let width = self.width;
        let pixels = move |rows: &Range<usize>, columns: &Range<usize>| {
            let columns = columns.clone();
            rows.clone().flat_map(move |row| columns.clone().map(move |column| row * width + column))
        };
        self.rows.iter().flat_map(move |rows| self.columns.iter().map(move |columns| pixels(rows, columns)))
    }
}

/// Edge cases: one pixel, a window as large as the image, overlapping windows, gaps between windows, padding.
pub(crate) fn awkward_sizes() -> impl Iterator<Item = (String, PoolSizes)> {
    // Batch, channels, height, width, window, stride, padding.
    let shapes = [
        [1, 1, 1, 1, 1, 1, 0],
        [3, 2, 4, 6, 2, 2, 0],
        [2, 3, 5, 5, 5, 5, 0],
        [5, 2, 7, 9, 3, 2, 1],
        [7, 17, 6, 5, 2, 3, 0],
        [33, 1, 9, 8, 3, 1, 1],
        [2, 1, 5, 7, 4, 3, 2],
    ];
    let windows = shapes.into_iter().map(|[batch, channels, height, width, size, stride, padding]| {
        let label = format!("batch {batch}, {channels}x{height}x{width}, windows {size}s{stride}p{padding}");
        let input = Shape::Maps { channels, height, width };
        (label, PoolSizes::new(batch, input, Some(Window { size, stride, padding })))
    });
    let whole = PoolSizes::new(6, Shape::Maps { channels: 3, height: 4, width: 7 }, None);
    windows.chain([("batch 6, whole channels of 3x4x7".to_string(), whole)])
}

/// The same sizes, each with an activation of the layer below.
pub(crate) fn awkward_cases() -> impl Iterator<Item = (String, PoolSizes, Activation)> {
    awkward_sizes()
        .zip(Activation::ALL.into_iter().cycle().skip(1))
        .map(|((label, sizes), activation)| (format!("{label}, {activation:?}"), sizes, activation))
}
