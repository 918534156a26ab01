//! What a range test finds: losses by rate, and the rates that they suggest.

use std::ops::ControlFlow;

use serde::Serialize;

use crate::run::history::to_csv;

/// Weight of the past in the moving average of the losses. fastai's 0.98 remembers 50 updates, nearly two decades of rates, by
/// which its curve lags; this remembers 10, a third of a decade, which still evens out batches.
const MEMORY: f64 = 0.9;

/// The test ends once the smoothed loss is so many times its minimum.
const EXPLODED: f64 = 4.0;

/// How many standard deviations of the losses a descent must be deep. Where nothing falls, the average, with a quarter of that
/// deviation, comes to lie about one deviation below the mean of the first losses by chance.
const NOISE: f64 = 2.0;

/// The least share of the loss that must be gone: networks that learn no more than how frequent the classes are do not get there.
const LEAST: f64 = 0.02;

/// Share of a descent that must be behind before its steepest point is looked for: before, the average has hardly begun.
const BEGUN: f64 = 0.05;

/// Losses at the lowest rates whose mean is where a descent begins, or a quarter of all where those are fewer.
const FIRST: usize = 10;

/// Slopes are taken over this share of the test to either side: from one update to the next, noise is steeper than any descent,
/// above all at the first few, of which the average knows little.
const REACH: f64 = 0.02;

/// An update of the test: a row of its CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RangePoint {
    /// Rate of the update.
    pub learning_rate: f64,
    /// Mean loss of its batch, before the update.
    pub loss: f64,
    /// Exponential moving average of the losses up to this one, corrected for its bias towards the 0 it begins at.
    pub smoothed: f64,
}

/// What the test found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RangeCurve {
    /// The updates in order, up to the explosion. Losses that are no numbers are left out.
    pub points: Vec<RangePoint>,
}

impl RangeCurve {
    /// The rate at which the smoothed loss falls most steeply over the rate's logarithm, the usual choice; `None` where it does
    /// not fall by more than its noise.
    pub fn steepest(&self) -> Option<f64> {
        let reach = ((self.points.len() as f64 * REACH) as usize).max(1);
        // The points are evenly spaced in the logarithm, so that differences are slopes.
        let slopes = self.points.windows(2 * reach + 1).map(|span| span[2 * reach].smoothed - span[0].smoothed);
        let Descent { start, depth, minimum } = self.descent()?;
        let begun = self.points.iter().position(|point| point.smoothed <= start - BEGUN * depth)?;
        let centres = self.points.iter().enumerate().take(minimum + 1).skip(reach);
        let within = centres.zip(slopes).filter(|((index, _), _)| *index >= begun);
        let ((_, point), slope) = within.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (slope < 0.0).then_some(point.learning_rate)
    }

    /// A tenth of the rate at which the smoothed loss is least, the cautious choice; `None` where it does not fall, likewise.
    pub fn tenth_of_minimum(&self) -> Option<f64> {
        self.descent().map(|descent| self.points[descent.minimum].learning_rate / 10.0)
    }

    /// Whether the smoothed loss is least at the very end, so that larger rates would tell more.
    pub fn is_still_falling(&self) -> bool {
        self.descent().is_some_and(|descent| descent.minimum + 1 == self.points.len())
    }

    /// The points as CSV, under the names of their fields.
    ///
    /// # Errors
    /// None in practice: it writes to memory.
    pub fn to_csv(&self) -> std::io::Result<Vec<u8>> {
        to_csv(&self.points)
    }

    /// From where the loss falls to where, and the point at which the smoothed loss is least; `None` where the fall is no more
    /// than noise or next to nothing.
    fn descent(&self) -> Option<Descent> {
        let minimum = self.minimum()?;
        let first = &self.points[..(self.points.len() / 4).clamp(1, FIRST)];
        let start = first.iter().map(|point| point.loss).sum::<f64>() / first.len() as f64;
        let depth = start - self.points[minimum].smoothed;
        (depth > NOISE * noise(&self.points) && depth > LEAST * start.abs()).then_some(Descent {
            start,
            depth,
            minimum,
        })
    }

    /// The point at which the smoothed loss is least.
    fn minimum(&self) -> Option<usize> {
        let smoothed = |&index: &usize| self.points[index].smoothed;
        (0..self.points.len()).min_by(|a, b| smoothed(a).total_cmp(&smoothed(b)))
    }

