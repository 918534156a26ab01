//! Activations in half precision: gradients stay close to those in f64, small gradients do not become zero, and updates
//! whose gradients overflow are skipped.

use crate::harness::{Small, backends, first_step, network, run_one};
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::{Backend, Program};
use gpunet::low_level::data::{Dataset, Split};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::plan::{Data, Phase};
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::train::{go_on, train};

const ROWS: usize = 8;

/// A small convolutional network with several kinds of layers, all of whose classes have this weight.
fn small(precision: Precision, weight: f32) -> Small {
    let network = network("1x9x9-6C3p1-BN-MP2-12-5");
    let class_weights = Some(vec![weight; 5]);
    let optimizer = Optimizer::adam();
    // Further parts of an update. None of them changes a finite gradient.
    let clipping = Clipping { norm: Some(1e30), value: None };
    let regularization = Regularization { weight_decay: Some(0.1), max_norm: Some(0.5), ..Regularization::default() };
    let options = TrainingOptions {
        batch: ROWS,
        optimizer,
        precision,
        class_weights,
        clipping,
        regularization,
        ..TrainingOptions::default()
    };
    Small::of(&network, &options)
}

fn load(small: &Small, backend: &dyn Backend) -> Box<dyn Program> {
    let mut program = backend.load(&small.recording.plan).unwrap();
    small.fill(program.as_mut());
    program
}

fn step(program: &mut dyn Program) -> f32 {
    run_one(program, Phase::Train, &first_step(0, ROWS as u32, &Optimizer::adam())).loss_sum
}

fn parameters(small: &Small, program: &mut dyn Program) -> Vec<Vec<f32>> {
    small.recording.parameters.iter().map(|&tensor| program.slow_read_f32(tensor).unwrap()).collect()
}

/// The loss scale, and whether the last update was applied.
fn scale(small: &Small, program: &mut dyn Program) -> (f32, bool) {
    let values = program.slow_read_f32(small.recording.loss_scale.unwrap()).unwrap();
    assert_eq!(values[0] * values[1], 1.0, "the inverse of the scale is exact");
    (values[0], values[3] != 0.0)
}

/// Sets the loss scale and the updates counted towards its next doubling.
fn set_scale(small: &Small, program: &mut dyn Program, scale: f32, updates: f32) {
    let values = [scale, 1.0 / scale, updates, 1.0, 0.0];
    program.write(small.recording.loss_scale.unwrap(), Data::F32(&values)).unwrap();
}

/// The distance of two gradients, relative to the norm of the second.
fn distance(gradient: &[f32], reference: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let differences = &mut gradient.iter().zip(reference).map(|(&a, &b)| f64::from(a) - b);
    norm(differences) / norm(&mut reference.iter().copied())
}

/// For a usual loss, and for one whose gradients are too small for f16: with class weights of 1e-6, the gradients of
/// the logits are about 1e-8. f16 has 11 bits, and the errors of several layers leave about six.
#[test]
fn gradients_in_half_precision_are_close_to_those_in_f64() {
    for weight in [1.0, 1e-6] {
        let single = small(Precision::F32, weight);
        let mut reference = single.reference();
        step(&mut reference);
        for (name, backend) in backends() {
            let small = small(Precision::F16, weight);
            let mut program = load(&small, backend.as_ref());
            step(program.as_mut());
            for (&tensor, &expected) in small.recording.gradients.iter().zip(&single.recording.gradients) {
                let gradient = program.slow_read_f32(tensor).unwrap();
                let distance = distance(&gradient, reference.reals(expected));
                let what = &small.recording.plan.tensor(tensor).name;
                assert!(distance < 0.02, "{name}, weights {weight}: {what} is off by {distance}");
            }
        }
    }
}

/// An update whose gradients overflow changes only the scale. The scale falls until they no longer overflow.
#[test]
fn updates_that_overflow_are_skipped() {
    for (name, backend) in backends() {
        let small = small(Precision::F16, 1.0);
        let mut program = load(&small, backend.as_ref());
        // Gradients of logits reach 0.9 / 8 of the scale. They exceed 65,504 until the scale is 2^19 or less.
        set_scale(&small, program.as_mut(), 2f32.powi(24), 1999.0);
        let trained = small.recording.gradients.len();
        let before = parameters(&small, program.as_mut());
        step(program.as_mut());
        assert_eq!(scale(&small, program.as_mut()), (2f32.powi(23), false), "{name}");
        assert_eq!(parameters(&small, program.as_mut())[..trained], before[..trained], "{name}");
        let mut steps = 1;
        while !scale(&small, program.as_mut()).1 {
            step(program.as_mut());
            steps += 1;
            assert!(steps < 24, "{name}: the gradients overflow at every scale");
        }
        assert!(scale(&small, program.as_mut()).0 <= 2f32.powi(19), "{name}");
        for (now, before) in parameters(&small, program.as_mut())[..trained].iter().zip(&before) {
            assert!(now != before && now.iter().all(|value| value.is_finite()), "{name}");
        }
    }
}

