//! Which source positions each position of a convolution's result reads, along one axis.

/// One axis of a convolution, or of the gradient of its input.
pub(crate) struct Axis {
    /// For each position of the result: the taps that fall inside the source, each with its source position.
    pub(crate) taps: Vec<Vec<(usize, usize)>>,
    /// All positions of the result in runs: one run for a convolution, one per position modulo the stride for an
    /// input's gradient.
    pub(crate) runs: Vec<Run>,
    /// Length of a copy of the source in which neighbours of a run read neighbouring elements. The copy has margins for
    /// the padding, and with a stride it is sorted by position modulo the stride.
    pub(crate) copy_length: usize,
    /// The source positions that windows reach: pairs of a position in the copy and one in the source.
    pub(crate) copied: Vec<(usize, usize)>,
}

/// The positions `first, first + step, ...` of the result.
pub(crate) struct Run {
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) count: usize,
    /// The taps of the run's first position with their places in the copy, margins included. Position n of the run
    /// reads n places further.
    pub(crate) taps: Vec<(usize, usize)>,
}

impl Axis {
    /// For the output: position `y` reads the input at `y * stride + tap - padding`.
    pub(crate) fn of_output(output: usize, input: usize, kernel: usize, stride: usize, padding: usize) -> Axis {
        let stride = effective(stride, output);
        let sees = |position: usize, tap: usize| Some((position * stride + tap) as isize - padding as isize);
        Axis::new(output, input, kernel, [1, stride], sees)
    }

    /// For the gradient of the input: position `x` reads the output gradient at `(x + padding - tap) / stride` where
    /// that is a whole number.
    pub(crate) fn of_input(output: usize, input: usize, kernel: usize, stride: usize, padding: usize) -> Axis {
        let stride = effective(stride, output);
        let sees = |position: usize, tap: usize| {
            let start = (position + padding) as isize - tap as isize;
            (start.rem_euclid(stride as isize) == 0).then_some(start / stride as isize)
        };
        Axis::new(input, output, kernel, [stride, 1], sees)
    }

    /// `sees(position, tap)` is the source position that a tap reads; it may lie beyond the ends. Going `step`
    /// positions further in the result moves it by `advance`.
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
        // With nothing to read, the copy is one zero.
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

    /// The source position of each of the first `count` elements of the copy; `None` for margins.
    pub(crate) fn sources(&self, count: usize) -> Vec<Option<usize>> {
        let mut sources = vec![None; count];
        for &(to, from) in &self.copied {
            if let Some(source) = sources.get_mut(to) {
                *source = Some(from);
            }
        }
        sources
    }

    /// Number of positions of the result.
    pub(crate) fn len(&self) -> usize {
        self.taps.len()
    }
}

/// The stride, or 1 if there is only one window: copies are as long as strides are.
fn effective(stride: usize, output: usize) -> usize {
    if output == 1 { 1 } else { stride }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every position has exactly the taps of the definition, and finds the same values through the copy.
    #[test]
    fn copies_match_the_definition() {
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
            // By the definition, output position y reads the input at y * stride + tap - padding, and the gradient of
            // that input reads y.
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
                    "a single position must not need room for its stride"
                );
                assert!(axis.copy_length > 0, "a copy must not be empty");
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
