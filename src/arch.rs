//! The notation of architectures: `784-500-10` is 784 inputs, a hidden layer of 500 units and 10 outputs.
//!
//! It is the literature's (Ciresan et al., "Deep, big, simple neural nets for handwritten digit recognition", 2010).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Parameters that a network may have: their bytes must be countable by the 32-bit indices of the shaders.
const MAX_PARAMETERS: u64 = 1 << 30;

/// Sizes of a network's layers, inputs first and outputs last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arch {
    sizes: Vec<usize>,
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
    /// Sizes of the layers, inputs first: at least two, none zero.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Features of an example.
    pub fn inputs(&self) -> usize {
        self.sizes[0]
    }

    /// Number of classes.
    pub fn outputs(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }
}

impl FromStr for Arch {
    type Err = ArchError;

    fn from_str(text: &str) -> Result<Arch, ArchError> {
        let mut sizes: Vec<usize> = Vec::new();
        let mut parameters = 0u64;
        let mut column = 0;
        for (index, token) in text.split('-').enumerate() {
            let width = token.chars().count();
            let error = |problem: String| ArchError { text: text.to_string(), problem, column, width: width.max(1) };
            let digits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
            let size = match token.parse::<u32>() {
                Ok(size) if digits && size > 0 => size as usize,
                Ok(0) => {
                    return Err(error(format!("number {} is 0, but a layer needs at least one unit", index + 1)));
                }
                _ if digits => {
                    return Err(error(format!("number {}, `{token}`, is too large", index + 1)));
                }
                _ if token.is_empty() => {
                    return Err(error(format!("number {} is missing; write sizes between single dashes", index + 1)));
                }
                _ => {
                    let example = "write layer sizes like 784-500-10";
                    return Err(error(format!("`{token}` is not a number of units; {example}")));
                }
            };
            if let Some(&inputs) = sizes.last() {
                parameters += (inputs as u64 + 1) * size as u64;
                if parameters > MAX_PARAMETERS {
                    return Err(error(format!("more than {MAX_PARAMETERS} parameters up to here")));
                }
            }
            sizes.push(size);
            column += width + 1;
        }
        if sizes.len() < 2 {
            let problem = "it needs at least inputs and outputs, like 784-10".to_string();
            return Err(ArchError { text: text.to_string(), problem, column: 0, width: text.chars().count().max(1) });
        }
        Ok(Arch { sizes })
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        f.write_str(&sizes.join("-"))
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

    #[test]
    fn notation_round_trips() {
        for text in ["784-10", "784-3000-2500-2000-1500-1000-500-10", "1-1"] {
            assert_eq!(text.parse::<Arch>().unwrap().to_string(), text);
        }
        assert_eq!("784-500-10".parse::<Arch>().unwrap().sizes(), [784, 500, 10]);
    }

    #[test]
    fn errors_point_at_the_token() {
        for (text, column, width, says) in [
            ("784-5o0-10", 4, 3, "`5o0` is not a number"),
            ("784-0-10", 4, 1, "is 0"),
            ("784--10", 4, 1, "missing"),
            ("784-10-", 7, 1, "missing"),
            ("784-+5-10", 4, 2, "`+5` is not a number"),
            ("784", 0, 3, "at least inputs and outputs"),
            ("", 0, 1, "missing"),
            ("784-99999999999-10", 4, 11, "too large"),
            ("784-100000-100000-10", 11, 6, "parameters"),
            ("784-é-10", 4, 1, "not a number"),
        ] {
            let error = text.parse::<Arch>().unwrap_err();
            assert_eq!((error.column, error.width), (column, width), "{text}: {error}");
            assert!(error.problem.contains(says), "{text}: {error}");
        }
    }
}
