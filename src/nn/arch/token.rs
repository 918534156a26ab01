//! The words of the notation.

use std::sync::Arc;

use crate::math::shape::Shape;
use crate::nn::layers::notation::{LARGEST, number};
use crate::nn::layers::{KINDS, Unread, Written};

/// Reads an input: `784`, or maps, rows and columns, `1x28x28`.
pub(super) fn shape(token: &str) -> Result<Shape, String> {
    let sizes: Result<Vec<usize>, Unread> = token.split('x').map(|part| number(part, token)).collect();
    let wrong =
        || format!("`{token}` is no input; write a number of features like 784, or maps x rows x columns like 1x28x28");
    let sizes = sizes.map_err(|unread| match unread {
        Unread::Other => wrong(),
        Unread::Wrong(problem) => problem,
    })?;
    let total = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    if total.is_none_or(|total| total > LARGEST) {
        return Err(format!("`{token}` is too large"));
    }
    match sizes[..] {
        [features] => Ok(Shape::Features(features)),
        [channels, height, width] => Ok(Shape::Maps { channels, height, width }),
        _ => Err(wrong()),
    }
}

/// Reads a layer that takes examples of the shape `input`.
pub(super) fn layer(token: &str, input: Shape) -> Result<Arc<dyn Written>, String> {
    for kind in KINDS {
        match (kind.parse)(token, input) {
            Err(Unread::Other) => {}
            Err(Unread::Wrong(problem)) => return Err(problem),
            Ok(layer) => return Ok(layer),
        }
    }
    let meanings: Vec<&str> = KINDS.iter().map(|kind| kind.meaning).collect();
    Err(format!("`{token}` is no layer; layers are {}", meanings.join(", ")))
}
