//! Recipes: configurations as TOML, whose mistakes are reported by line.

use std::fmt;

use toml::{Table, Value};

use super::layers::{self, Mistake};
use super::sections::place_of;
use super::{Config, SettingError};
use crate::settings::{self, NAME, SpecError, value_text};

/// A recipe that does not parse, or has a setting that makes no sense.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipeError {
    /// Line of the mistake, from 1, if it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl std::error::Error for RecipeError {}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl Config {
    /// Reads and validates a recipe. Missing settings have their defaults.
    ///
    /// # Errors
    /// The first mistake, with its line.
    pub fn from_recipe(text: &str) -> Result<Config, RecipeError> {
        let mut table: Table = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
        layers::expand(&mut table).map_err(|Mistake { section, word, problem }| {
            let line = section.and_then(|section| line_of_layer(text, section, word.as_deref()));
            RecipeError { line, problem }
        })?;
        let config: Config = settings::from_table(&table).map_err(|error| setting_error(text, &table, error))?;
        config.validate().map_err(|error| {
            let key = match &error {
                SettingError::Setting { key, .. } | SettingError::Contradiction { keys: [key, _], .. } => *key,
                SettingError::TooLarge { .. } => "",
            };
            RecipeError { line: line_of(text, key), problem: error.to_string() }
        })?;
        Ok(config)
    }

    /// The settings that are not the defaults: their paths, and their values in the notation of the command line. A kind with
    /// settings of its own, such as a loss, is one value.
    pub fn unusual(&self) -> Vec<(String, String)> {
        let defaults = Config::default().to_table();
        let mut unusual = Vec::new();
        for (key, value) in self.to_table() {
            match (&value, defaults.get(&key)) {
                (value, Some(default)) if default == value => {}
                (Value::Table(section), Some(default)) if !section.contains_key(NAME) => {
                    let differing = section.iter().filter(|(inner, value)| default.get(inner) != Some(value));
                    unusual.extend(differing.map(|(inner, value)| (format!("{key}.{inner}"), value_text(value))));
                }
                (value, _) => unusual.push((key, value_text(value))),
            }
        }
        unusual
    }

    pub(super) fn to_table(&self) -> Table {
        Table::try_from(self).expect("a configuration holds only what TOML can say")
    }

    /// The complete recipe.
    pub fn to_recipe(&self) -> String {
        toml::to_string(self).expect("a configuration holds only what TOML can say")
    }
}

/// A mistake in the syntax of TOML.
fn toml_error(text: &str, error: &toml::de::Error) -> RecipeError {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    RecipeError { line, problem: error.message().to_string() }
}

/// An unknown setting, or a value of another type.
fn setting_error(text: &str, table: &Table, error: SpecError) -> RecipeError {
    // The setting at fault is the one without which the error is another.
    let paths = table.iter().flat_map(|(key, value)| {
        let inner = value.as_table().into_iter().flat_map(|inner| inner.keys());
        inner.map(move |inner| (key, Some(inner))).chain([(key, None)])
    });
    let without = |(key, inner): (&String, Option<&String>)| {
        let mut table = table.clone();
        match (inner, table.get_mut(key).and_then(Value::as_table_mut)) {
            (Some(inner), Some(section)) => section.remove(inner),
            _ => table.remove(key),
        };
        settings::from_table::<Config>(&table).err()
    };
    let named = |(key, inner): &(&String, Option<&String>)| match &error {
        SpecError::Key { key: wrong, .. } => inner.unwrap_or(key) == wrong,
        _ => inner.map(String::as_str) != Some("name"),
    };
    let cause = paths.filter(named).find(|&path| without(path).as_ref() != Some(&error));
    let path = cause.map(|(key, inner)| inner.map_or(key.clone(), |inner| format!("{key}.{inner}")));
    let line = path.as_ref().and_then(|path| line_of(text, path));
    let mut problem = error.to_string();
    // The setting may lie in a section.
    if let (SpecError::Key { key, .. }, Some(path)) = (&error, path)
        && *key == path
        && let Some((section, inner)) = place_of(key)
    {
        problem = format!("there is no setting `{key}`; it is `{inner}` in the section [{section}]");
    }
    RecipeError { line, problem }
}

