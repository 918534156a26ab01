//! Differences between values and a reference.

use crate::kernels::kernel::Tolerance;

/// The result of comparing tensors. The numbers belong to the value that came closest to its bound or exceeded it the
/// most.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Difference from the reference.
    pub max_error: f64,
    /// Largest difference allowed.
    pub allowed: f64,
    /// The difference divided by the allowed one.
    pub worst_share: f64,
    /// The first value out of bounds, as a sentence.
    pub failure: Option<String>,
}

impl Comparison {
    /// The result before anything is compared.
    pub const NONE: Comparison = Comparison { max_error: 0.0, worst_share: 0.0, allowed: 0.0, failure: None };

    /// Compares values with a reference. `what` is their name in messages.
    pub fn add(&mut self, what: &str, values: &[f32], reference: &[f64], tolerance: Tolerance) {
        if values.len() != reference.len() {
            let message = format!("{what} has {} values instead of {}", values.len(), reference.len());
            self.failure.get_or_insert(message);
        }
        for (index, (&value, &expected)) in values.iter().zip(reference).enumerate() {
            let value = f64::from(value);
            // An infinite reference allows only itself.
            let size = if expected.is_finite() { expected.abs() } else { 0.0 };
            let allowed = tolerance.absolute + tolerance.relative * size;
            // Equality is checked first, for infinities. A NaN is never within a bound.
            let error = if value == expected { 0.0 } else { (value - expected).abs() };
            let within = error <= allowed;
            if !within && self.failure.is_none() {
                let message =
                    format!("{what}[{index}] is {value} instead of {expected}; the allowed difference is {allowed:e}");
                self.failure = Some(message);
            }
            self.weigh(if error.is_finite() { error } else { f64::MAX }, allowed);
        }
    }

    /// Keeps the numbers of a value if it is the worst so far.
    pub(super) fn weigh(&mut self, error: f64, allowed: f64) {
        let share = if error == 0.0 { 0.0 } else { error / allowed };
        if share > self.worst_share || self.allowed == 0.0 {
            (self.max_error, self.allowed, self.worst_share) = (error, allowed, share);
        }
    }
}
