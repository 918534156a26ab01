//! A panel: axes, grid, curves and a mark.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Axis;
use super::chart::{Curve, Mark, Panel, Stroke};
use super::line::{clip, thin};
use super::style::{Drawn, FINE, FONT_SIZE, GRID, INK, color, draw_dot, draw_markers, fine, line, text};

/// Points of a curve past which its line is finer.
const DENSE: usize = 300;

/// Markers on a curve.
const MARKERS: usize = 8;

/// Pixels around a panel, above it with its title, and at its left with labels.
const MARGIN: i32 = 14;
const TITLE: i32 = 44;
const LABELS: i32 = 62;

type Chart<'a, DB> = ChartContext<'a, DB, Cartesian2d<Ruler, Ruler>>;

pub(super) fn draw_panel<DB: DrawingBackend>(panel: &Panel, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
    let mut chart = ChartBuilder::on(area)
        .margin(MARGIN * FINE)
        .margin_top(TITLE * FINE)
        .x_label_area_size(48 * FINE)
        .y_label_area_size(LABELS * FINE)
        .build_cartesian_2d(Ruler::new(&panel.x, 9), Ruler::new(&panel.y, 8))?;
    chart
        .configure_mesh()
        .bold_line_style(GRID.stroke_width(fine(1.0)))
        .axis_style(INK.stroke_width(fine(1.0)))
        .label_style(text(FONT_SIZE))
        .axis_desc_style(text(FONT_SIZE * 1.1))
        .set_all_tick_mark_size(5 * FINE)
        .x_desc(panel.x.label)
        .y_desc(panel.y.label)
        .draw()?;
    let middle = (LABELS * FINE + area.dim_in_pixel().0 as i32) / 2;
    let style = text(FONT_SIZE * 1.25).pos(Pos::new(HPos::Center, VPos::Center));
    area.draw(&Text::new(panel.title.clone(), (middle, TITLE / 2 * FINE), style))?;
    if let Some(mark) = &panel.mark {
        draw_mark(panel, mark, &chart)?;
    }
    panel.curves.iter().try_for_each(|curve| draw_curve(panel, curve, &chart))?;
    // After all lines, which would cover them.
    panel.curves.iter().try_for_each(|curve| mark_curve(panel, curve, &chart))
}

fn draw_curve<DB: DrawingBackend>(panel: &Panel, curve: &Curve, chart: &Chart<DB>) -> Drawn<DB> {
    let area = chart.plotting_area();
    let points = thin(curve.points.iter().map(|point| place(panel, point)).collect());
    let style = line(color(curve.series), curve.stroke, points.len() > DENSE);
    if let [point] = &curve.points[..]
        && panel.holds(point)
    {
        return draw_dot(area, place(panel, point), style);
    }
    for part in clip(&points, panel.x.places(), panel.y.places()) {
        area.draw(&PathElement::new(part, style))?;
    }
    Ok(())
}

/// Marks a main curve here and there.
fn mark_curve<DB: DrawingBackend>(panel: &Panel, curve: &Curve, chart: &Chart<DB>) -> Drawn<DB> {
    if curve.stroke != Stroke::Main {
        return Ok(());
    }
    // Those of different series stand at different places, so that curves which lie on each other can be told.
    let every = curve.points.len().div_ceil(MARKERS).max(1);
    let first = curve.series % MARKERS * every / MARKERS;
    let marked = curve.points.iter().skip(first).step_by(every).filter(|point| panel.holds(point));
    let places: Vec<(f64, f64)> = marked.map(|point| place(panel, point)).collect();
    draw_markers(chart.plotting_area(), curve.series, &places)
}

fn place(panel: &Panel, (x, y): &(f64, f64)) -> (f64, f64) {
    (panel.x.scale.place(*x), panel.y.scale.place(*y))
}

/// A line from bottom to top, and the label beside its upper end, where there is more room.
fn draw_mark<DB: DrawingBackend>(panel: &Panel, mark: &Mark, chart: &Chart<DB>) -> Drawn<DB> {
    let (x, [left, right], [bottom, top]) = (panel.x.scale.place(mark.x), panel.x.places(), panel.y.places());
    let area = chart.plotting_area();
    area.draw(&PathElement::new([(x, bottom), (x, top)], INK.stroke_width(fine(1.25))))?;
    let (side, at) = if x > (left + right) / 2.0 { (HPos::Right, -6) } else { (HPos::Left, 6) };
    let style = text(FONT_SIZE).pos(Pos::new(side, VPos::Top));
    area.draw(&(EmptyElement::at((x, top)) + Text::new(mark.label.clone(), (at * FINE, 4 * FINE), style)))
}

/// An axis as the plotting library asks for it. Values are places.
struct Ruler {
    range: [f64; 2],
    ticks: Vec<(f64, String)>,
}

impl Ruler {
    fn new(axis: &Axis, most: usize) -> Ruler {
        let ticks = axis.ticks(most).into_iter().map(|(value, label)| (axis.scale.place(value), label));
        Ruler { range: axis.places(), ticks: ticks.collect() }
    }
}

impl Ranged for Ruler {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (start, end): (i32, i32)) -> i32 {
        let [low, high] = self.range;
        start + (f64::from(end - start) * (place - low) / (high - low)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // There are no lines between the labelled ones.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.iter().map(|tick| tick.0).collect() }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.range[0]..self.range[1]
    }
}

impl ValueFormatter<f64> for Ruler {
    fn format_ext(&self, place: &f64) -> String {
        self.ticks.iter().find(|tick| tick.0 == *place).map_or(String::new(), |tick| tick.1.clone())
    }
}
