//! Settings that make no sense, told by the names that users know them by.

use thiserror::Error;

/// A setting that makes no sense.
#[derive(Debug, Error, PartialEq)]
pub enum ConfigError {
    /// A value that is out of its range.
    #[error("{} is {value}; {must}", shown(.key))]
    Setting {
        /// The setting's path in a recipe, such as `optimizer.beta1`.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What it must be, as a clause.
        must: String,
    },
    /// Settings that exclude each other.
    #[error("{} and {} contradict each other: {why}", shown(.keys[0]), shown(.keys[1]))]
    Contradiction {
        /// Their paths in a recipe.
        keys: [&'static str; 2],
        /// Why they cannot both be, as a clause.
        why: String,
    },
    /// A size that shaders cannot count.
    #[error("{count} is too many to count in 32 bits, as shaders do: {what}")]
    TooLarge {
        /// What is counted, and what to change.
        what: &'static str,
        /// The count.
        count: u128,
    },
}

impl ConfigError {
    /// An error unless `ok`: the setting at `key` is `value`, but it must be otherwise.
    pub fn unless(ok: bool, key: &'static str, value: impl ToString, must: impl ToString) -> Result<(), ConfigError> {
        if ok { Ok(()) } else { Err(ConfigError::Setting { key, value: value.to_string(), must: must.to_string() }) }
    }
}

/// Options of the command line by the path of the setting that they set, where it is not the setting's own name.
const FLAGS: [(&str, &str); 14] = [
    ("optimizer.learning_rate", "--lr"),
    ("schedule.warmup", "--warmup"),
    ("loss.label_smoothing", "--label-smoothing"),
    ("class_weights", "--class-weights"),
    ("regularization.l1", "--l1"),
    ("regularization.l2", "--l2"),
    ("regularization.weight_decay", "--weight-decay"),
    ("regularization.max_norm", "--max-norm"),
    ("clipping.norm", "--clip-norm"),
    ("clipping.value", "--clip-value"),
    ("early_stopping", "--early-stopping"),
    ("optimizer", "--optimizer"),
    ("schedule", "--schedule"),
    ("loss", "--loss"),
];

/// The section of a recipe, and the key in it, of what a user calls `word`: by the option's name or by the key's own.
pub(super) fn place_of(word: &str) -> Option<(&'static str, &'static str)> {
    let option = format!("--{}", word.replace('_', "-"));
    FLAGS
        .iter()
        .filter(|(path, flag)| *flag == option || path.ends_with(&format!(".{word}")))
        .find_map(|(path, _)| path.split_once('.'))
}

/// Settings whose option has their own name.
const SAME: [&str; 16] = [
    "arch",
    "from",
    "to",
    "updates",
    "activation",
    "dropout",
    "init",
    "batch",
    "accumulate",
    "epochs",
    "threads",
    "subset",
    "validation",
    "test",
    "pool",
    "normalization",
];

/// A setting as a user knows it: by its option, or by its path in a recipe where it has none.
fn shown(key: &str) -> String {
    if SAME.contains(&key) {
        return format!("--{key}");
    }
    FLAGS.iter().find(|(path, _)| *path == key).map_or(format!("`{key}`"), |(_, flag)| (*flag).to_string())
}

/// Whether kernels, which compute in f32, take `value` for a positive number: large f64 are infinite there, small ones 0.
pub(crate) fn is_positive(value: f64) -> bool {
    value > 0.0 && (value as f32).is_normal()
}
