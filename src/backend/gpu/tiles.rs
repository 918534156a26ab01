//! The tiles of matrix products on an adapter: those that it can run, and the fastest ones found by timing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use super::cache;
use crate::kernels::precision::Precision;
use crate::kernels::tile::{BLOCK, Product, TILES, Tile, TileLimits};
use crate::plan::{Launch, Plan};

/// An adapter's tiles, with the fastest ones by the key of a launch.
#[derive(Debug)]
pub(super) struct Tiles {
    limits: TileLimits,
    /// Whether tiles that use matrix units passed their self-test, once it has run: in single precision, and in half
    /// precision.
    matrices_work: [OnceLock<bool>; 2],
    found: Mutex<BTreeMap<String, &'static Tile>>,
    file: Option<PathBuf>,
}

/// The cache file: tile names by key.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    tiles: BTreeMap<String, String>,
}

/// The properties of a launch that decide its fastest tile.
pub(super) fn key(plan: &Plan, launch: &Launch) -> String {
    let (name, precision, operations) =
        (launch.kernel.name, plan.precision_of(launch).name(), (launch.kernel.flops)(&launch.params));
    // Only sizes: offsets of parameters and penalties do not affect the choice.
    let shape = (launch.kernel.product)(&launch.params)
        .map(|Product { rows, columns, count }| format!("{count} of {rows}x{columns}, "));
    format!("{name} in {precision}: {}{operations} operations", shape.unwrap_or_default())
}

impl Tiles {
    /// The tiles in `file`. They start empty if it cannot be read, and the file is written anew.
    pub(super) fn new(limits: TileLimits, file: Option<PathBuf>) -> Tiles {
        let bytes = file.as_ref().and_then(|file| std::fs::read(file).ok());
        let kept: Kept = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let known = kept.tiles.into_iter().flat_map(|(key, name)| Some((key, Tile::named(&name)?)));
        let found = Mutex::new(known.collect());
        Tiles { limits, matrices_work: Default::default(), found, file }
    }

    /// Allows tiles that use matrix units if all of them pass `test`, which runs only once. Some drivers list shapes
    /// that they cannot compute.
    pub(super) fn self_test_matrices(&self, precision: Precision, test: impl Fn(&'static Tile) -> bool) {
        let mut tiles = TILES.into_iter().filter(|tile| tile.uses_matrices() && tile.fits(&self.limits, precision));
        self.matrices_work[usize::from(precision.is_half())].get_or_init(|| tiles.all(test));
    }

    /// The adapter's limits, without matrix units that have not passed the self-test.
    fn trusted(&self, precision: Precision) -> TileLimits {
        let works = self.matrices_work[usize::from(precision.is_half())].get().is_some_and(|works| *works);
        TileLimits { matrix: self.limits.matrix.filter(|_| works), ..self.limits }
    }

    /// The tile with the best expected speed for a launch; `None` if it is no product.
    pub(super) fn expected(&self, launch: &Launch, precision: Precision) -> Option<&'static Tile> {
        let product = (launch.kernel.product)(&launch.params)?;
        Some(if launch.kernel.takes_any_tile() { product.tile(&self.trusted(precision), precision) } else { &BLOCK })
    }

    /// The tiles to choose from; all give the same bits. They are the tiles on matrix units if there are any, else all
    /// others.
    pub(super) fn in_use(&self, precision: Precision) -> Vec<&'static Tile> {
        let fitting = || TILES.into_iter().filter(|tile| tile.fits(&self.trusted(precision), precision));
        let on_units = fitting().any(Tile::uses_matrices);
        fitting().filter(|tile| tile.uses_matrices() == on_units).collect()
    }

    /// The tile found for launches with this key.
    pub(super) fn known(&self, key: &str) -> Option<&'static Tile> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// Remembers tiles and writes all known ones to the file. A failed write is no error, as the file only saves time.
    pub(super) fn keep(&self, chosen: &[(String, &'static Tile)]) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(chosen.iter().cloned());
        if let (Some(file), false) = (&self.file, chosen.is_empty()) {
            let tiles = found.iter().map(|(key, tile)| (key.clone(), tile.name.to_string())).collect();
            let _ = serde_json::to_vec_pretty(&Kept { tiles }).map(|bytes| cache::keep(file, &bytes));
        }
    }

    /// The tile of a launch; `None` if it is no product.
    pub(super) fn of(&self, plan: &Plan, launch: &Launch) -> Option<&'static Tile> {
        let precision = plan.precision_of(launch);
        let expected = self.expected(launch, precision)?;
        let in_use = self.in_use(precision);
        let known = self.known(&key(plan, launch)).filter(|tile| in_use.iter().any(|other| other.name == tile.name));
        Some(known.unwrap_or(expected))
    }
}
