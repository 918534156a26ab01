//! The plotting library's backend for dots. Its own one leaves holes and thorns in thick jagged lines, and sets text too high.

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

/// Pixels from left to right and top to bottom, three bytes each.
pub(super) struct Bitmap<'a> {
    pixels: &'a mut [u8],
    size: (u32, u32),
}

type Result = std::result::Result<(), DrawingErrorKind<Infallible>>;

impl<'a> Bitmap<'a> {
    pub(super) fn new(pixels: &'a mut [u8], size: (u32, u32)) -> Bitmap<'a> {
        Bitmap { pixels, size }
    }

    /// Draws a line with round ends: every pixel is coloured by how much of it lies within.
    fn draw_stroke(&mut self, from: BackendCoord, to: BackendCoord, width: u32, color: BackendColor) -> Result {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let squared = (dx * dx + dy * dy).max(1.0);
        let radius = f64::from(width) / 2.0;
        let reach = radius.ceil() as i32 + 1;
        // Along the longer side; across it, only pixels near to the line are looked at.
        let swap = |(x, y): BackendCoord| if dy.abs() > dx.abs() { (y, x) } else { (x, y) };
        let (first, last) = (swap(from).min(swap(to)), swap(from).max(swap(to)));
        let slope = f64::from(last.1 - first.1) / f64::from((last.0 - first.0).max(1));
        for long in first.0 - reach..=last.0 + reach {
            let center = first.1 + (slope * f64::from(long.clamp(first.0, last.0) - first.0)).round() as i32;
            for short in center - 2 * reach..=center + 2 * reach {
                let (x, y) = swap((long, short));
                let (px, py) = (f64::from(x - from.0), f64::from(y - from.1));
                let along = ((px * dx + py * dy) / squared).clamp(0.0, 1.0);
                let distance = (px - along * dx).hypot(py - along * dy);
                let coverage = (radius + 0.5 - distance).clamp(0.0, 1.0);
                self.draw_pixel((x, y), BackendColor { alpha: color.alpha * coverage, ..color })?;
            }
        }
        Ok(())
    }
}

impl DrawingBackend for Bitmap<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result {
        Ok(())
    }

    fn present(&mut self) -> Result {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, BackendColor { alpha, rgb: (r, g, b) }: BackendColor) -> Result {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && x < self.size.0
            && y < self.size.1
            && alpha > 0.0
        {
            let start = (y as usize * self.size.0 as usize + x as usize) * 3;
            for (channel, new) in self.pixels[start..start + 3].iter_mut().zip([r, g, b]) {
                *channel = (f64::from(*channel) * (1.0 - alpha) + f64::from(new) * alpha).round() as u8;
            }
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Result {
        self.draw_stroke(from, to, style.stroke_width(), style.color())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Result {
        let points: Vec<BackendCoord> = path.into_iter().collect();
        points.windows(2).try_for_each(|pair| self.draw_line(pair[0], pair[1], style))
    }

    /// As the backend for SVG does it, baseline for baseline.
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Result {
        let failed = |error| DrawingErrorKind::FontError(Box::new(error));
        let ((left, _), (right, _)) = style.layout_box(text).map_err(failed)?;
        let dx = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => (left - right) / 2,
            HPos::Right => left - right,
        };
        // The library takes size for 1.24 em, and its font code lays the baseline half a size below the place it is given.
        let em = style.size() / 1.24;
        let baseline = match style.anchor().v_pos {
            VPos::Top => 0.76 * em,
            VPos::Center => 0.3 * em,
            VPos::Bottom => -0.3 * em,
        };
        let dy = (baseline - style.size() / 2.0).round() as i32;
        let transform = style.transform();
        let draw = style.draw(text, (0, 0), |x, y, color| {
            let (x, y) = transform.transform(x + dx, y + dy);
            self.draw_pixel((at.0 + x, at.1 + y), color)
        });
        draw.map_err(failed)?
    }
}

/// A PNG file with a dot for every `side * side` pixels.
pub(super) fn to_png(pixels: &[u8], size: (u32, u32), side: u32) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let (width, height) = (size.0 / side, size.1 / side);
    let mut dots = Vec::with_capacity((width * height * 3) as usize);
    for index in 0..width * height * 3 {
        let (x, y, channel) = (index / 3 % width, index / 3 / width, index % 3);
        let rows = (y * side..(y + 1) * side).map(|row| row * size.0 + x * side);
        let sum: u32 =
            rows.flat_map(|start| start..start + side).map(|at| u32::from(pixels[(at * 3 + channel) as usize])).sum();
        dots.push((sum / (side * side)) as u8);
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&dots)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use plotters::style::{BLACK, Color};

    use super::*;

    /// A zigzag with a pixel between its turns, as of a noisy curve: the library's own way leaves holes in it.
    #[test]
    fn thick_jagged_lines_are_whole() {
        let (size, mut pixels) = ((40, 40), vec![255; 40 * 40 * 3]);
        let zigzag: Vec<(i32, i32)> = (10..30).map(|x| (x, if x % 2 == 0 { 10 } else { 30 })).collect();
        Bitmap::new(&mut pixels, size).draw_path(zigzag, &Color::stroke_width(&BLACK, 4)).unwrap();
        let dark = |x: usize, y: usize| pixels[(y * 40 + x) * 3] < 128;
        for (x, y) in (10..30).flat_map(|x| (10..30).map(move |y| (x, y))) {
            assert!(dark(x, y), "hole at {x}, {y}");
        }
        for (x, y) in (0..40).flat_map(|x| [(x, 6), (x, 34), (6, x), (34, x)]) {
            assert!(!dark(x, y), "thorn at {x}, {y}");
        }
    }
}
