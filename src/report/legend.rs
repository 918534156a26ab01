//! The legend: below the panels, in as many columns as the names leave room for.

use plotters::style::{FontFamily, FontStyle, IntoFont};

use super::chart::{Chart, Stroke};
use super::style::FONT_SIZE;

/// The most names that are listed; more would be a picture of a legend.
const MOST_NAMES: usize = 48;

/// Height of a row.
pub(super) const ROW: i32 = 22;

/// Length of the line before a name, where the name begins, and the room after it.
pub(super) const SAMPLE: i32 = 26;
pub(super) const INDENT: i32 = 34;
const GAP: i32 = 26;

/// What stands where, in pixels from the legend's upper left corner.
pub(super) struct Legend {
    /// What strokes mean, in a row of their own.
    pub(super) strokes: Vec<((i32, i32), Stroke, &'static str)>,
    /// Series with their names as they fit in, column by column.
    pub(super) series: Vec<((i32, i32), usize, String)>,
    /// How many names did not fit in.
    pub(super) note: Option<((i32, i32), String)>,
    /// Height of all.
    pub(super) height: i32,
}

impl Legend {
    pub(super) fn new(chart: &Chart, width: i32) -> Legend {
        let mut x = 0;
        let strokes = chart.strokes.iter().map(|&(stroke, name)| {
            let place = (x, 0);
            x += INDENT + text_width(name) + GAP;
            (place, stroke, name)
        });
        let strokes: Vec<_> = strokes.collect();
        let top = if strokes.is_empty() { 0 } else { ROW + ROW / 4 };

        let listed = chart.series.len().min(MOST_NAMES);
        // Long names take two columns at least where there are many.
        let widest = if listed > 8 { (width - GAP) / 2 } else { width } - INDENT;
        let names: Vec<String> = chart.series[..listed].iter().map(|name| fitted(name, widest)).collect();
        let cell = names.iter().map(|name| text_width(name)).max().unwrap_or(0) + INDENT + GAP;
        let columns = ((width + GAP) / cell).clamp(1, listed.max(1) as i32);
        let rows = (listed as i32 + columns - 1) / columns;
        let place = |index: i32| (index / rows * cell, top + index % rows * ROW);
        let series = names.into_iter().enumerate().map(|(series, name)| (place(series as i32), series, name)).collect();

        let more = chart.series.len() - listed;
        let bottom = top + rows * ROW;
        let note = (more > 0).then(|| ((0, bottom), format!("and {more} more")));
        Legend { strokes, series, height: bottom + if note.is_some() { ROW } else { 0 }, note }
    }
}

/// Pixels that a text takes, with some to spare for the fonts of those who look at an SVG.
fn text_width(text: &str) -> i32 {
    let font = (FontFamily::SansSerif, FONT_SIZE, FontStyle::Normal).into_font();
    let measured = font.layout_box(text).map_or(0, |((left, _), (right, _))| right - left);
    measured + measured / 8
}

/// A name without what XML cannot hold, its middle left out where it is too wide.
fn fitted(name: &str, most: i32) -> String {
    let readable = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    let name: Vec<char> = name.chars().map(readable).collect();
    let shortened = |kept: usize| {
        let (head, tail) = (&name[..kept.div_ceil(2)], &name[name.len() - kept / 2..]);
        let middle: &[char] = if kept < name.len() { &['…'] } else { &[] };
        [head, middle, tail].concat().into_iter().collect::<String>()
    };
    let fits = |kept: usize| text_width(&shortened(kept)) <= most;
    let lengths: Vec<usize> = (0..=name.len()).collect();
    shortened(lengths.partition_point(|&kept| fits(kept)).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_middle_where_they_are_too_wide() {
        super::super::draw::register_font();
        assert_eq!(fitted("lr=0.1", 200), "lr=0.1");
        let long = "a-very-long-name-".repeat(20);
        let name = fitted(&long, 300);
        assert!(text_width(&name) <= 300 && text_width(&name) > 280, "{name}");
        assert!(name.starts_with("a-very") && name.contains('…') && name.ends_with("name-"), "{name}");
        assert_eq!(fitted("a\u{1}b\n", 200), "a\u{fffd}b\u{fffd}");
    }
}
