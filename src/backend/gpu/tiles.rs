//! The tiles of products on an adapter: what it can run, and which were found to be the quickest.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use super::cache;
use crate::kernels::precision::Precision;
use crate::kernels::tile::{BLOCK, Product, TILES, Tile, TileLimits};
use crate::plan::{Launch, Plan};

/// Tiles that were found, by the launches' keys.
#[derive(Debug)]
pub(super) struct Tiles {
    limits: TileLimits,
    /// Whether those that count on units for small matrices compute rightly, once that was tried: in single precision, and in half.
    matrices_work: [OnceLock<bool>; 2],
    found: Mutex<BTreeMap<String, &'static Tile>>,
    file: Option<PathBuf>,
}

/// The file: names of tiles.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    tiles: BTreeMap<String, String>,
}

/// What launches have in common that take the same tile.
pub(super) fn key(plan: &Plan, launch: &Launch) -> String {
    let (name, precision, operations) =
        (launch.kernel.name, plan.precision_of(launch).name(), (launch.kernel.flops)(&launch.params));
    // Sizes alone: where parameters lie and what they are penalized by matters to no tile.
    let shape = (launch.kernel.product)(&launch.params)
        .map(|Product { rows, columns, count }| format!("{count} of {rows}x{columns}, "));
    format!("{name} in {precision}: {}{operations} operations", shape.unwrap_or_default())
}

impl Tiles {
    /// What `file` holds, or nothing where it cannot be read: it is made anew then.
    pub(super) fn new(limits: TileLimits, file: Option<PathBuf>) -> Tiles {
        let bytes = file.as_ref().and_then(|file| std::fs::read(file).ok());
        let kept: Kept = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let known = kept.tiles.into_iter().flat_map(|(key, name)| Some((key, Tile::named(&name)?)));
        let found = Mutex::new(known.collect());
        Tiles { limits, matrices_work: Default::default(), found, file }
    }

    /// Takes tiles of matrices into use only if they pass `test`, which is asked once. Drivers list what not all of them can do.
    pub(super) fn try_matrices(&self, precision: Precision, test: impl Fn(&'static Tile) -> bool) {
        let mut tiles = TILES.into_iter().filter(|tile| tile.uses_matrices() && tile.fits(&self.limits, precision));
        self.matrices_work[usize::from(precision.is_half())].get_or_init(|| tiles.all(test));
    }

    /// What the adapter has for tiles that are known to compute rightly.
    fn trusted(&self, precision: Precision) -> TileLimits {
        let works = self.matrices_work[usize::from(precision.is_half())].get().is_some_and(|works| *works);
        TileLimits { matrix: self.limits.matrix.filter(|_| works), ..self.limits }
    }

    /// The one that should suit a launch best, where it is a product.
    pub(super) fn expected(&self, launch: &Launch, precision: Precision) -> Option<&'static Tile> {
        let product = (launch.kernel.product)(&launch.params)?;
        Some(if launch.kernel.takes_any_tile() { product.tile(&self.trusted(precision), precision) } else { &BLOCK })
    }

    /// Those to choose from: all give the same bits. Where there are units for small matrices, those that use them do.
    pub(super) fn in_use(&self, precision: Precision) -> Vec<&'static Tile> {
        let fitting = || TILES.into_iter().filter(|tile| tile.fits(&self.trusted(precision), precision));
        let on_units = fitting().any(Tile::uses_matrices);
        fitting().filter(|tile| tile.uses_matrices() == on_units).collect()
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
    pub(super) fn of(&self, plan: &Plan, launch: &Launch) -> Option<&'static Tile> {
        let precision = plan.precision_of(launch);
        let expected = self.expected(launch, precision)?;
        let in_use = self.in_use(precision);
        let known = self.known(&key(plan, launch)).filter(|tile| in_use.iter().any(|other| other.name == tile.name));
        Some(known.unwrap_or(expected))
    }
}
