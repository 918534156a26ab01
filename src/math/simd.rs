//! Elementwise work of the CPU twins: split into pieces for threads, and into SIMD vectors within a piece.

use rayon::prelude::*;

use crate::math::real::Real;

/// Elements per piece, enough that handing a piece to a thread costs little. Pieces do not depend on the number of
/// threads, so neither do the results.
pub(crate) const MIN_PARALLEL: usize = 1 << 14;

/// Minimum number of pieces per thread for cheap elementwise work, such as optimizer updates. Waking a thread takes as
/// long as updating some ten thousand parameters.
pub(crate) const PIECES_OF_UPDATES: usize = 3;

/// Calls `update` for every parameter with its gradient and its state. For optimizers with one state tensor.
#[inline(always)]
pub(crate) fn update_each<T: Real>(
    parameters: &mut [T],
    gradients: &[T],
    state: &mut [T],
    update: impl Fn(&mut T, T, &mut T) + Sync + Send,
) {
    parameters
        .par_chunks_mut(MIN_PARALLEL)
        .zip(gradients.par_chunks(MIN_PARALLEL))
        .zip(state.par_chunks_mut(MIN_PARALLEL))
        .with_min_len(PIECES_OF_UPDATES)
        .for_each(|((parameters, gradients), state)| {
            simd!({
                for ((parameter, &gradient), state) in parameters.iter_mut().zip(gradients).zip(state) {
                    update(parameter, gradient, state);
                }
            });
        });
}

/// Splits tensors of the same length into pieces of `length` elements.
pub(crate) fn pieces<T, const N: usize>(tensors: [&mut [T]; N], length: usize) -> Vec<[&mut [T]; N]> {
    let mut chunks = tensors.map(|tensor| tensor.chunks_mut(length));
    let count = chunks.iter().map(ExactSizeIterator::len).min().unwrap_or(0);
    (0..count).map(|_| chunks.each_mut().map(|chunks| chunks.next().unwrap_or_default())).collect()
}

/// Calls `update` for every piece. `tensors` are the parameters and optimizer states, all as long as `gradients`.
pub(crate) fn update_pieces<T: Real, const N: usize>(
    tensors: [&mut [T]; N],
    gradients: &[T],
    update: impl Fn([&mut [T]; N], &[T]) + Sync,
) {
    pieces(tensors, MIN_PARALLEL)
        .into_par_iter()
        .zip(gradients.par_chunks(MIN_PARALLEL))
        .with_min_len(PIECES_OF_UPDATES)
        .for_each(|(tensors, gradients)| update(tensors, gradients));
}

/// Runs a loop compiled for the widest vectors of this CPU. It is a macro because the compiler must inline the closure:
/// otherwise the body is compiled for the narrowest vectors.
macro_rules! simd {
    ($body:expr) => {
        $crate::math::simd::dispatch(
            #[inline(always)]
            || $body,
        )
    };
}
pub(crate) use simd;

/// The function behind [`simd`].
#[inline(always)]
pub(crate) fn dispatch<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

/// Partial sums: enough to fill the vectors of any CPU and to hide the latency of additions.
const LANES: usize = 64;

/// The sum of squares. The order of additions is the same on every CPU and with any number of threads.
pub(crate) fn sum_of_squares<T: Real>(values: &[T]) -> T {
    sum(
        values,
        #[inline(always)]
        |value| value * value,
    )
}

/// The sum of `of(value)` over all values, in the same fixed order. `of` must be `#[inline(always)]`, or it is compiled
/// without the vectors of this CPU.
pub(crate) fn sum<T: Real>(values: &[T], of: impl Fn(T) -> T) -> T {
    simd!({
        let mut lanes = [T::zero(); LANES];
        let (rows, rest) = values.as_chunks::<LANES>();
        for row in rows {
            for (lane, &value) in lanes.iter_mut().zip(row) {
                *lane += of(value);
            }
        }
        for (lane, &value) in lanes.iter_mut().zip(rest) {
            *lane += of(value);
        }
        lanes.into_iter().sum()
    })
}
