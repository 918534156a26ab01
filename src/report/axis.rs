//! Axes: the values they span and the places that are labelled.

/// An axis of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: &'static str,
    /// The least and the greatest value shown; they differ.
    pub range: [f64; 2],
    /// How values become places.
    pub scale: Scale,
}

/// How values become places on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In proportion.
    Linear,
    /// In proportion, and only whole numbers from 1 are labelled.
    Count,
    /// By the logarithm; values are positive.
    Log,
}

impl Scale {
    /// The place of a value, in units in which the axis is linear.
    pub(super) fn place(self, value: f64) -> f64 {
        if self == Scale::Log { value.log10() } else { value }
    }
}

impl Axis {
    /// Whether a value lies within the range.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.range[0]..=self.range[1]).contains(&value)
    }

    /// The least and the greatest place.
    pub(super) fn places(&self) -> [f64; 2] {
        self.range.map(|value| self.scale.place(value))
    }

    /// The values to label, `most` at most, each with its label.
    pub(super) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => linear_ticks(self.range, most, 0.0),
            Scale::Count => linear_ticks([self.range[0].max(1.0), self.range[1]], most, 1.0),
            Scale::Log => log_ticks(self.range, most),
        }
    }
}

/// Multiples of the smallest of 1, 2 and 5 times a power of ten that gives few enough of them.
fn linear_ticks([low, high]: [f64; 2], most: usize, least_step: f64) -> Vec<(f64, String)> {
    let rough = ((high - low) / most as f64).max(least_step);
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let power = rough.log10().floor();
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * 10f64.powf(power) >= rough * (1.0 - 1e-9));
    let step = factor.unwrap_or(10.0) * 10f64.powf(power);
    let decimals = (-(step * (1.0 + 1e-9)).log10().floor()).max(0.0) as usize;
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).clamp(-1.0, most as f64) as usize + 1;
    // Adding 0 makes a negative zero a zero.
    (0..count)
        .map(|index| (first + index as f64) * step + 0.0)
        .map(|tick| (tick, format!("{tick:.decimals$}")))
        .collect()
}

/// Powers of ten, every few where there are many; with their doubles and fivefolds where there are few.
fn log_ticks([low, high]: [f64; 2], most: usize) -> Vec<(f64, String)> {
    let powers = (low.log10().floor() as i32..=high.log10().ceil() as i32).collect::<Vec<_>>();
    let inside = |factors: &[f64], every: usize| {
        let values = powers.iter().step_by(every).flat_map(|&power| factors.iter().map(move |f| f * 10f64.powi(power)));
        values.filter(|value| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(value)).collect::<Vec<_>>()
    };
    let fine = inside(&[1.0, 2.0, 5.0], 1);
    if fine.len() < 3 {
        return linear_ticks([low, high], most.min(6), 0.0);
    }
    let values = if fine.len() <= most { fine } else { inside(&[1.0], powers.len().div_ceil(most)) };
    values.into_iter().map(|value| (value, short(value))).collect()
}

/// A value as one types it: `0.05`, but `1e-5`.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if (1e-3..1e5).contains(&rounded) { rounded.to_string() } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(range: [f64; 2], scale: Scale, most: usize) -> Vec<String> {
        Axis { label: "", range, scale }.ticks(most).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(labels([0.0, 1.0], Scale::Linear, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels([0.0487, 0.1613], Scale::Linear, 6), ["0.06", "0.08", "0.10", "0.12", "0.14", "0.16"]);
        assert_eq!(labels([97.3, 100.0], Scale::Linear, 6), ["97.5", "98.0", "98.5", "99.0", "99.5", "100.0"]);
        assert_eq!(labels([1.0, 12.0], Scale::Count, 8), ["2", "4", "6", "8", "10", "12"]);
        assert_eq!(labels([0.5, 1.5], Scale::Count, 8), ["1"]);
        assert_eq!(labels([1.0, 2000.0], Scale::Count, 8), ["500", "1000", "1500", "2000"]);
        assert_eq!(labels([-39.0, 2040.0], Scale::Count, 8), ["500", "1000", "1500", "2000"]);
        assert_eq!(labels([-0.1, 0.1], Scale::Linear, 2), ["-0.1", "0.0", "0.1"]);
    }

    #[test]
    fn logarithmic_ticks_fit_many_decades_one_and_less() {
        assert_eq!(labels([1e-5, 1.0], Scale::Log, 8), ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels([1e-8, 10.0], Scale::Log, 8).len(), 5);
        assert_eq!(labels([0.01, 0.1], Scale::Log, 8), ["0.01", "0.02", "0.05", "0.1"]);
        assert_eq!(labels([0.011, 0.018], Scale::Log, 8), ["0.012", "0.014", "0.016", "0.018"]);
    }
}
