//! Shared by the test files: devices, small data sets, loaded plans, the gradient check.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod golden;

use std::ops::ControlFlow;

use gpunet::low_level::backend::cpu::{CpuBackend, CpuProgram};
use gpunet::low_level::backend::device::{Device, DeviceOptions};
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::backend::{Backend, Program};
use gpunet::low_level::data::{Dataset, Normalization};
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::kernels::step::{BatchMetrics, Step};
use gpunet::low_level::math::random::{Stream, unit};
use gpunet::low_level::nn::arch::Arch;
use gpunet::low_level::nn::model::{Model, Recording, TrainingOptions};
use gpunet::low_level::nn::network::Network;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::Phase;

/// The first GPU adapter, in hardware or software. Tests that need an adapter fail without one: a skipped test would
/// prove nothing.
pub fn gpu(checks: ShaderChecks) -> Box<dyn Backend> {
    let options = DeviceOptions { checks, ..DeviceOptions::default() };
    let device =
        Device::open("gpu", &options).expect("GPU tests need an adapter; ./check tries to install a software adapter");
    device.backend
}

/// Every backend that must agree with the reference, with its name.
pub fn backends() -> Vec<(&'static str, Box<dyn Backend>)> {
    vec![
        ("cpu f32", Box::new(CpuBackend::<f32>::new(None).unwrap())),
        ("gpu, trusted shaders", gpu(ShaderChecks::Trusted)),
        ("gpu, checked shaders", gpu(ShaderChecks::Checked)),
    ]
}

/// Random images and labels: `count` examples of `features` bytes in `classes` classes.
pub fn random_dataset(count: usize, features: usize, classes: usize) -> Dataset {
    let random = |i: usize, bound: usize| (unit(Stream::ParityCase(77), 5, i as u64) * bound as f32) as usize;
    let images: Vec<u8> = (0..count * features).map(|i| random(i, 256) as u8).collect();
    let labels = (0..count).map(|i| random(count * features + i, classes) as u32).collect();
    Dataset::in_memory("random examples", images, labels, features, classes)
}

/// A network with ReLU in all hidden layers.
pub fn network(arch: &str) -> Network {
    arch.parse::<Arch>().unwrap().into()
}

/// A small network, recorded for training on random data: three batches.
pub struct Small {
    pub model: Model,
    pub dataset: Dataset,
    pub recording: Recording,
}

impl Small {
    /// The network `arch` with batches of `batch` examples.
    pub fn new(arch: &str, batch: usize, optimizer: Optimizer, loss_scale: f32) -> Small {
        Small::with(arch, &TrainingOptions { batch, optimizer, loss_scale, ..TrainingOptions::default() })
    }

    /// The network `arch` with any options.
    pub fn with(arch: &str, options: &TrainingOptions) -> Small {
        Small::of(&network(arch), options)
    }

    /// Any network with any options.
    pub fn of(network: &Network, options: &TrainingOptions) -> Small {
        network.check().unwrap();
        let model = Model::of(network);
        let dataset = random_dataset(3 * options.batch, model.arch().inputs(), model.arch().outputs());
        let recording = model.record_training(dataset.shape(Normalization::UNIT), options).unwrap();
        Small { model, dataset, recording }
    }

    /// Writes the data and the initial parameters into a program of this plan. Biases get values other than zero.
    pub fn fill(&self, program: &mut dyn Program) {
        self.recording.upload(program, &self.dataset).unwrap();
        self.model.initialize(&self.recording, program, 1).unwrap();
        for &tensor in &self.recording.parameters {
            let info = self.recording.plan.tensor(tensor);
            if info.name.ends_with("bias") {
                let values: Vec<f32> =
                    (0..info.len()).map(|i| unit(Stream::ParityCase(78), 5, i as u64) * 0.4 - 0.1).collect();
                program.write(tensor, gpunet::low_level::plan::Data::F32(&values)).unwrap();
            }
        }
    }

    /// The plan on the CPU in f64, filled.
    pub fn reference(&self) -> CpuProgram<f64> {
        let mut program = CpuBackend::<f64>::new(None).unwrap().load_program(&self.recording.plan).unwrap();
        self.fill(&mut program);
        program
    }
}

/// The step of the optimizer's first update, on `rows` examples from position `start`.
pub fn first_step(start: u32, rows: u32, optimizer: &Optimizer) -> Step {
    let mut step = Step { seed_low: 3, epoch: 1, ..Step::batch(start, rows) };
    optimizer.set_scalars(&mut step, 1, 1.0);
    step
}

