//! Dropout's backward pass.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::elementwise::dropout::dropout_cases;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::{Dropout, wgsl};
use crate::math::real::Real;

params! {
    /// `input_grad = output_grad * factor * activation'(kept)`, all `[batch, features]`, with the factors of
    /// [`Dropout`]. The activation is the one that dropout's input came out of; kept is what its derivative takes.
    pub struct DropoutGrad(Dropout);
}

impl KernelSpec for DropoutGrad {
    const NAME: &'static str = "dropout_grad";
    const WGSL: &'static str = wgsl!(
        "elementwise/dropout_grad",
        "shared/stored",
        "shared/step",
        "shared/linear",
        "shared/philox",
        "elementwise/shared/dropout",
        "shared/activation"
    );
    const SLOTS: &'static [Slot] = &[
        Slot::read("output_grad", DType::F32).or_half(),
        Slot::read("kept", DType::F32).or_half(),
        Slot::write("input_grad", DType::F32).or_half(),
    ];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [256, 1, 1];
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        Dropout::grid_of(self.0.batch, self.0.features)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.0.batch as usize * self.0.features as usize; 3]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let (step, features) = (arguments.step(), self.0.features as usize);
        let (output_grad, kept) = (arguments.reals(0), arguments.reals(1));
        let input_grad = arguments.reals_mut(2);
        let gradients = input_grad.par_chunks_mut(features).zip(output_grad.par_chunks(features));
        let rows = gradients.zip(kept.par_chunks(features));
        self.0.for_each_row(step, rows, |((input_grad, output_grad), kept), factors| {
            let values = output_grad.iter().zip(kept).zip(factors);
            for (input_grad, ((&output_grad, &kept), &factor)) in input_grad.iter_mut().zip(values) {
                *input_grad = output_grad * factor * activation.derivative(kept);
            }
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, Input::SIGNED, Input::Poison]).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        let dropped = dropout_cases().zip(Activation::ALL).map(|((label, dropout, step), activation)| {
            DropoutGrad(dropout)
                .case(format!("{label}, {activation:?}"))
                .constants(vec![activation.constant()])
                .step(step)
        });
        // What is kept, at kinks and so far out that exp would overflow.
        let far = |activation: Activation, kept: &[f32]| {
            DropoutGrad(Dropout::new(1, kept.len(), 0, 0.0))
                .case(format!("{activation:?}, nothing dropped, of {kept:?}"))
                .input(0, Input::F32(vec![1.0; kept.len()]))
                .input(1, Input::F32(kept.to_vec()))
                .constants(vec![activation.constant()])
        };
        let of_pre_activations = Activation::ALL.into_iter().filter(|activation| activation.keeps_pre_activation());
        let of_pre_activations = of_pre_activations.map(|activation| {
            far(activation, &[-200.0, -90.0, -25.0, -3.0, -2.9, 2.9, 3.0, 19.0, 25.0, 90.0, 200.0, 6e4])
        });
        let farthest = [Activation::Mish, Activation::HardSwish].map(|activation| far(activation, &[1e20, 3e38]));
        dropped.chain(of_pre_activations).chain(farthest).collect()
    }
}
