//! How layers are written: as a token of an architecture, such as `32C5`, and as a section `[[layers]]` of a recipe.
//!
//! Each layer's file says it for that layer, in its [`Notation`]. What several of them share is here.

use std::fmt::Debug;
use std::sync::Arc;

use thiserror::Error;
use toml::Table;

use super::{Layer, Parameter};
use crate::kernels::activation::Activation;
use crate::math::shape::{Shape, Window};
use crate::nn::init::Init;
use crate::settings::{self, SettingError, SpecError};

/// The largest number of the notation. Sums of two such numbers do not overflow, and networks have bounds of their own.
pub(in crate::nn) const LARGEST: usize = 1 << 30;

/// The largest side of a window: shaders count its places in 32 bits.
const LARGEST_WINDOW: usize = 1 << 15;

/// What a layer is to the layers around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It has weights; its inputs may be dropped, and an activation follows it.
    Weights,
    /// It stands directly behind a layer with weights, which then has no biases, and before that layer's activation.
    Normalization,
    /// Neither.
    Other,
}

/// What a network decides of a layer that the notation leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Applied to the output.
    pub activation: Activation,
    /// Whether a layer with weights has biases; before a normalization they would do nothing.
    pub has_bias: bool,
    /// What weights start from.
    pub init: Init,
}

/// Why a token is no layer of a kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Unread {
    /// It does not look like one.
    Other,
    /// It looks like one, but is wrong: in a sentence that quotes the token.
    Wrong(String),
}

/// A section `[[layers]]` that is no layer.
#[derive(Debug, Error, PartialEq)]
pub enum SectionError {
    /// A key or a value that does not belong there.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A value that makes no sense.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// A kind of layers that architectures and recipes can have.
pub trait Notation: Layer + Copy + Debug + 'static {
    /// `kind` of its section in a recipe.
    const KIND: &'static str;
    /// What it is, with an example of its token: `max pooling (MP2)`.
    const MEANING: &'static str;
    /// What it is to the layers around it.
    const PART: Part;

    /// Reads a token. The layer takes examples of the shape `input`; what the notation leaves open is as for logits.
    ///
    /// # Errors
    /// A token of another layer, or a layer that does not take this input.
    fn parse(token: &str, input: Shape) -> Result<Self, Unread>;

    /// The token that says the same as a section with these settings, `kind` left out.
    ///
    /// # Errors
    /// A setting that is missing, not known or out of its range.
    fn token_of_section(settings: &Table) -> Result<String, SectionError>;

    /// Its token, which [`Notation::parse`] reads back. Numbers that are the defaults are left out.
    fn token(&self) -> String;

    /// Shape of an example's output.
    fn output(&self) -> Shape;

    /// Whether it takes values with the batch innermost, `[channels, height, width, batch]`, and gives such values.
    fn takes_maps(&self) -> bool;

    /// The layer in its place in a network.
    fn placed(self, place: Place) -> Self;
}

/// A layer of an architecture, whatever its kind.
pub trait Written: Debug + Send + Sync {
    /// As [`Notation::PART`].
    fn part(&self) -> Part;
    /// As [`Notation::token`].
    fn token(&self) -> String;
    /// As [`Notation::output`].
    fn output(&self) -> Shape;
    /// As [`Layer::parameters`], for a place that leaves nothing out.
    fn parameters(&self) -> Vec<Parameter>;
    /// As [`Layer::least_examples`].
    fn least_examples(&self) -> usize;
    /// As [`Notation::takes_maps`].
    fn takes_maps(&self) -> bool;
    /// As [`Notation::placed`].
    fn placed(&self, place: Place) -> Box<dyn Layer>;
}

impl<N: Notation> Written for N {
    fn part(&self) -> Part {
        N::PART
    }

    fn token(&self) -> String {
        Notation::token(self)
    }

    fn output(&self) -> Shape {
        Notation::output(self)
    }

    fn parameters(&self) -> Vec<Parameter> {
        Layer::parameters(self)
    }

    fn least_examples(&self) -> usize {
        Layer::least_examples(self)
    }

    fn takes_maps(&self) -> bool {
        Notation::takes_maps(self)
    }

    fn placed(&self, place: Place) -> Box<dyn Layer> {
        Box::new(Notation::placed(*self, place))
    }
}

/// As [`Notation::parse`], of any kind.
type Parse = fn(&str, Shape) -> Result<Arc<dyn Written>, Unread>;

/// An entry of the list of kinds.
#[derive(Clone, Copy)]
pub struct Kind {
    /// As [`Notation::KIND`].
    pub name: &'static str,
    /// As [`Notation::MEANING`].
    pub meaning: &'static str,
    /// As [`Notation::PART`].
    pub part: Part,
    /// As [`Notation::parse`].
    pub parse: Parse,
    /// As [`Notation::token_of_section`].
    pub token_of_section: fn(&Table) -> Result<String, SectionError>,
}

impl Kind {
    pub(super) const fn of<N: Notation>() -> Kind {
        Kind {
            name: N::KIND,
            meaning: N::MEANING,
            part: N::PART,
            parse: |token, input| N::parse(token, input).map(|layer| Arc::new(layer) as Arc<dyn Written>),
            token_of_section: N::token_of_section,
        }
    }
}

