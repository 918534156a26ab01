//! Layers as the notation has them, and what they make of shapes.

use crate::math::shape::{Shape, Window};

/// A layer in the notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerSpec {
    /// `500`: units, each connected to all values.
    Dense(usize),
    /// `32C5s2p1`: maps, each from windows of all maps before.
    Conv(usize, Window),
    /// `MP2`: the maximum of each window.
    MaxPool(Window),
    /// `AP2`: the mean of each window.
    AvgPool(Window),
    /// `GAP`: the mean of each map.
    GlobalAvgPool,
    /// `BN`: batch normalization of what a dense or convolutional layer gives, before its activation.
    BatchNorm,
}

impl LayerSpec {
    /// Whether it has weights, so that an activation follows it.
    pub fn has_weights(&self) -> bool {
        matches!(self, LayerSpec::Dense(_) | LayerSpec::Conv(..))
    }
}

/// The shape that a layer makes of another.
pub(super) fn after(before: Shape, layer: LayerSpec, token: &str) -> Result<Shape, String> {
    let maps = |what: &str| match before {
        Shape::Maps { channels, height, width } => Ok((channels, height, width)),
        Shape::Features(features) => Err(format!(
            "{what} takes maps, such as 1x28x28, but gets {features} features; begin the arch with the images' shape, and \
             put it before the dense layers"
        )),
    };
    let slide = |what: &str, window: Window| {
        let (channels, height, width) = maps(what)?;
        match [height, width].map(|length| window.positions(length)) {
            [Some(height), Some(width)] => Ok((channels, height, width)),
            _ => {
                let Window { size, padding, .. } = window;
                let padded = if padding > 0 { format!(", padded by {padding},") } else { String::new() };
                Err(format!("`{token}` has a window of {size}x{size}, but gets {before}{padded} which is smaller"))
            }
        }
    };
    match layer {
        LayerSpec::Dense(units) => Ok(Shape::Features(units)),
        LayerSpec::BatchNorm => Ok(before),
        LayerSpec::Conv(channels, window) => {
            let (_, height, width) = slide("a convolution", window)?;
            Ok(Shape::Maps { channels, height, width })
        }
        LayerSpec::MaxPool(window) | LayerSpec::AvgPool(window) => {
            let (channels, height, width) = slide("pooling", window)?;
            Ok(Shape::Maps { channels, height, width })
        }
        LayerSpec::GlobalAvgPool => maps("pooling").map(|(channels, ..)| Shape::Features(channels)),
    }
}
