//! Code that the convolution kernels share. Its WGSL counterpart is `shaders/conv/shared/conv.wgsl`.

use crate::kernels::activation::Activation;
use crate::kernels::kernel::params;
use crate::kernels::tile::Product;
use crate::math::conv::{Axis, Correlation};
use crate::math::real::Real;
use crate::math::shape::{Shape, Window};

params! {
    /// A convolution of an input `[in_channels, in_height, in_width, batch]` with weights
    /// `[out_channels, in_channels, kernel, kernel]`. The output is `[out_channels, out_height, out_width, batch]`.
    pub struct ConvSizes {
        /// Examples, innermost in memory.
        pub batch: u32,
        /// Channels (maps) of the input.
        pub in_channels: u32,
        /// Rows of the input.
        pub in_height: u32,
        /// Columns of the input.
        pub in_width: u32,
        /// Channels (maps) of the output.
        pub out_channels: u32,
        /// Rows of the output.
        pub out_height: u32,
        /// Columns of the output.
        pub out_width: u32,
        /// Rows and columns of a window.
        pub kernel: u32,
        /// Distance from one window to the next.
        pub stride: u32,
        /// Rows and columns of zeros on each side of the input.
        pub padding: u32,
    }
}

impl ConvSizes {
    /// The convolution of `batch` examples.
    ///
    /// # Panics
    ///
    /// If the input is not an image or the window does not fit into it.
    pub fn new(batch: usize, input: Shape, out_channels: usize, window: Window) -> ConvSizes {
        let Shape::Maps { channels, height, width } = input else {
            panic!("a convolution needs an image, not {input}")
        };
        let positions = |length: usize| window.positions(length).expect("the window fits") as u32;
        ConvSizes {
            batch: batch as u32,
            in_channels: channels as u32,
            in_height: height as u32,
            in_width: width as u32,
            out_channels: out_channels as u32,
            out_height: positions(height),
            out_width: positions(width),
            kernel: window.size as u32,
            stride: window.stride as u32,
            padding: window.padding as u32,
        }
    }

    /// Lengths of input, weight and output.
    pub(crate) fn lengths(&self) -> [usize; 3] {
        let area = self.kernel as usize * self.kernel as usize;
        let length = |sizes: [u32; 4]| sizes.into_iter().map(|size| size as usize).product();
        [
            length([self.in_channels, self.in_height, self.in_width, self.batch]),
            self.out_channels as usize * self.in_channels as usize * area,
            length([self.out_channels, self.out_height, self.out_width, self.batch]),
        ]
    }

    /// Floating-point operations of each of the three products: output, input gradient, weight gradient.
    pub(crate) fn flops(&self) -> u64 {
        let area = u64::from(self.kernel) * u64::from(self.kernel);
        let places = u64::from(self.out_height) * u64::from(self.out_width) * u64::from(self.batch);
        2 * u64::from(self.out_channels) * u64::from(self.in_channels) * area * places
    }

    /// Which inputs each output sees, along rows and along columns.
    pub(crate) fn axes_of_output(&self) -> [Axis; 2] {
        self.axes(Axis::of_output)
    }

    fn axes(&self, of: fn(usize, usize, usize, usize, usize) -> Axis) -> [Axis; 2] {
        let [kernel, stride, padding] = [self.kernel, self.stride, self.padding].map(|n| n as usize);
        [(self.out_height, self.in_height), (self.out_width, self.in_width)]
            .map(|(output, input)| of(output as usize, input as usize, kernel, stride, padding))
    }

    /// Writes the output before bias and activation. Then calls `finish(channel, start, rows)` for some rows of a
    /// channel, which begin at element `start` of the output.
    pub(crate) fn forward<T: Real>(
        &self,
        input: &[T],
        weight: &[T],
        output: &mut [T],
        finish: impl Fn(usize, usize, &mut [T]) + Sync,
    ) {
        let [channels, kernel] = [self.in_channels, self.kernel].map(|n| n as usize);
        let shape = [self.in_channels, self.in_height, self.in_width, self.batch].map(|n| n as usize);
        let [rows, columns] = self.axes_of_output();
        let weight =
            |channel: usize, source: usize, tap: usize| weight[(channel * channels + source) * kernel * kernel + tap];
        let stride = self.stride as usize;
        let convolution = Correlation { from: input, shape, kernel, stride, rows, columns };
        convolution.run(output, self.out_channels as usize, weight, finish);
    }

