//! Convolutions by 3x3 windows with Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, CVPR 2016), in f32: four values of the
//! result take 16 multiplications a channel instead of 36.
//!
//! A tile of 2x2 values is `A^T ((G g G^T) * (B^T d B)) A`, with the window's weights g, the 4x4 values d that it sees, and `*`
//! elementwise, summed over channels.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::vectors::{lanes, load, store};
use super::{Axis, CHANNELS, Correlation, Strip};
use crate::real::Real;

/// Rows of a tile of the result.
pub(super) const ROWS: usize = 2;

/// Products of a tile.
const PRODUCTS: usize = 16;

/// Whether windows are of the kind, and maps not so small that tiles would mostly hang over.
pub(super) fn fits(kernel: usize, axis: &Axis) -> bool {
    kernel == 3 && axis.is_dense() && axis.len() >= 4
}

/// Whether there are channels enough to make up for the transformations.
pub(super) fn pays(channels: usize) -> bool {
    channels >= 16
}

/// Lays out `G g G^T`: `[products, channels]` of the weights that `lanes` tells for a channel and a tap.
pub(super) fn pack<T: Real>(
    channels: Range<usize>,
    rows: &Axis,
    columns: &Axis,
    lanes: impl Fn(usize, usize) -> [T; CHANNELS],
) -> Vec<[T; CHANNELS]> {
    let mut packed = vec![[T::zero(); CHANNELS]; PRODUCTS * channels.len()];
    let [rows, columns] = [rows, columns].map(taps_in_order);
    for (index, channel) in channels.clone().enumerate() {
        let window = rows.map(|row| columns.map(|column| lanes(channel, row * 3 + column)));
        for lane in 0..CHANNELS {
            let of_rows = window.map(|row| weights_1d(row.map(|lanes| lanes[lane])));
            for column in 0..4 {
                let products = weights_1d(of_rows.map(|row| row[column]));
                for (row, product) in products.into_iter().enumerate() {
                    packed[(row * 4 + column) * channels.len() + index][lane] = product;
                }
            }
        }
    }
    packed
}

/// Taps of a window from the first position that it sees to the last: backwards for what the input owes.
fn taps_in_order(axis: &Axis) -> [usize; 3] {
    let mut taps = [0; 3];
    axis.runs[0].taps.iter().for_each(|&(tap, at)| taps[at] = tap);
    taps
}

/// `G g`.
fn weights_1d<T: Real>([a, b, c]: [T; 3]) -> [T; 4] {
    let half = T::from_f64(0.5);
    [a, (a + b + c) * half, (a - b + c) * half, c]
}

/// `B^T d`.
#[inline(always)]
fn values_1d<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
    [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
}

/// `A^T m`.
#[inline(always)]
fn result_1d<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    [simd.add_f32s(simd.add_f32s(a, b), c), simd.sub_f32s(simd.sub_f32s(b, c), d)]
}

/// A strip of [`ROWS`] rows, or the last.
pub(super) struct Winograd<'a, 'b>(pub(super) Strip<'a, 'b, f32>);

impl WithSimd for Winograd<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Strip { of, weights, .. } = self.0;
        let [channels, _, width, batch] = of.shape;
        let count = of.columns.len().div_ceil(2);
        let zero = simd.splat_f32s(0.0);
        let mut tiles = Tiles::<S> {
            rows: std::array::from_fn(|row| of.rows.source(self.0.rows.start + row)),
            columns: (0..2 * count + 2).map(|column| of.columns.source(column)).collect(),
            padding: vec![0.0; width * batch],
            values: vec![zero; PRODUCTS * (channels + 1) * 4],
            products: vec![zero; PRODUCTS * (weights.len() + 1) * CHANNELS * 4],
        };
        for example in (0..batch).step_by(lanes::<S>()) {
            let mut first = 0;
            // As many tiles at a time as leave registers for all sums.
            while S::REGISTER_COUNT >= 32 && first + 4 <= count {
                self.tiles::<S, 4>(simd, &mut tiles, first, example);
                first += 4;
            }
            while first + 2 <= count {
                self.tiles::<S, 2>(simd, &mut tiles, first, example);
                first += 2;
            }
            while first < count {
                self.tiles::<S, 1>(simd, &mut tiles, first, example);
                first += 1;
            }
        }
    }
}

/// Some neighbouring tiles, a vector of examples of each, on their way.
struct Tiles<S: Simd> {
    /// Rows that the strip sees, those that are not padding.
    rows: [Option<usize>; 4],
    /// Columns that it sees, likewise.
    columns: Vec<Option<usize>>,
    /// A row of zeros `[columns, batch]`.
    padding: Vec<f32>,
    /// `B^T d B`: `[products, channels, tiles]`. One channel more than there are keeps the products of a channel from falling into the
    /// same set of a cache.
    values: Vec<S::f32s>,
    /// Their sums with weights over channels: `[products, groups, channels of a group, tiles]`, with one group more.
    products: Vec<S::f32s>,
}

