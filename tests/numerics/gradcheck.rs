//! Every gradient against central differences of the loss, in f64, for a loss scale other than one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::harness::{Small, check_gradients, check_gradients_at, network};
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::nn::init::Init;
use gpunet::low_level::nn::loss::{HingeVariant, Loss};
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::network::{Network, PerLayer};
use gpunet::low_level::nn::optim::Optimizer;

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    for arch in ["5-3", "6-5-4", "7-9-5-4", "1-1", "1-4-2", "3-1-1-2"] {
        for rows in [6, 4, 1] {
            let small = Small::new(arch, 6, Optimizer::sgd(), 3.0);
            check_gradients(&small, rows, 3.0).unwrap_or_else(|mismatch| panic!("{arch}, {rows} rows: {mismatch}"));
        }
    }
}

/// Every activation, alone and after every other, with and without dropout on inputs and hidden layers.
#[test]
fn gradients_of_all_activations_are_slopes_with_and_without_dropout() {
    let hidden = &Activation::ALL[1..];
    for (index, &first) in hidden.iter().enumerate() {
        let second = hidden[(index + 3) % hidden.len()];
        for dropout in [PerLayer::All(0.0), PerLayer::All(0.5), PerLayer::Each(vec![0.2, 0.0, 0.4])] {
            let activation = PerLayer::Each(vec![first, second]);
            let network = Network { activation, dropout, init: Init::Gaussian(0.6), ..network("6-5-7-3") };
            let options = TrainingOptions { batch: 5, loss_scale: 3.0, ..TrainingOptions::default() };
            let small = Small::of(&network, &options);
            let checked = check_gradients(&small, 4, 3.0);
            checked.unwrap_or_else(|mismatch| panic!("{network:?}: {mismatch}"));
        }
    }
}

/// Windows with strides and padding, both poolings, both normalizations of maps and of features, full and short batches.
#[test]
fn gradients_of_convolutional_networks_are_slopes() {
    for arch in [
        "1x5x6-3C3p1-MP2-4",
        "2x6x5-3C3s2p2-AP2s1-4C1-3",
        "1x7x7-3C2-MP3s2p1-2C2-GAP-5-3",
        "2x4x4-3C3p1-BN-MP2-3",
        "1x6x6-3C3s2-BN-2C2p1-BN-4-BN-3",
        "2x4x4-3C3p1-LN-MP2-3",
        "1x5x6-3C3s2-LN-2C2p1-BN-4-LN-3",
        "7-6-LN-4-LN-3",
        "1x3x3-2C3-2C1-GAP",
        "1x9x9-2C2-MP2-MP2-2",
    ] {
        for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::HardSwish] {
            let network = Network { activation: PerLayer::All(activation), init: Init::Gaussian(0.5), ..network(arch) };
            let options = TrainingOptions { batch: 5, loss_scale: 3.0, ..TrainingOptions::default() };
            let small = Small::of(&network, &options);
            for rows in [5, 3] {
                check_gradients(&small, rows, 3.0)
                    .unwrap_or_else(|mismatch| panic!("{arch}, {activation:?}, {rows} rows: {mismatch}"));
            }
        }
    }
}

/// Of every loss, with and without class weights, one of which is 0. The margins leave each hinge loss with rows on both sides
/// of its kinks.
#[test]
fn gradients_are_the_slopes_of_every_loss() {
    let losses = [
        Loss::SoftmaxCrossEntropy { label_smoothing: 0.1 },
        Loss::Svm { variant: HingeVariant::WestonWatkins, margin: 0.4 },
        Loss::Svm { variant: HingeVariant::CrammerSinger, margin: 0.4 },
        Loss::Mse {},
    ];
    for loss in losses.into_iter().chain([Loss::default()]) {
        for class_weights in [None, Some(vec![0.5, 0.0, 2.0, 1.0])] {
            let options =
                TrainingOptions { batch: 9, loss, class_weights, loss_scale: 3.0, ..TrainingOptions::default() };
            let small = Small::of(&network("6-5-4"), &options);
            for rows in [9, 5] {
                check_gradients(&small, rows, 3.0)
                    .unwrap_or_else(|mismatch| panic!("{options:?}, {rows} rows: {mismatch}"));
            }
        }
    }
}

/// Next to a kink a central difference is no slope: the check says so instead of comparing.
#[test]
fn units_next_to_a_kink_are_refused() {
    for activation in Activation::ALL {
        for kink in activation.kinks() {
            let network = Network { activation: PerLayer::All(activation), ..network("2-1-2") };
            let small = Small::of(&network, &TrainingOptions { batch: 3, ..TrainingOptions::default() });
            let mut program = small.reference();
            for (name, value) in [("layers.0.weight", 0.0), ("layers.0.bias", kink + 5e-7)] {
                program.reals_mut(small.recording.plan.find(name).unwrap()).fill(value);
            }
            let checked = catch_unwind(AssertUnwindSafe(|| check_gradients_at(&small, program, 3, 1.0)));
            let message = checked.expect_err("refused").downcast::<String>().unwrap();
            assert!(message.contains("is too close to a kink"), "{activation:?} at {kink}: {message}");
        }
    }
}
