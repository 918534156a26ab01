//! Matrix products on a GPU: the tiles into which a product kernel divides its result. All tiles have one interface in
//! WGSL (`shaders/product/shared/product.wgsl`), so a backend may replace a kernel's default tile by another one.

use std::borrow::Cow;

use crate::kernels::kernel::{Kernel, linear_grid};
use crate::kernels::precision::Precision;

/// A way to compute a tile of a product.
#[derive(Debug)]
pub struct Tile {
    /// Name: the method and the size, rows by columns.
    pub name: &'static str,
    /// Its WGSL.
    part: &'static str,
    /// How the work is divided within the workgroup.
    shape: Shape,
    /// The subgroup size that the tile needs, if any.
    subgroup: Option<u32>,
}

/// How a workgroup divides its tile.
#[derive(Clone, Debug)]
enum Shape {
    /// `Threads([down, across], [rows, columns])`: `down x across` threads compute `rows x columns` elements each.
    Threads([u32; 2], [u32; 2]),
    /// `Matrices([down, across], side, parts)`: `down x across` subgroups compute 4x2 matrices each. A matrix has
    /// `side x side` elements. Each operand is the sum of `parts` f16 matrices.
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

/// The default tile.
pub static BLOCK: Tile = block("block 64x64", [8, 8]);

/// Larger and smaller tiles, and long ones for results with few rows or few columns.
static BLOCK_128X128: Tile = block("block 128x128", [16, 16]);
static BLOCK_128X64: Tile = block("block 128x64", [16, 8]);
static BLOCK_64X128: Tile = block("block 64x128", [8, 16]);
static QUAD_64X64: Tile = quad("quad 64x64", [16, 16]);
static QUAD_32X32: Tile = quad("quad 32x32", [8, 8]);
static QUAD_64X16: Tile = quad("quad 64x16", [16, 4]);
static QUAD_16X64: Tile = quad("quad 16x64", [4, 16]);

/// Tiles for subgroups of 8 threads, which are the SIMD vectors of a CPU. The second is for products with few rows.
static LANES_24X32: Tile = lanes("lanes 24x32", part!("tile_lanes"), 24);
static LANES_8X32: Tile = lanes("lanes 8x32", part!("tile_lanes_low"), 8);

/// Tiles for hardware that multiplies small f16 matrices: 16x16 on subgroups of 32 threads, as on many GPUs; 8x8 on
/// subgroups of 32, as on Apple's GPUs; 8x8 on subgroups of 8, as in llvmpipe.
static MATRIX_64X64: Tile = matrix("matrix 64x64", 16, 32, [1, 2]);
static MATRIX_128X64: Tile = matrix("matrix 128x64", 16, 32, [2, 2]);
static MATRIX_128X128: Tile = matrix("matrix 128x128", 16, 32, [2, 4]);
static MATRIX_8_64X64: Tile = matrix("matrix of 8 64x64", 8, 32, [2, 4]);
static MATRIX_8_64X32: Tile = matrix("matrix of 8 64x32", 8, 8, [2, 2]);

/// Tiles for `f32-split` on the same hardware.
static SPLIT_64X64: Tile = split("split 64x64", 16, 32, [1, 2]);
static SPLIT_128X64: Tile = split("split 128x64", 16, 32, [2, 2]);
static SPLIT_8_64X64: Tile = split("split of 8 64x64", 8, 32, [2, 4]);
static SPLIT_8_64X32: Tile = split("split of 8 64x32", 8, 8, [2, 2]);

/// All tiles.
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

/// The limits of an adapter that tiles depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileLimits {
    /// Maximum number of threads per workgroup.
    pub threads: u32,
    /// Maximum workgroup memory, in bytes.
    pub memory: u32,
    /// Threads per subgroup, if shaders may use subgroups and all subgroups have that size.
    pub subgroup: Option<u32>,
    /// `(side, threads)`: subgroups of `threads` threads multiply f16 matrices of `side x side` elements with f32 sums.
    /// `None` on adapters that cannot.
    pub matrix: Option<(u32, u32)>,
}

