//! Networks of every kind of layer against PyTorch, on every backend: forward, all gradients, ten steps, evaluation.
//!
//! `golden/convolution.py` and `golden/layer_norm.py` computed the expected values in float64; their heads say what
//! each tensor is.

use crate::harness::golden::{Golden, Run, STEPS, backends, report, steps};
use gpunet::low_level::backend::parity::Comparison;
use gpunet::low_level::data::Normalization;
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::kernels::kernel::Tolerance;
use gpunet::low_level::nn::model::{Model, TrainingOptions};
use gpunet::low_level::nn::network::{Network, PerLayer};
use gpunet::low_level::nn::optim::Optimizer;

// As in both scripts.
const RATE: f64 = 0.05;
const NORMALIZATION: Normalization = Normalization::Scale { factor: 1.0 / 128.0, offset: -1.0 };

/// An architecture, the activations of its hidden layers, the examples of a batch, and the file.
type Case = (&'static str, &'static [Activation], usize, &'static [u8]);

// As in `golden/convolution.py`.
const CONVOLUTIONS: [Case; 3] = [
    (
        "1x9x8-4C3p1-MP2-5C3s2p1-6-3",
        &[Activation::Relu; 3],
        24,
        include_bytes!("../golden/convolution_pooling.safetensors"),
    ),
    (
        "2x7x8-4C3s2p2-BN-AP2s1-3C2-BN-MP3s2p1-7-BN-3",
        &[Activation::Relu; 3],
        24,
        include_bytes!("../golden/convolution_normalized.safetensors"),
    ),
    ("3x6x5-5C3-4C1-GAP", &[Activation::Relu], 24, include_bytes!("../golden/convolution_global.safetensors")),
];

// As in `golden/layer_norm.py`.
const LAYER_NORMS: [Case; 2] = [
    (
        "20-12-LN-7-LN-5",
        &[Activation::Relu, Activation::Tanh],
        23,
        include_bytes!("../golden/layer_norm_dense.safetensors"),
    ),
    (
        "2x6x5-3C3p1-LN-MP2-4C2p1-LN-3",
        &[Activation::Gelu, Activation::Relu],
        23,
        include_bytes!("../golden/layer_norm_maps.safetensors"),
    ),
];

fn check_networks(networks: &[Case]) {
    let optimizer = Optimizer::sgd().with_learning_rate(RATE);
    for (name, backend, tolerance) in backends() {
        // Normalizations divide by deviations, and ten steps one on another by ten of them.
        let tolerance =
            Tolerance { absolute: 4.0 * tolerance.absolute, relative: 4.0 * tolerance.relative, ..tolerance };
        for &(arch, activations, batch, file) in networks {
            let options = TrainingOptions { batch, optimizer, ..TrainingOptions::default() };
            let mut golden = Golden::of(arch, file, file, NORMALIZATION);
            let activation = PerLayer::Each(activations.to_vec());
            let network = Network { activation, ..golden.model.arch().clone().into() };
            network.check().unwrap();
            golden.model = Model::of(&network);
            let mut run = Run::load(&golden, backend.as_ref(), &options);
            let parameters: Vec<String> = golden.model.parameters().into_iter().map(|(name, _)| name).collect();
            let all = steps(optimizer, batch, STEPS);
            let mut comparison = Comparison::NONE;
            let mut check =
                |name: &str, values: &[f32]| comparison.add(name, values, &golden.expected(name), tolerance);

            // The update comes last in the phase and leaves the gradients, and the logits before it, as they were.
            let first = run.train(&all[..1]);
            check("loss", &first);
            check("logits", &run.read(run.recording.logits));
            for (name, tensor) in parameters.iter().zip(run.recording.gradients.clone()) {
                check(&format!("grad.{name}"), &run.read(tensor));
            }
            let losses = [first, run.train(&all[1..])].concat();
            check("sgd.losses", &losses);
            for (name, tensor) in parameters.iter().zip(run.recording.parameters.clone()) {
                check(&format!("sgd.{name}"), &run.read(tensor));
            }
            run.evaluate(&all[0]);
            check("eval.logits", &run.read(run.recording.logits));
            report(&format!("{name}, {arch}"), &comparison, tolerance);
        }
    }
}

#[test]
fn convolutional_networks_are_those_of_pytorch() {
    check_networks(&CONVOLUTIONS);
}

#[test]
fn layer_normalization_is_that_of_pytorch() {
    check_networks(&LAYER_NORMS);
}
