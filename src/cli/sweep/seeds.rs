//! Mean and deviation over the seeds of a combination.

/// One row per combination: the number of its runs with a test accuracy, their mean and standard deviation in percent. Runs of a
/// combination, given by its name, follow each other.
pub(super) fn rows(runs: &[(&str, Option<f64>)]) -> Vec<Vec<String>> {
    let mut rows = vec![["test accuracy", "runs", "mean %", "std. dev. %"].map(String::from).to_vec()];
    for group in runs.chunk_by(|(a, _), (b, _)| a == b) {
        let accuracies: Vec<f64> = group.iter().filter_map(|(_, accuracy)| *accuracy).collect();
        let shown = |share: Option<f64>| share.map_or("-".to_string(), |share| format!("{:.2}", 100.0 * share));
        let name = if group[0].0.is_empty() { "the recipe" } else { group[0].0 };
        let runs = match (accuracies.len(), group.len()) {
            (some, all) if some < all => format!("{some} of {all}"),
            (all, _) => all.to_string(),
        };
        rows.push(vec![name.to_string(), runs, shown(mean(&accuracies)), shown(deviation(&accuracies))]);
    }
    rows
}

fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}

/// The standard deviation of a sample: the sum of the squares is divided by one less than their number.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_those_of_samples() {
        // Of 2, 4, 4, 4, 5, 5, 7, 9 the squares add up to 32, over 7.
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), Some(5.0));
        assert!((deviation(&values).unwrap() - (32f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!((mean(&[]), deviation(&[]), deviation(&[1.0])), (None, None, None));
    }

    #[test]
    fn combinations_are_told_apart_and_lost_runs_counted() {
        let rows = rows(&[("a", Some(0.5)), ("a", Some(0.7)), ("b", None), ("b", Some(0.25))]);
        assert_eq!(rows[1..], [["a", "2", "60.00", "14.14"], ["b", "1 of 2", "25.00", "-"]]);
    }
}
