//! Shapes between layers, and the windows of convolution and pooling.

use std::fmt;

/// The shape of one example's values between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A row of features.
    Features(usize),
    /// Channels (maps), each an image.
    Maps {
        /// Number of channels; an input's colours.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

impl Shape {
    /// Number of values; `None` if it overflows.
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

    /// Number of features or of channels: batch normalization normalizes each separately.
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

/// How a square window moves over maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows of the window, and its columns.
    pub size: usize,
    /// Distance between neighbouring positions.
    pub stride: usize,
    /// Rows and columns added on every side. They count as zeros in a convolution or an average, and are ignored by a
    /// maximum.
    pub padding: usize,
}

impl Window {
    /// Number of positions along an axis of that length; `None` if the window is larger than the padded axis.
    pub fn positions(&self, length: usize) -> Option<usize> {
        let room = (length + 2 * self.padding).checked_sub(self.size)?;
        Some(room / self.stride + 1)
    }
}