/// Reads a token that is a word.
pub(super) fn exactly(word: &str, token: &str) -> Result<(), Unread> {
    if token == word { Ok(()) } else { Err(Unread::Other) }
}

/// Reads a section that has no settings.
pub(super) fn no_settings(settings: &Table) -> Result<(), SpecError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Section {}
    settings::from_table(settings).map(|Section {}| ())
}

/// Reads a number above 0, of a token.
pub(in crate::nn) fn number(text: &str, token: &str) -> Result<usize, Unread> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unread::Other);
    }
    match text.parse() {
        Ok(0) => Err(Unread::Wrong(format!("a number of `{token}` is 0, but must be at least 1"))),
        Ok(number) if number <= LARGEST => Ok(number),
        _ => Err(Unread::Wrong(format!("`{text}` in `{token}` is too large"))),
    }
}

/// Reads `5s2p1`: size, stride and padding of a window. The stride is 1 by default, or the size where `stride_is_size`.
pub(super) fn window(text: &str, stride_is_size: bool, token: &str) -> Result<Window, Unread> {
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
        let problem = format!("`{token}` has a window of {size}x{size}; its sides are at most {LARGEST_WINDOW}");
        return Err(Unread::Wrong(problem));
    }
    let stride = stride.unwrap_or(if stride_is_size { size } else { 1 });
    Ok(Window { size, stride, padding })
}

/// The text that [`window`] reads back.
pub(super) fn window_text(Window { size, stride, padding }: Window, stride_is_size: bool) -> String {
    let usual = if stride_is_size { size } else { 1 };
    let stride = if stride == usual { String::new() } else { format!("s{stride}") };
    let padding = if padding == 0 { String::new() } else { format!("p{padding}") };
    format!("{size}{stride}{padding}")
}

/// Checks the window of a section, whose size is the setting `key`.
pub(super) fn check_window(key: &'static str, window: Window) -> Result<Window, SettingError> {
    let must = "a window has at least one row, and moves by at least one";
    SettingError::unless(window.size > 0, key, window.size, must)?;
    SettingError::unless(window.stride > 0, "layers.stride", window.stride, must)?;
    Ok(window)
}

/// Channels, height and width of an input that must be maps. `what` takes it: `pooling`.
pub(super) fn maps(what: &str, input: Shape) -> Result<[usize; 3], Unread> {
    match input {
        Shape::Maps { channels, height, width } => Ok([channels, height, width]),
        Shape::Features(features) => Err(Unread::Wrong(format!(
            "{what} takes maps, such as 1x28x28, but gets {features} features; begin the arch with the images' shape, and \
             put it before the dense layers"
        ))),
    }
}

/// Checks that a window fits into maps.
pub(super) fn check_fit(what: &str, token: &str, input: Shape, window: Window) -> Result<(), Unread> {
    maps(what, input)?;
    if after_window(input, window).is_some() {
        return Ok(());
    }
    let Window { size, padding, .. } = window;
    let padded = if padding > 0 { format!(", padded by {padding},") } else { String::new() };
    let problem = format!("`{token}` has a window of {size}x{size}, but gets {input}{padded} which is smaller");
    Err(Unread::Wrong(problem))
}

/// As many maps as before, with a value for each position of a window; `None` where it does not fit.
pub(super) fn after_window(input: Shape, window: Window) -> Option<Shape> {
    let Shape::Maps { channels, height, width } = input else { return None };
    Some(Shape::Maps { channels, height: window.positions(height)?, width: window.positions(width)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layers::KINDS;

    /// An example of every kind: the settings of its section, and the token that says the same.
    const EXAMPLES: &[(&str, &str, &str)] = &[
        ("dense", "units = 500", "500"),
        ("conv", "maps = 6\nkernel = 5\nstride = 2\npadding = 1", "6C5s2p1"),
        ("max-pool", "size = 3\nstride = 2", "MP3s2"),
        ("avg-pool", "size = 2", "AP2"),
        ("global-avg-pool", "", "GAP"),
        ("batch-norm", "", "BN"),
        ("layer-norm", "", "LN"),
    ];

    #[test]
    fn sections_and_tokens_of_every_kind_say_the_same() {
        let names: Vec<&str> = EXAMPLES.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>());
        let input = Shape::Maps { channels: 2, height: 9, width: 8 };
        for (kind, (name, settings, token)) in KINDS.iter().zip(EXAMPLES) {
            let settings: Table = settings.parse().unwrap();
            assert_eq!((kind.token_of_section)(&settings).unwrap(), *token, "{name}");
            let read = KINDS.iter().find_map(|kind| (kind.parse)(token, input).ok()).unwrap();
            assert_eq!((read.token(), read.part()), (token.to_string(), kind.part), "{name}");
            let mistaken: Table = "size_of_window = 3".parse().unwrap();
            let error = (kind.token_of_section)(&mistaken).unwrap_err();
            assert!(matches!(error, SectionError::Spec(SpecError::Key { .. })), "{name}: {error}");
        }
    }
}
