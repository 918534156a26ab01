//! 3x3 convolutions with Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, CVPR 2016), in f32. Four values of
//! the result take 16 multiplications per channel instead of 36.
//!
//! A tile of 2x2 values is `A^T ((G g G^T) * (B^T d B)) A` summed over channels. Here g are the window's weights, d the
//! 4x4 values that it reads, and `*` is elementwise. Values and weights are added and subtracted before the
//! multiplication. So rounding errors are bounded by the largest product of a window, not by each product. An infinity
//! or a NaN reaches only the results that read it.

use pulp::{Simd, WithSimd};

use super::vectors::{Scratch, lanes, load, store};
use super::{Axis, CHANNELS, Correlation, Strip};
use crate::math::real::Real;

/// Rows of the result per tile.
pub(super) const ROWS: usize = 2;

/// Products per tile.
const PRODUCTS: usize = 16;

/// Whether Winograd applies and is faster: windows of 3x3, stride 1, and enough positions and channels on both sides to
/// outweigh the transforms.
pub(super) fn pays(kernel: usize, stride: usize, sizes: [usize; 2], channels: [usize; 2]) -> bool {
    kernel == 3 && stride == 1 && sizes.iter().all(|&size| size >= 4) && channels.iter().all(|&count| count >= 16)
}

/// The filter transform `G g G^T`: `[products, channels]`. `lanes(channel, tap)` gives the weights.
pub(super) fn pack<T: Real>(
    channels: usize,
    rows: &Axis,
    columns: &Axis,
    lanes: impl Fn(usize, usize) -> [T; CHANNELS],
) -> Vec<[T; CHANNELS]> {
    let mut packed = vec![[T::zero(); CHANNELS]; PRODUCTS * channels];
    let [rows, columns] = [rows, columns].map(taps_in_order);
    for channel in 0..channels {
        let window = rows.map(|row| columns.map(|column| lanes(channel, row * 3 + column)));
        for lane in 0..CHANNELS {
            let of_rows = window.map(|row| filter_1d(row.map(|lanes| lanes[lane])));
            for column in 0..4 {
                let products = filter_1d(of_rows.map(|row| row[column]));
                for (row, product) in products.into_iter().enumerate() {
                    packed[(row * 4 + column) * channels + channel][lane] = product;
                }
            }
        }
    }
    packed
}

/// The taps in the order of the positions that they read: backwards for the gradient of the input.
fn taps_in_order(axis: &Axis) -> [usize; 3] {
    let mut taps = [0; 3];
    axis.runs[0].taps.iter().for_each(|&(tap, at)| taps[at] = tap);
    taps
}

/// `G g`.
fn filter_1d<T: Real>([a, b, c]: [T; 3]) -> [T; 4] {
    let half = T::from_f64(0.5);
    [a, (a + b + c) * half, (a - b + c) * half, c]
}

/// `B^T d`.
#[inline(always)]
fn data_1d<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
    [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
}

/// `A^T m`.
#[inline(always)]
fn inverse_1d<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    [simd.add_f32s(simd.add_f32s(a, b), c), simd.sub_f32s(simd.sub_f32s(b, c), d)]
}

/// A strip of [`ROWS`] rows; the last strip may have fewer.
pub(super) struct Winograd<'a, 'b>(pub(super) Strip<'a, 'b, f32>);

impl WithSimd for Winograd<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Strip { of, weights, .. } = self.0;
        let channels = of.shape[0];
        let count = of.columns.len().div_ceil(2);
        let rows = of.rows.sources(self.0.rows.start + 4);
        let mut tiles = Tiles {
            rows: std::array::from_fn(|row| rows[self.0.rows.start + row]),
            columns: of.columns.sources(2 * count + 2),
            data: Scratch::new::<S>(PRODUCTS * odd(channels) * 4),
            products: Scratch::new::<S>(PRODUCTS * odd(weights.len()) * CHANNELS * 4),
        };
        // As many tiles at a time as have room for their sums in registers.
        let mut first = 0;
        while S::REGISTER_COUNT >= 32 && first + 4 <= count {
            self.tiles::<S, 4>(simd, &mut tiles, first);
            first += 4;
        }
        while first + 2 <= count {
            self.tiles::<S, 2>(simd, &mut tiles, first);
            first += 2;
        }
        while first < count {
            self.tiles::<S, 1>(simd, &mut tiles, first);
            first += 1;
        }
    }
}

/// Working memory for some neighbouring tiles and one vector of examples.
struct Tiles {
    /// The four source rows that the strip reads; `None` is padding.
    rows: [Option<usize>; 4],
    /// The source columns that the strip reads; `None` is padding.
    columns: Vec<Option<usize>>,
    /// `B^T d B`: `[products, channels, tiles]`.
    data: Scratch,
    /// `data` times weights, summed over channels: `[products, groups, channels of a group, tiles]`.
    products: Scratch,
}

