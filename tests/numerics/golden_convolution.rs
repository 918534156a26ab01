//! Convolutional networks against PyTorch, on every backend: forward, all gradients, ten steps, running statistics, evaluation.
//!
//! `golden/convolution.py` computed the expected values in float64; its head says what each tensor is.

use crate::harness::golden::{Golden, Run, STEPS, TRAINING_BATCH, backends, report, steps};
use gpunet::low_level::backend::parity::Comparison;
use gpunet::low_level::data::Normalization;
use gpunet::low_level::kernels::kernel::Tolerance;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::Optimizer;

// As in `golden/convolution.py`.
const RATE: f64 = 0.05;
const NORMALIZATION: Normalization = Normalization::Scale { factor: 1.0 / 128.0, offset: -1.0 };
const NETWORKS: [(&str, &[u8]); 3] = [
    ("1x9x8-4C3p1-MP2-5C3s2p1-6-3", include_bytes!("../golden/convolution_pooling.safetensors")),
    ("2x7x8-4C3s2p2-BN-AP2s1-3C2-BN-MP3s2p1-7-BN-3", include_bytes!("../golden/convolution_normalized.safetensors")),
    ("3x6x5-5C3-4C1-GAP", include_bytes!("../golden/convolution_global.safetensors")),
];

#[test]
fn convolutional_networks_are_those_of_pytorch() {
    let optimizer = Optimizer::sgd().with_learning_rate(RATE);
    let options = TrainingOptions { batch: TRAINING_BATCH, optimizer, ..TrainingOptions::default() };
    for (name, backend, tolerance) in backends() {
        // Batch normalizations divide by deviations, and ten steps one on another by ten of them.
        let tolerance =
            Tolerance { absolute: 4.0 * tolerance.absolute, relative: 4.0 * tolerance.relative, ..tolerance };
        for (arch, file) in NETWORKS {
            let golden = Golden::of(arch, file, file, NORMALIZATION);
            let mut run = Run::load(&golden, backend.as_ref(), &options);
            let parameters: Vec<String> = golden.model.parameters().into_iter().map(|(name, _)| name).collect();
            let all = steps(optimizer, TRAINING_BATCH, STEPS);
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
