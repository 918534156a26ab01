//! Updates against PyTorch: ten steps of every optimizer, penalty and bound, on every backend.
//!
//! `golden/optimizers.py` computed the expected values in float64; its settings stand there under the same names.

use std::collections::BTreeSet;

use crate::harness::golden::{Golden, check_ten_steps};
use gpunet::low_level::data::Normalization;
use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::{
    Adagrad, AdamW, Lion, Momentum, Muon, NAdam, Nesterov, Optimizer, RAdam, RmsProp, Sgd,
};
use gpunet::low_level::nn::regularization::Regularization;

const SGD: Optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.1 });
const MOMENTUM: Momentum = Momentum { learning_rate: 0.05, momentum: 0.9, average: false, bias_correction: false };
const AVERAGE: Momentum = Momentum { learning_rate: 0.3, average: true, ..MOMENTUM };
const ADAMW: AdamW = AdamW { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

const MUON: Optimizer = Optimizer::Muon(Muon {
    learning_rate: 0.02,
    momentum: 0.95,
    adam_learning_rate: 0.002,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
});

#[test]
fn ten_steps_have_the_losses_and_parameters_of_pytorch() {
    let none = Regularization::default();
    let regularized = |regularization| TrainingOptions { optimizer: SGD, regularization, ..TrainingOptions::default() };
    let clipped = |clipping| TrainingOptions { optimizer: SGD, clipping, ..TrainingOptions::default() };
    let everything = TrainingOptions {
        optimizer: Optimizer::Momentum(MOMENTUM),
        regularization: Regularization { l1: 0.01, l2: 0.05, weight_decay: Some(0.5), max_norm: Some(1.3) },
        clipping: Clipping { norm: Some(0.8), value: Some(0.1) },
        ..TrainingOptions::default()
    };
    let optimizers = [
        ("momentum", Optimizer::Momentum(MOMENTUM)),
        ("average", Optimizer::Momentum(AVERAGE)),
        ("average_corrected", Optimizer::Momentum(Momentum { bias_correction: true, ..AVERAGE })),
        ("nesterov", Optimizer::Nesterov(Nesterov { learning_rate: 0.04, momentum: 0.9 })),
        ("rmsprop", Optimizer::RmsProp(RmsProp { learning_rate: 0.004, rho: 0.9, epsilon: 1e-8 })),
        ("adagrad", Optimizer::Adagrad(Adagrad { learning_rate: 0.03, epsilon: 1e-10 })),
        // With the weight decay of 0.01 that it brings.
        ("adamw", Optimizer::AdamW(ADAMW)),
        ("nadam", Optimizer::NAdam(NAdam { learning_rate: 0.01, ..NAdam::default() })),
        // Updates 1 to 5 are not rectified, updates 6 to 10 are.
        ("radam", Optimizer::RAdam(RAdam { learning_rate: 0.03, ..RAdam::default() })),
        // With the weight decay of 0.01 that it brings.
        ("muon", MUON),
        ("lion", Optimizer::Lion(Lion { learning_rate: 0.003, beta1: 0.9, beta2: 0.99 })),
    ];
    let bounded = [
        ("l1", regularized(Regularization { l1: 0.02, ..none })),
        ("l2", regularized(Regularization { l2: 0.1, ..none })),
        ("weight_decay", regularized(Regularization { weight_decay: Some(0.4), ..none })),
        ("max_norm", regularized(Regularization { max_norm: Some(1.3), ..none })),
        ("clip_norm", clipped(Clipping { norm: Some(1.0), value: None })),
        ("clip_value", clipped(Clipping { norm: None, value: Some(0.1) })),
        ("all", everything),
    ];
    let runs = optimizers.map(|(name, optimizer)| (name, TrainingOptions { optimizer, ..TrainingOptions::default() }));
    let runs: Vec<(&str, TrainingOptions)> = runs.into_iter().chain(bounded).collect();

    let golden = Golden::load(include_bytes!("../golden/optimizers.safetensors"));
    check_ten_steps(&golden, &runs);
    let compared = BTreeSet::from_iter(runs.iter().map(|(name, _)| *name));
    assert_eq!(compared, BTreeSet::from_iter(golden.runs()), "all that the file holds");
}

/// The weights of the other network are all wide; here one is tall, one square and one wide.
#[test]
fn ten_steps_of_muon_do_for_weights_of_every_shape() {
    const FILE: &[u8] = include_bytes!("../golden/muon.safetensors");
    let golden = Golden::of("11-19-19-7", FILE, FILE, Normalization::UNIT);
    assert_eq!(golden.runs(), ["muon"], "all that the file holds");
    check_ten_steps(&golden, &[("muon", TrainingOptions { optimizer: MUON, ..TrainingOptions::default() })]);
}
