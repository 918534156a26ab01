//! Colours, lines, markers and text.

use plotters::coord::CoordTranslate;
use plotters::prelude::*;

use super::chart::Stroke;

/// Parts of a pixel that are told apart: the plotting library counts places in whole numbers.
pub(super) const FINE: i32 = 4;

/// Size of text, in pixels.
pub(super) const FONT_SIZE: f64 = 14.5;

/// Colours that colour-blind people tell apart (Okabe and Ito, "Color Universal Design", 2008), without the yellow, which is
/// too pale for lines.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// What is no curve.
pub(super) const INK: RGBColor = RGBColor(40, 40, 40);
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);

/// The outcome of drawing.
pub(super) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Lengths in pixels as the plotting library takes them.
pub(super) fn fine(pixels: f64) -> u32 {
    (pixels * f64::from(FINE)).round() as u32
}

pub(super) fn text(size: f64) -> TextStyle<'static> {
    (FontFamily::SansSerif, size * f64::from(FINE)).into_font().color(&INK)
}

pub(super) fn color(series: usize) -> RGBColor {
    COLORS[series % COLORS.len()]
}

/// The line of a stroke; finer where points are so `dense` that a thick one would fill the gaps of its own zigzag.
pub(super) fn line(color: RGBColor, stroke: Stroke, dense: bool) -> ShapeStyle {
    // Pale and opaque, not transparent, so that it does not show where a line crosses itself.
    let pale = |channel: u8| channel / 2 + 127;
    match stroke {
        Stroke::Main => color.stroke_width(fine(if dense { 1.25 } else { 2.0 })),
        Stroke::Aside => RGBColor(pale(color.0), pale(color.1), pale(color.2)).stroke_width(fine(1.0)),
    }
}

/// Marks places on the curve of a series. Colours come again after the seventh series: then the markers differ.
pub(super) fn draw_markers<DB, CT>(area: &DrawingArea<DB, CT>, series: usize, places: &[CT::From]) -> Drawn<DB>
where
    DB: DrawingBackend,
    CT: CoordTranslate,
    CT::From: Clone,
{
    // A white rim sets a marker off from the lines below it.
    for (style, rim) in [(WHITE.filled(), 1.2), (color(series).filled(), 0.0)] {
        for place in places.iter().cloned() {
            match series / COLORS.len() % 4 {
                0 => {}
                1 => area.draw(&Circle::new(place, fine(3.8 + rim), style))?,
                2 => area.draw(&TriangleMarker::new(place, fine(5.0 + 1.6 * rim), style))?,
                _ => {
                    let half = fine(3.4 + rim) as i32;
                    area.draw(&(EmptyElement::at(place) + Rectangle::new([(-half, -half), (half, half)], style)))?;
                }
            }
        }
    }
    Ok(())
}

/// Marks a place on a curve that is nothing but this place.
pub(super) fn draw_dot<DB, CT>(area: &DrawingArea<DB, CT>, place: CT::From, style: ShapeStyle) -> Drawn<DB>
where
    DB: DrawingBackend,
    CT: CoordTranslate,
{
    area.draw(&Circle::new(place, style.stroke_width * 2, style.filled()))
}