impl Tile {
    /// A copy with `from` replaced by `to` in its WGSL, for tests that plant a bug. The copy is leaked.
    pub fn planted(&self, from: &str, to: &str) -> &'static Tile {
        assert!(self.part.contains(from), "{} has no `{from}`", self.name);
        let Tile { name, ref shape, subgroup, .. } = *self;
        Box::leak(Box::new(Tile { name, part: self.part.replace(from, to).leak(), shape: shape.clone(), subgroup }))
    }

    /// The tile with this name.
    pub fn named(name: &str) -> Option<&'static Tile> {
        TILES.into_iter().find(|tile| tile.name == name)
    }

    /// Threads per workgroup.
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

    /// Whether it needs subgroups of a certain size.
    pub fn uses_subgroups(&self) -> bool {
        self.subgroup.is_some()
    }

    /// Whether it needs hardware that multiplies small f16 matrices (tensor cores). Such tiles round operands to f16 or
    /// split them in two, and add in the order of the hardware. All other tiles give the same bits.
    pub fn uses_matrices(&self) -> bool {
        matches!(self.shape, Shape::Matrices(..))
    }

    /// Whether it computes products in this precision.
    pub fn takes(&self, precision: Precision) -> bool {
        match self.shape {
            Shape::Threads(..) => true,
            Shape::Matrices(.., parts) => precision == if parts == 1 { Precision::F16 } else { Precision::F32Split },
        }
    }

    /// Whether an adapter can run it for products in this precision.
    pub fn fits(&self, limits: &TileLimits, precision: Precision) -> bool {
        let [rows, columns] = self.size();
        let (memory, matrix) = match self.shape {
            Shape::Threads(..) if self.subgroup.is_some() => (0, true),
            // 16 slices along k of both operands, in vectors of 16 bytes, each slice padded by one vector.
            Shape::Threads(..) => (16 * ((rows + columns) * 4 + 2 * 16), true),
            // f16: 2 * side slices along k of both operands, each row padded by eight elements. f32: one matrix of sums
            // per subgroup, and for split operands one number per row and column.
            Shape::Matrices([down, across], side, parts) => {
                let slices = 2 * parts * (rows * (2 * side + 8) + 2 * side * (columns + 8));
                let memory = slices + 4 * down * across * side * side + 4 * (parts - 1) * (rows + columns);
                (memory, self.takes(precision) && limits.matrix == self.subgroup.map(|threads| (side, threads)))
            }
        };
        let subgroup = self.uses_matrices() || self.subgroup.is_none() || self.subgroup == limits.subgroup;
        self.threads() <= limits.threads && memory <= limits.memory && subgroup && matrix
    }

    /// Its WGSL, with its sizes set.
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

/// The shape of a product's result, or of several products of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: usize,
    /// Number of products.
    pub count: u32,
}

impl Product {
    /// A single product of this shape.
    pub fn new(rows: u32, columns: usize) -> Product {
        Product { rows, columns, count: 1 }
    }

    /// Number of tiles per product.
    pub fn tiles(&self, tile: &Tile) -> usize {
        let [rows, columns] = tile.size();
        self.rows.div_ceil(rows) as usize * self.columns.div_ceil(columns as usize)
    }

    /// Number of workgroups along each axis.
    pub fn grid(&self, tile: &Tile) -> [u32; 3] {
        let [x, y, _] = linear_grid(self.tiles(tile));
        [x, y, self.count]
    }

    /// The tile that probably suits an adapter best, used where no timing has chosen one.
    pub fn tile(&self, limits: &TileLimits, precision: Precision) -> &'static Tile {
        // With fewer workgroups, most of a GPU is idle.
        const FEW: usize = 64;
        let suits = |tile: &&'static Tile| tile.fits(limits, precision);
        let is_few = |tile: &Tile| self.tiles(tile) * (self.count as usize) < FEW;
        let of_matrices = TILES.into_iter().filter(|tile| tile.uses_matrices() && suits(tile));
        // The largest matrix tile that gives enough workgroups, else the smallest one.
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
    /// Whether the default tile is in the module unchanged, so that another can replace it. It is not in tests that
    /// plant a bug in it.
    pub fn takes_any_tile(&self) -> bool {
        self.wgsl.contains(BLOCK.part)
    }

    /// The WGSL module with this tile instead of the default one.
    pub fn wgsl_with(&self, tile: &Tile) -> Cow<'static, str> {
        if tile.name == BLOCK.name {
            return self.wgsl.into();
        }
        self.wgsl.replacen(BLOCK.part, &tile.part(), 1).into()
    }
}

#[cfg(test)]
mod tests;
