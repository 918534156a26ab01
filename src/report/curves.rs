//! Learning curves of any number of runs in one chart.

use super::{Axis, Chart, Curve, Panel, Scale, Stroke};
use crate::run::history::EpochRecord;

/// Interquartile ranges above the third quartile past which a value is an outlier: "far out" in Tukey, "Exploratory Data
/// Analysis", 1977.
const FENCE: f64 = 3.0;

/// How many times as high as the course of the best run a panel may be.
const MOST_COURSES: f64 = 3.0;

/// A run as its curves show it.
#[derive(Clone, Copy, Debug)]
pub struct LearningCurve<'a> {
    /// What the legend calls it.
    pub name: &'a str,
    /// The loss that it reports: losses of different kinds do not compare.
    pub loss: &'a str,
    /// Its epochs.
    pub history: &'a [EpochRecord],
}

/// Loss and accuracy over the epochs, on the validation set (thick lines) and the training set (thin lines). There is one
/// series per run and one panel per kind of loss.
///
/// Outliers are clipped so that they do not flatten the other curves: those of a single run, such as a first epoch that
/// went wrong, and those of runs that are far worse than the best. The legend marks a run that is entirely off a panel.
pub fn learning_curves(runs: &[LearningCurve<'_>]) -> Chart {
    let mut losses: Vec<&str> = runs.iter().map(|run| run.loss).collect();
    losses.sort_unstable();
    losses.dedup();
    let mut panels = Vec::new();
    for &loss in &losses {
        let title = if losses.len() > 1 { format!("Loss: {loss}") } else { "Loss".to_string() };
        let texts = (title, "mean loss per example", Good::Low);
        panels.push(panel(
            runs,
            |run| run.loss == loss,
            texts,
            |record| Some(record.train_loss),
            |record| record.val_loss,
        ));
    }
    let texts = ("Accuracy".to_string(), "accuracy (%)", Good::High);
    let [training, validation]: [Value; 2] =
        [|record| Some(100.0 * record.train_accuracy), |record| record.val_accuracy.map(|share| 100.0 * share)];
    panels.push(panel(runs, |_| true, texts, training, validation));
    let names = runs.iter().enumerate().map(|(series, run)| {
        let missed: Vec<_> = panels.iter().filter(|panel| panel.misses(series)).map(|panel| &panel.title).collect();
        match &missed[..] {
            [] => run.name.to_string(),
            [only] => format!("{} (off the chart of {})", run.name, only.to_lowercase()),
            _ => format!("{} (off the chart)", run.name),
        }
    });
    let strokes = vec![(Stroke::Main, "validation"), (Stroke::Aside, "training")];
    Chart { series: names.collect(), strokes, panels }
}

/// What a curve shows of an epoch.
type Value = fn(&EpochRecord) -> Option<f64>;

fn panel(
    runs: &[LearningCurve<'_>],
    is_shown: impl Fn(&LearningCurve<'_>) -> bool,
    (title, label, good): (String, &'static str, Good),
    training: Value,
    validation: Value,
) -> Panel {
    let mut curves = Vec::new();
    for (stroke, value) in [(Stroke::Aside, training), (Stroke::Main, validation)] {
        for (series, run) in runs.iter().enumerate().filter(|(_, run)| is_shown(run)) {
            let points = run.history.iter().filter_map(|record| Some((record.epoch as f64, value(record)?))).collect();
            curves.push(Curve { series, stroke, points });
        }
    }
    let epochs = runs.iter().flat_map(|run| run.history.last()).map(|record| record.epoch).max();
    let x = Axis { label: "epoch", range: epoch_range(epochs.unwrap_or(1).max(1)), scale: Scale::Count };
    let y = Axis { label, range: range(&curves, good), scale: Scale::Linear };
    Panel { title, x, y, curves, mark: None }
}

/// From the first epoch to the last, with room at the ends.
fn epoch_range(epochs: usize) -> [f64; 2] {
    let room = ((epochs - 1) as f64 * 0.02).max(if epochs == 1 { 0.5 } else { 0.05 });
    [1.0 - room, epochs as f64 + room]
}

/// Which end of an axis is the better one.
#[derive(Clone, Copy, PartialEq)]
enum Good {
    Low,
    High,
}

/// The values to show: from the best of all up to what [`learning_curves`] says of bad ones.
fn range(curves: &[Curve], good: Good) -> [f64; 2] {
    // Errors in place of accuracies: then less is better, and nothing is below 0.
    let badness = |y: f64| if good == Good::Low { y } else { 100.0 - y };
    let series = curves.iter().map(|curve| curve.series + 1).max().unwrap_or(0);
    let courses: Vec<Vec<f64>> = (0..series)
        .map(|series| {
            let points = curves.iter().filter(|curve| curve.series == series).flat_map(|curve| &curve.points);
            course(points.map(|&(_, y)| badness(y)).filter(|value| value.is_finite()).collect())
        })
        .collect();
    let best = courses.iter().filter(|course| !course.is_empty()).min_by(|a, b| a[0].total_cmp(&b[0]));
    let Some([low, .., start] | [low @ start]) = best.map(Vec::as_slice) else { return [0.0, 1.0] };
    let cap = low + MOST_COURSES * (start - low).max(*low);
    let high = courses.iter().flatten().copied().filter(|&value| value <= cap).fold(*low, f64::max);
    let span = high - low;
    let room = if span > 1e-3 * high.abs() { 0.05 * span } else { (0.02 * high.abs()).max(0.01) };
    // A line that lies at 0 is shown in its full width.
    let (low, high) = ((low - room).max(-0.2 * room), high + room);
    if good == Good::Low { [low, high] } else { [100.0 - high, 100.0 - low] }
}

/// The values of a run that are no outliers, sorted.
fn course(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    if !values.is_empty() {
        let (first, third) = (quantile(&values, 0.25), quantile(&values, 0.75));
        values.retain(|&value| value <= third + FENCE * (third - first));
    }
    values
}

/// A quantile of sorted values, of which there is one at least, interpolated.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history with these validation losses, and training losses half as high.
    fn history(losses: &[f64]) -> Vec<EpochRecord> {
        let record = |(index, &val_loss): (usize, &f64)| EpochRecord {
            epoch: index + 1,
            train_loss: 0.5 * val_loss,
            train_accuracy: 1.0 - 0.1 * val_loss,
            val_loss: Some(val_loss),
            val_accuracy: Some(1.0 - 0.2 * val_loss),
            learning_rate: 0.1,
            seconds: 1.0,
        };
        losses.iter().enumerate().map(record).collect()
    }

    fn curve<'a>(name: &'a str, loss: &'a str, history: &'a [EpochRecord]) -> LearningCurve<'a> {
        LearningCurve { name, loss, history }
    }

    fn ranges(histories: &[Vec<EpochRecord>]) -> ([f64; 2], [f64; 2]) {
        let runs: Vec<_> = histories.iter().map(|history| curve("", "svm", history)).collect();
        let [loss, accuracy] = &learning_curves(&runs).panels[..] else { unreachable!("there are two panels") };
        (loss.y.range, accuracy.y.range)
    }

    #[test]
    fn outliers_lie_outside_and_all_else_inside() {
        let sound = [0.5, 0.4, 0.3, 0.3, 0.2, 0.2, 0.2, 0.2];
        let ([low, high], [least, most]) = ranges(&[history(&sound)]);
        assert!(low < 0.1 && high > 0.5 && high < 0.6, "{low} {high}");
        assert!(least < 90.0 && most > 98.0 && most < 99.0, "{least} {most}");
        let mut diverging = sound;
        diverging[0] = 40.0;
        let ([_, high], [least, _]) = ranges(&[history(&diverging)]);
        assert!(high > 0.4 && high < 0.6 && least > 80.0, "{high} {least}");
    }

    #[test]
    fn many_bad_runs_do_not_hide_the_good_ones() {
        let (good, bad) = (history(&[0.4, 0.3, 0.2]), history(&[2.3, 2.2, 2.3]));
        let ([_, high], [least, _]) = ranges(&[bad.clone(), good, bad.clone(), bad]);
        assert!(high > 0.4 && high < 1.2 && least > 75.0 && least < 92.0, "{high} {least}");
        // A run that is half as good is not out of the comparison.
        let ([_, high], _) = ranges(&[history(&[0.4, 0.3, 0.2]), history(&[0.8, 0.6, 0.4])]);
        assert!(high > 0.8, "{high}");
    }

    #[test]
    fn a_run_that_lies_outside_is_said_to() {
        let (sound, bad) = (history(&[0.3, 0.2, 0.1, 0.1, 0.1]), history(&[9.0]));
        let runs = [curve("sound", "svm", &sound), curve("bad", "svm", &bad)];
        assert_eq!(learning_curves(&runs).series, ["sound", "bad (off the chart)"]);
        // A training curve within the panel does not tell how good a run is.
        let mut memorized = bad.clone();
        memorized[0].train_loss = 0.2;
        memorized[0].val_accuracy = Some(0.97);
        let runs = [curve("sound", "svm", &sound), curve("memorized", "svm", &memorized)];
        assert_eq!(learning_curves(&runs).series, ["sound", "memorized (off the chart of loss)"]);
        // What has no values has none outside.
        let runs = [curve("sound", "svm", &sound), curve("none", "svm", &[])];
        assert_eq!(learning_curves(&runs).series, ["sound", "none"]);
    }

    #[test]
    fn losses_of_different_kinds_have_panels_of_their_own() {
        let (mut small, large) = (history(&[0.03, 0.02]), history(&[2.0, 1.0]));
        for (record, other) in small.iter_mut().zip(&large) {
            (record.train_accuracy, record.val_accuracy) = (other.train_accuracy, other.val_accuracy);
        }
        let chart = learning_curves(&[curve("a", "svm", &large), curve("b", "mse", &small), curve("c", "svm", &large)]);
        assert_eq!(chart.series, ["a", "b", "c"]);
        let titles: Vec<&str> = chart.panels.iter().map(|panel| &panel.title[..]).collect();
        assert_eq!(titles, ["Loss: mse", "Loss: svm", "Accuracy"]);
        assert!(chart.panels[0].y.range[1] < 0.1 && chart.panels[1].y.range[1] > 1.0);
        assert_eq!(chart.panels[1].curves.iter().map(|curve| curve.series).collect::<Vec<_>>(), [0, 2, 0, 2]);
    }

    #[test]
    fn one_value_none_and_no_validation_have_a_range() {
        for losses in [&[0.25][..], &[], &[0.0], &[0.2, 0.2], &[f64::NAN, f64::NAN], &[0.3, f64::NAN]] {
            let ranges = ranges(&[history(losses)]);
            for [low, high] in [ranges.0, ranges.1] {
                assert!(low < high && high - low < 10.0, "{losses:?}: {low} {high}");
            }
        }
    }
}
