//! Matrix products on a GPU: in which tiles a kernel that is one computes them. The parts of its shader that do have one interface
//! (`shaders/product/shared/product.wgsl`), so that a backend may put another in the place of the usual one.

use std::borrow::Cow;

use crate::kernels::kernel::{Kernel, linear_grid};
use crate::kernels::precision::Precision;

/// A way to compute a tile of a product.
#[derive(Debug)]
pub struct Tile {
    /// Its name: the part of shaders and the size.
    pub name: &'static str,
    /// That part.
    part: &'static str,
    /// Who computes it.
    shape: Shape,
    /// Threads that every subgroup must have, where it matters.
    subgroup: Option<u32>,
}

/// Who computes a tile.
#[derive(Clone, Debug)]
enum Shape {
    /// Threads along its rows and columns, and the rows and columns of each.
    Threads([u32; 2], [u32; 2]),
    /// Subgroups along its rows and columns, which multiply 4x2 matrices of half precision with so many rows and columns each, and how many of
    /// those an operand is the sum of.
    Matrices([u32; 2], u32, u32),
}

macro_rules! part {
    ($($name:literal),*) => {
        concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/product/shared/", $name, ".wgsl")), "\n"),*)
    };
}

const fn block(name: &'static str, threads: [u32; 2]) -> Tile {
    let shape = Shape::Threads(threads, [8, 8]);
    Tile { name, part: part!("tile_memory", "tile_block"), shape, subgroup: None }
}

const fn quad(name: &'static str, threads: [u32; 2]) -> Tile {
    let shape = Shape::Threads(threads, [4, 4]);
    Tile { name, part: part!("tile_memory", "tile_quad"), shape, subgroup: None }
}

const fn lanes(name: &'static str, part: &'static str, rows: u32) -> Tile {
    Tile { name, part, shape: Shape::Threads([1, 8], [rows, 4]), subgroup: Some(8) }
}

const fn matrix(name: &'static str, side: u32, subgroup: u32, subgroups: [u32; 2]) -> Tile {
    let shape = Shape::Matrices(subgroups, side, 1);
    Tile { name, part: part!("tile_units", "tile_matrix"), shape, subgroup: Some(subgroup) }
}