/// Runs one step and returns its metrics.
pub fn run_one(program: &mut dyn Program, phase: Phase, step: &Step) -> BatchMetrics {
    let mut logged = Vec::new();
    program
        .run(phase, std::slice::from_ref(step), &mut |batches| {
            logged.extend_from_slice(batches);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(logged.len(), 1);
    logged[0]
}

/// Compares the gradient of every parameter with central differences in f64. The first mismatch is the error.
///
/// `rows` may be fewer than the batch, so that padding is covered too.
pub fn check_gradients(small: &Small, rows: u32, loss_scale: f64) -> Result<(), String> {
    check_gradients_at(small, small.reference(), rows, loss_scale)
}

/// The same at the parameters that a program holds.
pub fn check_gradients_at(
    small: &Small,
    mut program: CpuProgram<f64>,
    rows: u32,
    loss_scale: f64,
) -> Result<(), String> {
    const EPSILON: f64 = 1e-6;
    // Without an update, the parameters stay unchanged.
    let step = Step { updates: 0, ..Step::batch(0, rows) };
    run_one(&mut program, Phase::Train, &step);
    let gradients: Vec<Vec<f64>> =
        small.recording.gradients.iter().map(|&tensor| program.reals(tensor).to_vec()).collect();
    let pattern = piece(small, &mut program);

    for (&parameter, gradient) in small.recording.parameters.iter().zip(&gradients) {
        let name = small.recording.plan.tensor(parameter).name.clone();
        for (index, &recorded) in gradient.iter().enumerate() {
            let mut loss_at = |offset: f64| {
                let original = program.reals(parameter)[index];
                program.reals_mut(parameter)[index] = original + offset;
                run_one(&mut program, Phase::Train, &step);
                program.reals_mut(parameter)[index] = original;
                assert_eq!(
                    piece(small, &mut program),
                    pattern,
                    "{name}[{index}] is too close to a kink; choose another seed"
                );
                // The losses themselves are f64; the log is only f32.
                program.reals(small.recording.loss.losses).iter().sum::<f64>() / f64::from(rows) * loss_scale
            };
            let numeric = (loss_at(EPSILON) - loss_at(-EPSILON)) / (2.0 * EPSILON);
            // The truncation error is of order epsilon squared, the rounding error 1e-16 * loss / epsilon: both < 1e-9.
            let within = (recorded - numeric).abs() <= 2e-8 + 1e-6 * numeric.abs();
            if !within {
                return Err(format!("{name}[{index}]: recorded {recorded}, central difference {numeric}"));
            }
        }
    }
    Ok(())
}

/// Identifies the smooth piece of the piecewise smooth loss that the step is on: between which kinks of its activation
/// each hidden unit lies, which values are the maxima of their pooling windows, and which logits have a positive gradient
/// (for a hinge loss, those of the classes that count).
fn piece(small: &Small, program: &mut CpuProgram<f64>) -> Vec<u32> {
    let mut piece = Vec::new();
    for (tensor, info) in small.recording.plan.tensors() {
        if info.name.ends_with(".indices") {
            piece.extend(program.slow_read_u32(tensor).unwrap());
        } else if info.name == "logits_grad" {
            piece.extend(program.reals(tensor).iter().map(|&value| u32::from(value > 0.0)));
        }
    }
    for launch in small.recording.plan.launches(Phase::Train) {
        let slot = |name: &str| launch.kernel.slots.iter().position(|slot| slot.name == name).map(|at| launch.args[at]);
        let constant = launch.kernel.constants.iter().position(|name| *name == "activation");
        let (Some(constant), Some(output)) = (constant, slot("output")) else { continue };
        let activation = Activation::from_constant(launch.constants[constant]);
        // Where only the output is kept, kinks are told by what is made of them.
        let (tensor, kinks): (_, Vec<f64>) = match slot("pre_activation") {
            Some(pre_activation) => (pre_activation, activation.kinks().to_vec()),
            None => (output, activation.kinks().iter().map(|&kink| activation.apply(kink)).collect()),
        };
        let values = program.reals(tensor).iter();
        piece.extend(values.map(|&value| kinks.iter().filter(|&&kink| value > kink).count() as u32));
    }
    piece
}