    /// Records an update, and says whether to go on.
    pub(super) fn add(&mut self, learning_rate: f64, loss: f64) -> ControlFlow<()> {
        if !loss.is_finite() {
            return ControlFlow::Break(());
        }
        // What the weights of all losses so far add up to, without and with this one.
        let weight = |losses: usize| 1.0 - MEMORY.powi(losses as i32);
        let (before, count) = (self.points.last().map_or(0.0, |point| point.smoothed), self.points.len());
        let smoothed = (MEMORY * weight(count) * before + (1.0 - MEMORY) * loss) / weight(count + 1);
        self.points.push(RangePoint { learning_rate, loss, smoothed });
        let least = self.minimum().map_or(smoothed, |minimum| self.points[minimum].smoothed);
        if smoothed > EXPLODED * least { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// A loss that falls.
struct Descent {
    /// The loss before.
    start: f64,
    /// By how much the smoothed loss comes to lie below.
    depth: f64,
    /// The point where it is least.
    minimum: usize,
}

/// The standard deviation of the losses about their course: that of normal noise with the same median difference from one loss
/// to the next, which a descent hardly changes.
fn noise(points: &[RangePoint]) -> f64 {
    let mut differences: Vec<f64> = points.windows(2).map(|pair| (pair[1].loss - pair[0].loss).abs()).collect();
    differences.sort_by(f64::total_cmp);
    // The median of the difference of two standard normal numbers is 0.6745 sqrt(2).
    differences.get(differences.len().saturating_sub(1) / 2).map_or(0.0, |median| median / (0.6745 * 2f64.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::super::RangeTestOptions;
    use super::*;
    use crate::math::random::{Stream, unit};

    /// The curve of what `losses` gives for the rates, one after another.
    fn curve_of(options: RangeTestOptions, mut losses: impl FnMut(f64) -> f64) -> RangeCurve {
        let mut curve = RangeCurve::default();
        let _ =
            (0..options.updates).map(|update| options.rate(update)).try_for_each(|rate| curve.add(rate, losses(rate)));
        curve
    }

    /// Gradient descent on x^2 / 2 from x = 1: the factors on x are 1 - rate, so that the loss grows from a rate of 2 on. Before,
    /// with rates r times one another, it is close to exp(-2 rate / ln r) / 2, which over the logarithm of the rate is steepest
    /// at ln r / 2; the moving average follows about 9 updates later.
    #[test]
    fn the_suggestions_for_a_parabola_are_those_of_its_formula() {
        let options = RangeTestOptions { to: 100.0, ..RangeTestOptions::default() };
        let mut x = 1.0f64;
        let curve = curve_of(options, |rate| {
            let loss = x * x / 2.0;
            x *= 1.0 - rate;
            loss
        });
        let log_ratio = (options.to / options.from).ln() / (options.updates - 1) as f64;
        let late = (curve.steepest().unwrap() / (log_ratio / 2.0)).ln() / log_ratio;
        assert!((0.0..12.0).contains(&late), "{late} updates after the steepest descent");
        let minimum = 10.0 * curve.tenth_of_minimum().unwrap();
        assert!((2.0..20.0).contains(&minimum), "{minimum}");
    }

    /// Batches differ most at the start of the curve, where nothing falls yet.
    #[test]
    fn noise_is_not_taken_for_a_descent() {
        for seed in 0..50 {
            let mut update = 0;
            let curve = curve_of(RangeTestOptions::default(), |rate| {
                update += 1;
                let noise = unit(Stream::Benchmark, seed, update);
                0.3 + 2.0 / (1.0 + rate / 0.1) + 0.5 * f64::from(noise)
            });
            let steepest = curve.steepest().unwrap();
            assert!((0.01..3.0).contains(&steepest), "seed {seed}: {steepest}");
        }
    }

    /// With few updates, every one of them falls much.
    #[test]
    fn a_descent_without_noise_is_seen_in_ten_updates() {
        for updates in [10, 15, 20, 40, 200] {
            let options = RangeTestOptions { updates, ..RangeTestOptions::default() };
            let falling = curve_of(options, |rate| 0.1 + 2.2 / (1.0 + rate / 0.1));
            let steepest = falling.steepest().unwrap();
            assert!((0.01..5.0).contains(&steepest), "{updates}: {steepest}");
            let mut left = updates as f64;
            let line = curve_of(options, |_| {
                left -= 1.0;
                left
            });
            assert!(line.tenth_of_minimum().is_some(), "{updates}");
        }
    }

    #[test]
    fn next_to_nothing_is_no_descent() {
        let curve = curve_of(RangeTestOptions::default(), |rate| 2.3 - 0.002 * (rate / 10.0));
        assert_eq!((curve.steepest(), curve.tenth_of_minimum(), curve.is_still_falling()), (None, None, false));
    }

    #[test]
    fn noise_alone_suggests_nothing() {
        for seed in 0..50 {
            let mut update = 0;
            let curve = curve_of(RangeTestOptions::default(), |_| {
                update += 1;
                2.3 + f64::from(unit(Stream::Benchmark, seed, update))
            });
            assert_eq!((curve.steepest(), curve.tenth_of_minimum()), (None, None), "seed {seed}");
        }
    }

    /// A curve by its smoothed losses, at the rates 1, 2, 3 and so on.
    fn smoothed_curve(values: &[f64]) -> RangeCurve {
        let points = values.iter().zip(1..).map(|(&smoothed, rate)| RangePoint {
            learning_rate: f64::from(rate),
            loss: smoothed,
            smoothed,
        });
        RangeCurve { points: points.collect() }
    }

    #[test]
    fn slopes_belong_to_the_middle_of_their_span() {
        assert_eq!(smoothed_curve(&[9.0, 8.5, 7.0, 3.0, 1.0, 0.5]).steepest(), Some(4.0));
        // Of 200 points, spans are four to either side.
        let values: Vec<f64> = (0..200).map(|index| 2.0 - (f64::from(index - 120) / 10.0).tanh()).collect();
        assert_eq!(smoothed_curve(&values).steepest(), Some(121.0));
        assert_eq!(smoothed_curve(&[1.0, 0.9, 2.0]).steepest(), None, "a dip in what rises is no descent");
    }

    #[test]
    fn a_curve_that_turns_at_its_end_is_not_still_falling() {
        assert!(smoothed_curve(&[1.0, 0.6, 0.5]).is_still_falling());
        assert!(!smoothed_curve(&[1.0, 0.5, 0.6]).is_still_falling());
    }

    #[test]
    fn the_average_is_corrected_for_its_beginning() {
        let smoothed = |losses: &[f64]| {
            let mut curve = RangeCurve::default();
            losses.iter().for_each(|&loss| assert!(curve.add(1.0, loss).is_continue()));
            curve.points.last().unwrap().smoothed
        };
        assert!((smoothed(&[2.0; 50]) - 2.0).abs() < 1e-12);
        assert!((smoothed(&[1.0, 0.0]) - 0.09 / 0.19).abs() < 1e-12);
        assert!((smoothed(&[1.0, 0.0, 2.0]) - (0.081 + 0.2) / 0.271).abs() < 1e-12);
    }

    #[test]
    fn explosions_end_the_test() {
        let mut curve = RangeCurve::default();
        assert!(curve.add(0.1, 1.0).is_continue());
        assert!(curve.add(0.2, 6.0).is_continue(), "smoothed, it is 3.6");
        assert!(curve.add(0.3, 6.0).is_break(), "smoothed, it is 4.5");
        assert_eq!(curve.points.len(), 3);
        assert!(curve.add(0.4, f64::NAN).is_break() && curve.add(0.4, f64::INFINITY).is_break());
        assert_eq!(curve.points.len(), 3);
    }

    #[test]
    fn a_loss_that_does_not_fall_suggests_nothing() {
        let rising = curve_of(RangeTestOptions::default(), |rate| 1.0 + rate);
        assert_eq!((rising.steepest(), rising.tenth_of_minimum(), rising.is_still_falling()), (None, None, false));
        let nothing = RangeCurve::default();
        assert_eq!((nothing.steepest(), nothing.tenth_of_minimum(), nothing.is_still_falling()), (None, None, false));
        assert!(curve_of(RangeTestOptions::default(), |rate| 1.0 / rate).is_still_falling());
    }
}
