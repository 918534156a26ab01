//! The words of the notation.

use std::fmt;

use super::LayerSpec;
use crate::math::shape::{Shape, Window};

/// The largest number of the notation. Sums of two of them do not overflow, and what networks they make is bounded apart.
const LARGEST: usize = 1 << 30;

/// The largest side of a window: shaders count its places in 32 bits.
const LARGEST_WINDOW: usize = 1 << 15;

/// What may stand where a layer is expected.
const LAYERS: &str =
    "layers are units (500), convolutions (32C5, 32C3s2p1), max and average pooling (MP2, AP3s2), GAP and BN";

/// Reads an input: `784`, or maps, rows and columns, `1x28x28`.
pub(super) fn shape(token: &str) -> Result<Shape, String> {
    let sizes: Result<Vec<usize>, _> = token.split('x').map(|part| number(part, token)).collect();
    let wrong =
        || format!("`{token}` is no input; write a number of features like 784, or maps x rows x columns like 1x28x28");
    let sizes = sizes.map_err(|problem| problem.unwrap_or_else(wrong))?;
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

/// Reads a layer.
pub(super) fn layer(token: &str) -> Result<LayerSpec, String> {
    let wrong = || format!("`{token}` is no layer; {LAYERS}");
    let result = match token {
        "GAP" => Ok(LayerSpec::GlobalAvgPool),
        "BN" => Ok(LayerSpec::BatchNorm),
        _ => match (token.strip_prefix("MP"), token.strip_prefix("AP"), token.split_once('C')) {
            (Some(rest), ..) => pooling(rest, token).map(LayerSpec::MaxPool),
            (_, Some(rest), _) => pooling(rest, token).map(LayerSpec::AvgPool),
            (.., Some((maps, rest))) => {
                number(maps, token).and_then(|maps| Ok(LayerSpec::Conv(maps, window(rest, false, token)?)))
            }
            _ => number(token, token).map(LayerSpec::Dense),
        },
    };
    result.map_err(|problem| problem.unwrap_or_else(wrong))
}

/// A pooling's window, as far apart as it is large where nothing is said.
fn pooling(text: &str, token: &str) -> Result<Window, Option<String>> {
    let window = window(text, true, token)?;
    if 2 * window.padding > window.size {
        let Window { size, padding, .. } = window;
        return Err(Some(format!(
            "`{token}` has a padding of {padding}; of a window of {size}, at most half may lie outside"
        )));
    }
    Ok(window)
}

/// `5s2p1`: size, stride and padding.
fn window(text: &str, stride_is_size: bool, token: &str) -> Result<Window, Option<String>> {
    let (text, padding) = match text.split_once('p') {
        Some((text, padding)) => (text, if padding == "0" { 0 } else { number(padding, token)? }),
        None => (text, 0),
    };
    let (text, stride) = match text.split_once('s') {
        Some((text, stride)) => (text, Some(number(stride, token)?)),
        None => (text, None),
    };
    let size = number(text, token)?;
    if size > LARGEST_WINDOW {
        return Err(Some(format!("`{token}` has a window of {size}x{size}; its sides are at most {LARGEST_WINDOW}")));
    }
    let stride = stride.unwrap_or(if stride_is_size { size } else { 1 });
    Ok(Window { size, stride, padding })
}

/// A number above 0. The error says what is wrong with it; `None` is that it is no number.
fn number(text: &str, token: &str) -> Result<usize, Option<String>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(None);
    }
    match text.parse() {
        Ok(0) => Err(Some(format!("a number of `{token}` is 0, but there must be at least one of everything"))),
        Ok(number) if number <= LARGEST => Ok(number),
        _ => Err(Some(format!("`{text}` in `{token}` is too large"))),
    }
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut window = |name: &str, Window { size, stride, padding }: Window, usual_stride: usize| {
            write!(f, "{name}{size}")?;
            if stride != usual_stride {
                write!(f, "s{stride}")?;
            }
            if padding > 0 { write!(f, "p{padding}") } else { Ok(()) }
        };
        match *self {
            LayerSpec::Dense(units) => write!(f, "{units}"),
            LayerSpec::Conv(maps, of) => window(&format!("{maps}C"), of, 1),
            LayerSpec::MaxPool(of) => window("MP", of, of.size),
            LayerSpec::AvgPool(of) => window("AP", of, of.size),
            LayerSpec::GlobalAvgPool => f.write_str("GAP"),
            LayerSpec::BatchNorm => f.write_str("BN"),
        }
    }
}
