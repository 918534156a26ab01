//! A convolution's output.

use crate::kernels::activation::Activation;
use crate::kernels::conv::shared::conv::{ConvSizes, awkward_cases};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// `output = activation(weight * input + bias)`, where `*` is a cross-correlation, as in all deep-learning
    /// libraries. Shapes as in [`ConvSizes`]; bias `[out_channels]`.
    pub struct ConvForward(ConvSizes);
}

impl KernelSpec for ConvForward {
    const NAME: &'static str = "conv_forward";
    const WGSL: &'static str = wgsl!(
        "conv/conv_forward",
        "shared/stored",
        "shared/activation",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block",
        "conv/shared/conv"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32).or_half(),
        Slot::read("weight", DType::F32),
        Slot::read("bias", DType::F32),
        Slot::write("output", DType::F32).or_half(),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];

    fn product(&self) -> Option<Product> {
        Some(Product::new(self.0.out_channels, self.0.places(self.0.out_height, self.0.out_width)))
    }

    fn lengths(&self) -> Vec<usize> {
        let [input, weight, output] = self.0.lengths();
        vec![input, weight, self.0.out_channels as usize, output]
    }

    fn flops(&self) -> u64 {
        self.0.flops()
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let (input, weight, bias) = (arguments.reals(0), arguments.reals(1), arguments.reals(2));
        self.0.forward(input, weight, arguments.reals_mut(3), |channel, _, rows| {
            activation.apply_to(rows, bias[channel]);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let terms = self.0.in_channels * self.0.kernel * self.0.kernel;
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(terms as usize))
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, activation)| ConvForward(sizes).case(label).constants(vec![activation.constant()]))
            .collect()
    }
}
