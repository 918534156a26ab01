//! Lines as they fit into a panel: cut off where they leave it, where the plotting library would bend them along its edge, and
//! with no more points than can be seen.

/// Groups of points that a line is thinned to: about one a pixel of a panel's width.
const GROUPS: usize = 500;

type Point = (f64, f64);

/// The parts of the line through `points` that lie within the ranges. A point that is not finite is a gap.
pub(super) fn clip(points: &[Point], x: [f64; 2], y: [f64; 2]) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clip_segment(pair[0], pair[1], x, y) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

/// The first, the lowest, the highest and the last point of each group of many, so that the line looks the same.
pub(super) fn thin(points: Vec<Point>) -> Vec<Point> {
    if points.len() <= 4 * GROUPS {
        return points;
    }
    let mut kept = Vec::new();
    for group in points.chunks(points.len().div_ceil(GROUPS)) {
        let by_height = |a: &usize, b: &usize| group[*a].1.total_cmp(&group[*b].1);
        let (low, high) = ((0..group.len()).min_by(by_height), (0..group.len()).max_by(by_height));
        let mut indices = [Some(0), low, high, Some(group.len() - 1)].map(Option::unwrap_or_default);
        indices.sort_unstable();
        kept.extend(indices.map(|index| group[index]));
    }
    kept.dedup();
    kept
}

/// After Liang and Barsky ("A new concept and method for line clipping", 1984): the range of `t` in `from + t * step` that lies
/// inside of all four sides.
fn clip_segment(from: Point, to: Point, x: [f64; 2], y: [f64; 2]) -> Option<(Point, Point)> {
    let step = (to.0 - from.0, to.1 - from.1);
    if !(step.0.is_finite() && step.1.is_finite()) {
        return None;
    }
    let (mut enters, mut leaves) = (0f64, 1f64);
    for (start, step, [low, high]) in [(from.0, step.0, x), (from.1, step.1, y)] {
        if step == 0.0 {
            if !(low..=high).contains(&start) {
                return None;
            }
            continue;
        }
        let (a, b) = ((low - start) / step, (high - start) / step);
        (enters, leaves) = (enters.max(a.min(b)), leaves.min(a.max(b)));
    }
    let at = |t: f64| (from.0 + t * step.0, from.1 + t * step.1);
    // Ends that are not cut stay exactly as they are.
    let (start, end) = (if enters > 0.0 { at(enters) } else { from }, if leaves < 1.0 { at(leaves) } else { to });
    (enters <= leaves).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: [f64; 2] = [0.0, 1.0];

    #[test]
    fn lines_end_where_they_leave() {
        let inside = [(0.0, 0.5), (0.5, 1.0), (1.0, 0.0)];
        assert_eq!(clip(&inside, UNIT, UNIT), [inside.to_vec()]);
        let out_and_in = [(0.0, 0.5), (0.25, 1.5), (0.75, 1.5), (1.0, 0.5)];
        assert_eq!(clip(&out_and_in, UNIT, UNIT), [[(0.0, 0.5), (0.125, 1.0)], [(0.875, 1.0), (1.0, 0.5)]]);
        assert_eq!(clip(&[(0.0, -1.0), (1.0, 2.0)], UNIT, UNIT), [[(1.0 / 3.0, 0.0), (2.0 / 3.0, 1.0)]]);
        assert!(clip(&[(0.0, 2.0), (1.0, 2.0)], UNIT, UNIT).is_empty());
        assert!(clip(&[(0.0, 1.5), (0.2, 3.0)], UNIT, UNIT).is_empty());
        let gap = [(0.0, 0.1), (0.2, 0.1), (0.4, f64::NAN), (0.6, 0.1), (0.8, 0.1)];
        assert_eq!(clip(&gap, UNIT, UNIT), [[(0.0, 0.1), (0.2, 0.1)], [(0.6, 0.1), (0.8, 0.1)]]);
        assert!(clip(&[(0.0, 0.5), (1.0, f64::INFINITY)], UNIT, UNIT).is_empty());
    }

    #[test]
    fn thinned_lines_keep_their_ends_and_peaks() {
        let mut points: Vec<Point> = (0..100_000).map(|x| (f64::from(x), f64::from(x % 7))).collect();
        (points[40_057].1, points[70_123].1) = (99.0, -99.0);
        let kept = thin(points.clone());
        assert!(kept.len() <= 4 * GROUPS && kept.is_sorted_by(|a, b| a.0 < b.0), "{}", kept.len());
        for index in [0, 40_057, 70_123, 99_999] {
            assert!(kept.contains(&points[index]), "{index}");
        }
        assert_eq!(thin(points[..2000].to_vec()), points[..2000]);
    }
}