const fn split(name: &'static str, side: u32, subgroup: u32, subgroups: [u32; 2]) -> Tile {
    let shape = Shape::Matrices(subgroups, side, 2);
    Tile { name, part: part!("tile_units", "tile_scales", "tile_split"), shape, subgroup: Some(subgroup) }
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
static LANES_24X32: Tile = lanes("lanes 24x32", part!("tile_lanes"), 24);
static LANES_8X32: Tile = lanes("lanes 8x32", part!("tile_lanes_low"), 8);

/// Of matrices of 16x16 on subgroups of 32, which GPUs have; of 8x8 on subgroups of 32, as Apple's; of 8x8 on subgroups of 8, as llvmpipe.
static MATRIX_64X64: Tile = matrix("matrix 64x64", 16, 32, [1, 2]);
static MATRIX_128X64: Tile = matrix("matrix 128x64", 16, 32, [2, 2]);
static MATRIX_128X128: Tile = matrix("matrix 128x128", 16, 32, [2, 4]);
static MATRIX_8_64X64: Tile = matrix("matrix of 8 64x64", 8, 32, [2, 4]);
static MATRIX_8_64X32: Tile = matrix("matrix of 8 64x32", 8, 8, [2, 2]);

/// The same in single precision, on the same units.
static SPLIT_64X64: Tile = split("split 64x64", 16, 32, [1, 2]);
static SPLIT_128X64: Tile = split("split 128x64", 16, 32, [2, 2]);
static SPLIT_8_64X64: Tile = split("split of 8 64x64", 8, 32, [2, 4]);
static SPLIT_8_64X32: Tile = split("split of 8 64x32", 8, 8, [2, 2]);

/// All there are.
pub static TILES: [&Tile; 19] = [
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
    &MATRIX_64X64,
    &MATRIX_128X64,
    &MATRIX_128X128,
    &MATRIX_8_64X64,
    &MATRIX_8_64X32,
    &SPLIT_64X64,
    &SPLIT_128X64,
    &SPLIT_8_64X64,
    &SPLIT_8_64X32,
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
    /// Rows and columns of the matrices in half precision that subgroups multiply at once, with sums in f32, and how many threads those
    /// subgroups have.
    pub matrix: Option<(u32, u32)>,
}

impl Tile {
    /// The same with a part of its shader replaced. For tests that plant a bug, since it is never let go of.
    pub fn planted(&self, from: &str, to: &str) -> &'static Tile {
        assert!(self.part.contains(from), "{} has no `{from}`", self.name);
        let Tile { name, ref shape, subgroup, .. } = *self;
        Box::leak(Box::new(Tile { name, part: self.part.replace(from, to).leak(), shape: shape.clone(), subgroup }))
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<&'static Tile> {
        TILES.into_iter().find(|tile| tile.name == name)
    }

    /// Threads of a workgroup.
    pub const fn threads(&self) -> u32 {
        match (&self.shape, self.subgroup) {
            (Shape::Matrices([down, across], ..), Some(threads)) => *down * *across * threads,
            (Shape::Threads([down, across], _) | Shape::Matrices([down, across], ..), _) => *down * *across,
        }
    }

    /// Rows and columns of the result that a workgroup computes.
    pub fn size(&self) -> [u32; 2] {
        match self.shape {
            Shape::Threads([down, across], [rows, columns]) => [down * rows, across * columns],
            Shape::Matrices([down, across], side, _) => [down * 4 * side, across * 2 * side],
        }
    }

    /// Whether it counts on subgroups.
    pub fn uses_subgroups(&self) -> bool {
        self.subgroup.is_some()
    }

    /// Whether it counts on units that multiply small matrices in half precision. Such tiles round operands to it, or split them in two, and add
    /// up in the order of those units; all others give the same bits.
    pub fn uses_matrices(&self) -> bool {
        matches!(self.shape, Shape::Matrices(..))
    }

    /// Whether it is for products of that precision.
    pub fn takes(&self, precision: Precision) -> bool {
        match self.shape {
            Shape::Threads(..) => true,
            Shape::Matrices(.., parts) => precision == if parts == 1 { Precision::F16 } else { Precision::F32Split },
        }
    }

    /// Whether an adapter can run it on a product of that precision.
    pub fn fits(&self, limits: &TileLimits, precision: Precision) -> bool {
        let [rows, columns] = self.size();
        let (memory, matrix) = match self.shape {
            Shape::Threads(..) if self.subgroup.is_some() => (0, true),
            // 16 slices of vectors of both operands, each a vector longer than it must be.
            Shape::Threads(..) => (16 * ((rows + columns) * 4 + 2 * 16), true),
            // 2 * side slices of both, with eight more elements a row, and a matrix of sums for each subgroup; where operands are split, a number
            // for each row and column.
            Shape::Matrices([down, across], side, parts) => {
                let slices = 2 * parts * (rows * (2 * side + 8) + 2 * side * (columns + 8));
                let memory = slices + 4 * down * across * side * side + 4 * (parts - 1) * (rows + columns);
                (memory, self.takes(precision) && limits.matrix == self.subgroup.map(|threads| (side, threads)))
            }
        };
        let subgroup = self.uses_matrices() || self.subgroup.is_none() || self.subgroup == limits.subgroup;
        self.threads() <= limits.threads && memory <= limits.memory && subgroup && matrix
    }

    /// Its part of the shader.
    fn part(&self) -> String {
        let (names, [down, across]) = match self.shape {
            Shape::Threads(threads, _) => (["THREAD_ROWS", "THREAD_COLUMNS"], threads),
            Shape::Matrices(subgroups, ..) => (["SUBGROUPS_DOWN", "SUBGROUPS_ACROSS"], subgroups),
        };
        let set = |part: String, name: &str, usual: u32, value: u32| {
            part.replacen(&format!("const {name}: u32 = {usual}u;"), &format!("const {name}: u32 = {value}u;"), 1)
        };
        let part = set(set(self.part.to_string(), names[0], 8, down), names[1], 8, across);
        match self.shape {
            Shape::Threads(..) => part,
            Shape::Matrices(_, side, _) => {
                let part = set(set(part, "SIDE", 16, side), "SUBGROUP", 32, self.subgroup.unwrap_or(1));
                part.replace("coop_mat16x16", &format!("coop_mat{side}x{side}"))
            }
        }
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
    pub fn tile(&self, limits: &TileLimits, precision: Precision) -> &'static Tile {
        // Fewer workgroups leave most of a GPU idle.
        const FEW: usize = 64;
        let suits = |tile: &&'static Tile| tile.fits(limits, precision);
        let is_few = |tile: &Tile| self.tiles(tile) * (self.count as usize) < FEW;
        let of_matrices = TILES.into_iter().filter(|tile| tile.uses_matrices() && suits(tile));
        // The largest of which there are enough, or the smallest.
        if let Some(tile) = of_matrices.clone().rfind(|tile| !is_few(tile)).or(of_matrices.clone().next()) {
            return tile;
        }
        let lanes = if self.rows <= LANES_8X32.size()[0] { &LANES_8X32 } else { &LANES_24X32 };
        let tile = match (self.rows, self.columns) {
            _ if suits(&lanes) => lanes,
            (..=16, _) => &QUAD_16X64,
            (_, ..=16) => &QUAD_64X16,
            _ if is_few(&BLOCK) => &QUAD_32X32,
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
        self.wgsl.replacen(BLOCK.part, &tile.part(), 1).into()
    }
}

#[cfg(test)]
mod tests;
