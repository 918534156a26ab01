//! `--profile` of `train` and `bench`.

use std::path::Path;

use gpunet::low_level::files::write_file;
use gpunet::low_level::profile::Profile;

use super::output::{line, metric};
use super::table::table;

/// Prints one line per launch, the slowest first.
pub(super) fn print(profile: &Profile) -> std::io::Result<()> {
    let Profile { device, backend, phase, steps, ms_per_step, ceilings, .. } = profile;
    line(&format!("\n{steps} {} steps on {device} ({backend}), {ms_per_step:.3} ms each", phase.name()))?;
    let (flops, bytes) = (metric(ceilings.gflops * 1e9), metric(ceilings.gigabytes_per_second * 1e9));
    line(&format!("best of this device, measured just now: {flops}FLOP/s in a product, {bytes}B/s in a copy"))?;
    let header = ["launch", "tile", "us", "% of time", "GFLOP/s", "GB/s", "% of best"].map(String::from).to_vec();
    let mut launches: Vec<_> = profile.launches.iter().filter(|launch| launch.microseconds > 0.0).collect();
    launches.sort_by(|a, b| b.microseconds.total_cmp(&a.microseconds));
    let rows = launches.iter().map(|launch| {
        vec![
            format!("{} -> {}", launch.kernel.name, launch.output),
            launch.tile.unwrap_or("").to_string(),
            format!("{:.1}", launch.microseconds),
            format!("{:.1}", launch.share * 100.0),
            format!("{:.1}", launch.gflops),
            format!("{:.1}", launch.gigabytes_per_second),
            format!("{:.0}", launch.of_ceiling * 100.0),
        ]
    });
    for text in table(&[("", 1); 7], &[header].into_iter().chain(rows).collect::<Vec<_>>()) {
        line(&text)?;
    }
    let launched: f64 = launches.iter().map(|launch| launch.microseconds).sum();
    line(&format!("{} launches, {launched:.1} us; the rest of the step is spent between them", launches.len()))
}

/// Writes the trace, and prints where it is.
pub(super) fn keep(profile: &Profile, path: &Path) -> anyhow::Result<()> {
    write(profile, path)?;
    Ok(line(&format!("trace of the launches in {}, for ui.perfetto.dev or chrome://tracing", path.display()))?)
}

/// Writes the trace.
pub(super) fn write(profile: &Profile, path: &Path) -> anyhow::Result<()> {
    Ok(write_file(path, profile.trace().to_string().as_bytes())?)
}
