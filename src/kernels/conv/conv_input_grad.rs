//! The input gradient of a convolution.

use crate::kernels::activation::Activation;
use crate::kernels::conv::shared::conv::{ConvSizes, awkward_cases};
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::tile::{self, Product};
use crate::kernels::wgsl;
use crate::math::real::Real;

params! {
    /// `input_grad = (sum of weight * output_grad over the windows that see the value) * activation'(kept)`. Shapes as
    /// in [`ConvSizes`]; kept and input_grad have the input's shape. The activation is that of the layer below, which
    /// produced the input, so the result is the gradient of that layer's pre-activation. `kept` is the argument of the
    /// derivative: the input or its pre-activation.
    pub struct ConvInputGrad(ConvSizes);
}

impl KernelSpec for ConvInputGrad {
    const NAME: &'static str = "conv_input_grad";
    const WGSL: &'static str = wgsl!(
        "conv/conv_input_grad",
        "shared/stored",
        "shared/activation",
        "product/shared/product",
        "product/shared/tile_memory",
        "product/shared/tile_block",
        "conv/shared/conv"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("weight", DType::F32),
        Slot::read("kept", DType::F32).or_half(),
        Slot::write("input_grad", DType::F32).or_half(),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [tile::BLOCK.threads(), 1, 1];

    fn product(&self) -> Option<Product> {
        Some(Product::new(self.0.in_channels, self.0.places(self.0.in_height, self.0.in_width)))
    }

    fn lengths(&self) -> Vec<usize> {
        let [input, weight, output] = self.0.lengths();
        vec![output, weight, input, input]
    }

    fn flops(&self) -> u64 {
        self.0.flops()
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let (output_grad, weight, kept) = (arguments.reals(0), arguments.reals(1), arguments.reals(2));
        self.0.backward(output_grad, weight, arguments.reals_mut(3), |_, start, rows| {
            activation.differentiate(rows, &kept[start..]);
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let terms = self.0.out_channels * self.0.kernel * self.0.kernel;
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::SIGNED, Input::Poison])
            .tolerance(Tolerance::sum_of(terms as usize))
    }

    fn cases() -> Vec<Case> {
        awkward_cases()
            .map(|(label, sizes, activation)| ConvInputGrad(sizes).case(label).constants(vec![activation.constant()]))
            .collect()
    }
}