    /// Writes the input's gradient before the activation's derivative. Then calls `finish` as [`ConvSizes::forward`]
    /// does.
    pub(crate) fn backward<T: Real>(
        &self,
        output_grad: &[T],
        weight: &[T],
        input_grad: &mut [T],
        finish: impl Fn(usize, usize, &mut [T]) + Sync,
    ) {
        let [in_channels, kernel] = [self.in_channels, self.kernel].map(|n| n as usize);
        let shape = [self.out_channels, self.out_height, self.out_width, self.batch].map(|n| n as usize);
        let [rows, columns] = self.axes(Axis::of_input);
        let weight = |channel: usize, source: usize, tap: usize| {
            weight[(source * in_channels + channel) * kernel * kernel + tap]
        };
        let stride = self.stride as usize;
        let correlation = Correlation { from: output_grad, shape, kernel, stride, rows, columns };
        correlation.run(input_grad, in_channels, weight, finish);
    }

    /// Pixels of one channel of that height and width, over all examples.
    pub(crate) fn places(&self, height: u32, width: u32) -> usize {
        [height, width, self.batch].into_iter().map(|n| n as usize).product()
    }

    /// The weight gradient as a matrix product.
    pub(crate) fn weight_product(&self) -> Product {
        Product::new(self.out_channels, (self.in_channels * self.kernel * self.kernel) as usize)
    }
}

/// Edge cases with ReLU, and one shape with every other activation. The shapes include an image of one pixel, a window
/// as large as the image, strides that do not divide the size, padding beyond half the window, 1 and 17 channels, and
/// batches just below and above the size of vectors and tiles.
pub(crate) fn awkward_cases() -> impl Iterator<Item = (String, ConvSizes, Activation)> {
    // Batch, input channels, height, width, output channels, window, stride, padding.
    let shapes = [
        [1, 1, 1, 1, 1, 1, 1, 0],
        [3, 1, 1, 1, 2, 3, 1, 1],
        [2, 3, 5, 5, 4, 5, 1, 0],
        [5, 2, 7, 9, 3, 3, 2, 0],
        [7, 1, 8, 5, 17, 3, 3, 1],
        [1, 17, 6, 6, 5, 3, 1, 2],
        [33, 2, 5, 4, 6, 2, 1, 1],
        [16, 4, 6, 7, 8, 1, 1, 0],
        [20, 3, 4, 4, 5, 1, 2, 0],
        [2, 5, 11, 9, 7, 7, 1, 3],
        [64, 70, 3, 3, 66, 3, 1, 1],
        [35, 17, 7, 6, 18, 3, 1, 1],
        [3, 16, 9, 6, 37, 3, 1, 0],
        [17, 33, 5, 4, 16, 3, 1, 2],
        [18, 16, 5, 13, 20, 3, 1, 1],
        [3, 2, 1, 1, 3, 1, 3, 1],
        [130, 1, 9, 9, 9, 5, 2, 4],
    ];
    let sizes = |[batch, channels, height, width, maps, size, stride, padding]: [usize; 8]| {
        ConvSizes::new(batch, Shape::Maps { channels, height, width }, maps, Window { size, stride, padding })
    };
    let label = |sizes: &ConvSizes, activation: Activation| {
        let ConvSizes { batch, in_channels, in_height, in_width, out_channels, kernel, stride, padding, .. } = sizes;
        format!(
            "batch {batch}, {in_channels}x{in_height}x{in_width}, {out_channels}C{kernel}s{stride}p{padding}, {activation:?}"
        )
    };
    let with_relu = shapes.into_iter().map(move |shape| (sizes(shape), Activation::Relu));
    let others = Activation::ALL.into_iter().filter(|activation| *activation != Activation::Relu);
    let all = with_relu.chain(others.map(move |activation| (sizes(shapes[3]), activation)));
    all.map(move |(sizes, activation)| (label(&sizes, activation), sizes, activation))
}
