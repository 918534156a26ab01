//! Files that speed up the next start. Everything works without them, so a failed write is no error.

use std::path::{Path, PathBuf};

use super::AdapterSummary;
use crate::files::{make_folder, write_file};

/// The file `what` for an adapter. Its name depends on the driver and on gpunet's version: other drivers compile to
/// other code, and other versions have other kernels.
pub(super) fn file(folder: &Path, what: &str, summary: &AdapterSummary) -> PathBuf {
    let AdapterSummary { name, backend, driver, .. } = summary;
    let of = [name, backend, driver, env!("CARGO_PKG_VERSION")].join("\n");
    folder.join(format!("{what}-{:08x}", crc32fast::hash(of.as_bytes())))
}

/// Writes a file if possible.
pub(super) fn keep(file: &Path, content: &[u8]) {
    let _ = make_folder(file).and_then(|()| write_file(file, content));
}
