//! The weight gradient of a convolution.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::conv::shared::conv::{ConvSizes, awkward_cases};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::conv::{WeightGrad, task_channels};
use crate::math::real::Real;

params! {
    /// `partials[s] = output_grad windows^T` over slice s of the output's rows. Shapes as in [`ConvSizes`]; partials
    /// `[slices, out_channels, in_channels, kernel, kernel]`. The gradient is their sum over s
    /// ([`crate::kernels::AddPartials`]).
    pub struct ConvWeightGrad {
        /// The convolution.
        pub sizes: ..ConvSizes,
        /// Output rows per slice. The last slice may have fewer.
        pub slice_rows: u32,
    }
}

/// Number of workgroups that keeps a GPU busy.
const ENOUGH_GROUPS: usize = 256;

impl ConvWeightGrad {
    /// With enough slices to keep a GPU busy, but at most one per output row.
    pub fn new(sizes: ConvSizes) -> ConvWeightGrad {
        let tiles = sizes.weight_product().tiles(&tile::BLOCK);
        let slices = (ENOUGH_GROUPS.div_ceil(tiles) as u32).min(sizes.out_height);
        ConvWeightGrad { sizes, slice_rows: sizes.out_height.div_ceil(slices) }
    }

    /// Number of slices.
    pub fn slices(&self) -> u32 {
        self.sizes.out_height.div_ceil(self.slice_rows)
    }
}

impl KernelSpec for ConvWeightGrad {
    const NAME: &'static str = "conv_weight_grad";
    const WGSL: &'static str = wgsl!(
        "conv/conv_weight_grad",
        "shared/stored",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block",
        "conv/shared/conv"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("input", DType::F32).or_half(),
        Slot::write("partials", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];

    fn product(&self) -> Option<Product> {
        Some(Product { count: self.slices(), ..self.sizes.weight_product() })
    }

    fn lengths(&self) -> Vec<usize> {
        let [input, weight, output] = self.sizes.lengths();
        vec![output, input, self.slices() as usize * weight]
    }

    fn flops(&self) -> u64 {
        self.sizes.flops()
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let sizes = self.sizes;
        let [_, weights, _] = sizes.lengths();
        let (output_grad, input) = (arguments.reals(0), arguments.reals(1));
        let partials = &mut arguments.reals_mut(2)[..self.slices() as usize * weights];
        let shape = [sizes.in_channels, sizes.in_height, sizes.in_width, sizes.batch].map(|n| n as usize);
        let [out_height, slice_rows, kernel] = [sizes.out_height, self.slice_rows, sizes.kernel].map(|n| n as usize);
        let line = sizes.out_width as usize * shape[3];
        let per_channel = shape[0] * kernel * kernel;
        let [rows, columns] = sizes.axes_of_output();
        let task_channels = task_channels(sizes.out_channels as usize, self.slices() as usize);
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

    fn case(&self, label: impl Into<String>) -> Case {
        let places = self.sizes.batch * self.slice_rows * self.sizes.out_width;
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(places as usize))
    }

    fn cases() -> Vec<Case> {
        let sizes = || awkward_cases().filter(|(.., activation)| *activation == Activation::Relu);
        let usual = sizes().map(|(label, sizes, _)| ConvWeightGrad::new(sizes).case(label));
        let whole = sizes().map(|(label, sizes, _)| {
            ConvWeightGrad { sizes, slice_rows: sizes.out_height }.case(format!("{label}, in one slice"))
        });
        let uneven = sizes().filter(|(_, sizes, _)| sizes.out_height > 2).map(|(label, sizes, _)| {
            let label = format!("{label}, in slices of two rows");
            ConvWeightGrad { sizes, slice_rows: 2 }.case(label)
        });
        usual.chain(whole).chain(uneven).collect()
    }
}
