//! Matrix products on a GPU: in which tiles a kernel that is one computes them. The parts of its shader that do have one interface
//! (`shaders/lib/product.wgsl`), so that a backend may put another in the place of the usual one.

use std::borrow::Cow;

use super::{Kernel, linear_grid};

/// A way to compute a tile of a product.
#[derive(Debug)]
pub struct Tile {
    /// Its name: the part of shaders and the size.
    pub name: &'static str,
    /// That part.
    part: &'static str,
    /// Threads along its rows and along its columns.
    threads: [u32; 2],
    /// Rows and columns of the result that a thread computes.
    by_thread: [u32; 2],
    /// Threads that every subgroup must have, where it matters.
    subgroup: Option<u32>,
}

macro_rules! part {
    ($($name:literal),*) => {
        concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/lib/", $name, ".wgsl")), "\n"),*)
    };
}

const fn block(name: &'static str, threads: [u32; 2]) -> Tile {
    Tile { name, part: part!("tile_memory", "tile_block"), threads, by_thread: [8, 8], subgroup: None }
}

const fn quad(name: &'static str, threads: [u32; 2]) -> Tile {
    Tile { name, part: part!("tile_memory", "tile_quad"), threads, by_thread: [4, 4], subgroup: None }
}

/// The usual one.
pub static BLOCK: Tile = block("block 64x64", [8, 8]);

/// Larger and smaller ones, and long ones for results of few rows or columns.
static BLOCK_128X128: Tile = block("block 128x128", [16, 16]);
static BLOCK_128X64: Tile = block("block 128x64", [16, 8]);
static BLOCK_64X128: Tile = block("block 64x128", [8, 16]);
static QUAD_64X64: Tile = quad("quad 64x64", [16, 16]);
static QUAD_32X32: Tile = quad("quad 32x32", [8, 8]);
static QUAD_64X16: Tile = quad("quad 64x16", [16, 4]);
static QUAD_16X64: Tile = quad("quad 16x64", [4, 16]);

/// Of subgroups of 8, which are the vectors of a CPU, and the same for products of few rows.
static LANES_24X32: Tile =
    Tile { name: "lanes 24x32", part: part!("tile_lanes"), threads: [1, 8], by_thread: [24, 4], subgroup: Some(8) };
static LANES_8X32: Tile =
    Tile { name: "lanes 8x32", part: part!("tile_lanes_low"), threads: [1, 8], by_thread: [8, 4], subgroup: Some(8) };

/// All there are.
pub static TILES: [&Tile; 10] = [
    &BLOCK,
    &BLOCK_128X128,
    &BLOCK_128X64,
    &BLOCK_64X128,
    &QUAD_64X64,
    &QUAD_32X32,
    &QUAD_64X16,
    &QUAD_16X64,
    &LANES_24X32,
    &LANES_8X32,
];

/// What an adapter has for tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileLimits {
    /// Most threads of a workgroup.
    pub threads: u32,
    /// Most bytes of workgroup memory.
    pub memory: u32,
    /// Threads of all subgroups, where they have as many and shaders may use them.
    pub subgroup: Option<u32>,
}

