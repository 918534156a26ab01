//! Matrix products on a GPU: in which tiles a kernel that is one computes them. The parts of its shader that do have one interface
//! (`shaders/lib/product.wgsl`), so that a backend may put another in the place of the usual one.

use std::borrow::Cow;

use super::{Kernel, linear_grid};

/// A way to compute a tile of a product.
#[derive(Debug)]
pub struct Tile {
    /// Name of its part of shaders.
    pub name: &'static str,
    /// That part.
    pub wgsl: &'static str,
    /// Rows and columns of the result that a workgroup computes.
    pub size: [u32; 2],
    /// Threads of a workgroup.
    pub threads: u32,
    /// Threads that every subgroup must have, where it matters.
    pub subgroup: Option<u32>,
}

macro_rules! part {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/lib/", $name, ".wgsl"))
    };
}

/// The usual one: 64x64 through workgroup memory.
pub static BLOCK: Tile =
    Tile { name: "tile_block", wgsl: part!("tile_block"), size: [64, 64], threads: 64, subgroup: None };

/// Of subgroups of 8, which are the vectors of a CPU.
static LANES: Tile =
    Tile { name: "tile_lanes", wgsl: part!("tile_lanes"), size: [24, 32], threads: 8, subgroup: Some(8) };

/// Likewise, for products of few rows.
static LANES_LOW: Tile =
    Tile { name: "tile_lanes_low", wgsl: part!("tile_lanes_low"), size: [8, 32], threads: 8, subgroup: Some(8) };

/// All there are.
pub static TILES: [&Tile; 3] = [&BLOCK, &LANES, &LANES_LOW];

/// The shape of a product's result, or of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: usize,
    /// How many there are.
    pub count: u32,
}

impl Product {
    /// One of that shape.
    pub fn new(rows: u32, columns: usize) -> Product {
        Product { rows, columns, count: 1 }
    }

    /// Tiles of each.
    pub fn tiles(&self, tile: &Tile) -> usize {
        self.rows.div_ceil(tile.size[0]) as usize * self.columns.div_ceil(tile.size[1] as usize)
    }

    /// Number of workgroups along each axis.
    pub fn grid(&self, tile: &Tile) -> [u32; 3] {
        let [x, y, _] = linear_grid(self.tiles(tile));
        [x, y, self.count]
    }

    /// The tile for an adapter on which all subgroups have so many threads, where that is known.
    pub fn tile(&self, subgroup: Option<u32>) -> &'static Tile {
        match subgroup {
            Some(8) if self.rows <= LANES_LOW.size[0] => &LANES_LOW,
            Some(8) => &LANES,
            _ => &BLOCK,
        }
    }
}

impl Kernel {
    /// The WGSL module with another tile in the place of the usual one.
    pub fn wgsl_with(&self, tile: &Tile) -> Cow<'static, str> {
        if tile.name == BLOCK.name { self.wgsl.into() } else { self.wgsl.replacen(BLOCK.wgsl, tile.wgsl, 1).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_suit_adapter_and_shape_and_cover_the_result() {
        for (rows, subgroup, name) in [
            (4, Some(8), "tile_lanes_low"),
            (9, Some(8), "tile_lanes"),
            (9, Some(32), "tile_block"),
            (4, None, "tile_block"),
        ] {
            assert_eq!(Product::new(rows, 10).tile(subgroup).name, name, "{rows} rows, subgroups of {subgroup:?}");
        }
        for tile in TILES {
            for (rows, columns) in [(1, 1), (tile.size[0], tile.size[1] as usize + 1), (67, 9_000_000)] {
                let product = Product { rows, columns, count: 3 };
                let [x, y, z] = product.grid(tile);
                let covered = x as usize * y as usize * tile.size[0] as usize * tile.size[1] as usize;
                assert!(covered >= rows as usize * columns && z == 3, "{} of {rows} x {columns}", tile.name);
            }
        }
    }
}
