//! What `gpunet train` shows while it trains: a progress bar on a terminal, and one line per epoch.

use gpunet::low_level::run::history::EpochRecord;
use gpunet::low_level::train::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::{self, bytes, line, thousands};

/// Shows events: a progress bar on a terminal, and one line per epoch.
pub(super) struct Display {
    bar: ProgressBar,
    epochs: usize,
    train: usize,
    result: std::io::Result<()>,
}

impl Display {
    pub(super) fn new(epochs: usize) -> Display {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if output::has_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let template = "{prefix} {wide_bar} {percent:>3} % {msg} {per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{} images/s", thousands(state.per_sec() as u64));
            };
            bar.set_style(style.with_key("per_sec", rate));
        }
        Display { bar, epochs, train: 0, result: Ok(()) }
    }

    pub(super) fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Started { train, validation, test, parameters, device_bytes } => {
                self.train = train;
                self.bar.set_length((train * self.epochs) as u64);
                let counts = [train, validation, test, parameters].map(|count| thousands(count as u64));
                let [train, validation, test, parameters] = counts;
                let memory = bytes(device_bytes);
                self.line(&format!(
                    "{train} training, {validation} validation, {test} test examples; {parameters} parameters, {memory}"
                ));
            }
            Event::Batches { epoch, so_far, .. } => {
                self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
                self.bar.set_message(format!("loss {:.4} accuracy {:.2} %", so_far.loss(), 100.0 * so_far.accuracy()));
                self.bar.set_position((epoch - 1) as u64 * self.train as u64 + so_far.examples);
            }
            Event::Epoch { record, training, examples } => {
                let rate = thousands((examples as f64 / training.as_secs_f64()) as u64);
                self.line(&epoch_line(&record, self.epochs, &rate));
            }
            // An event that this display does not know.
            _ => {}
        }
    }

    /// Removes the bar. The result is the first failure to write.
    pub(super) fn finish(self) -> std::io::Result<()> {
        self.bar.finish_and_clear();
        self.result
    }

    /// Prints something else above the bar.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Prints above the bar. Training continues after a failure to write; the first failure is kept for the end.
    fn line(&mut self, text: &str) {
        let written = self.bar.suspend(|| line(text));
        if self.result.is_ok() {
            self.result = written;
        }
    }
}

fn epoch_line(record: &EpochRecord, epochs: usize, rate: &str) -> String {
    let EpochRecord { epoch, train_loss, val_loss, seconds, .. } = *record;
    let train = 100.0 * record.train_accuracy;
    let validation = val_loss.zip(record.val_accuracy).map_or(String::new(), |(loss, accuracy)| {
        format!("  validation loss {loss:.4} accuracy {:.2} %", 100.0 * accuracy)
    });
    format!(
        "epoch {epoch}/{epochs}  train loss {train_loss:.4} accuracy {train:.2} %{validation}  {rate} images/s  {seconds:.1} s"
    )
}
