//! Compiled shaders, kept between runs if the driver supports it (Vulkan).

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::cache;

/// Bytes of the checksum at the start of a file.
const SUM: usize = 4;

/// A driver's pipeline cache and its file.
#[derive(Debug)]
pub(super) struct PipelineCache {
    handle: wgpu::PipelineCache,
    file: PathBuf,
    /// Checksum of the file's data.
    kept: Mutex<Option<u32>>,
}

impl PipelineCache {
    /// Opens the cache with the data of `file`. It starts empty if the file cannot be read or is damaged.
    pub(super) fn open(device: &wgpu::Device, file: PathBuf) -> PipelineCache {
        let content = std::fs::read(&file).ok().filter(|content| is_sound(content));
        let data = content.as_ref().map(|content| &content[SUM..]);
        let label = Some("pipelines");
        // SAFETY: the data comes from `get_data` for the same adapter, driver and version, and its checksum matches.
        // wgpu also checks its header.
        let handle =
            unsafe { device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor { label, data, fallback: true }) };
        PipelineCache { handle, file, kept: Mutex::new(data.map(crc32fast::hash)) }
    }

    pub(super) fn handle(&self) -> &wgpu::PipelineCache {
        &self.handle
    }

    /// Writes the file if the cache has changed. A failed write is no error, as the file only saves time.
    pub(super) fn keep(&self) {
        let Some(data) = self.handle.get_data() else { return };
        let sum = crc32fast::hash(&data);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.replace(sum) != Some(sum) {
            cache::keep(&self.file, &[&sum.to_le_bytes()[..], &data].concat());
        }
    }
}

/// Whether a file is as it was written.
fn is_sound(content: &[u8]) -> bool {
    content.split_at_checked(SUM).is_some_and(|(sum, data)| sum == crc32fast::hash(data).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_or_changed_files_are_ignored() {
        let whole = [&crc32fast::hash(b"compiled").to_le_bytes()[..], b"compiled"].concat();
        let mut changed = whole.clone();
        changed[6] ^= 1;
        assert!(is_sound(&whole) && !is_sound(&changed) && !is_sound(&whole[..whole.len() - 1]) && !is_sound(b"abc"));
    }
}
