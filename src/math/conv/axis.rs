//! How the positions of a convolution's result see those of its source, along one axis.

/// An axis of a convolution, or of its input's gradient.
pub(crate) struct Axis {
    /// For each position of the result: the taps of a window that see the source, and where.
    pub(crate) taps: Vec<Vec<(usize, usize)>>,
    /// All positions of the result: one run, or for an input's gradient one for each position modulo the stride.
    pub(crate) runs: Vec<Run>,
    /// Length of a copy of the source in which neighbours of a run see neighbours: with margins for what lies in the padding, and
    /// sorted by position modulo the stride where windows stride.
    pub(crate) copy_length: usize,
    /// Where in the copy positions of the source lie, as far as windows reach: positions of the copy and of the source.
    pub(crate) copied: Vec<(usize, usize)>,
}

/// Positions `first, first + step, ...` of the result.
pub(crate) struct Run {
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) count: usize,
    /// Taps of the first, and where they see the copy, margins included; the n-th position sees it n further.
    pub(crate) taps: Vec<(usize, usize)>,
}

impl Axis {
    /// Of the output: position `y` sees the input at `y * stride + tap - padding`.
    pub(crate) fn of_output(output: usize, input: usize, kernel: usize, stride: usize, padding: usize) -> Axis {
        let stride = effective(stride, output);
        let sees = |position: usize, tap: usize| Some((position * stride + tap) as isize - padding as isize);
        Axis::new(output, input, kernel, [1, stride], sees)
    }

    /// Of the input's gradient: position `x` sees the output at `(x + padding - tap) / stride`, where that divides.
    pub(crate) fn of_input(output: usize, input: usize, kernel: usize, stride: usize, padding: usize) -> Axis {
        let stride = effective(stride, output);
        let sees = |position: usize, tap: usize| {
            let start = (position + padding) as isize - tap as isize;
            (start.rem_euclid(stride as isize) == 0).then_some(start / stride as isize)
        };
        Axis::new(input, output, kernel, [stride, 1], sees)
    }

    /// From what a tap of a position sees, in the source or beyond its ends; `step` positions of the result further, it sees
    /// `advance` positions further.
    fn new(
        result: usize,
        source: usize,
        kernel: usize,
        [step, advance]: [usize; 2],
        sees: impl Fn(usize, usize) -> Option<isize>,
    ) -> Axis {
        let sees = &sees;
        let seen = move |position: usize| (0..kernel).filter_map(move |tap| Some((tap, sees(position, tap)?)));
        let inside = |at: isize| usize::try_from(at).ok().filter(|&at| at < source);
        let clipped = |position: usize| seen(position).filter_map(|(tap, at)| Some((tap, inside(at)?))).collect();
        let taps = (0..result).map(clipped).collect();

        let advance = advance as isize;
        let count = |first: usize| (result - first).div_ceil(step);
        let firsts = || 0..step.min(result);
        let reach = || {
            firsts().flat_map(|first| seen(first).map(move |(_, at)| (at.div_euclid(advance), count(first) as isize)))
        };
        let low = reach().map(|(start, _)| start).min().unwrap_or(0);
        // Where nothing is seen, a copy of zeros.
        let phase = reach().map(|(start, count)| start + count - low).max().unwrap_or(1);
        let in_copy = |at: isize| (at.rem_euclid(advance) * phase + at.div_euclid(advance) - low) as usize;
        let run = |first: usize| Run {
            first,
            step,
            count: count(first),
            taps: seen(first).map(|(tap, at)| (tap, in_copy(at))).collect(),
        };
        let is_copied = |&at: &isize| (0..phase).contains(&(at.div_euclid(advance) - low));
        Axis {
            taps,
            runs: firsts().map(run).collect(),
            copy_length: (advance * phase) as usize,
            copied: (0..source as isize).filter(is_copied).map(|at| (in_copy(at), at as usize)).collect(),
        }
    }

    /// What lies at the first positions of the copy, where it is not a margin.
    pub(crate) fn sources(&self, count: usize) -> Vec<Option<usize>> {
        let mut sources = vec![None; count];
        for &(to, from) in &self.copied {
            if let Some(source) = sources.get_mut(to) {
                *source = Some(from);
            }
        }
        sources
    }

    /// Positions of the result.
    pub(crate) fn len(&self) -> usize {
        self.taps.len()
    }
}

/// The stride, or 1 where a single window goes nowhere: copies are as long as strides are.
fn effective(stride: usize, output: usize) -> usize {
    if output == 1 { 1 } else { stride }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every tap of every position is the one of the definition, and is found through the copy; others find nothing.
    #[test]
    fn copies_show_what_positions_see() {
        for (input, kernel, stride, padding) in [
            (1, 1, 1, 0),
            (5, 5, 1, 0),
            (7, 3, 2, 0),
            (8, 3, 3, 1),
            (6, 3, 1, 2),
            (9, 5, 2, 4),
            (5, 1, 2, 0),
            (4, 2, 5, 1),
            (1, 1, 3, 1),
            (3, 1, 5, 2),
            (3, 2, 1 << 30, 1),
        ] {
            let output = (input + 2 * padding - kernel) / stride + 1;
            // By the definition: output position y sees the input at y * stride + tap - padding, and the input's gradient there sees y.
            let (mut of_output, mut of_input) = (vec![Vec::new(); output], vec![Vec::new(); input]);
            for tap in 0..kernel {
                for (y, sees) in of_output.iter_mut().enumerate() {
                    if let Some(x) = (y * stride + tap).checked_sub(padding).filter(|&x| x < input) {
                        sees.push((tap, x));
                        of_input[x].push((tap, y));
                    }
                }
            }
            for (axis, expected) in [
                (Axis::of_output(output, input, kernel, stride, padding), of_output),
                (Axis::of_input(output, input, kernel, stride, padding), of_input),
            ] {
                assert_eq!(axis.taps, expected, "input {input}, kernel {kernel}, stride {stride}, padding {padding}");
                assert!(
                    axis.copy_length <= 4 * (input + kernel + padding),
                    "one position needs no room for its stride"
                );
                assert!(axis.copy_length > 0, "a copy has a length");
                let mut copy = vec![None; axis.copy_length];
                axis.copied.iter().for_each(|&(to, from)| copy[to] = Some(from));
                let mut seen = vec![Vec::new(); axis.len()];
                for run in &axis.runs {
                    for n in 0..run.count {
                        let taps = run.taps.iter().filter_map(|&(tap, at)| Some((tap, copy[at + n]?)));
                        seen[run.first + n * run.step].extend(taps);
                    }
                }
                assert_eq!(seen, axis.taps, "input {input}, kernel {kernel}, stride {stride}, padding {padding}");
            }
        }
    }
}
