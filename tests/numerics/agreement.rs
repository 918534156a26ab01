//! Training on the CPU backend and on a GPU adapter: the same losses for 100 steps, the same accuracy after an epoch.

use std::ops::ControlFlow;

use crate::harness::{Small, backends, first_step, gpu};
use gpunet::low_level::backend::Backend;
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::data::{Dataset, Split};
use gpunet::low_level::kernels::step::BatchMetrics;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::Phase;
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::train::{Event, Outcome, train};

fn train_on(config: &Config, dataset: &Dataset, backend: &dyn Backend) -> (Vec<f64>, Outcome) {
    let mut losses = Vec::new();
    let outcome = train(config, dataset, backend, None, &mut |event| {
        if let Event::Batches { batches, .. } = event {
            losses.extend(batches.iter().map(|batch| f64::from(batch.loss_sum) / f64::from(batch.rows)));
        }
        ControlFlow::Continue(())
    });
    (losses, outcome.unwrap())
}

#[test]
fn cpu_and_gpu_train_alike_on_mnist() {
    let config =
        Config { arch: "784-32-10".parse().unwrap(), batch: BatchSize::Rows(128), epochs: 1, ..Config::default() };
    let dataset = Dataset::load(&config.data, &config.split()).unwrap();
    let (cpu_losses, cpu) = train_on(&config, &dataset, &CpuBackend::<f32>::new(None).unwrap());
    let (gpu_losses, gpu) = train_on(&config, &dataset, gpu(ShaderChecks::Trusted).as_ref());

    assert_eq!(cpu_losses.len(), 55_000usize.div_ceil(128), "the short last batch is trained on too");
    assert_eq!(cpu_losses.len(), gpu_losses.len());
    for (step, (cpu, gpu)) in cpu_losses.iter().zip(&gpu_losses).take(100).enumerate() {
        assert!((cpu - gpu).abs() <= 1e-3 * cpu.abs(), "step {step}: {cpu} on the CPU, {gpu} on the GPU");
    }
    let (cpu_record, gpu_record) = (cpu.history[0], gpu.history[0]);
    for (what, cpu, gpu) in [
        ("training", cpu_record.train_accuracy, gpu_record.train_accuracy),
        ("validation", cpu_record.val_accuracy.unwrap(), gpu_record.val_accuracy.unwrap()),
        ("test", cpu.test.unwrap().accuracy(), gpu.test.unwrap().accuracy()),
    ] {
        println!("{what}: {cpu} on the CPU, {gpu} on the GPU");
        assert!((cpu - gpu).abs() <= 0.003, "{what} accuracy: {cpu} on the CPU, {gpu} on the GPU");
        assert!(cpu > 0.85, "{what} accuracy {cpu}: the network did not learn");
    }
}

/// The batches of an epoch contain as many examples as the training set, for any batch size. (src/math/random.rs tests
/// that their order is a permutation.)
#[test]
fn an_epoch_has_as_many_examples_as_the_training_set() {
    let dataset = Dataset::load("mnist", &Split::default()).unwrap();
    for batch in [7001, 55_000, 100_000] {
        let config =
            Config { arch: "784-10".parse().unwrap(), batch: BatchSize::Rows(batch), epochs: 1, ..Config::default() };
        let mut seen = 0;
        let outcome = train(&config, &dataset, &CpuBackend::<f32>::new(None).unwrap(), None, &mut |event| {
            if let Event::Batches { so_far, .. } = event {
                seen = so_far.examples;
            }
            ControlFlow::Continue(())
        });
        assert_eq!(seen, 55_000, "batch {batch}");
        assert_eq!(outcome.unwrap().test.unwrap().examples, 10_000);
    }
}

/// After a caller asks to stop, it gets no further steps, although the backend may have some in progress.
#[test]
fn nothing_is_logged_after_a_stop() {
    for (name, backend) in backends() {
        let small = Small::new("6-5-3", 4, Optimizer::sgd(), 1.0);
        let mut program = backend.load(&small.recording.plan).unwrap();
        small.fill(program.as_mut());
        let steps = vec![first_step(0, 4, &Optimizer::sgd()); 50];
        for last in [3, 1] {
            let (mut calls, mut logged) = (0, 0);
            let stop = &mut |batches: &[BatchMetrics]| {
                (calls, logged) = (calls + 1, logged + batches.len());
                if calls == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            program.run(Phase::Train, &steps, stop).unwrap();
            // A fast device may finish all steps in fewer calls.
            assert!(calls == last || calls < last && logged == steps.len(), "{name}: {calls} calls, {logged} steps");
        }
    }
}
