//! Shapes between layers, and the windows that make one from another.

use std::fmt;

/// An example's values between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// In a row.
    Features(usize),
    /// Maps, each a picture.
    Maps {
        /// Number of maps; colours of an input.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

impl Shape {
    /// Number of values; `None` where it passes what can be counted.
    pub(crate) fn checked_len(&self) -> Option<usize> {
        match *self {
            Shape::Features(features) => Some(features),
            Shape::Maps { channels, height, width } => channels.checked_mul(height)?.checked_mul(width),
        }
    }

    /// Number of values.
    #[expect(clippy::len_without_is_empty, reason = "no shape is empty")]
    pub fn len(&self) -> usize {
        match *self {
            Shape::Features(features) => features,
            Shape::Maps { channels, height, width } => channels * height * width,
        }
    }

    /// Features, or maps: what a batch normalization normalizes each of.
    pub fn channels(&self) -> usize {
        match *self {
            Shape::Features(features) => features,
            Shape::Maps { channels, .. } => channels,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Features(features) => write!(f, "{features}"),
            Shape::Maps { channels, height, width } => write!(f, "{channels}x{height}x{width}"),
        }
    }
}

/// How a window moves over maps: a square of `size`, `stride` apart, over maps with `padding` more rows and columns on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows, and columns.
    pub size: usize,
    /// From one position to the next.
    pub stride: usize,
    /// Rows and columns around the maps: zeros of a convolution and an average, nothing of a maximum.
    pub padding: usize,
}

impl Window {
    /// Positions along an axis of that length; `None` where the window is larger than the padded axis.
    pub fn positions(&self, length: usize) -> Option<usize> {
        let room = (length + 2 * self.padding).checked_sub(self.size)?;
        Some(room / self.stride + 1)
    }
}
