//! `gpunet doctor`.

use clap::Args;
use gpunet::low_level::backend::gpu::{AdapterLimits, AdapterSummary, Tuning, adapters};
use gpunet::low_level::backend::parity::{KernelReport, check_kernels};
use gpunet::low_level::kernels::precision::Precision;
use serde::Serialize;

use super::output::{self, bytes, line};
use super::{DeviceArguments, Ended};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only list the adapters
    #[arg(long, conflicts_with = "json")]
    list: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    device: DeviceArguments,
}

/// The object of `--json`. On the CPU backend, `adapter` says so and there are no limits and features.
#[derive(Serialize)]
struct Report {
    adapter: Adapter,
    limits: Option<AdapterLimits>,
    /// Features of the adapter, and the precisions whose products run on its matrix units.
    features: Vec<String>,
    kernels: Vec<KernelReport>,
    ok: bool,
}

#[derive(Serialize)]
struct Adapter {
    name: String,
    backend: String,
    kind: &'static str,
    driver: String,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    if !arguments.json {
        print_adapters()?;
    }
    if arguments.list {
        return Ok(Ended::Well);
    }
    // The shapes of its cases are not worth tuning for.
    let device = arguments.device.open_tuning(Tuning::Off)?;
    if !arguments.json {
        line(&format!("\nchecking every kernel with {}", device.backend.name()))?;
        line(&format!("{:<24} {:>5}  {:>10}  {:>10}", "kernel", "cases", "max error", "tolerance"))?;
    }
    let mut written = Ok(());
    let kernels = check_kernels(device.backend.as_ref(), &mut |report| {
        if !arguments.json && written.is_ok() {
            written = print_kernel(report);
        }
    })?;
    written?;
    let ok = kernels.iter().all(|kernel| kernel.ok);
    let on_units = |precision: Precision| device.backend.tiles(precision).iter().any(|tile| tile.uses_matrices());
    let precisions = Precision::ALL.into_iter().filter(|&precision| on_units(precision));
    let matrix_units: Vec<_> = precisions.map(|precision| precision.name()).collect();
    if arguments.json {
        let (kind, driver) = device.adapter.as_ref().map_or(("cpu", String::new()), |a| (a.kind, a.driver.clone()));
        let adapter = Adapter { name: device.backend.name(), backend: device.backend.kind(), kind, driver };
        let (limits, features) = device.adapter.map_or((None, Vec::new()), |a| (Some(a.limits), a.features));
        let features = features.into_iter().map(String::from);
        let features = features.chain(matrix_units.iter().map(|name| format!("{name}-on-matrix-units"))).collect();
        output::json(&Report { adapter, limits, features, kernels, ok })?;
    } else {
        let precisions = if matrix_units.is_empty() { "none".to_string() } else { matrix_units.join(", ") };
        line(&format!("\nmatrix units are used for the precisions: {precisions}"))?;
        line(if ok { "all kernels are correct" } else { "some kernels are WRONG on this device; please report it" })?;
    }
    Ok(if ok { Ended::Well } else { Ended::GoalMissed })
}

fn print_adapters() -> std::io::Result<()> {
    let adapters = adapters();
    if adapters.is_empty() {
        return line(
            "no GPU adapter was found; the CPU backend works. On Linux a Vulkan loader and driver may be missing.",
        );
    }
    for AdapterSummary { index, name, backend, kind, driver, limits, features } in &adapters {
        line(&format!("adapter {index}: {name} ({kind}, {backend}, {driver})"))?;
        let (binding, buffer) = (bytes(limits.max_storage_buffer_binding_size), bytes(limits.max_buffer_size));
        line(&format!("  largest binding {binding}, largest buffer {buffer}"))?;
        let (memory, threads) =
            (limits.max_compute_workgroup_storage_size, limits.max_compute_invocations_per_workgroup);
        let groups = limits.max_compute_workgroups_per_dimension;
        line(&format!("  workgroups of up to {threads} threads and {memory} bytes, {groups} per axis"))?;
        line(&format!(
            "  features: {}",
            if features.is_empty() { "none that gpunet uses".to_string() } else { features.join(", ") }
        ))?;
    }
    Ok(())
}

fn print_kernel(report: &KernelReport) -> std::io::Result<()> {
    let KernelReport { name, cases, max_error, tolerance, ok, failure } = report;
    let verdict = if *ok { "ok" } else { "WRONG" };
    line(&format!("{name:<24} {cases:>5}  {max_error:>10.2e}  {tolerance:>10.2e}  {verdict}"))?;
    failure.as_ref().map_or(Ok(()), |failure| line(&format!("  {failure}")))
}
