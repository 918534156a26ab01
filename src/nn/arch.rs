//! The notation of architectures: `784-500-10` is 784 inputs, a hidden layer of 500 units and 10 outputs;
//! `1x28x28-20C5-MP2-50C5-MP2-500-10` takes images through convolutions and pooling first.
//!
//! It is the literature's (Ciresan et al., "Deep, big, simple neural nets for handwritten digit recognition", 2010, and
//! "Multi-column deep neural networks for image classification", CVPR 2012).

mod fit;
mod token;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

pub use fit::FitError;

use crate::math::shape::Shape;
use crate::nn::layers::{Part, Written};

/// Parameters that a network may have: their bytes must be countable by the 32-bit indices of the shaders.
const MAX_PARAMETERS: u128 = 1 << 30;

/// Values that an example may have between two layers, likewise.
const MAX_VALUES: usize = 1 << 30;

/// A network's layers and the shapes between them.
#[derive(Clone, Debug)]
pub struct Arch {
    layers: Vec<Arc<dyn Written>>,
    /// Of the input, and of what each layer gives.
    shapes: Vec<Shape>,
}

/// An architecture that does not parse. The message points at the token.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("arch `{text}` does not parse: {problem}\n  {text}\n  {}{}", " ".repeat(*.column), "^".repeat(*.width))]
pub struct ArchError {
    /// All of it.
    pub text: String,
    /// What is wrong.
    pub problem: String,
    /// Characters before the token.
    pub column: usize,
    /// Characters of the token, at least one.
    pub width: usize,
}

impl Arch {
    /// The layers in order; the last is dense, or a pooling of all that is left.
    pub fn layers(&self) -> &[Arc<dyn Written>] {
        &self.layers
    }

    /// The input's shape, then each layer's output's.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The input's shape.
    pub fn input(&self) -> Shape {
        self.shapes[0]
    }

    /// Values of an example.
    pub fn inputs(&self) -> usize {
        self.shapes[0].len()
    }

    /// Number of classes.
    pub fn outputs(&self) -> usize {
        self.shapes[self.layers.len()].len()
    }

    /// Layers with weights before the last: those with an activation.
    pub fn hidden_layers(&self) -> usize {
        self.layers.iter().filter(|layer| layer.part() == Part::Weights).count() - 1
    }

    /// Appends the layer of a token, or says what is wrong with it.
    fn push(&mut self, token: &str) -> Result<(), String> {
        let layer = token::layer(token, self.shapes[self.layers.len()])?;
        let follows_weights = self.layers.last().is_some_and(|before| before.part() == Part::Weights);
        if layer.part() == Part::Normalization && !follows_weights {
            return Err(format!(
                "{token} normalizes what a dense or convolutional layer gives, and must follow one directly"
            ));
        }
        let shape = layer.output();
        if shape.checked_len().is_none_or(|values| values > MAX_VALUES) {
            return Err(format!("it would give {shape}, more than {MAX_VALUES} values an example"));
        }
        self.layers.push(layer);
        self.shapes.push(shape);
        if self.parameters() > MAX_PARAMETERS {
            return Err(format!("more than {MAX_PARAMETERS} parameters up to here"));
        }
        Ok(())
    }

    /// Trainable parameters, those biases included that a normalization makes superfluous: for a bound.
    fn parameters(&self) -> u128 {
        let parameters = self.layers.iter().flat_map(|layer| layer.parameters());
        let trainable = parameters.filter(|parameter| parameter.trainable);
        trainable.map(|parameter| parameter.shape.iter().map(|&size| size as u128).product::<u128>()).sum()
    }
}

/// By the notation, which says all of it.
impl PartialEq for Arch {
    fn eq(&self, other: &Arch) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Arch {}

impl FromStr for Arch {
    type Err = ArchError;

    fn from_str(text: &str) -> Result<Arch, ArchError> {
        let whole = |problem: &str| {
            let width = text.chars().count().max(1);
            ArchError { text: text.to_string(), problem: problem.to_string(), column: 0, width }
        };
        let mut tokens = Vec::new();
        let mut column = 0;
        for token in text.split('-') {
            tokens.push((token, column));
            column += token.chars().count() + 1;
        }
        let mut arch: Option<Arch> = None;
        let mut column_of_last = 0;
        for (index, &(token, column)) in tokens.iter().enumerate() {
            let error = |problem: String| {
                let width = token.chars().count().max(1);
                ArchError { text: text.to_string(), problem, column, width }
            };
            if token.is_empty() {
                return Err(error(format!("layer {} is missing; write layers between single dashes", index + 1)));
            }
            match &mut arch {
                None => {
                    let input = token::shape(token).map_err(error)?;
                    arch = Some(Arch { layers: Vec::new(), shapes: vec![input] });
                }
                Some(arch) => arch.push(token).map_err(error)?,
            }
            column_of_last = column;
        }
        let too_short = || whole("it needs at least inputs and outputs, like 784-10");
        let arch = arch.filter(|arch| !arch.layers.is_empty()).ok_or_else(too_short)?;
        if arch.layers.iter().all(|layer| layer.part() != Part::Weights) {
            return Err(whole("it has no layer with weights, so that there is nothing to learn"));
        }
        let gives_classes =
            |last: &Arc<dyn Written>| matches!(last.output(), Shape::Features(_)) && last.part() != Part::Normalization;
        match (arch.layers.last(), tokens.last()) {
            (Some(last), Some((token, _))) if !gives_classes(last) => Err(ArchError {
                text: text.to_string(),
                problem: format!("it ends in `{token}`; the last layer gives a value a class, such as 10 or GAP"),
                column: column_of_last,
                width: token.chars().count().max(1),
            }),
            _ => Ok(arch),
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.input())?;
        self.layers.iter().try_for_each(|layer| write!(f, "-{}", layer.token()))
    }
}

impl serde::Serialize for Arch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Arch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Arch, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<String> {
        text.parse::<Arch>().unwrap().shapes().iter().map(Shape::to_string).collect()
    }

