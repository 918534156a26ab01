//! Hinge losses of multi-class support vector machines (SVMs).

use crate::kernels::kernel::{Arguments, Case, KernelSpec, Slot, Tolerance, linear_grid, params};
use crate::kernels::loss::shared::loss::{self, Row, greatest};
use crate::kernels::wgsl;
use crate::math::real::Real;

/// Which margin violations a hinge loss counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HingeVariant {
    /// All classes that violate the margin (Weston and Watkins, "Support vector machines for multi-class pattern
    /// recognition", ESANN 1999).
    #[default]
    WestonWatkins,
    /// The class that violates the margin most (Crammer and Singer, "On the algorithmic implementation of multiclass
    /// kernel-based vector machines", JMLR 2001).
    CrammerSinger,
}

impl HingeVariant {
    /// Its number in `shaders/loss/hinge.wgsl`.
    pub const fn constant(self) -> u32 {
        match self {
            HingeVariant::WestonWatkins => 0,
            HingeVariant::CrammerSinger => 1,
        }
    }
}

params! {
    /// For each row r of logits z `[batch, classes]` with target t and violations `v_c = [c != t] margin + z_c - z_t`:
    ///
    /// - `losses[r] = w_t sum_c max(0, v_c)` (Weston and Watkins) or `w_t max_c v_c` (Crammer and Singer; `v_t = 0`).
    /// - `logits_grad[r, c] = w_t scale / update_rows` for each class that counts, `-k` times that for t, else 0, where
    ///   k classes count: all with `v_c > 0` (Weston and Watkins), or the one with the largest `v_c > 0`, the lowest of
    ///   equals (Crammer and Singer).
    /// - `predictions[start + r] = argmax z`, the lowest class of equal logits.
    ///
    /// Padding rows get loss and gradient zero.
    pub struct Hinge {
        /// Rows of a full batch.
        pub batch: u32,
        /// Number of classes.
        pub classes: u32,
        /// Length of the predictions.
        pub examples: u32,
        /// Margin by which the target's logit must exceed all others.
        pub margin: f32,
    }
}

impl Hinge {
    /// For logits up to `largest` in magnitude.
    fn tolerance(largest: f32) -> Tolerance {
        Tolerance {
            absolute: 1e-6 + 2e-7 * f64::from(largest),
            relative: 1e-5,
            reason: "f32 rounding of differences of logits, and of a sum of positive terms",
        }
    }
}

impl KernelSpec for Hinge {
    const NAME: &'static str = "hinge";
    const WGSL: &'static str =
        wgsl!("loss/hinge", "shared/step", "shared/finite", "shared/stored", "shared/loss_scale", "loss/shared/loss");
    const SLOTS: &'static [Slot] = loss::SLOTS;
    const CONSTANTS: &'static [&'static str] = &["variant"];
    const WORKGROUP: [u32; 3] = loss::WORKGROUP;
    const USES_STEP: bool = true;

    fn grid(&self) -> [u32; 3] {
        linear_grid(self.batch as usize)
    }

    fn lengths(&self) -> Vec<usize> {
        loss::lengths(self.batch, self.classes, self.examples)
    }

    fn bytes(&self) -> u64 {
        loss::bytes(self.batch, self.classes)
    }

    fn run<T: Real>(&self, arguments: Arguments<'_, T>) {
        let crammer_singer = arguments.constant(0) == HingeVariant::CrammerSinger.constant();
        let margin = T::from_f32(self.margin);
        loss::run(arguments, self.classes, |row: &Row<'_, T>, gradient| {
            let violation = |c: usize| {
                let margin = if c == row.target { T::zero() } else { margin };
                margin + row.logits[c] - row.logits[row.target]
            };
            let only = crammer_singer.then(|| greatest((0..row.logits.len()).map(violation)).0);
            let (mut total, mut count) = (T::zero(), T::zero());
            for (c, slope) in gradient.iter_mut().enumerate() {
                let v = violation(c);
                let counts = v > T::zero() && only.is_none_or(|only| only == c);
                *slope = if counts { T::one() } else { T::zero() };
                count += *slope;
                total += if counts { v } else { T::zero() };
            }
            gradient[row.target] = -count;
            total
        });
    }

    fn case(&self, label: impl Into<String>) -> Case {
        loss::case(label, *self, self.batch, self.classes, Hinge::tolerance)
    }

    fn cases() -> Vec<Case> {
        let cases = [HingeVariant::WestonWatkins, HingeVariant::CrammerSinger].map(|variant| {
            let cases = loss::cases(
                &format!("{variant:?}"),
                |batch, classes, examples| Hinge { batch, classes, examples, margin: 1.25 },
                Hinge::tolerance,
            );
            cases.into_iter().map(|case| case.constants(vec![variant.constant()])).collect::<Vec<_>>()
        });
        cases.concat()
    }
}
