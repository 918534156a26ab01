//! Settings with values that make no sense, named by their paths in a recipe.

use thiserror::Error;

/// A setting that makes no sense.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SettingError {
    /// A value out of its range.
    #[error("`{key}` is {value}; {must}")]
    Setting {
        /// The setting's path in a recipe, such as `optimizer.beta1`.
        key: &'static str,
        /// The value.
        value: String,
        /// What it must be, as a clause.
        must: String,
    },
    /// Settings that exclude each other.
    #[error("`{}` and `{}` contradict each other: {why}", .keys[0], .keys[1])]
    Contradiction {
        /// Their paths in a recipe.
        keys: [&'static str; 2],
        /// Why they exclude each other, as a clause.
        why: String,
    },
    /// A size that exceeds the 32-bit integers of shaders.
    #[error("{count} is too many to count in 32 bits, as shaders do: {what}")]
    TooLarge {
        /// What is counted, and what to change.
        what: &'static str,
        /// The count.
        count: u128,
    },
}

impl SettingError {
    /// Fails unless `ok`. The error says that the setting at `key` is `value`, and what it must be.
    pub fn unless(ok: bool, key: &'static str, value: impl ToString, must: impl ToString) -> Result<(), SettingError> {
        if ok { Ok(()) } else { Err(SettingError::Setting { key, value: value.to_string(), must: must.to_string() }) }
    }
}

/// Whether `value` is a positive number for kernels, which compute in f32: large f64 become infinite there, small ones
/// 0.
pub(crate) fn is_positive(value: f64) -> bool {
    value > 0.0 && (value as f32).is_normal()
}