impl Tile {
    /// The one of that name.
    pub fn named(name: &str) -> Option<&'static Tile> {
        TILES.into_iter().find(|tile| tile.name == name)
    }

    /// Threads of a workgroup.
    pub const fn threads(&self) -> u32 {
        self.threads[0] * self.threads[1]
    }

    /// Rows and columns of the result that a workgroup computes.
    pub const fn size(&self) -> [u32; 2] {
        [self.threads[0] * self.by_thread[0], self.threads[1] * self.by_thread[1]]
    }

    /// Whether it counts on subgroups.
    pub fn uses_subgroups(&self) -> bool {
        self.subgroup.is_some()
    }

    /// Whether an adapter can run it.
    pub fn fits(&self, limits: &TileLimits) -> bool {
        let [rows, columns] = self.size();
        // 16 slices of vectors of both operands, each a vector longer than it must be.
        let memory = if self.subgroup.is_some() { 0 } else { 16 * ((rows + columns) * 4 + 2 * 16) };
        let subgroup = self.subgroup.is_none() || self.subgroup == limits.subgroup;
        self.threads() <= limits.threads && memory <= limits.memory && subgroup
    }
}

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
        let [rows, columns] = tile.size();
        self.rows.div_ceil(rows) as usize * self.columns.div_ceil(columns as usize)
    }

    /// Number of workgroups along each axis.
    pub fn grid(&self, tile: &Tile) -> [u32; 3] {
        let [x, y, _] = linear_grid(self.tiles(tile));
        [x, y, self.count]
    }

    /// The tile that should suit an adapter, where none was found by timing.
    pub fn tile(&self, limits: &TileLimits) -> &'static Tile {
        // Fewer workgroups leave most of a GPU idle.
        const FEW: usize = 64;
        let suits = |tile: &&'static Tile| tile.fits(limits);
        let lanes = if self.rows <= LANES_8X32.size()[0] { &LANES_8X32 } else { &LANES_24X32 };
        let tile = match (self.rows, self.columns) {
            _ if lanes.fits(limits) => lanes,
            (..=16, _) => &QUAD_16X64,
            (_, ..=16) => &QUAD_64X16,
            _ if self.tiles(&BLOCK) * (self.count as usize) < FEW => &QUAD_32X32,
            _ => &BLOCK,
        };
        Some(tile).filter(suits).unwrap_or(&BLOCK)
    }
}

impl Kernel {
    /// Whether the usual tile's part is in its module, so that another can take its place. A test may plant a bug in it.
    pub fn takes_any_tile(&self) -> bool {
        self.wgsl.contains(BLOCK.part)
    }

    /// The WGSL module with another tile in the place of the usual one.
    pub fn wgsl_with(&self, tile: &Tile) -> Cow<'static, str> {
        if tile.name == BLOCK.name {
            return self.wgsl.into();
        }
        let threads = ["THREAD_ROWS", "THREAD_COLUMNS"].into_iter().zip(tile.threads);
        let part = threads.fold(tile.part.to_string(), |part, (name, count)| {
            part.replacen(&format!("const {name}: u32 = 8u;"), &format!("const {name}: u32 = {count}u;"), 1)
        });
        self.wgsl.replacen(BLOCK.part, &part, 1).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBGPU: TileLimits = TileLimits { threads: 256, memory: 16_384, subgroup: None };

    #[test]
    fn tiles_suit_adapter_and_shape_and_cover_the_result() {
        for (rows, columns, subgroup, name) in [
            (4, 10, Some(8), "lanes 8x32"),
            (9, 10, Some(8), "lanes 24x32"),
            (256, 10, Some(32), "quad 64x16"),
            (4, 784, None, "quad 16x64"),
            (256, 500, None, "quad 32x32"),
            (256, 3000, None, "block 64x64"),
        ] {
            let tile = Product::new(rows, columns).tile(&TileLimits { subgroup, ..WEBGPU });
            assert_eq!(tile.name, name, "{rows} x {columns}, subgroups of {subgroup:?}");
        }
        for tile in TILES {
            let [tile_rows, tile_columns] = tile.size();
            for (rows, columns) in [(1, 1), (tile_rows, tile_columns as usize + 1), (67, 9_000_000)] {
                let product = Product { rows, columns, count: 3 };
                let [x, y, z] = product.grid(tile);
                let covered = x as usize * y as usize * tile_rows as usize * tile_columns as usize;
                assert!(covered >= rows as usize * columns && z == 3, "{} of {rows} x {columns}", tile.name);
            }
        }
    }

    #[test]
    fn tiles_are_left_out_where_an_adapter_lacks_what_they_need() {
        let fitting = |limits: TileLimits| TILES.iter().filter(|tile| tile.fits(&limits)).count();
        assert_eq!(fitting(TileLimits { memory: 32_768, subgroup: Some(8), ..WEBGPU }), 10);
        assert_eq!(fitting(TileLimits { memory: 32_768, subgroup: Some(32), ..WEBGPU }), 8);
        // 128x128 takes 16 * (32 + 1) vectors of 16 bytes, twice.
        assert_eq!((fitting(TileLimits { memory: 16_896, ..WEBGPU }), fitting(WEBGPU)), (8, 7));
        assert_eq!(fitting(TileLimits { threads: 128, ..WEBGPU }), 6);
    }
}
