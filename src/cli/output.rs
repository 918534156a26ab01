//! Lines on standard output and standard error.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Writes a line to standard output. A closed pipe, such as that of `head`, is no error: the command continues without it.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => {
            result.map_err(|error| io::Error::new(error.kind(), format!("could not write to standard output: {error}")))
        }
    }
}

/// Writes a value as one line of JSON.
pub(super) fn json<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string(value)?)?)
}

/// Writes a warning to standard error.
pub(super) fn warn(text: &str) {
    // If standard error is closed, the warning is lost.
    let _ = writeln!(io::stderr(), "warning: {text}");
}

/// Writes an error to standard error. Messages contain their causes.
pub(super) fn report(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "error: {}", super::sentence::sentence(error));
}

/// Whether standard error is a terminal, so that progress bars make sense.
pub(super) fn has_terminal() -> bool {
    io::stderr().is_terminal()
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The path of pictures without their extension: `name` in the folder `--out`, `--out` itself if it is no folder, or `name` without
/// `--out`. `--out curves.png` means the same as `--out curves`.
pub(super) fn stem(out: Option<&Path>, name: &str) -> PathBuf {
    let Some(out) = out else { return PathBuf::from(name) };
    match out.extension() {
        _ if out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/') => out.join(name),
        Some(extension) if ["svg", "png", "csv"].iter().any(|known| extension == *known) => out.with_extension(""),
        _ => out.to_path_buf(),
    }
}

/// Bytes in the largest binary unit that keeps a digit before the point.
pub(super) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

/// A count with its metric prefix: `30.5 G`.
pub(super) fn metric(count: f64) -> String {
    let (scale, unit) = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")]
        .into_iter()
        .find(|(scale, _)| count >= *scale)
        .unwrap_or((1.0, " "));
    format!("{:.1}{unit}", count / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            ["7", "1,000", "19,867,510"],
            [thousands(7), thousands(1000), thousands(19_867_510)].map(|s| s).each_ref().map(|s| &s[..])
        );
        assert_eq!(metric(30_520_320_000.0), "30.5 G");
        assert_eq!(metric(12.0), "12.0 ");
    }
}
