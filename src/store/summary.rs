//! What a run came to, in a few figures.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{SavedRun, TestRecord};
use crate::nn::model::Model;
use crate::run::history::EpochRecord;
use crate::run::metric::Metric;

/// The figures by which runs are compared; their names are a contract. Accuracies are from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The shortest end of its path that tells the run from those it is compared with.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Trainable values.
    pub parameters: usize,
    /// Epochs trained.
    pub epochs: usize,
    /// Wall time of all epochs: training and validation.
    pub seconds: f64,
    /// The highest accuracy on the validation set.
    pub best_val_accuracy: Option<Best>,
    /// Its accuracy after the last epoch.
    pub final_val_accuracy: Option<f64>,
    /// The lowest mean loss on the validation set.
    pub best_val_loss: Option<Best>,
    /// Its mean loss after the last epoch.
    pub final_val_loss: Option<f64>,
    /// The result of the saved model on the test set; `None` if training has not ended.
    pub test: Option<TestRecord>,
    /// How training diverged, where it is known to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diverged: Option<String>,
}

/// The best value of all epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Best {
    /// The value.
    pub value: f64,
    /// The first epoch that reached it.
    pub epoch: usize,
}

impl Summary {
    /// Sums a run up.
    pub fn new(name: String, run: &SavedRun) -> Summary {
        let last = |value: fn(&EpochRecord) -> Option<f64>| run.history.last().and_then(value);
        let best = |metric: Metric| {
            let epoch = metric.best_epoch(&run.history)?;
            let record = run.history.iter().find(|record| record.epoch == epoch)?;
            Some(Best { value: metric.of(record)?, epoch })
        };
        Summary {
            name,
            path: run.path.clone(),
            parameters: Model::new(&run.config.arch).parameter_count(),
            epochs: run.history.len(),
            seconds: run.history.iter().map(|record| record.seconds).sum(),
            best_val_accuracy: best(Metric::ValAccuracy),
            final_val_accuracy: last(|record| record.val_accuracy),
            best_val_loss: best(Metric::ValLoss),
            final_val_loss: last(|record| record.val_loss),
            test: run.test,
            diverged: None,
        }
    }
}

/// A name for each of some different paths: the last part, or as many as tell them all apart.
pub fn short_names(paths: &[PathBuf]) -> Vec<String> {
    let ending = |path: &Path, parts: usize| {
        let all: Vec<_> = path.iter().collect();
        all[all.len().saturating_sub(parts)..].iter().collect::<PathBuf>().to_string_lossy().into_owned()
    };
    let names = |parts: usize| paths.iter().map(|path| ending(path, parts)).collect::<Vec<_>>();
    let longest = paths.iter().map(|path| path.iter().count()).max().unwrap_or(1);
    let all_differ = |names: &Vec<String>| names.iter().collect::<std::collections::HashSet<_>>().len() == names.len();
    (1..=longest).map(names).find(all_differ).unwrap_or_else(|| names(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(epochs: &[(Option<f64>, Option<f64>)]) -> SavedRun {
        let record = |(index, &(val_loss, val_accuracy)): (usize, &(Option<f64>, Option<f64>))| EpochRecord {
            epoch: index + 1,
            train_loss: 1.0,
            train_accuracy: 0.5,
            val_loss,
            val_accuracy,
            learning_rate: 0.1,
            seconds: 1.5,
        };
        let config = crate::run::config::Config { arch: "4-8-3".parse().unwrap(), ..Default::default() };
        let history = epochs.iter().enumerate().map(record).collect();
        SavedRun { path: PathBuf::from("runs/a"), config, history, test: None }
    }

    #[test]
    fn the_best_is_told_from_the_last_and_the_first_of_equals_counts() {
        let epochs = [(0.5, 0.8), (0.2, 0.9), (0.2, 0.95), (0.3, 0.85), (0.4, 0.95)];
        let epochs = epochs.map(|(loss, accuracy)| (Some(loss), Some(accuracy)));
        let summary = Summary::new("a".into(), &run(&epochs));
        assert_eq!(summary.best_val_loss, Some(Best { value: 0.2, epoch: 2 }));
        assert_eq!(summary.best_val_accuracy, Some(Best { value: 0.95, epoch: 3 }));
        assert_eq!((summary.final_val_loss, summary.final_val_accuracy), (Some(0.4), Some(0.95)));
        assert_eq!((summary.epochs, summary.seconds, summary.parameters), (5, 7.5, 4 * 8 + 8 + 8 * 3 + 3));
    }

    #[test]
    fn without_validation_or_epochs_there_is_no_best() {
        for epochs in [&[][..], &[(None, None)]] {
            let summary = Summary::new("a".into(), &run(epochs));
            assert_eq!((summary.best_val_loss, summary.best_val_accuracy), (None, None));
            assert_eq!((summary.final_val_loss, summary.final_val_accuracy), (None, None));
        }
    }

    #[test]
    fn names_are_as_long_as_they_must_be() {
        let named = |paths: &[&str]| short_names(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(named(&["/runs/a", "/runs/b"]), ["a", "b"]);
        assert_eq!(named(&["/x/runs/a", "/y/runs/a", "/b"]), ["x/runs/a", "y/runs/a", "/b"]);
        assert_eq!(named(&["/a", "/a/a"]), ["/a", "a/a"]);
    }
}
