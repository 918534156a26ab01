//! The learning-rate range test: its suggestions for MNIST, and that it trains at growing rates.

use crate::harness::{backends, random_dataset};
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::data::{Dataset, Split};
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::train::{RangeTestOptions, range_test};

/// The default rates, 0.3 and 0.001, train this network well. A suggestion within a factor of 30 of them is useful.
#[test]
fn suggestions_for_mnist_are_close_to_rates_that_train_well() {
    let dataset = Dataset::load("mnist", &Split::default()).unwrap();
    let backend = CpuBackend::<f32>::new(None).unwrap();
    for (optimizer, sound) in [(Optimizer::sgd(), 0.01..3.0), (Optimizer::adam(), 0.0001..0.03)] {
        let config = Config { arch: "784-32-10".parse().unwrap(), optimizer, ..Config::default() };
        let curve = range_test(&config, &dataset, &backend, &RangeTestOptions::default()).unwrap();
        let (steepest, cautious) = (curve.steepest().unwrap(), curve.tenth_of_minimum().unwrap());
        println!("{optimizer}: {steepest:.2e} or {cautious:.2e}, {} updates", curve.points.len());
        assert!(sound.contains(&steepest), "{optimizer}: {steepest}");
        assert!(sound.contains(&cautious), "{optimizer}: {cautious}");
        assert!(!curve.is_still_falling());
    }
}

/// 12 examples in batches of 5 give 3 updates per pass. The curve continues over several passes, with the same values
/// on every device.
#[test]
fn small_data_sets_are_passed_over_until_the_curve_is_complete() {
    let dataset = random_dataset(12, 6, 3);
    let config = Config { arch: "6-5-3".parse().unwrap(), batch: BatchSize::Rows(5), ..Config::default() };
    let options = RangeTestOptions { from: 1e-3, to: 1.0, updates: 40 };
    let reference = range_test(&config, &dataset, &CpuBackend::<f64>::new(None).unwrap(), &options).unwrap();
    assert_eq!(reference.points.len(), 40);
    for (name, backend) in backends() {
        let curve = range_test(&config, &dataset, backend.as_ref(), &options).unwrap();
        for (point, expected) in curve.points.iter().zip(&reference.points) {
            assert_eq!(point.learning_rate, expected.learning_rate);
            // f32 errors add up over 40 updates.
            assert!((point.loss - expected.loss).abs() <= 1e-4 * expected.loss, "{name}: {point:?}, {expected:?}");
        }
        assert_eq!(curve.points.len(), 40, "{name}");
    }
    let csv = String::from_utf8(reference.to_csv().unwrap()).unwrap();
    assert!(csv.starts_with("learning_rate,loss,smoothed\n0.001,"), "{csv}");
    assert_eq!(csv.lines().count(), 41);
}

/// The test uses its own rates, whatever the optimizer's rate is. When the loss explodes, the test ends without an
/// error.
#[test]
fn the_test_ends_when_the_loss_explodes() {
    let dataset = random_dataset(12, 6, 3);
    let options = RangeTestOptions { from: 1e-3, to: 1e6, updates: 40 };
    for (name, backend) in backends() {
        let curve_at = |rate: f64| {
            let optimizer = Optimizer::sgd().with_learning_rate(rate);
            let config =
                Config { arch: "6-5-3".parse().unwrap(), batch: BatchSize::Rows(5), optimizer, ..Config::default() };
            range_test(&config, &dataset, backend.as_ref(), &options).unwrap()
        };
        let curve = curve_at(0.3);
        assert!((2..40).contains(&curve.points.len()), "{name}: {}", curve.points.len());
        let (last, others) = curve.points.split_last().unwrap();
        let least = others.iter().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
        assert!(last.smoothed > 4.0 * least, "{name}: {:?}", curve.points);
        assert!(others.iter().all(|point| point.smoothed <= 4.0 * least), "{name}: {:?}", curve.points);
        assert_eq!(curve, curve_at(0.5), "{name}");
    }
}

/// At rates too small to change anything, the losses of every pass have the same sum, but its batches differ each time.
#[test]
fn each_pass_takes_all_examples_in_a_new_order() {
    let dataset = random_dataset(12, 6, 3);
    let config = Config { arch: "6-5-3".parse().unwrap(), batch: BatchSize::Rows(5), ..Config::default() };
    let options = RangeTestOptions { from: 1e-30, to: 1e-29, updates: 30 };
    let curve = range_test(&config, &dataset, &CpuBackend::<f64>::new(None).unwrap(), &options).unwrap();
    let passes: Vec<Vec<f64>> =
        curve.points.chunks(3).map(|pass| pass.iter().map(|point| point.loss).collect()).collect();
    let sum = |pass: &[f64]| 5.0 * pass[0] + 5.0 * pass[1] + 2.0 * pass[2];
    for pass in &passes[1..] {
        // The log holds f32.
        assert!((sum(pass) / sum(&passes[0]) - 1.0).abs() < 1e-6, "{pass:?}");
        assert!((pass[0] - passes[0][0]).abs() > 1e-6, "{pass:?}");
    }
    assert_eq!(passes.len(), 10);
}
