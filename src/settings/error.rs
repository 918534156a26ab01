//! Settings that make no sense, named by their paths in a recipe.

use thiserror::Error;

/// A setting that makes no sense.
#[derive(Debug, Error, PartialEq)]
pub enum SettingError {
    /// A value that is out of its range.
    #[error("`{key}` is {value}; {must}")]
    Setting {
        /// The setting's path in a recipe, such as `optimizer.beta1`.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What it must be, as a clause.
        must: String,
    },
    /// Settings that exclude each other.
    #[error("`{}` and `{}` contradict each other: {why}", .keys[0], .keys[1])]
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

impl SettingError {
    /// An error unless `ok`: the setting at `key` is `value`, but it must be otherwise.
    pub fn unless(ok: bool, key: &'static str, value: impl ToString, must: impl ToString) -> Result<(), SettingError> {
        if ok { Ok(()) } else { Err(SettingError::Setting { key, value: value.to_string(), must: must.to_string() }) }
    }
}

/// Whether kernels, which compute in f32, take `value` for a positive number: large f64 are infinite there, small ones 0.
pub(crate) fn is_positive(value: f64) -> bool {
    value > 0.0 && (value as f32).is_normal()
}
