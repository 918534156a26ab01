//! What kernels share that update each parameter of an arena by itself, as their shaders do in
//! `shaders/optim/shared/arena.wgsl`. Their slots are parameters, gradients, the state of each parameter, and the loss
//! scale.

use crate::kernels::kernel::Arguments;
use crate::kernels::shared::loss_scale;
use crate::math::real::Real;
use crate::math::simd;

/// The items of `KernelSpec` that follow from a field `length`, the elements of the arena, and from the operations for
/// an element.
macro_rules! over_arena {
    (flops: $flops:expr) => {
        const WORKGROUP: [u32; 3] = [256, 1, 1];
        const USES_STEP: bool = true;

        fn grid(&self) -> [u32; 3] {
            $crate::kernels::flat_grid(self.length as usize)
        }

        fn lengths(&self) -> Vec<usize> {
            let of_arena = Self::SLOTS.len() - 1;
            [vec![self.length as usize; of_arena], vec![$crate::kernels::shared::loss_scale::LENGTH]].concat()
        }

        fn flops(&self) -> u64 {
            $flops * u64::from(self.length)
        }
    };
}
pub(crate) use over_arena;

/// Calls `update` with pieces of the parameters and of each tensor of state, `N` in all, and of the gradients, unless
/// the update is left out.
pub(crate) fn update_pieces<T: Real, const N: usize>(
    mut arguments: Arguments<'_, T>,
    update: impl Fn([&mut [T]; N], &[T]) + Sync,
) {
    if loss_scale::leaves_out(arguments.reals(1 + N)) {
        return;
    }
    let gradients = arguments.reals(1);
    let tensors = std::array::from_fn(|tensor| arguments.reals_mut(if tensor == 0 { 0 } else { 1 + tensor }));
    simd::update_pieces(tensors, gradients, update);
}

/// Calls `update` with every parameter, its gradient and its state, of which there is one tensor, unless the update is
/// left out.
#[inline(always)]
pub(crate) fn update_each<T: Real>(mut arguments: Arguments<'_, T>, update: impl Fn(&mut T, T, &mut T) + Sync + Send) {
    if loss_scale::leaves_out(arguments.reals(3)) {
        return;
    }
    let (parameters, gradients, state) = (arguments.reals_mut(0), arguments.reals(1), arguments.reals_mut(2));
    simd::update_each(parameters, gradients, state, update);
}
