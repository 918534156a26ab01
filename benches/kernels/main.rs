//! Times every kernel at shapes from training steps. Before a launch is timed, its results are compared with the
//! reference, with the tolerance of `gpunet doctor` and the parity tests. A launch with wrong results is reported and
//! not timed.
//!
//!     cargo bench --bench kernels                                      on the CPU
//!     GPUNET_BENCH_DEVICE=gpu cargo bench --bench kernels -- dense     on the first adapter, names with "dense" only
//!     cargo bench --bench kernels -- --test                            only the comparison
//!
//! `GPUNET_BENCH_DEVICE` takes the values of `--device`. It is an environment variable because criterion reads the
//! command line.

mod launches;
mod trial;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use gpunet::low_level::backend::device::{Device, DeviceOptions};
use gpunet::low_level::backend::gpu::Tuning;

use launches::Work;
use trial::Trial;

const DEVICE: &str = "GPUNET_BENCH_DEVICE";

fn main() -> ExitCode {
    let wanted = env::var(DEVICE).unwrap_or_else(|_| "cpu".to_string());
    // Matrix products use the tiles that a training run would find for them.
    let options = DeviceOptions { tuning: Tuning::WhereNew, ..DeviceOptions::default() };
    let device = match Device::open(&wanted, &options) {
        Ok(device) => device,
        Err(error) => {
            eprintln!("{DEVICE} is {wanted}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let backend = device.backend.as_ref();
    eprintln!("{} ({})", backend.name(), backend.kind());

    let mut criterion = Criterion::default()
        .without_plots()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut refused = 0;
    for (kernel, launches) in launches::of_every_kernel() {
        // Criterion compares times by name with earlier runs, so the name includes the device.
        let mut group = criterion.benchmark_group(format!("{} on {wanted}", kernel.name));
        // The same number of replays in each sample. In samples with few replays, the final wait would count too much.
        group.sampling_mode(SamplingMode::Flat);
        for launch in launches {
            group.throughput(match launch.work() {
                Work::Flops(count) => Throughput::Elements(count),
                Work::Bytes(count) => Throughput::BytesDecimal(count),
            });
            let id = BenchmarkId::new(launch.network, &launch.output);
            let refuse = |reason: String| {
                eprintln!("\n{} is not timed at {}: {reason}", kernel.name, launch.output);
                // Unwinding is the only way out of a benchmark that has begun.
                resume_unwind(Box::new(reason))
            };
            // Created only when criterion runs the benchmark, which it does not if the filter excludes it.
            let mut trial = None;
            let bench = || {
                group.bench_function(id, |bencher| {
                    let trial = trial.get_or_insert_with(|| Trial::of(&launch, backend).unwrap_or_else(refuse));
                    bencher.iter_custom(|replays| trial.time(replays));
                });
            };
            refused += usize::from(catch_unwind(AssertUnwindSafe(bench)).is_err());
        }
        group.finish();
    }
    criterion.final_summary();
    if refused > 0 {
        eprintln!("{refused} launches were not timed, for the reasons above");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
