//! What a picture shows, apart from how it is drawn.

use super::Axis;

/// Panels side by side over one legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Names of the series, which have a colour each, in all panels the same.
    pub series: Vec<String>,
    /// What the strokes of a series mean, as the legend says it: those used in the panels.
    pub strokes: Vec<(Stroke, &'static str)>,
    /// From left to right.
    pub panels: Vec<Panel>,
}

/// Curves over common axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What is shown.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis. Curves end where they leave it.
    pub y: Axis,
    /// Drawn in this order.
    pub curves: Vec<Curve>,
    /// A place of note.
    pub mark: Option<Mark>,
}

impl Panel {
    /// Whether nothing of what a series is about lies within the axes, though there is something.
    pub(super) fn misses(&self, series: usize) -> bool {
        let points = |stroke: Option<Stroke>| {
            let curves = self.curves.iter().filter(move |curve| curve.series == series);
            let curves = curves.filter(move |curve| stroke.is_none_or(|stroke| curve.stroke == stroke));
            curves.flat_map(|curve| &curve.points).filter(|(_, y)| !y.is_nan())
        };
        let main = points(Some(Stroke::Main)).next().is_some().then_some(Stroke::Main);
        points(main).next().is_some() && !points(main).any(|point| self.holds(point))
    }

    /// Whether a point lies within the axes.
    pub(super) fn holds(&self, (x, y): &(f64, f64)) -> bool {
        self.x.holds(*x) && self.y.holds(*y)
    }
}

/// A line through points; one that is not finite is a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Index into [`Chart::series`].
    pub series: usize,
    /// How it is drawn.
    pub stroke: Stroke,
    /// `(x, y)`, with `x` ascending.
    pub points: Vec<(f64, f64)>,
}

/// How a curve of a series is told from its others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// What it is about: thick.
    Main,
    /// What stands beside it: thin and pale.
    Aside,
}

/// A vertical line with a label, such as a suggested learning rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// What it says.
    pub label: String,
}
