//! An activation by itself.

use rayon::prelude::*;

use crate::kernels::activation::Activation;
use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, params};
use crate::kernels::{flat_grid, wgsl};
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, simd};

params! {
    /// `output = activation(pre_activation)`, both `[length]`. Only activations whose derivative takes the
    /// pre-activation need it; the others are fused into the layer before.
    pub struct Activate {
        /// Elements.
        pub length: u32,
    }
}

impl KernelSpec for Activate {
    const NAME: &'static str = "activate";
    const WGSL: &'static str = wgsl!("elementwise/activate", "shared/stored", "shared/linear", "shared/activation");
    const SLOTS: &'static [Slot] =
        &[Slot::read("pre_activation", DType::F32).or_half(), Slot::write("output", DType::F32).or_half()];
    const CONSTANTS: &'static [&'static str] = &["activation"];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        flat_grid(self.length as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.length as usize; 2]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let activation = Activation::from_constant(arguments.constant(0));
        let length = self.length as usize;
        let (pre_activation, output) = (&arguments.reals(0)[..length], &mut arguments.reals_mut(1)[..length]);
        output.par_chunks_mut(MIN_PARALLEL).zip(pre_activation.par_chunks(MIN_PARALLEL)).for_each(
            |(output, pre_activation)| {
                simd!({
                    for (y, &z) in output.iter_mut().zip(pre_activation) {
                        *y = activation.apply(z);
                    }
                });
            },
        );
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let inputs = vec![Input::Uniform { low: -3.0, high: 3.0 }, Input::Poison];
        Case::new(label, *self, inputs).tolerance(Tolerance {
            absolute: 4e-7,
            relative: 4e-6,
            reason: "exp and tanh of WGSL are off by some ulp, the error function by 1.5e-7",
        })
    }

    fn cases() -> Vec<Case> {
        let case = |activation: Activation, bound: f32, length: usize| {
            Activate { length: length as u32 }
                .case(format!("{activation:?}, length {length}, within {bound}"))
                .input(0, Input::Uniform { low: -bound, high: bound })
                .constants(vec![activation.constant()])
        };
        let all = Activation::ALL.into_iter();
        // What half precision rounds to its largest number, and what it holds no more.
        let edge = Input::F32(vec![65_504.0, 65_519.0, 65_520.0, 7e4, f32::INFINITY, 2f32.powi(-24), 1e-9]);
        let edge = case(Activation::ALL[0], 0.0, 7).input(0, edge);
        all.flat_map(|activation| {
            let far = Input::F32(vec![-90.0, -3.0, 3.0, 1e20, 3e38, f32::INFINITY]);
            [case(activation, 3.0, 997), case(activation, 200.0, 257), case(activation, 1e20, 6).input(0, far)]
        })
        .chain([edge])
        .collect()
    }
}
