//! The sections of a recipe, for a key that a user wrote outside of its section.

use toml::{Table, Value};

use super::Config;
use crate::settings::{self, NAME, SpecError};

/// The section, and the key in it, that a user probably means by a key outside of any section. The user may have written its name,
/// its initials (`lr`), or the beginning of the section before it (`clip_norm`).
pub(super) fn place_of(word: &str) -> Option<(String, String)> {
    let word = word.replace('-', "_");
    let initials = |key: &str| key.split('_').filter_map(|part| part.chars().next()).collect::<String>();
    let is_meant = |section: &str, key: &str| {
        let with_section = word.split_once('_').is_some_and(|(first, rest)| section.starts_with(first) && rest == key);
        word == key || (key.contains('_') && word == initials(key)) || with_section
    };
    sections().into_iter().find_map(|(section, keys)| {
        let key = keys.into_iter().find(|key| is_meant(&section, key))?;
        Some((section, key))
    })
}

/// The sections of a recipe with their keys. A section that is one of several kinds has the keys of the default kind.
fn sections() -> Vec<(String, Vec<String>)> {
    let defaults = Config::default().to_table();
    // The error for an unknown key lists the known ones.
    let known = |mut table: Table, section: Option<&str>| {
        let keys = match section {
            None => Some(&mut table),
            Some(section) => table.entry(section).or_insert_with(|| Table::new().into()).as_table_mut(),
        };
        keys?.insert("?".to_string(), Value::Boolean(true));
        match settings::from_table::<Config>(&table) {
            Err(SpecError::Key { known, .. }) => Some(known.into_iter().map(String::from).collect::<Vec<_>>()),
            _ => None,
        }
    };
    let section = |key: String| {
        // A schedule reads its table itself, and its error has no list.
        let present = || Some(defaults.get(&key)?.as_table()?.keys().filter(|inner| *inner != NAME).cloned().collect());
        let keys = known(defaults.clone(), Some(&key)).or_else(present)?;
        Some((key, keys))
    };
    known(Table::new(), None).unwrap_or_default().into_iter().filter_map(section).collect()
}
