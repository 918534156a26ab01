//! Parameters that are updated where their gradients are made: what that changes in a plan, and that it changes nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::harness::{Small, backends, first_step, network, run_one};
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::{Backend, Program};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::network::{Network, PerLayer};
use gpunet::low_level::nn::optim::{Momentum, Optimizer};
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::plan::{Phase, Plan, Role};
use gpunet::low_level::run::config::{BatchSize, Batching, Config};

const BATCH: usize = 6;

/// Dense and convolutional, so that parameters with and without a gradient in memory lie between each other.
const ARCHS: [&str; 4] = ["9-21-33-7-3", "1x8x9-5C3p1-MP2-9-4", "2x7x6-6C3s2p2-BN-13-BN-4", "2x7x6-6C3s2p2-LN-13-LN-4"];

fn options(optimizer: Optimizer) -> TrainingOptions {
    TrainingOptions { batch: BATCH, optimizer, fuse_updates: true, ..TrainingOptions::default() }
}

fn fused_launches(plan: &Plan) -> usize {
    plan.launches(Phase::Train)
        .iter()
        .filter(|launch| ["dense_sgd", "dense_momentum", "dense_adam"].contains(&launch.kernel.name))
        .count()
}

/// Parameters, then the optimizer's state, after three updates.
fn outcome(small: &Small, backend: &dyn Backend, optimizer: &Optimizer) -> Vec<(String, Vec<f32>)> {
    let plan = &small.recording.plan;
    let mut program: Box<dyn Program> = backend.load(plan).unwrap();
    small.fill(program.as_mut());
    for (update, start) in (1..).zip([0, 6, 12]) {
        let mut step = first_step(start, BATCH as u32, optimizer);
        optimizer.set_scalars(&mut step, update, 1.0);
        run_one(program.as_mut(), Phase::Train, &step);
    }
    let tensors = small.recording.parameters.iter().chain(&small.recording.state);
    tensors.map(|&tensor| (plan.tensor(tensor).name.clone(), program.slow_read_f32(tensor).unwrap())).collect()
}

/// Against plans that write every gradient, in f64: every optimizer, whether it has such launches or not.
#[test]
fn training_comes_to_the_same() {
    let reference = CpuBackend::<f64>::new(None).unwrap();
    let average = Momentum { average: true, bias_correction: true, ..Momentum::default() };
    let optimizers = Optimizer::all().into_iter().chain([Optimizer::Momentum(average)]);
    // Lion's steps are as long whatever their gradients, and one near zero may have either sign.
    let optimizers = optimizers.filter(|optimizer| !matches!(optimizer, Optimizer::Lion(_)));
    let penalties = Regularization { l1: 1e-3, l2: 1e-2, weight_decay: Some(0.1), max_norm: Some(1.5) };
    let settings = [Regularization::default(), penalties];
    let settings = settings.into_iter().flat_map(|setting| ARCHS.map(|arch| (setting, arch)));
    for (optimizer, (regularization, arch)) in
        optimizers.flat_map(|optimizer| settings.clone().map(move |setting| (optimizer, setting)))
    {
        let network = Network { dropout: PerLayer::All(0.2), ..network(arch) };
        let options = TrainingOptions { regularization, ..options(optimizer) };
        let apart = Small::of(&network, &TrainingOptions { fuse_updates: false, ..options.clone() });
        let fused = Small::of(&network, &options);
        let expected = outcome(&apart, &reference, &optimizer);
        for (name, backend) in &backends() {
            for ((tensor, values), (_, expected)) in outcome(&fused, backend.as_ref(), &optimizer).iter().zip(&expected)
            {
                for (index, (value, expected)) in values.iter().zip(expected).enumerate() {
                    // Adam's step is its rate whatever the gradient, so that one near epsilon is amplified.
                    let right = (value - expected).abs() <= 2e-5 + 1e-4 * expected.abs();
                    assert!(
                        right,
                        "{name}, {optimizer}, {arch}, {regularization:?}: {tensor}[{index}] is {value}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn only_gradients_that_are_read_are_in_memory() {
    let bytes = |small: &Small, role| {
        let memory = small.recording.plan.memory();
        memory.tensors.iter().find(|(of, _)| *of == role).map_or(0, |(_, bytes)| *bytes)
    };
    for (arch, dense, fused_parameters, updates) in [(ARCHS[0], 4, 8, 0), (ARCHS[1], 2, 4, 2), (ARCHS[2], 2, 3, 2)] {
        let apart = Small::with(arch, &TrainingOptions { fuse_updates: false, ..options(Optimizer::adam()) });
        let fused = Small::with(arch, &options(Optimizer::adam()));
        let plan = &fused.recording.plan;
        assert_eq!((fused_launches(plan), fused_launches(&apart.recording.plan)), (dense, 0), "{arch}");
        let of_rest = plan.launches(Phase::Train).iter().filter(|launch| launch.kernel.name == "adam").count();
        assert_eq!(of_rest, updates, "{arch}: the convolution's weights, and what is beside the dense layers' biases");
        assert_eq!(fused.recording.gradients.len(), apart.recording.gradients.len() - fused_parameters, "{arch}");
        assert!(bytes(&fused, Role::Grad) < bytes(&apart, Role::Grad), "{arch}");
        for role in [Role::Param, Role::State] {
            assert_eq!(bytes(&fused, role), bytes(&apart, role), "{arch}: checkpoints are the same");
        }
    }
}

/// What must know all gradients before any parameter changes has them in memory.
#[test]
fn clipping_loss_scales_and_sums_of_gradients_have_them_in_memory() {
    let fuses = |options: TrainingOptions| fused_launches(&Small::with("9-5-3", &options).recording.plan) > 0;
    let plain = || options(Optimizer::adam());
    assert!(fuses(plain()));
    assert!(fuses(options(Optimizer::named("adamw").unwrap())));
    for (what, options) in [
        ("clipping", TrainingOptions { clipping: Clipping { norm: Some(1.0), value: None }, ..plain() }),
        ("a loss scale", TrainingOptions { precision: Precision::F16, ..plain() }),
        ("Lion", options(Optimizer::named("lion").unwrap())),
    ] {
        assert!(!fuses(options), "{what}");
    }
    // Batches whose gradients add up: a few, or those of a full batch that is cut into several.
    let config = |accumulate, batch| Config { accumulate, batch, ..Config::default() };
    for (config, examples, fuses) in [
        (config(1, BatchSize::Rows(10)), 100, true),
        (config(2, BatchSize::Rows(10)), 100, false),
        (config(1, BatchSize::Full), 100, true),
        (config(1, BatchSize::Full), 1_000_000, false),
    ] {
        let batching = Batching::new(config.batch, config.accumulate, examples);
        assert_eq!(config.training_options(batching).fuse_updates, fuses, "{batching:?}");
    }
}

#[test]
fn such_plans_refuse_gradients_that_add_up() {
    let small = Small::with("9-5-3", &options(Optimizer::sgd()));
    for (name, backend) in backends() {
        let mut program = backend.load(&small.recording.plan).unwrap();
        let step = Step { accumulated: 1, ..Step::batch(0, BATCH as u32) };
        let ran = catch_unwind(AssertUnwindSafe(|| run_one(program.as_mut(), Phase::Train, &step)));
        assert!(ran.is_err(), "{name}");
    }
}