    #[test]
    fn notation_round_trips() {
        for text in [
            "784-10",
            "784-3000-2500-2000-1500-1000-500-10",
            "1-1",
            "1x28x28-32C5-MP2-64C5-MP2-512-10",
            "3x32x32-32C3s2p1-BN-AP3s2p1-64C1-GAP-512-BN-10",
            "1x5x7-10C5-GAP",
            "1x9x9-4C3-LN-MP2-20-LN-7-BN-3",
        ] {
            assert_eq!(text.parse::<Arch>().unwrap().to_string(), text);
        }
        assert_eq!("1x8x8-4C3s1p0-MP2s2-3".parse::<Arch>().unwrap().to_string(), "1x8x8-4C3-MP2-3");
    }

    /// By hand: floor((length + 2 padding - size) / stride) + 1.
    #[test]
    fn shapes_follow_from_windows() {
        assert_eq!(shapes("784-500-10"), ["784", "500", "10"]);
        let lenet = ["1x28x28", "6x28x28", "6x14x14", "16x10x10", "16x5x5", "120", "84", "10"];
        assert_eq!(shapes("1x28x28-6C5p2-AP2-16C5-AP2-120-84-10"), lenet);
        assert_eq!(shapes("3x5x8-4C3s2-BN-GAP-2"), ["3x5x8", "4x2x3", "4x2x3", "4", "2"]);
        assert_eq!(shapes("2x7x7-MP3s2p1-1C4-1"), ["2x7x7", "2x4x4", "1x1x1", "1"]);
        let arch: Arch = "3x5x8-4C3s2-BN-GAP-2".parse().unwrap();
        assert_eq!((arch.inputs(), arch.outputs(), arch.hidden_layers()), (120, 2, 1));
        assert_eq!(arch.parameters(), (27 + 1) * 4 + 8 + 5 * 2);
    }

    #[test]
    fn errors_point_at_the_token() {
        for (text, column, width, says) in [
            ("784-5o0-10", 4, 3, "`5o0` is no layer"),
            ("784-0-10", 4, 1, "is 0"),
            ("784--10", 4, 1, "missing"),
            ("784-10-", 7, 1, "missing"),
            ("784-+5-10", 4, 2, "`+5` is no layer"),
            ("784", 0, 3, "at least inputs and outputs"),
            ("", 0, 1, "missing"),
            ("784-99999999999-10", 4, 11, "too large"),
            ("784-100000-100000-10", 11, 6, "parameters"),
            ("784-é-10", 4, 1, "no layer"),
            ("28x28-10", 0, 5, "1x28x28"),
            ("1x28x0-10", 0, 6, "is 0"),
            ("99999x99999x99999-10", 0, 17, "too large"),
            ("784-32C5-10", 4, 4, "takes maps, such as 1x28x28, but gets 784 features"),
            ("1x28x28-500-MP2-10", 12, 3, "takes maps"),
            ("1x4x6-8C5-10", 6, 3, "window of 5x5, but gets 1x4x6"),
            ("1x4x6-8C7p1-10", 6, 5, "gets 1x4x6, padded by 1, which is smaller"),
            ("1x8x8-8C-10", 6, 2, "`8C` is no layer"),
            ("1x8x8-0C3-10", 6, 3, "is 0"),
            ("1x8x8-8C3s0-10", 6, 5, "is 0"),
            ("1x8x8-8C3x1-10", 6, 5, "no layer"),
            ("1x8x8-MP2p2-10", 6, 5, "padding of 2"),
            ("1x8x8-AP65536p32768-10", 6, 13, "at most 32768"),
            ("1x28x28-4C29p1073741824-10", 8, 15, "more than 1073741824 values"),
            ("1x8x8-BN-10", 6, 2, "must follow"),
            ("1x8x8-8C3-MP2-BN-10", 14, 2, "must follow"),
            ("1x8x8-8C3", 6, 3, "ends in `8C3`"),
            ("1x8x8-10-BN", 9, 2, "ends in `BN`"),
            ("784-LN-10", 4, 2, "LN normalizes"),
            ("784-20-BN-LN-10", 10, 2, "must follow"),
            ("784-20-10-LN", 10, 2, "ends in `LN`"),
            ("10x8x8-GAP", 0, 10, "nothing to learn"),
        ] {
            let error = text.parse::<Arch>().unwrap_err();
            assert_eq!((error.column, error.width), (column, width), "{text}: {error}");
            assert!(error.problem.contains(says), "{text}: {error}");
        }
    }
}
