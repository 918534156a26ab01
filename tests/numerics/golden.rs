//! Training compared with PyTorch: logits, losses, gradients and ten steps of two optimizers, on every backend.
//!
//! `golden/make.py` computed the expected values in float64. Its docstring describes each tensor. The other optimizers
//! are in `golden_optimizers.rs`.

use crate::harness::golden::{DENSE, Golden, Run, backends, check_ten_steps, report, steps};
use gpunet::low_level::backend::parity::Comparison;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::{Adam, Optimizer, Sgd};

// As in `golden/make.py`.
const GRADIENT_BATCH: usize = 32;
const ADAM: Optimizer = Optimizer::Adam(Adam { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
const SGD: Optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.1 });

#[test]
fn one_batch_has_the_logits_loss_and_gradients_of_pytorch() {
    let golden = Golden::load(DENSE);
    let options = TrainingOptions { batch: GRADIENT_BATCH, optimizer: SGD, ..TrainingOptions::default() };
    for (name, backend, tolerance) in backends() {
        // The update comes last in the phase and does not change the gradients or the logits.
        let mut run = Run::load(&golden, backend.as_ref(), &options);
        let losses = run.train(&steps(SGD, GRADIENT_BATCH, 1));

        let mut comparison = Comparison::NONE;
        let mut check = |name: &str, values: &[f32]| comparison.add(name, values, &golden.expected(name), tolerance);
        check("logits", &run.read(run.recording.logits));
        check("loss", &losses);
        for ((parameter, _), tensor) in golden.model.parameters().iter().zip(run.recording.gradients.clone()) {
            check(&format!("grad.{parameter}"), &run.read(tensor));
        }
        report(&format!("{name}, one batch"), &comparison, tolerance);
    }
}

#[test]
fn ten_steps_have_the_losses_and_parameters_of_pytorch() {
    let runs = [("adam", ADAM), ("sgd", SGD)]
        .map(|(prefix, optimizer)| (prefix, TrainingOptions { optimizer, ..TrainingOptions::default() }));
    check_ten_steps(&Golden::load(DENSE), &runs);
}
