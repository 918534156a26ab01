//! Properties of training beyond its kernels: accumulated batches, shuffling, early stopping, memorizing examples.

use std::ops::ControlFlow;

use crate::harness::{gpu, random_dataset};
use gpunet::low_level::backend::Backend;
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::data::{Dataset, Part, Split};
use gpunet::low_level::nn::network::PerLayer;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::run::early_stopping::EarlyStopping;
use gpunet::low_level::run::history::EpochRecord;
use gpunet::low_level::run::metric::Metric;
use gpunet::low_level::train::{Event, Outcome, go_on, overfit, train};

fn config(arch: &str, batch: BatchSize, epochs: usize) -> Config {
    Config { arch: arch.parse().unwrap(), batch, epochs, ..Config::default() }
}

fn outcome(config: &Config, dataset: &Dataset, backend: &dyn Backend) -> Outcome {
    train(config, dataset, backend, None, &mut go_on).unwrap()
}

/// The greatest difference between the parameters of two runs.
fn distance(a: &Outcome, b: &Outcome) -> f32 {
    let pairs = a.model.parameters.iter().flatten().zip(b.model.parameters.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// An update from several batches equals the update from one batch with the same examples. Dropout also agrees, since
/// it draws per example, not per batch. With 100 examples, the last update of an epoch and its last batch are short.
#[test]
fn gradients_of_batches_add_up_to_those_of_a_larger_batch() {
    let dataset = random_dataset(100, 12, 3);
    let base = Config {
        dropout: PerLayer::All(0.3),
        optimizer: Optimizer::adam(),
        ..config("12-9-3", BatchSize::Rows(48), 3)
    };
    let gpu = gpu(ShaderChecks::Trusted);
    let cpu = CpuBackend::<f32>::new(None).unwrap();
    for backend in [&cpu as &dyn Backend, gpu.as_ref()] {
        let whole = outcome(&base, &dataset, backend);
        for (rows, accumulate) in [(24, 2), (16, 3), (7, 7)] {
            let batch = BatchSize::Rows(rows);
            let parts = outcome(&Config { batch, accumulate, ..base.clone() }, &dataset, backend);
            let apart = distance(&whole, &parts);
            // Updates of 48 and of 49 examples are not the same.
            let expected = rows * accumulate == 48;
            assert_eq!(apart < 2e-5, expected, "{}: {accumulate} batches of {rows}: {apart}", backend.name());
        }
    }
}

#[test]
fn a_full_batch_is_one_update_per_epoch() {
    let dataset = random_dataset(4500, 6, 3);
    let backend = CpuBackend::<f32>::new(None).unwrap();
    let rows = outcome(&config("6-5-3", BatchSize::Rows(4500), 4), &dataset, &backend);
    let full = outcome(&config("6-5-3", BatchSize::Full, 4), &dataset, &backend);
    assert!(distance(&rows, &full) < 1e-5, "{}", distance(&rows, &full));
    // The losses of a batch are added in f32.
    assert!((rows.history[3].train_loss - full.history[3].train_loss).abs() < 1e-5);
}

/// At a rate that changes nothing, unshuffled epochs have the same losses batch by batch. Shuffled epochs do not.
#[test]
fn without_shuffling_every_epoch_has_the_same_order() {
    let dataset = random_dataset(64, 6, 3);
    let backend = CpuBackend::<f32>::new(None).unwrap();
    let losses = |shuffle: bool| -> Vec<Vec<f32>> {
        let optimizer = Optimizer::sgd().with_learning_rate(1e-30);
        let config = Config { shuffle, optimizer, ..config("6-5-3", BatchSize::Rows(4), 2) };
        let mut losses = vec![Vec::new(); 2];
        train(&config, &dataset, &backend, None, &mut |event| {
            if let Event::Batches { epoch, batches, .. } = event {
                losses[epoch - 1].extend(batches.iter().map(|batch| batch.loss_sum));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        losses
    };
    let ordered = losses(false);
    assert_eq!(ordered[0], ordered[1]);
    let shuffled = losses(true);
    assert_ne!(shuffled[0], shuffled[1]);
}

/// At a rate that soon overfits, early stopping keeps the model of the best epoch and tests that model.
#[test]
fn early_stopping_keeps_the_best_model() {
    let dataset = Dataset::load("mnist", &Split { subset: Some(300), ..Split::default() }).unwrap();
    let backend = CpuBackend::<f32>::new(None).unwrap();
    let stopping = EarlyStopping { metric: Metric::ValLoss, patience: 3, min_delta: 0.0 };
    let base = Config {
        optimizer: Optimizer::adam().with_learning_rate(0.01),
        ..config("784-64-10", BatchSize::Rows(20), 60)
    };
    let stopped = outcome(&Config { early_stopping: Some(stopping), ..base.clone() }, &dataset, &backend);
    let trained = stopped.history.len();
    assert!(trained < 60, "training did not stop early");
    let loss = |record: &EpochRecord| record.val_loss.unwrap();
    let best = stopped.history.iter().min_by(|a, b| loss(a).total_cmp(&loss(b))).unwrap().epoch;
    assert_eq!((stopped.kept_epoch, trained), (best, best + 3));
    // A run with exactly that many epochs ends with the same model.
    let short = outcome(&Config { epochs: best, ..base }, &dataset, &backend);
    assert_eq!(short.model.parameters, stopped.model.parameters);
    assert_eq!(short.test, stopped.test);
}

#[test]
fn a_network_memorizes_a_hundred_digits_and_a_linear_one_cannot_memorize_noise() {
    let backend = CpuBackend::<f32>::new(None).unwrap();
    let digits = Dataset::load("mnist", &Split { subset: Some(100), ..Split::default() }).unwrap();
    let mut epochs = 0;
    let reached =
        overfit(&config("784-64-10", BatchSize::Rows(20), 60), &digits, &backend, &mut |_| epochs += 1).unwrap();
    assert!(reached.is_reached() && reached.metrics.examples == 100, "{reached:?}");
    assert_eq!(epochs, reached.epochs);
    let noise = random_dataset(100, 4, 3);
    let reached = overfit(&config("4-3", BatchSize::Rows(20), 20), &noise, &backend, &mut |_| {}).unwrap();
    assert!(!reached.is_reached() && reached.epochs == 20, "{reached:?}");
}

/// A subset has the same number of examples of each class. Validation and test set stay unchanged.
#[test]
fn subsets_of_a_loaded_data_set_are_balanced() {
    let dataset = Dataset::load("mnist", &Split { subset: Some(50), ..Split::default() }).unwrap();
    let train = dataset.part(Part::Train);
    assert_eq!((train.len(), dataset.part(Part::Validation).len(), dataset.len()), (50, 5000, 15_050));
    let mut counts = [0; 10];
    dataset.labels[train].iter().for_each(|&label| counts[label as usize] += 1);
    assert_eq!(counts, [5; 10]);
}
