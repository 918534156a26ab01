//! Files that make the next start quicker. Without them all works as well, so that a disk that does not take them is no error.

use std::path::{Path, PathBuf};

use super::AdapterSummary;
use crate::files::{make_folder, write_file};

/// The file for something of an adapter: another driver may make other code, and another version of this program other kernels.
pub(super) fn file(folder: &Path, what: &str, summary: &AdapterSummary) -> PathBuf {
    let AdapterSummary { name, backend, driver, .. } = summary;
    let of = [name, backend, driver, env!("CARGO_PKG_VERSION")].join("\n");
    folder.join(format!("{what}-{:08x}", crc32fast::hash(of.as_bytes())))
}

/// Writes a file, where that can be.
pub(super) fn keep(file: &Path, content: &[u8]) {
    let _ = make_folder(file).and_then(|()| write_file(file, content));
}