/// If either batch of an update overflows, the whole update is skipped. The next update is not affected.
#[test]
fn an_overflow_in_either_batch_skips_the_update_of_both() {
    for (name, backend) in backends() {
        for overflowing in [0, 1] {
            let small = small(Precision::F16, 1.0);
            let mut program = load(&small, backend.as_ref());
            let trained = small.recording.gradients.len();
            let before = parameters(&small, program.as_mut());
            let mut batch = |scale: f32, accumulated: u32| {
                let values = [scale, 1.0 / scale, 0.0, 1.0, 0.0];
                program.write(small.recording.loss_scale.unwrap(), Data::F32(&values)).unwrap();
                let step = first_step(0, ROWS as u32, &Optimizer::adam());
                let step = Step { accumulated, updates: accumulated, update_rows: 2 * ROWS as u32, ..step };
                run_one(program.as_mut(), Phase::Train, &step);
            };
            for accumulated in [0, 1] {
                batch(if accumulated == overflowing { 2f32.powi(24) } else { 64.0 }, accumulated);
            }
            assert!(!scale(&small, program.as_mut()).1, "{name}, {overflowing}");
            assert_eq!(parameters(&small, program.as_mut())[..trained], before[..trained], "{name}, {overflowing}");
            let mut batch = |accumulated: u32| {
                set_scale(&small, program.as_mut(), 64.0, 0.0);
                let step = first_step(0, ROWS as u32, &Optimizer::adam());
                let step = Step { accumulated, updates: accumulated, update_rows: 2 * ROWS as u32, ..step };
                run_one(program.as_mut(), Phase::Train, &step);
            };
            batch(0);
            batch(1);
            assert!(scale(&small, program.as_mut()).1, "{name}, {overflowing}");
            assert!(parameters(&small, program.as_mut()).concat().iter().all(|value| value.is_finite()), "{name}");
        }
    }
}

#[test]
fn the_scale_doubles_after_2000_updates() {
    for (name, backend) in backends() {
        let small = small(Precision::F16, 1.0);
        let mut program = load(&small, backend.as_ref());
        set_scale(&small, program.as_mut(), 64.0, 1998.0);
        for expected in [64.0, 128.0, 128.0] {
            step(program.as_mut());
            assert_eq!(scale(&small, program.as_mut()), (expected, true), "{name}");
        }
    }
}

/// An overflow at a scale of 1 means divergence. The update is not skipped, so the loss shows it.
#[test]
fn an_overflow_at_a_scale_of_1_shows_in_the_loss() {
    for (name, backend) in backends() {
        let small = small(Precision::F16, 1e7);
        let mut program = load(&small, backend.as_ref());
        set_scale(&small, program.as_mut(), 2.0, 0.0);
        let losses: Vec<f32> = (0..3).map(|_| step(program.as_mut())).collect();
        assert!(losses[1].is_finite() && !losses[2].is_finite(), "{name}: {losses:?}");
    }
}

/// Computed by hand: activations take two bytes per value, parameters and gradients four. 8 rows, 6 inputs, 5 units.
#[test]
fn activations_take_half_the_bytes() {
    for (precision, size) in [(Precision::F32, 4), (Precision::F16, 2)] {
        let options = TrainingOptions { batch: ROWS, precision, ..TrainingOptions::default() };
        let plan = Small::of(&network("6-5-3"), &options).recording.plan;
        let bytes = |name: &str| {
            let launch = plan.launches(Phase::Train).iter().find(|launch| launch.kernel.name == name).unwrap();
            plan.bytes(launch)
        };
        assert_eq!(bytes("dense_forward"), size * (48 + 40) + 4 * (30 + 5));
        assert_eq!(bytes("gather"), 48 * (1 + size) + 4 * 2 * 6 + 4 * 3 * 8);
        let last = plan.launches(Phase::Train).iter().rfind(|launch| launch.kernel.name == "dense_grad").unwrap();
        assert_eq!(plan.bytes(last), size * (48 + 40) + 4 * 2 * (30 + 5));
        assert_eq!(plan.tensor(plan.find("parameters").unwrap()).dtype.size(), 4);
    }
}

/// The same examples, network and seed reach the same accuracy in both precisions.
#[test]
fn training_in_half_precision_learns_as_well() {
    let split = Split { subset: Some(4000), validation: Some(1000), ..Split::default() };
    let dataset = Dataset::load("mnist", &split).unwrap();
    let backend = CpuBackend::<f32>::new(None).unwrap();
    let accuracy = |precision| {
        let (arch, batch) = ("784-64-10".parse().unwrap(), BatchSize::Rows(50));
        let config = Config { arch, batch, epochs: 5, precision, optimizer: Optimizer::adam(), ..Config::default() };
        train(&config, &dataset, &backend, None, &mut go_on).unwrap().test.unwrap().accuracy()
    };
    let [single, half] = [Precision::F32, Precision::F16].map(accuracy);
    // Two runs that differ only by rounding disagree on a few dozen of 10,000 examples.
    assert!(single > 0.91 && (single - half).abs() < 0.01, "{single} in f32, {half} in f16");
}
