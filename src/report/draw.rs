//! A chart as a picture: panels, and the legend below them.

use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::bitmap::{Bitmap, to_png};
use super::chart::{Chart, Stroke};
use super::legend::{self, Legend};
use super::panel::draw_panel;
use super::style::{Drawn, FINE, FONT_SIZE, INK, color, draw_markers, line, text};
use super::{Picture, PictureError};

/// Lengths are in pixels of a picture of this width.
const WIDTH: i32 = 1200;
const MARGIN: i32 = 20;
const PANELS: i32 = 460;

/// Parts of a pixel that become one dot of the PNG, which so has two dots a pixel.
const DOT: u32 = 2;

/// Gives the plotting library the font that the program carries; it finds no other.
pub(super) fn register_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let font = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/font/Roboto-Regular-subset.ttf"));
        let registered = plotters::style::register_font("sans-serif", FontStyle::Normal, font);
        assert!(registered.is_ok(), "the font that the program carries is sound");
    });
}

impl Chart {
    /// Draws the chart in both formats.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn draw(&self) -> Result<Picture, PictureError> {
        register_font();
        let legend = Legend::new(self, WIDTH - 2 * MARGIN);
        let height = PANELS + legend.height + MARGIN;
        let size = ((WIDTH * FINE) as u32, (height * FINE) as u32);

        let mut svg = String::new();
        self.draw_on(&legend, SVGBackend::with_string(&mut svg, size)).map_err(PictureError::new)?;
        // The library's first line would make the picture as large as its finest parts.
        let (_, body) = svg.split_once('\n').unwrap_or_default();
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
             stroke-linejoin=\"round\" stroke-linecap=\"round\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}",
            size.0, size.1
        );

        let mut pixels = vec![255; (size.0 * size.1 * 3) as usize];
        self.draw_on(&legend, Bitmap::new(&mut pixels, size)).map_err(PictureError::new)?;
        let png = to_png(&pixels, size, DOT).map_err(PictureError::new)?;
        Ok(Picture { svg, png })
    }

    fn draw_on<DB: DrawingBackend>(&self, legend: &Legend, backend: DB) -> Drawn<DB> {
        let root = backend.into_drawing_area();
        let (upper, lower) = root.split_vertically(PANELS * FINE);
        for (panel, area) in self.panels.iter().zip(upper.split_evenly((1, self.panels.len().max(1)))) {
            draw_panel(panel, &area)?;
        }
        draw_legend(legend, &lower.margin(0, 0, MARGIN * FINE, MARGIN * FINE))?;
        root.present()
    }
}

fn draw_legend<DB: DrawingBackend>(legend: &Legend, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
    let middle = |(x, y): (i32, i32)| (x * FINE, y * FINE + legend::ROW * FINE / 2);
    let sample = |(x, y): (i32, i32), style| {
        let ends = [middle((x, y)), middle((x + legend::SAMPLE, y))];
        area.draw(&PathElement::new(ends, style))
    };
    let write = |(x, y): (i32, i32), content: &str| {
        let style = text(FONT_SIZE).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(content.to_string(), middle((x, y)), style))
    };
    for ((x, y), stroke, name) in &legend.strokes {
        sample((*x, *y), line(INK, *stroke, false))?;
        write((x + legend::INDENT, *y), name)?;
    }
    for ((x, y), series, name) in &legend.series {
        sample((*x, *y), line(color(*series), Stroke::Main, false))?;
        draw_markers(area, *series, &[middle((x + legend::SAMPLE / 2, *y))])?;
        write((x + legend::INDENT, *y), name)?;
    }
    legend.note.iter().try_for_each(|(place, note)| write(*place, note))
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Curve, Mark, Panel, Scale};
    use super::*;

    /// As for a learning-rate range test: a logarithmic axis, a mark, a curve that leaves the panel.
    #[test]
    fn a_logarithmic_axis_and_a_mark_are_drawn() {
        let points = (0..=60).map(|i| 10f64.powf(-5.0 + f64::from(i) / 10.0)).map(|rate| (rate, 0.5 + 2.0 * rate));
        let panel = Panel {
            title: "Range test".to_string(),
            x: Axis { label: "learning rate", range: [1e-5, 10.0], scale: Scale::Log },
            y: Axis { label: "loss", range: [0.0, 3.0], scale: Scale::Linear },
            curves: vec![Curve { series: 0, stroke: Stroke::Main, points: points.collect() }],
            mark: Some(Mark { x: 0.1, label: "suggested: 0.1".to_string() }),
        };
        let chart = Chart { series: vec!["784-10".to_string()], strokes: Vec::new(), panels: vec![panel] };
        let svg = chart.draw().unwrap().svg;
        for text in ["Range test", "learning rate", "1e-5", "0.001", "10", "3.0", "suggested: 0.1", "784-10"] {
            assert!(svg.contains(&format!(">\n{text}\n<")), "{text} is not in {svg}");
        }
        // Decades are equally far apart.
        let place = |text: &str, attribute: &str| -> f64 {
            let (before, _) = svg.split_once(&format!(">\n{text}\n<")).unwrap();
            let (_, value) = before.rsplit_once(&format!(" {attribute}=\"")).unwrap();
            value.split_once('"').unwrap().0.parse().unwrap()
        };
        let decades = ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1", "10"].map(|label| place(label, "x"));
        for pair in decades.windows(2) {
            assert!((pair[1] - pair[0] - (decades[6] - decades[0]) / 6.0).abs() <= 1.0, "{decades:?}");
        }
        // The line ends where it leaves: 0.5 + 2 * 1.25 is the panel's upper end.
        let line = svg.split("<polyline").find(|line| line.contains("#0072B2")).unwrap();
        let points = line.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let (x, y) = points.split_whitespace().last().unwrap().split_once(',').unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        let expected = decades[5] + 1.25f64.log10() * (decades[6] - decades[5]);
        assert!((x - expected).abs() <= 2.0 && (y - place("3.0", "y")).abs() <= 1.0, "{x} {y}, not {expected}");
    }
}
