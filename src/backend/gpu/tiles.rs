//! The tiles of products on an adapter: what it can run, and which were found to be the quickest.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::cache;
use crate::kernel::tile::{BLOCK, TILES, Tile, TileLimits};
use crate::plan::Launch;

/// Tiles that were found, by the launches' keys.
#[derive(Debug)]
pub(super) struct Tiles {
    limits: TileLimits,
    found: Mutex<BTreeMap<String, &'static Tile>>,
    file: Option<PathBuf>,
}

/// The file: names of tiles.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    tiles: BTreeMap<String, String>,
}

/// What launches have in common that take the same tile.
pub(super) fn key(launch: &Launch) -> String {
    let fields = launch.kernel.fields.iter().zip(&launch.params);
    let params: Vec<String> = fields.map(|(field, word)| format!("{} {word}", field.name)).collect();
    format!("{}: {}", launch.kernel.name, params.join(", "))
}

impl Tiles {
    /// What `file` holds, or nothing where it cannot be read: it is made anew then.
    pub(super) fn new(limits: TileLimits, file: Option<PathBuf>) -> Tiles {
        let bytes = file.as_ref().and_then(|file| std::fs::read(file).ok());
        let kept: Kept = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let known = kept.tiles.into_iter().flat_map(|(key, name)| Some((key, Tile::named(&name)?)));
        let found = Mutex::new(known.filter(|(_, tile)| tile.fits(&limits)).collect());
        Tiles { limits, found, file }
    }

    /// All that the adapter can run.
    pub(super) fn all(&self) -> Vec<&'static Tile> {
        TILES.into_iter().filter(|tile| tile.fits(&self.limits)).collect()
    }

    /// The one that should suit a launch best, where it is a product.
    pub(super) fn expected(&self, launch: &Launch) -> Option<&'static Tile> {
        let product = (launch.kernel.product)(&launch.params)?;
        Some(if launch.kernel.takes_any_tile() { product.tile(&self.limits) } else { &BLOCK })
    }

    /// The tile that was found for launches of that key.
    pub(super) fn known(&self, key: &str) -> Option<&'static Tile> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// Remembers tiles, and writes them all to the file. It only saves time, so that a disk that does not take it is no error.
    pub(super) fn keep(&self, chosen: &[(String, &'static Tile)]) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(chosen.iter().cloned());
        if let (Some(file), false) = (&self.file, chosen.is_empty()) {
            let tiles = found.iter().map(|(key, tile)| (key.clone(), tile.name.to_string())).collect();
            let _ = serde_json::to_vec_pretty(&Kept { tiles }).map(|bytes| cache::keep(file, &bytes));
        }
    }

    /// The tile that a launch takes, where it is a product.
    pub(super) fn of(&self, launch: &Launch) -> Option<&'static Tile> {
        let expected = self.expected(launch)?;
        Some(self.known(&key(launch)).unwrap_or(expected))
    }
}
