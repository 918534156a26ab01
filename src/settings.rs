//! Settings in a line of text: `step:every=10:factor=0.5` is the table `{ name = "step", every = 10, factor = 0.5 }`.
//!
//! What a recipe says in a table, the command line says like this, under the same names and with the same defaults. Mistakes
//! are answered with the name that was probably meant, for which serde's errors must be kept in parts.

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

/// The key that says which of several kinds is meant.
const NAME: &str = "name";

/// Settings that do not parse.
#[derive(Debug, Error, PartialEq)]
pub enum SpecError {
    /// A kind, or a word that stands for a value, that is not known.
    #[error("there is no `{word}`{}", hint(.word, .known))]
    Word {
        /// What was written.
        word: String,
        /// What could have been.
        known: Vec<&'static str>,
    },
    /// A key that is not known.
    #[error("there is no setting `{key}`{}", hint(.key, .known))]
    Key {
        /// What was written.
        key: String,
        /// What could have been.
        known: Vec<&'static str>,
    },
    /// A value of another type.
    #[error("`{key}` is {value}; it must be {must}")]
    Value {
        /// Its key.
        key: String,
        /// What was written.
        value: String,
        /// What the value must be.
        must: String,
    },
    /// A key that must be there.
    #[error("the setting `{0}` is missing")]
    Missing(&'static str),
    /// A key that is there twice.
    #[error("`{0}` is set twice")]
    Twice(String),
    /// A part of the text that is no setting.
    #[error("`{0}` sets nothing: write settings as key=value, with colons between them")]
    NoSetting(String),
    /// What a type says of itself.
    #[error("{0}")]
    Other(String),
}

/// Reads `name:key=value:key=value`. Values are TOML's, but words need no quotes; without a name, a key may come first.
///
/// # Errors
/// A name, key or value that `T` does not take.
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
        // What has no kinds takes no word before its settings.
        SpecError::Key { key, .. } if key == NAME => {
            SpecError::NoSetting(text.split(':').next().unwrap_or(text).to_string())
        }
        error => error,
    })
}

/// The text that [`parse`] reads back: `name:key=value:key=value`. What is unset is left out.
pub fn text<T: Serialize>(settings: &T) -> String {
    value_text(&Value::Table(Table::try_from(settings).unwrap_or_default()))
}

/// A table as [`text`] has it, and other values as a recipe has them, but words without their quotes.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Table(table) => {
            let name = table.get(NAME).map(value_text);
            let settings = table.iter().filter(|(key, _)| *key != NAME);
            let settings = settings.map(|(key, value)| format!("{key}={}", value_text(value)));
            name.into_iter().chain(settings).collect::<Vec<_>>().join(":")
        }
        // Without the zeros of very small and very large numbers.
        Value::Float(number) => format!("{number:?}"),
        value => value.to_string(),
    }
}

/// Reads a word that stands for a value, such as `relu`.
///
/// # Errors
/// A word that `T` does not know.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, SpecError> {
    T::deserialize(text.into_deserializer())
}

fn parse_value(text: &str) -> Value {
    let number = || text.parse().map(Value::Float).ok(); // TOML knows neither `.5` nor `5.`
    text.parse().ok().or_else(number).unwrap_or_else(|| Value::String(text.to_string()))
}

/// Reads a table.
///
/// # Errors
/// A name, key or value that `T` does not take.
pub fn from_table<T: DeserializeOwned>(table: &Table) -> Result<T, SpecError> {
    let read = |without: &str| {
        let entries = table.iter().filter(|(key, _)| *key != without);
        T::deserialize(MapDeserializer::new(entries.map(|(key, value)| (key.as_str(), Setting(value)))))
    };
    read("").map_err(|mut error| {
        // Values are told their types when their keys are forgotten; the key is the one without which the error is another.
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
    /// The same error, where a key of another type would have been known too.
    pub(crate) fn or_key(mut self, key: &'static str) -> SpecError {
        if let SpecError::Key { known, .. } = &mut self {
            known.push(key);
        }
        self
    }
}

/// The known word that was probably meant, one letter in three mistaken at most or only its initials written, or all of them.
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
            // A type of the program's is a table of the user's.
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