impl Winograd<'_, '_> {
    /// Computes a vector of examples of `P` tiles.
    #[inline(always)]
    fn tiles<S: Simd, const P: usize>(&mut self, simd: S, tiles: &mut Tiles<S>, first: usize, example: usize) {
        self.transform_values::<S, P>(simd, tiles, first, example);
        self.multiply::<S, P>(simd, tiles);
        self.transform_products::<S, P>(simd, tiles, first, example);
    }

    #[inline(always)]
    fn transform_values<S: Simd, const P: usize>(&self, simd: S, tiles: &mut Tiles<S>, first: usize, example: usize) {
        let &Correlation { from, shape: [channels, height, width, batch], .. } = self.0.of;
        let values = tiles.values.as_chunks_mut::<P>().0;
        for channel in 0..channels {
            let mut rows: [&[f32]; 4] = [&tiles.padding; 4];
            for (row, at) in rows.iter_mut().zip(tiles.rows) {
                if let Some(at) = at {
                    *row = &from[(channel * height + at) * width * batch..][..width * batch];
                }
            }
            // Neighbouring tiles share columns.
            let mut columns = [[[simd.splat_f32s(0.0); 4]; 2]; 5];
            for (column, &at) in columns.as_flattened_mut().iter_mut().zip(&tiles.columns[2 * first..][..2 * P + 2]) {
                if let Some(at) = at {
                    let mut seen = [simd.splat_f32s(0.0); 4];
                    for i in 0..4 {
                        seen[i] = load(simd, &rows[i][at * batch..][..batch], example);
                    }
                    *column = values_1d(simd, seen);
                }
            }
            for p in 0..P {
                let [a, b] = columns[p];
                let [c, d] = columns[p + 1];
                for i in 0..4 {
                    let of_row = values_1d(simd, [a[i], b[i], c[i], d[i]]);
                    for j in 0..4 {
                        values[(i * 4 + j) * (channels + 1) + channel][p] = of_row[j];
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd, const P: usize>(&self, simd: S, tiles: &mut Tiles<S>) {
        let channels = self.0.of.shape[0];
        let groups = self.0.weights.len();
        let values = tiles.values.as_chunks::<P>().0;
        let products = tiles.products.as_chunks_mut::<P>().0.as_chunks_mut::<CHANNELS>().0;
        for product in 0..PRODUCTS {
            let values = &values[product * (channels + 1)..][..channels];
            let products = &mut products[product * (groups + 1)..][..groups];
            for (weights, products) in self.0.weights.iter().zip(products) {
                let mut sums = [[simd.splat_f32s(0.0); P]; CHANNELS];
                for (weights, values) in weights[product * channels..][..channels].iter().zip(values) {
                    for o in 0..CHANNELS {
                        let weight = simd.splat_f32s(weights[o]);
                        for p in 0..P {
                            sums[o][p] = simd.mul_add_f32s(weight, values[p], sums[o][p]);
                        }
                    }
                }
                *products = sums;
            }
        }
    }

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "bounds are constant, so that arrays stay in registers")]
    fn transform_products<S: Simd, const P: usize>(&mut self, simd: S, tiles: &Tiles<S>, first: usize, example: usize) {
        let Strip { of, weights, ref rows, ref mut to, .. } = self.0;
        let (columns, batch, groups) = (of.columns.len(), of.shape[3], weights.len());
        let products = tiles.products.as_chunks::<P>().0.as_chunks::<CHANNELS>().0;
        for (channel, to) in to.iter_mut().enumerate() {
            let (group, lane) = (channel / CHANNELS, channel % CHANNELS);
            for p in 0..P {
                let mut of_rows = [[simd.splat_f32s(0.0); 2]; 4];
                for i in 0..4 {
                    let mut row = [simd.splat_f32s(0.0); 4];
                    for j in 0..4 {
                        row[j] = products[(i * 4 + j) * (groups + 1) + group][lane][p];
                    }
                    of_rows[i] = result_1d(simd, row);
                }
                for j in 0..2 {
                    let column = 2 * (first + p) + j;
                    let values = result_1d(simd, [of_rows[0][j], of_rows[1][j], of_rows[2][j], of_rows[3][j]]);
                    for row in 0..ROWS {
                        if column < columns && row < rows.len() {
                            store(simd, &mut to[(row * columns + column) * batch..][..batch], example, values[row]);
                        }
                    }
                }
            }
        }
    }
}
