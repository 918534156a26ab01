//! Profiles: launches in time, without a bit changed.

use std::ops::ControlFlow;

use crate::command::{fresh_folder, refuses, succeeds, train_tiny_for};
use crate::harness::{Small, first_step, gpu, random_dataset};
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::backend::{Backend, Span};
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::{Phase, When};
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::train::profile;
use serde_json::Value;

fn devices() -> [Box<dyn Backend>; 2] {
    [Box::new(CpuBackend::<f32>::new(None).unwrap()), gpu(ShaderChecks::Trusted)]
}

#[test]
fn profiling_changes_no_bit_and_covers_each_launch_that_runs() {
    let adam = Optimizer::adam();
    let small = Small::new("6-5-3", 4, adam, 1.0);
    // Only the last of three batches ends in an update.
    let step = |i| Step { accumulated: i, updates: u32::from(i == 2), update_rows: 12, ..first_step(4 * i, 4, &adam) };
    let steps: Vec<Step> = (0..3).map(step).collect();
    let plan = &small.recording.plan;
    let update = plan.launches(Phase::Train).len() - 1;
    assert_eq!(plan.launches(Phase::Train)[update].when, When::Update);
    for backend in devices() {
        let parameters = |profiled: bool| {
            let mut program = backend.load(plan).unwrap();
            small.fill(program.as_mut());
            let mut metrics = Vec::new();
            let mut logged = |batches: &[_]| {
                metrics.extend_from_slice(batches);
                ControlFlow::Continue(())
            };
            let spans = if profiled {
                program.profile(Phase::Train, &steps, &mut logged).unwrap()
            } else {
                program.run(Phase::Train, &steps, &mut logged).unwrap();
                Vec::new()
            };
            let tensors = small.recording.parameters.iter();
            let values: Vec<Vec<f32>> = tensors.map(|&tensor| program.slow_read_f32(tensor).unwrap()).collect();
            (values, metrics, spans)
        };
        let (plain, profiled) = (parameters(false), parameters(true));
        assert_eq!((&plain.0, &plain.1), (&profiled.0, &profiled.1), "{}", backend.name());
        let ran: Vec<(usize, usize)> = profiled.2.iter().map(|span: &Span| (span.step, span.launch)).collect();
        let expected = (0..3).flat_map(|step| (0..=update).map(move |launch| (step, launch)));
        let expected: Vec<_> = expected.filter(|&(step, launch)| launch != update || step == 2).collect();
        assert_eq!(ran, expected, "{}", backend.name());
        for span in &profiled.2 {
            assert!(span.begin <= span.end, "{}: {span:?}", backend.name());
        }
    }
}

#[test]
fn a_profile_says_what_launches_do_and_how_fast() {
    let dataset = random_dataset(200, 20, 3);
    let (arch, batch, optimizer) = ("20-30-3".parse().unwrap(), BatchSize::Rows(10), Optimizer::adam());
    let config = Config { arch, batch, optimizer, ..Config::default() };
    for backend in devices() {
        let profile = profile(&config, &dataset, backend.as_ref()).unwrap();
        let what = backend.name();
        let of = |kernel: &str, output: &str| {
            let found = profile.launches.iter().find(|launch| launch.kernel.name == kernel && launch.output == output);
            found.unwrap_or_else(|| panic!("{what}: {kernel} -> {output} is not in the profile"))
        };
        assert_eq!(profile.steps, 17, "{what}: 20 batches, the first three to warm up");
        let shares: f64 = profile.launches.iter().map(|launch| launch.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{what}: {shares}");
        assert!(profile.ceilings.gflops > 0.0 && profile.ceilings.gigabytes_per_second > 0.0, "{what}");
        // By hand: 10 rows of 20 inputs and 30 outputs; the values of all four tensors, 4 bytes each.
        let forward = of("dense_forward", "layers.0.output");
        let seconds = forward.microseconds / 1e6;
        let near = |value: f64, expected: f64| (value - expected).abs() <= 1e-6 * expected;
        assert!(near(forward.gflops * 1e9 * seconds, 2.0 * 10.0 * 20.0 * 30.0), "{what}");
        assert!(near(forward.gigabytes_per_second * 1e9 * seconds, 4.0 * (200.0 + 600.0 + 30.0 + 300.0)), "{what}");
        if backend.fuses_updates() {
            // Where gradients are made, Adam reads and writes parameters and both moments.
            let layer = of("dense_adam", "layers.0");
            let operations = 2.0 * 10.0 * 600.0 + 10.0 * 30.0 + 15.0 * 630.0;
            assert!(near(layer.gflops * 1e3 * layer.microseconds, operations), "{what}");
            let values = 300.0 + 200.0 + 6.0 * 630.0;
            assert!(near(layer.gigabytes_per_second * 1e3 * layer.microseconds, 4.0 * values), "{what}");
        } else {
            // Elsewhere it reads gradients, too, and five numbers about the loss scale. An arena's parts lie at multiples of 64 values: 640 and 128
            // of the weights, then twice 64 of the biases.
            let adam = of("adam", "parameters");
            let bytes = 4.0 * (7.0 * 896.0 + 5.0);
            assert!(near(adam.gigabytes_per_second * 1e3 * adam.microseconds, bytes), "{what}");
        }
        // Of the data set only the batch: bytes, floats, factors and offsets; order, labels and targets.
        let gather = of("gather", "inputs");
        let bytes = 200.0 * (1.0 + 4.0) + 20.0 * 8.0 + 10.0 * 12.0;
        assert!(near(gather.gigabytes_per_second * 1e3 * gather.microseconds, bytes), "{what}");

        let trace = profile.trace();
        let events = trace["traceEvents"].as_array().unwrap();
        let complete: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
        assert_eq!(complete.len(), 17 * profile.launches.len(), "{what}");
        for event in complete {
            assert!(event["ts"].as_f64().unwrap() >= 0.0 && event["dur"].as_f64().unwrap() >= 0.0, "{what}: {event}");
        }
    }
}

#[test]
fn bench_and_train_print_profiles_and_keep_traces() {
    let folder = fresh_folder();
    let events = |file: &str| {
        let trace: Value = serde_json::from_slice(&std::fs::read(folder.path().join(file)).unwrap()).unwrap();
        trace["traceEvents"].as_array().unwrap().len()
    };
    let bench = ["bench", "--arch", "20-30-5", "--batch", "16", "--steps", "5", "--device", "cpu", "--profile"];
    let printed = succeeds(folder.path(), &bench);
    assert!(printed.contains("dense_forward -> layers.1.output") && events("profile.json") > 20, "{printed}");
    let report = succeeds(folder.path(), &[&bench[..9], &["--json", "--profile=made/deep/trace.json"]].concat());
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["profile"]["launches"][0]["kernel"], "gather");
    assert!(events("made/deep/trace.json") > 20);

    let printed = succeeds(folder.path(), &train_tiny_for("2", &["--out", "run", "--profile"]));
    assert!(printed.contains("dense_adam -> layers.0 ") && printed.contains("test accuracy"), "{printed}");
    assert!(events("run/profile.json") > 20);
    let plain = train_tiny_for("2", &["--out", "plain"]);
    succeeds(folder.path(), &plain);
    let model = |run: &str| std::fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("run") == model("plain"), "profiling before training changes nothing");
    std::fs::write(folder.path().join("file"), "").unwrap();
    refuses(folder.path(), &[&bench[..9], &["--profile=file/trace.json"]].concat(), &["file"]);
}
