//! A bound on the norm of each unit's weights.

use rayon::prelude::*;

use crate::kernels::kernel::{Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::kernels::shared::loss_scale;
use crate::kernels::wgsl;
use crate::math::real::Real;
use crate::math::simd::{MIN_PARALLEL, simd, sum_of_squares};

params! {
    /// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014, section 5.1: each
    /// row of a weight `[outputs, inputs]`, which is what comes into a unit, is scaled down to a norm of `max_norm` at most.
    pub struct MaxNorm {
        /// Units.
        pub outputs: u32,
        /// Weights of a unit.
        pub inputs: u32,
        /// The largest norm that is left.
        pub max_norm: f32,
    }
}

impl KernelSpec for MaxNorm {
    const NAME: &'static str = "max_norm";
    const WGSL: &'static str = wgsl!("optim/max_norm", "shared/loss_scale", "shared/finite", "shared/group_sum");
    const SLOTS: &'static [Slot] = &[Slot::update("weight", DType::F32), loss_scale::SLOT];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.outputs as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.outputs as usize * self.inputs as usize, loss_scale::LENGTH]
    }

    fn flops(&self) -> u64 {
        3 * u64::from(self.outputs) * u64::from(self.inputs)
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        if loss_scale::leaves_out(arguments.reals(1)) {
            return;
        }
        let (inputs, max_norm) = (self.inputs as usize, T::from_f32(self.max_norm));
        let weight = &mut arguments.reals_mut(0)[..self.outputs as usize * inputs];
        weight.par_chunks_mut(inputs).with_min_len(MIN_PARALLEL.div_ceil(inputs)).for_each(|row| {
            let norm = sum_of_squares(row).sqrt();
            if norm > max_norm {
                // A norm whose square f32 cannot hold scales by itself: what has diverged must show.
                let factor = if norm.is_finite() { max_norm / norm } else { norm };
                simd!(row.iter_mut().for_each(|weight| *weight *= factor));
            }
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        Case::new(label, *self, vec![Input::SIGNED, loss_scale::applies()]).tolerance(Tolerance {
            absolute: 1e-6,
            relative: 1e-5,
            reason: "a sum of squares, its root and a quotient",
        })
    }

    fn cases() -> Vec<Case> {
        // The norm of a row is around sqrt(inputs / 3): some rows are above the bound, some below.
        let shapes = [(1, 1), (7, 13), (65, 257), (13, 1000), (65_536, 1)].map(|(outputs, inputs)| {
            let max_norm = (inputs as f32 / 3.0).sqrt();
            MaxNorm { outputs, inputs, max_norm }.case(format!("{outputs} of {inputs}"))
        });
        let edges = Input::F32(vec![0.0, 0.0, 3.0, -4.0, 0.0, 0.25]);
        let edges = MaxNorm { outputs: 3, inputs: 2, max_norm: 1.0 }.case("all zero, above, below").input(0, edges);
        loss_scale::with_one_left_out(shapes.into_iter().chain([edges]))
    }
}
