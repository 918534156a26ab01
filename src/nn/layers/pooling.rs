//! What pooling layers share.

use serde::Deserialize;
use toml::Table;

use super::notation::{after_window, check_fit, check_window, window, window_text};
use super::{Recorder, SectionError, Unread, Values};
use crate::kernels::{AvgPool, AvgPoolGrad, PoolSizes};
use crate::math::shape::{Shape, Window};
use crate::plan::Tensor;
use crate::settings;

/// Windows over maps, a value for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// Shape of an example's input.
    pub input: Shape,
    /// Where the windows are; `None` is one over the whole of each map.
    pub window: Option<Window>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    size: usize,
    stride: Option<usize>,
    #[serde(default)]
    padding: usize,
}

/// The token of a section, with this before its window.
pub(super) fn token_of_section(prefix: &str, settings: &Table) -> Result<String, SectionError> {
    let Section { size, stride, padding } = settings::from_table(settings)?;
    let window = check_window("layers.size", Window { size, stride: stride.unwrap_or(size), padding })?;
    Ok(format!("{prefix}{}", window_text(window, true)))
}

impl Windows {
    /// Reads a token that begins with `prefix`. Windows are by default as far apart as they are large.
    pub(super) fn parse(prefix: &str, token: &str, input: Shape) -> Result<Windows, Unread> {
        let window = window(token.strip_prefix(prefix).ok_or(Unread::Other)?, true, token)?;
        if 2 * window.padding > window.size {
            let Window { size, padding, .. } = window;
            return Err(Unread::Wrong(format!(
                "`{token}` has a padding of {padding}; of a window of {size}, at most half may lie outside"
            )));
        }
        check_fit("pooling", token, input, window)?;
        Ok(Windows { input, window: Some(window) })
    }

    /// The token, with this before its window.
    pub(super) fn token(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.window.map_or_else(String::new, |window| window_text(window, true)))
    }

    /// Shape of an example's output.
    pub(super) fn output(&self) -> Shape {
        match (self.input, self.window) {
            (Shape::Maps { channels, .. }, None) => Shape::Maps { channels, height: 1, width: 1 },
            (input, window) => {
                let output = window.and_then(|window| after_window(input, window));
                output.unwrap_or_else(|| panic!("a window of {window:?} does not fit {input}"))
            }
        }
    }

    pub(super) fn sizes(&self, batch: usize) -> PoolSizes {
        PoolSizes::new(batch, self.input, self.window)
    }

    /// `max pool 2x2, 6x28x28 -> 6x14x14`.
    pub(super) fn describe(&self, name: &str) -> String {
        let PoolSizes { window_height, window_width, stride, padding, .. } = self.sizes(1);
        let mut text = format!("{name} {window_height}x{window_width}, {} -> {}", self.input, self.output());
        if self.window.is_some_and(|window| window.stride != window.size) {
            text += &format!(", stride {stride}");
        }
        if padding > 0 {
            text += &format!(", padding {padding}");
        }
        text
    }

    /// Operations of the forward pass for one example.
    pub(super) fn flops(&self) -> u64 {
        self.output().len() as u64 * self.sizes(1).window_len() as u64
    }

    /// Appends the mean of each window.
    pub(super) fn averages(&self, recorder: &mut Recorder<'_>, input: Values) -> Values {
        let output = recorder.activation("output", &recorder.maps(self.output()));
        recorder.launch(AvgPool(self.sizes(recorder.batch)), &[], &[input.tensor, output]);
        Values::plain(output)
    }

    /// Appends the gradient of what the means were taken of.
    pub(super) fn averages_grad(&self, recorder: &mut Recorder<'_>, input: Values, output_grad: Tensor) -> Tensor {
        let input_grad = recorder.activation("input_grad", &recorder.maps(self.input));
        let kernel = AvgPoolGrad(self.sizes(recorder.batch));
        recorder.launch(kernel, &[input.activation.constant()], &[output_grad, input.kept, input_grad]);
        input_grad
    }
}
