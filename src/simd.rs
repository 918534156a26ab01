//! How CPU twins spread elementwise work: pieces for threads, and vectors within a piece.

/// Elements of a piece: enough that handing it to a thread costs little. Pieces do not depend on the number of threads, so
/// that results do not either.
pub(crate) const MIN_PARALLEL: usize = 1 << 14;

/// Runs a loop compiled for the widest vectors that this CPU has.
#[inline(always)]
pub(crate) fn simd<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}