/// The line, from 1, of a section [[layers]] with `word` as a key or a value; else the line on which the section begins.
fn line_of_layer(text: &str, section: usize, word: Option<&str>) -> Option<usize> {
    let lines = || (1..).zip(text.lines().map(str::trim));
    let (header, _) = lines().filter(|(_, line)| line.starts_with("[[layers]]")).nth(section - 1)?;
    let has_word = |line: &str| {
        let (key, value) = line.split_once('=').unwrap_or_default();
        word == Some(key.trim()) || word == Some(value.trim().trim_matches(['"', '\'']))
    };
    let mut inside = lines().skip(header).take_while(|(_, line)| !line.starts_with('['));
    Some(inside.find(|(_, line)| has_word(line)).map_or(header, |(line, _)| line))
}

/// The line, from 1, on which a recipe sets `path`, such as `optimizer.beta1`; else the line of its section.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let mut section = String::new();
    let mut best = None;
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = format!("{}.", name.trim());
            if path == name.trim() || path.starts_with(&section) {
                best = Some(line);
            }
        } else if let Some((key, _)) = content.split_once('=') {
            let key = key.trim().trim_matches('"');
            let full = format!("{section}{key}");
            if full == path {
                return Some(line);
            }
            // An inline table, `optimizer = { .. }`.
            if path.strip_prefix(&full).is_some_and(|rest| rest.starts_with('.')) {
                best = Some(line);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_round_trip_and_defaults_fill_the_rest() {
        let config = Config { threads: Some(3), validation: Some(7), ..Config::default() };
        assert_eq!(Config::from_recipe(&config.to_recipe()).unwrap(), config);
        assert_eq!(Config::from_recipe("").unwrap(), Config::default());
    }

    #[test]
    fn what_is_unusual_is_what_a_recipe_would_have_to_say() {
        assert_eq!(Config::default().unusual(), []);
        let recipe =
            "activation = 'tanh'\ndropout = [0.1, 0.5, 0]\nloss = {name = 'svm'}\nregularization = {l2 = 1e-7}";
        let config = Config::from_recipe(recipe).unwrap();
        let expected = [
            ("activation", "tanh"),
            ("dropout", "[0.1, 0.5, 0.0]"),
            ("loss", "svm:margin=1.0:variant=weston-watkins"),
            ("regularization.l2", "1e-7"),
        ];
        assert_eq!(config.unusual(), expected.map(|(key, value)| (key.to_string(), value.to_string())));
    }

    #[test]
    fn networks_may_be_told_layer_by_layer() {
        let text = "epochs = 3\ninput = '1x28x28'\n[[layers]]\nkind = 'conv'\nmaps = 6\nkernel = 5\npadding = 2\n\
                    activation = 'tanh'\n[[layers]]\nkind = 'batch-norm'\n[[layers]]\nkind = 'max-pool'\nsize = 2\n\
                    [[layers]]\nkind = 'dense'\nunits = 84\ndropout = 0.5\n[[layers]]\nkind = 'dense'\nunits = 10\n";
        let short =
            "epochs = 3\narch = '1x28x28-6C5p2-BN-MP2-84-10'\nactivation = ['tanh', 'relu']\ndropout = [0, 0, 0.5]";
        assert_eq!(Config::from_recipe(text).unwrap(), Config::from_recipe(short).unwrap());
        for (wrong, right, line, says) in [
            ("maps = 6", "map = 6", Some(5), "did you mean `maps`?"),
            ("kind = 'max-pool'", "kind = 'maxpool'", Some(12), "did you mean `max-pool`?"),
            ("size = 2", "size = 0", Some(13), "`layers.size` is 0"),
            ("units = 84", "units = '84'", Some(16), "`units` is \"84\""),
            (
                "'batch-norm'",
                "'batch-norm'\nactivation = 'relu'",
                Some(11),
                "of the dense or convolutional layer before",
            ),
            ("units = 10", "units = 10\nactivation = 'relu'", Some(18), "gives the logits"),
            ("input = '1x28x28'", "arch = '4-3'", None, "`arch` and `layers` say the same"),
            ("input = '1x28x28'", "", None, "the setting `input` is missing"),
            ("input = '1x28x28'", "input = '784'", Some(3), "takes maps"),
            ("input = '1x28x28'", "input = '28x28'", None, "1x28x28"),
            ("maps = 6", "maps = 0", Some(3), "is 0"),
            ("size = 2", "size = 29", Some(11), "window of 29x29"),
            ("dropout = 0.5", "dropout = 1.5", Some(17), "`layers.dropout` is 1.5"),
        ] {
            let error = Config::from_recipe(&text.replace(wrong, right)).unwrap_err();
            assert_eq!(error.line, line, "{right}: {error}");
            assert!(error.problem.contains(says), "{right}: {error}");
        }
        for text in ["input = '784'", "input = '784'\n[layers]\nkind = 'dense'\nunits = 3"] {
            assert!(Config::from_recipe(text).unwrap_err().problem.contains("[[layers]]"), "{text}");
        }
        // The same everywhere is said once, so that other networks can take it.
        let text = text.replace("'tanh'", "'relu'").replace("dropout = 0.5\n", "");
        let config = Config::from_recipe(&text).unwrap();
        assert_eq!(config, Config { epochs: 3, arch: config.arch.clone(), ..Config::default() });
    }

    #[test]
    fn mistakes_are_told_by_line_with_the_nearest_key() {
        for (text, line, says) in [
            ("epochs = 3\nepoch = 4", Some(2), "did you mean `epochs`?"),
            ("epochs = 3\n\n[optimizer]\nname = \"adam\"\nbeta = 0.9", Some(5), "did you mean `beta1`?"),
            ("optimizer = { name = \"adam\", bta1 = 0.9 }", Some(1), "did you mean `beta1`?"),
            ("[optimizer]\nname = \"adm\"", Some(1), "did you mean `adam`?"),
            ("epochs = 3\nlr = 0.1", Some(2), "it is `learning_rate` in the section [optimizer]"),
            ("warmup = 2", Some(1), "it is `warmup` in the section [schedule]"),
            ("label-smoothing = 0.1", Some(1), "it is `label_smoothing` in the section [loss]"),
            ("max_norm = 3", Some(1), "it is `max_norm` in the section [regularization]"),
            ("clip_value = 3", Some(1), "it is `value` in the section [clipping]"),
            ("patience = 3", Some(1), "it is `patience` in the section [early_stopping]"),
            ("[optimizer]\nname = \"adam\"\nlr = 0.1", Some(3), "did you mean `learning_rate`?"),
            ("epochs = \"many\"", Some(1), "whole number"),
            ("[schedule]\nname = \"step\"\n# every\nevery = \"often\"", Some(4), "whole number"),
            ("epochs = 3\nepochs = 4", Some(2), "duplicate"),
            ("epochs = ", Some(1), ""),
            ("batch = 0", Some(1), "`batch` is 0"),
            ("# full\nbatch = \"full\"\naccumulate = 2", Some(2), "`accumulate` contradict"),
            ("[optimizer]\nname = \"adam\"\nlearning_rate = -1", Some(3), "`optimizer.learning_rate` is -1"),
            (
                "epochs = 2\n[schedule]\nname = \"cosine\"\nwarmup = 2",
                Some(4),
                "`schedule.warmup` and `epochs` contradict",
            ),
            ("arch = \"784-20-10\"\ndropout = [0.1]", Some(2), "1 rates for the inputs and 1 hidden layers"),
            ("activation = \"rleu\"", Some(1), ""),
        ] {
            let error = Config::from_recipe(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.problem.contains(says), "{text}: {error}");
        }
    }
}
