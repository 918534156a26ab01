//! Every kernel, and whole steps, on every backend against the CPU in f64.

mod harness;

use gpunet::activation::Activation;
use gpunet::kernel::Tolerance;
use gpunet::kernels::KERNELS;
use gpunet::model::TrainingOptions;
use gpunet::network::{Network, PerLayer};
use gpunet::optim::Optimizer;
use gpunet::parity::{check_kernel, compare_step};
use gpunet::plan::Phase;
use harness::{Small, backends, first_step, network};

#[test]
fn every_kernel_agrees_with_its_twin_in_f64() {
    for (name, backend) in backends() {
        for kernel in KERNELS {
            let report = check_kernel(backend.as_ref(), kernel).unwrap();
            assert!(report.cases > 0, "{} has no cases", kernel.name);
            assert!(report.ok, "{name}: {}: {}", kernel.name, report.failure.unwrap_or_default());
        }
    }
}

/// One step of each phase, launch by launch, full and short batch: the first tensor that differs is named.
#[test]
fn every_launch_of_a_step_agrees() {
    let tolerance = Tolerance { absolute: 2e-6, relative: 1e-4, reason: "a few layers of f32 sums, one after another" };
    for optimizer in [Optimizer::sgd(), Optimizer::adam()] {
        for arch in ["11-7", "13-67-5", "20-65-33-9-4"] {
            let small = Small::new(arch, 7, optimizer, 1.0);
            for (name, backend) in backends() {
                let mut program = backend.load(&small.recording.plan).unwrap();
                small.fill(program.as_mut());
                let mut reference = small.reference();
                for (phase, rows) in [(Phase::Shuffle, 7), (Phase::Train, 7), (Phase::Eval, 3)] {
                    let step = first_step(5, rows, &optimizer);
                    let comparison = compare_step(program.as_mut(), &mut reference, phase, &step, tolerance).unwrap();
                    assert_eq!(comparison.failure, None, "{name}, {arch}, {optimizer}, {phase:?}");
                }
            }
        }
    }
}

/// The same with dropout on inputs and hidden layers, and activations that keep outputs and pre-activations.
#[test]
fn every_launch_of_a_step_with_dropout_agrees() {
    let tolerance = Tolerance { absolute: 2e-6, relative: 1e-4, reason: "a few layers of f32 sums, one after another" };
    let activation = PerLayer::Each(vec![Activation::Gelu, Activation::Tanh, Activation::Elu]);
    let dropout = PerLayer::Each(vec![0.2, 0.5, 0.0, 0.3]);
    let network = Network { activation, dropout, ..network("20-65-33-9-4") };
    let small = Small::of(&network, &TrainingOptions { batch: 7, optimizer: Optimizer::sgd(), loss_scale: 1.0 });
    for (name, backend) in backends() {
        let mut program = backend.load(&small.recording.plan).unwrap();
        small.fill(program.as_mut());
        let mut reference = small.reference();
        for (phase, rows) in [(Phase::Train, 7), (Phase::Eval, 3)] {
            let step = first_step(5, rows, &Optimizer::sgd());
            let comparison = compare_step(program.as_mut(), &mut reference, phase, &step, tolerance).unwrap();
            assert_eq!(comparison.failure, None, "{name}, {phase:?}");
        }
    }
}
