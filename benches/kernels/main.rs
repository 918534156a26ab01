//! Times every kernel at shapes that training steps launch it at. A launch is timed once its results were found right, by the comparison and
//! at the tolerance of doctor and the parity tests; one whose results are wrong is reported and not timed.
//!
//!     cargo bench --bench kernels                                      on the CPU
//!     GPUNET_BENCH_DEVICE=gpu cargo bench --bench kernels -- dense     on the first adapter, what has "dense" in its name
//!     cargo bench --bench kernels -- --test                            only the comparison
//!
//! The device is named as for `--device`; criterion has the command line, so that it is a variable of the environment.

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
    // Products in the tiles that a run would find for them.
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
        // Criterion compares with what the same name took before, which must have been the same device.
        let mut group = criterion.benchmark_group(format!("{} on {wanted}", kernel.name));
        // As many replays in each sample: few of them would show the wait at their end.
        group.sampling_mode(SamplingMode::Flat);
        for launch in launches {
            group.throughput(match launch.work() {
                Work::Flops(count) => Throughput::Elements(count),
                Work::Bytes(count) => Throughput::BytesDecimal(count),
            });
            let id = BenchmarkId::new(launch.network, &launch.output);
            let refuse = |reason: String| {
                eprintln!("\n{} is not timed at {}: {reason}", kernel.name, launch.output);
                // The only way out of a benchmark that has begun.
                resume_unwind(Box::new(reason))
            };
            // Made when criterion calls for it, which it does not where the filter leaves this benchmark out.
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
