//! What a convolution's weights owe to the loss.

use rayon::prelude::*;

use super::dense_forward::tile_grid;
use super::lib::conv::{ConvSizes, awkward_cases};
use super::wgsl;
use crate::activation::Activation;
use crate::conv::{WeightGrad, task_channels};
use crate::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::real::Real;

params! {
    /// `partials[s] = output_grad windows^T` over the s-th slice of the output's rows: sizes as [`ConvSizes`] says, partials
    /// `[slices, out_channels, in_channels, kernel, kernel]`. Their sum over s is the gradient ([`super::AddPartials`]).
    pub struct ConvWeightGrad {
        /// As of [`ConvSizes`], like all but the last.
        pub batch: u32,
        /// Maps of the input.
        pub in_channels: u32,
        /// Their rows.
        pub in_height: u32,
        /// Their columns.
        pub in_width: u32,
        /// Maps of the output.
        pub out_channels: u32,
        /// Their rows.
        pub out_height: u32,
        /// Their columns.
        pub out_width: u32,
        /// Rows and columns of a window.
        pub kernel: u32,
        /// From one window to the next.
        pub stride: u32,
        /// Rows and columns of zeros around the input.
        pub padding: u32,
        /// Rows of the output in a slice; the last may have fewer.
        pub slice_rows: u32,
    }
}

/// As many workgroups keep a device busy.
const ENOUGH_GROUPS: u32 = 256;

impl ConvWeightGrad {
    /// With slices enough.
    pub fn new(sizes: ConvSizes) -> ConvWeightGrad {
        let taps = sizes.in_channels * sizes.kernel * sizes.kernel;
        let [columns, rows, _] = tile_grid(sizes.out_channels, taps);
        let tiles = columns * rows;
        let slices = ENOUGH_GROUPS.div_ceil(tiles).min(sizes.out_height);
        ConvWeightGrad::with_rows(sizes, sizes.out_height.div_ceil(slices))
    }

    fn with_rows(sizes: ConvSizes, slice_rows: u32) -> ConvWeightGrad {
        let ConvSizes { batch, in_channels, in_height, in_width, out_channels, .. } = sizes;
        let ConvSizes { out_height, out_width, kernel, stride, padding, .. } = sizes;
        ConvWeightGrad {
            batch,
            in_channels,
            in_height,
            in_width,
            out_channels,
            out_height,
            out_width,
            kernel,
            stride,
            padding,
            slice_rows,
        }
    }

    fn sizes(&self) -> ConvSizes {
        let ConvWeightGrad { batch, in_channels, in_height, in_width, out_channels, .. } = *self;
        let ConvWeightGrad { out_height, out_width, kernel, stride, padding, .. } = *self;
        ConvSizes {
            batch,
            in_channels,
            in_height,
            in_width,
            out_channels,
            out_height,
            out_width,
            kernel,
            stride,
            padding,
        }
    }

    /// Number of slices.
    pub fn slices(&self) -> u32 {
        self.out_height.div_ceil(self.slice_rows)
    }
}

impl KernelSpec for ConvWeightGrad {
    const NAME: &'static str = "conv_weight_grad";
    const WGSL: &'static str = wgsl!("conv_weight_grad", "tile", "conv");
    const SLOTS: &'static [Slot] =
        &[Slot::read("output_grad", DType::F32), Slot::read("input", DType::F32), Slot::write("partials", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        let taps = self.in_channels * self.kernel * self.kernel;
        let [columns, rows, _] = tile_grid(self.out_channels, taps);
        [columns, rows, self.slices()]
    }

    fn lengths(&self) -> Vec<usize> {
        let [input, weight, output] = self.sizes().lengths();
        vec![output, input, self.slices() as usize * weight]
    }

    fn flops(&self) -> u64 {
        self.sizes().flops()
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let sizes = self.sizes();
        let [_, weights, _] = sizes.lengths();
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let partials = &mut arguments.reals_mut(2)[..self.slices() as usize * weights];
        let shape = [self.in_channels, self.in_height, self.in_width, self.batch].map(|n| n as usize);
        let [out_height, slice_rows, kernel] = [self.out_height, self.slice_rows, self.kernel].map(|n| n as usize);
        let line = self.out_width as usize * shape[3];
        let per_channel = shape[0] * kernel * kernel;
        let [rows, columns] = sizes.axes_of_output();
        let task_channels = task_channels(self.out_channels as usize, self.slices() as usize);
        let slices = partials.par_chunks_mut(weights).zip(rows.taps.par_chunks(slice_rows)).enumerate();
        slices.for_each(|(slice, (partial, rows))| {
            partial.par_chunks_mut(task_channels * per_channel).enumerate().for_each(|(block, partial)| {
                let mut to: Vec<&mut [T]> = partial.chunks_mut(per_channel).collect();
                let gradients: Vec<&[T]> = (0..to.len())
                    .map(|lane| {
                        let first = (block * task_channels + lane) * out_height + slice * slice_rows;
                        &output_grad[first * line..][..rows.len() * line]
                    })
                    .collect();
                let columns = &columns;
                T::weight_grad(WeightGrad { input, shape, kernel, gradients: &gradients, rows, columns, to: &mut to });
            });
        });
    }

    fn cases() -> Vec<Case> {
        let case = |label: String, kernel: ConvWeightGrad| {
            let places = kernel.batch * kernel.slice_rows * kernel.out_width;
            Case::new(label, kernel, vec![Input::SIGNED, Input::SIGNED, Input::Poison])
                .tolerance(Tolerance::sum_of(places as usize))
        };
        let sizes = || awkward_cases().filter(|(.., activation)| *activation == Activation::Relu);
        let usual = sizes().map(|(label, sizes, _)| case(label, ConvWeightGrad::new(sizes)));
        let whole = sizes().map(|(label, sizes, _)| {
            case(format!("{label}, in one slice"), ConvWeightGrad::with_rows(sizes, sizes.out_height))
        });
        let uneven = sizes().filter(|(_, sizes, _)| sizes.out_height > 2).map(|(label, sizes, _)| {
            case(format!("{label}, in slices of which the last is short"), ConvWeightGrad::with_rows(sizes, 2))
        });
        usual.chain(whole).chain(uneven).collect()
    }
}
