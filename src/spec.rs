//! Settings in a line of text: `step:every=10:factor=0.5` is the table `{ name = "step", every = 10, factor = 0.5 }`.
//!
//! What a recipe says in a table, the command line says like this, under the same names and with the same defaults. Mistakes
//! are answered with the name that was probably meant, for which serde's errors must be kept in parts.

mod setting;

use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Expected, IntoDeserializer, Unexpected};
use thiserror::Error;
use toml::{Table, Value};

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
    /// The same error, where keys of another type would have been known too.
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::early_stopping::EarlyStopping;
    use crate::loss::Loss;
    use crate::metric::Metric;
    use crate::optim::{Adam, Optimizer};
    use crate::schedule::Schedule;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    #[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        OneKind {
            ratio: f64,
            count: Option<usize>,
            deep: Option<bool>,
            word: Option<String>,
            sizes: Option<Vec<usize>>,
        },
        Other {},
    }

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Plain {
        threads: Option<usize>,
        wrapped: Wrapped,
    }

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Wrapped(f64);

    #[test]
    fn text_means_the_table() {
        let read = parse::<Tagged>("one-kind:ratio=.5:count=3:deep=true:word=val-loss:sizes=[1, 2]").unwrap();
        let (count, deep, word, sizes) = (Some(3), Some(true), Some("val-loss".to_string()), Some(vec![1, 2]));
        assert_eq!(read, Tagged::OneKind { ratio: 0.5, count, deep, word, sizes });
        assert_eq!(parse("other"), Ok(Tagged::Other {}));
        let adam = Optimizer::Adam(Adam { learning_rate: 2.0, epsilon: 1e-5, ..Adam::default() });
        assert_eq!(parse("adam:learning_rate=2:epsilon=1e-5"), Ok(adam));
        let stopping = EarlyStopping { metric: Metric::ValAccuracy, patience: 4, min_delta: 0.0 };
        assert_eq!(parse("metric=val-accuracy:patience=4"), Ok(stopping));
        assert_eq!(parse("threads=3:wrapped=1"), Ok(Plain { threads: Some(3), wrapped: Wrapped(1.0) }));
    }

    #[test]
    fn tables_are_told_as_they_are_read() {
        let (count, word) = (None, Some("val-loss".to_string()));
        let settings = Tagged::OneKind { ratio: 0.5, count, deep: Some(true), word, sizes: Some(vec![1, 2]) };
        assert_eq!(text(&settings), "one-kind:deep=true:ratio=0.5:sizes=[1, 2]:word=val-loss");
        assert_eq!(text(&Tagged::Other {}), "other");
        for optimizer in Optimizer::all() {
            assert_eq!(parse(&text(&optimizer)), Ok(optimizer));
        }
        for loss in Loss::ALL {
            assert_eq!(parse(&text(&loss)), Ok(loss));
        }
        for name in Schedule::NAMES {
            let schedule = Schedule::named(name).unwrap();
            assert_eq!(parse(&text(&schedule)), Ok(schedule));
        }
        assert_eq!(text(&EarlyStopping::default()), "metric=val-loss:min_delta=0.0:patience=5");
    }

    #[test]
    fn mistakes_are_answered_with_sentences() {
        let says = |text: &str| parse::<Tagged>(text).unwrap_err().to_string();
        assert_eq!(says("one-kin"), "there is no `one-kin`; did you mean `one-kind`?");
        assert_eq!(says("cosine"), "there is no `cosine`; choose from one-kind, other");
        assert_eq!(says("one-kind:r=2"), "there is no setting `r`; did you mean `ratio`?");
        assert_eq!(says("one-kind:ratoi=2"), "there is no setting `ratoi`; did you mean `ratio`?");
        assert_eq!(says("one-kind:x=2"), "there is no setting `x`; choose from ratio, count, deep, word, sizes");
        assert_eq!(says("other:x=2"), "there is no setting `x`; there is nothing to set");
        assert_eq!(says("one-kind:deep=true"), "the setting `ratio` is missing");
        assert_eq!(says("one-kind:ratio=0.5:count=2.5"), "`count` is 2.5; it must be a whole number, 0 or more");
        assert_eq!(says("one-kind:count=-1:ratio=0.5"), "`count` is -1; it must be a whole number, 0 or more");
        assert_eq!(says("one-kind:ratio=half"), "`ratio` is \"half\"; it must be a number");
        assert_eq!(says("one-kind:ratio=1:deep=1"), "`deep` is 1; it must be true or false");
        assert_eq!(says("one-kind:ratio=1:ratio=2"), "`ratio` is set twice");
        assert_eq!(says("one-kind:name=other"), "`name` is set twice");
        assert_eq!(
            says("one-kind:ratio"),
            "`ratio` sets nothing: write settings as key=value, with colons between them"
        );
        assert_eq!(says("ratio=1"), "the setting `name` is missing");
        assert_eq!(says(""), "there is no ``; choose from one-kind, other");

        let says = |text: &str| parse::<EarlyStopping>(text).unwrap_err().to_string();
        assert_eq!(says("patiense=4"), "there is no setting `patiense`; did you mean `patience`?");
        assert_eq!(says("patience=4:min_delta=x"), "`min_delta` is \"x\"; it must be a number");
        assert_eq!(says("metric=val-los"), "there is no `val-los`; did you mean `val-loss`?");
        assert_eq!(says("metric=3"), "`metric` is 3; it must be a word");
    }
}
