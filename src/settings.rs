//! Settings written on one line: `step:every=10:factor=0.5` is the table `{ name = "step", every = 10, factor = 0.5 }`.
//!
//! The command line uses this form where a recipe uses a table, with the same names and defaults. Error messages
//! suggest the name that was probably meant. Serde's own errors are plain text, so [`SpecError`] keeps their parts.

mod error;
mod setting;

use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Expected, IntoDeserializer, Unexpected};
use thiserror::Error;
use toml::{Table, Value};

pub use self::error::SettingError;
pub(crate) use self::error::is_positive;
use self::setting::Setting;

/// The key that selects one of several kinds.
pub(crate) const NAME: &str = "name";

/// Settings that do not parse.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SpecError {
    /// An unknown kind or an unknown word for a value.
    #[error("there is no `{word}`{}", hint(.word, .known))]
    Word {
        /// The word as written.
        word: String,
        /// The known words.
        known: Vec<&'static str>,
    },
    /// An unknown key.
    #[error("there is no setting `{key}`{}", hint(.key, .known))]
    Key {
        /// The key as written.
        key: String,
        /// The known keys.
        known: Vec<&'static str>,
    },
    /// A value of the wrong type.
    #[error("`{key}` is {value}; it must be {must}")]
    Value {
        /// The value's key.
        key: String,
        /// The value as written.
        value: String,
        /// The accepted type or range, as a phrase.
        must: String,
    },
    /// A required key that is missing.
    #[error("the setting `{0}` is missing")]
    Missing(&'static str),
    /// A key that occurs twice.
    #[error("`{0}` is set twice")]
    Twice(String),
    /// A piece of the text without `=`.
    #[error("`{0}` sets nothing: write settings as key=value, with colons between them")]
    NoSetting(String),
    /// A message from the type's own checks.
    #[error("{0}")]
    Other(String),
}

/// Parses `name:key=value:key=value`. Values are TOML's, but words need no quotes. A type without kinds takes only
/// keys.
///
/// # Errors
/// Names, keys or values that `T` does not accept.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, SpecError> {
    let mut table = Table::new();
    for (index, part) in text.split(':').enumerate() {
        let (key, value) = match part.split_once('=') {
            Some((key, value)) => (key.trim(), parse_value(value.trim())),
            None if index == 0 => (NAME, Value::String(part.trim().to_string())),
            None => return Err(SpecError::NoSetting(part.to_string())),
        };
        if table.insert(key.to_string(), value).is_some() {
            return Err(SpecError::Twice(key.to_string()));
        }
    }
    from_table(&table).map_err(|error| match error {
        // A type without kinds accepts no word before its settings.
        SpecError::Key { key, .. } if key == NAME => {
            SpecError::NoSetting(text.split(':').next().unwrap_or(text).to_string())
        }
        error => error,
    })
}

/// The text that [`parse`] reads back: `name:key=value:key=value`, without unset settings.
pub fn text<T: Serialize>(settings: &T) -> String {
    value_text(&Value::Table(Table::try_from(settings).unwrap_or_default()))
}

/// Tables as in [`text`], other values as in a recipe, words without quotes.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Table(table) => {
            let name = table.get(NAME).map(value_text);
            let settings = table.iter().filter(|(key, _)| *key != NAME);
            let settings = settings.map(|(key, value)| format!("{key}={}", value_text(value)));
            name.into_iter().chain(settings).collect::<Vec<_>>().join(":")
        }
        // Debug format: very small and very large numbers get an exponent instead of many zeros.
        Value::Float(number) => format!("{number:?}"),
        value => value.to_string(),
    }
}

/// Parses a word that stands for a value, such as `relu`.
///
/// # Errors
/// Words that `T` does not know.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, SpecError> {
    T::deserialize(text.into_deserializer())
}

fn parse_value(text: &str) -> Value {
    let number = || text.parse().map(Value::Float).ok(); // TOML accepts neither `.5` nor `5.`
    text.parse().ok().or_else(number).unwrap_or_else(|| Value::String(text.to_string()))
}

/// Reads settings from a table.
///
/// # Errors
/// Names, keys or values that `T` does not accept.
pub fn from_table<T: DeserializeOwned>(table: &Table) -> Result<T, SpecError> {
    let read = |without: &str| {
        let entries = table.iter().filter(|(key, _)| *key != without);
        T::deserialize(MapDeserializer::new(entries.map(|(key, value)| (key.as_str(), Setting(value)))))
    };
    read("").map_err(|mut error| {
        // Serde no longer knows the key when a value has the wrong type. The wrong key is the one whose removal changes
        // the error.
        let is_cause =
            |key: &&String| ![NAME, "kind"].contains(&key.as_str()) && read(key).err().as_ref() != Some(&error);
        let cause = table.keys().find(is_cause).map_or(NAME, String::as_str);
        if let SpecError::Value { key, value, .. } = &mut error {
            *key = cause.to_string();
            *value = table.get(cause).map_or_else(String::new, Value::to_string);
        }
        error
    })
}

impl SpecError {
    /// The same error with one more known key.
    pub(crate) fn or_key(mut self, key: &'static str) -> SpecError {
        if let SpecError::Key { known, .. } = &mut self {
            known.push(key);
        }
        self
    }
}

/// Suggests a known word: one with at most a third of its letters wrong, or one with these initials. Otherwise it lists
/// all known words.
fn hint(word: &str, known: &[&str]) -> String {
    let initials = |known: &str| known.split(['_', '-']).filter_map(|part| part.chars().next()).collect::<String>();
    let by_initials: Vec<&&str> = known.iter().filter(|known| initials(known) == word).collect();
    if let [only] = by_initials[..] {
        return format!("; did you mean `{only}`?");
    }
    let mistakes = |known: &&&str| strsim::osa_distance(word, known);
    match known.iter().min_by_key(mistakes) {
        Some(nearest) if 3 * mistakes(&nearest) <= nearest.len() => format!("; did you mean `{nearest}`?"),
        Some(_) => format!("; choose from {}", known.join(", ")),
        None => "; there is nothing to set".to_string(),
    }
}

impl de::Error for SpecError {
    fn custom<T: std::fmt::Display>(message: T) -> SpecError {
        SpecError::Other(message.to_string())
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> SpecError {
        SpecError::Word { word: word.to_string(), known: known.to_vec() }
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> SpecError {
        SpecError::Key { key: key.to_string(), known: known.to_vec() }
    }

    fn missing_field(key: &'static str) -> SpecError {
        SpecError::Missing(key)
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> SpecError {
        let must = match wanted.to_string().as_str() {
            "f32" | "f64" => "a number".to_string(),
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_string(),
            "a boolean" => "true or false".to_string(),
            // An enum or struct of the program is a table for the user.
            other if other == "a map" || other.contains("enum ") || other.starts_with("struct ") => {
                "a table of settings, such as { name = \"..\" } or a section of its own".to_string()
            }
            other => other.to_string(),
        };
        SpecError::Value { key: String::new(), value: found.to_string(), must }
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> SpecError {
        SpecError::invalid_type(found, wanted)
    }
}
