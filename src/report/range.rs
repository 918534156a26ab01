//! The curve of a learning-rate range test.

use super::{Axis, Chart, Curve, Mark, Panel, Scale, Stroke};
use crate::train::{RangeCurve, RangePoint};

/// A rate to two digits, which is more than a range test tells.
pub fn two_digits(rate: f64) -> String {
    let rounded: f64 = format!("{rate:.1e}").parse().unwrap_or(rate);
    rounded.to_string()
}

/// Losses over learning rates: each batch's pale, their moving average thick, and the suggestion marked.
pub fn range_curve(curve: &RangeCurve) -> Chart {
    let points = |value: fn(&RangePoint) -> f64| -> Vec<(f64, f64)> {
        curve.points.iter().map(|point| (point.learning_rate, value(point))).collect()
    };
    let smoothed = points(|point| point.smoothed);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &(_, loss) in &smoothed {
        (low, high) = (low.min(loss), high.max(loss));
    }
    // What explodes at the end would press all else flat.
    let start = smoothed.first().map_or(1.0, |&(_, loss)| loss);
    let high = high.min(1.2 * start).max(low + 1e-6 * low.abs().max(1.0));
    let room = 0.1 * (high - low);
    let (first, last) = (smoothed.first().map_or(0.1, |p| p.0), smoothed.last().map_or(1.0, |p| p.0));
    let x = Axis { label: "learning rate", range: [first, last.max(first * 10.0)], scale: Scale::Log };
    let y = Axis { label: "loss", range: [(low - room).max(0.0), high + room], scale: Scale::Linear };
    let curves = vec![
        Curve { series: 0, stroke: Stroke::Aside, points: points(|point| point.loss) },
        Curve { series: 0, stroke: Stroke::Main, points: smoothed },
    ];
    let mark = curve.steepest().map(|rate| Mark { x: rate, label: format!("suggested: {}", two_digits(rate)) });
    Chart {
        series: vec!["training".to_string()],
        strokes: vec![(Stroke::Main, "moving average"), (Stroke::Aside, "batch")],
        panels: vec![Panel { title: "Loss at growing learning rates".to_string(), x, y, curves, mark }],
    }
}
