//! Bugs that are planted in plans on purpose: the gradient check must catch them.

use crate::harness::{Small, check_gradients};
use gpunet::low_level::kernels::DenseGrad;
use gpunet::low_level::kernels::kernel::Params;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::Phase;

/// Wrong plans: every launch is sound by itself, and only the gradients of the whole are wrong.
#[test]
fn gradient_check_catches_bugs_in_plans() {
    let launch_of = |small: &Small, name: &str| {
        small.recording.plan.launches(Phase::Train).iter().position(|launch| launch.kernel.name == name).unwrap()
    };
    let fresh = || Small::new("5-4-4-3", 6, Optimizer::sgd(), 3.0);
    check_gradients(&fresh(), 6, 3.0).unwrap();

    // The derivative of the wrong activation.
    let mut small = fresh();
    let at = launch_of(&small, "dense_input_grad");
    small.recording.plan =
        small.recording.plan.with_launch(Phase::Train, at, |launch| launch.constants[0] = 0).unwrap();
    assert!(check_gradients(&small, 6, 3.0).is_err(), "a forgotten ReLU derivative");

    // Operands of equal shape swapped: a square layer's gradient transposed.
    let mut small = fresh();
    let at = launch_of(&small, "dense_grad") + 1;
    assert_eq!(small.recording.plan.launches(Phase::Train)[at + 1].kernel.name, "dense_grad");
    small.recording.plan =
        small.recording.plan.with_launch(Phase::Train, at + 1, |launch| launch.args.swap(0, 1)).unwrap();
    assert!(check_gradients(&small, 6, 3.0).is_err(), "swapped operands");

    // Gradients of biases where the next layer's are.
    let mut small = fresh();
    let at = launch_of(&small, "dense_grad");
    let bias_at = DenseGrad::FIELDS.iter().position(|field| field.name == "bias_at").unwrap();
    let changed = small.recording.plan.with_launch(Phase::Train, at, |launch| launch.params[bias_at] -= 64);
    small.recording.plan = changed.unwrap();
    assert!(check_gradients(&small, 6, 3.0).is_err(), "biases of another layer");

    // A loss scale that is not what was asked for.
    assert!(check_gradients(&fresh(), 6, 1.0).is_err(), "a forgotten loss scale");
}

/// Likewise of maps and normalizations, in short batches: tensors of equal shape in each other's place.
#[test]
fn gradient_check_catches_bugs_in_convolutional_plans() {
    for (arch, name, slot, wrong) in [
        ("1x5x6-3C3p1-BN-MP2-3", "conv_weight_grad", 0, "layers.1.output"),
        // instead of those of the weight
        ("1x5x6-3C3p1-BN-MP2-3", "batch_norm_grad", 5, "layers.1.bias_sums"),
        // the input instead of the output's gradient
        ("1x5x6-3C3p1-BN-MP2-3", "batch_norm_sums", 0, "layers.0.output"),
        ("1x5x6-3C3p1-LN-MP2-3", "layer_norm_sums", 0, "layers.0.output"),
        // instead of the mean
        ("1x5x6-3C3p1-LN-MP2-3", "layer_norm_grad", 2, "layers.1.variance"),
    ] {
        let mut small = Small::new(arch, 6, Optimizer::sgd(), 3.0);
        check_gradients(&small, 4, 3.0).unwrap();
        let launches = small.recording.plan.launches(Phase::Train);
        let at = launches.iter().position(|launch| launch.kernel.name == name).unwrap();
        let wrong = small.recording.plan.find(wrong).unwrap();
        let changed = small.recording.plan.with_launch(Phase::Train, at, |launch| launch.args[slot] = wrong);
        small.recording.plan = changed.unwrap();
        assert!(check_gradients(&small, 4, 3.0).is_err(), "{name}: slot {slot}");
    }
}