/// An odd length for a dimension of at least `count`. With a power of two, the products of a channel would fall into
/// the same cache set.
fn odd(count: usize) -> usize {
    count | 1
}

impl Winograd<'_, '_> {
    /// Computes `P` neighbouring tiles from number `first` on.
    #[inline(always)]
    fn tiles<S: Simd, const P: usize>(&mut self, simd: S, tiles: &mut Tiles, first: usize) {
        for example in (0..self.0.of.shape[3]).step_by(lanes::<S>()) {
            self.transform_data::<S, P>(simd, tiles, first, example);
            self.multiply::<S, P>(simd, tiles);
            self.inverse_transform::<S, P>(simd, tiles, first, example);
        }
    }

    /// Data transform, from maps to `tiles.data`.
    #[inline(always)]
    fn transform_data<S: Simd, const P: usize>(&self, simd: S, tiles: &mut Tiles, first: usize, example: usize) {
        let &Correlation { from, shape: [channels, height, width, batch], .. } = self.0.of;
        let data = tiles.data.vectors::<S>().as_chunks_mut::<P>().0;
        for channel in 0..channels {
            let mut rows: [Option<&[f32]>; 4] = [None; 4];
            for (row, at) in rows.iter_mut().zip(tiles.rows) {
                if let Some(at) = at {
                    *row = Some(&from[(channel * height + at) * width * batch..][..width * batch]);
                }
            }
            // Neighbouring tiles share columns.
            let mut columns = [[[simd.splat_f32s(0.0); 4]; 2]; 5];
            for (column, &at) in columns.as_flattened_mut().iter_mut().zip(&tiles.columns[2 * first..][..2 * P + 2]) {
                if let Some(at) = at {
                    let mut seen = [simd.splat_f32s(0.0); 4];
                    for i in 0..4 {
                        if let Some(row) = rows[i] {
                            seen[i] = load(simd, &row[at * batch..][..batch], example);
                        }
                    }
                    *column = data_1d(simd, seen);
                }
            }
            for p in 0..P {
                let [a, b] = columns[p];
                let [c, d] = columns[p + 1];
                for i in 0..4 {
                    let of_row = data_1d(simd, [a[i], b[i], c[i], d[i]]);
                    for j in 0..4 {
                        data[(i * 4 + j) * odd(channels) + channel][p] = of_row[j];
                    }
                }
            }
        }
    }

    /// Multiplies by the weights and sums over channels, from `tiles.data` to `tiles.products`.
    #[inline(always)]
    fn multiply<S: Simd, const P: usize>(&self, simd: S, tiles: &mut Tiles) {
        let channels = self.0.of.shape[0];
        let groups = self.0.weights.len();
        let data = tiles.data.vectors::<S>().as_chunks::<P>().0;
        let products = tiles.products.vectors::<S>().as_chunks_mut::<P>().0.as_chunks_mut::<CHANNELS>().0;
        for product in 0..PRODUCTS {
            let data = &data[product * odd(channels)..][..channels];
            let products = &mut products[product * odd(groups)..][..groups];
            for (weights, products) in self.0.weights.iter().zip(products) {
                let mut sums = [[simd.splat_f32s(0.0); P]; CHANNELS];
                for (weights, data) in weights[product * channels..][..channels].iter().zip(data) {
                    for o in 0..CHANNELS {
                        let weight = simd.splat_f32s(weights[o]);
                        for p in 0..P {
                            sums[o][p] = simd.mul_add_f32s(weight, data[p], sums[o][p]);
                        }
                    }
                }
                *products = sums;
            }
        }
    }

    /// Inverse transform, from `tiles.products` to the strip.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "bounds are constant, so that arrays stay in registers")]
    fn inverse_transform<S: Simd, const P: usize>(&mut self, simd: S, tiles: &mut Tiles, first: usize, example: usize) {
        let Strip { of, weights, ref rows, ref mut to, .. } = self.0;
        let (columns, batch, groups) = (of.columns.len(), of.shape[3], weights.len());
        let products = tiles.products.vectors::<S>().as_chunks::<P>().0.as_chunks::<CHANNELS>().0;
        for (channel, to) in to.iter_mut().enumerate() {
            let (group, lane) = (channel / CHANNELS, channel % CHANNELS);
            for p in 0..P {
                let mut of_rows = [[simd.splat_f32s(0.0); 2]; 4];
                for i in 0..4 {
                    let mut row = [simd.splat_f32s(0.0); 4];
                    for j in 0..4 {
                        row[j] = products[(i * 4 + j) * odd(groups) + group][lane][p];
                    }
                    of_rows[i] = inverse_1d(simd, row);
                }
                for j in 0..2 {
                    let column = 2 * (first + p) + j;
                    let values = inverse_1d(simd, [of_rows[0][j], of_rows[1][j], of_rows[2][j], of_rows[3][j]]);
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
