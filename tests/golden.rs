//! Training against PyTorch: logits, losses, gradients and ten steps of each optimizer, on every backend.
//!
//! `golden/make.py` computed the expected values in float64; its head says what each tensor is.

mod harness;

use std::ops::ControlFlow;

use bytemuck::Pod;
use gpunet::arch::Arch;
use gpunet::backend::cpu::CpuBackend;
use gpunet::backend::gpu::ShaderChecks;
use gpunet::backend::{Backend, Program};
use gpunet::data::{Dataset, Normalization};
use gpunet::kernel::Tolerance;
use gpunet::model::{DataShape, Model, Recording, TrainingOptions};
use gpunet::optim::{Adam, Optimizer, Sgd};
use gpunet::parity::Comparison;
use gpunet::plan::{Data, Phase, Tensor};
use gpunet::step::{BatchMetrics, Step};
use harness::gpu;
use safetensors::{Dtype, SafeTensors};

// As in `golden/make.py`.
const ARCH: &str = "20-17-13-7";
const EXAMPLES: usize = 64;
const GRADIENT_BATCH: usize = 32;
/// A pass over the 64 examples is batches of 24, 24 and 16: the last one is short.
const TRAINING_BATCH: usize = 24;
const STEPS: usize = 10;
const ADAM: Optimizer = Optimizer::Adam(Adam { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
const SGD: Optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.1 });

#[test]
fn one_batch_has_the_logits_loss_and_gradients_of_pytorch() {
    let golden = Golden::load();
    for (name, backend, tolerance) in backends() {
        // The update comes last in the phase and leaves the gradients, and the logits before it, as they were.
        let mut run = Run::load(&golden, backend.as_ref(), GRADIENT_BATCH, SGD);
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
    let golden = Golden::load();
    for (name, backend, tolerance) in backends() {
        for (prefix, optimizer) in [("adam", ADAM), ("sgd", SGD)] {
            let mut run = Run::load(&golden, backend.as_ref(), TRAINING_BATCH, optimizer);
            let losses = run.train(&steps(optimizer, TRAINING_BATCH, STEPS));

            let mut comparison = Comparison::NONE;
            let mut check =
                |name: &str, values: &[f32]| comparison.add(name, values, &golden.expected(name), tolerance);
            check(&format!("{prefix}.losses"), &losses);
            for ((parameter, _), tensor) in golden.model.parameters().iter().zip(run.recording.parameters.clone()) {
                check(&format!("{prefix}.{parameter}"), &run.read(tensor));
            }
            report(&format!("{name}, ten steps of {optimizer}"), &comparison, tolerance);
        }
    }
}

/// Every backend with what it may differ by. Values are of the order of one; a NaN is within no bound.
fn backends() -> Vec<(String, Box<dyn Backend>, Tolerance)> {
    let double = Tolerance {
        absolute: 2e-7,
        relative: 1e-6,
        reason: "f64 throughout, but 1/255, rates and betas are f32 in the kernels' parameters, as is what is read back",
    };
    let single = Tolerance {
        absolute: 2e-6,
        relative: 1e-5,
        reason: "f32 sums of at most 32 products; exp and log may be 5e-7 off in WGSL; ten steps one on another",
    };
    let mut backends: Vec<(String, Box<dyn Backend>, Tolerance)> = vec![
        ("CPU in f64".to_string(), Box::new(CpuBackend::<f64>::new(None).unwrap()), double),
        ("CPU in f32".to_string(), Box::new(CpuBackend::<f32>::new(None).unwrap()), single),
    ];
    for checks in [ShaderChecks::Trusted, ShaderChecks::Checked] {
        let gpu = gpu(checks);
        backends.push((format!("{}, {checks:?}", gpu.name()), gpu, single));
    }
    backends
}

fn report(what: &str, comparison: &Comparison, tolerance: Tolerance) {
    let Comparison { max_error, worst_share, failure, .. } = comparison;
    println!("{what}: off by at most {max_error:.1e}, {worst_share:.2} of what is allowed");
    assert_eq!(*failure, None, "{what}; allowed because: {}", tolerance.reason);
}

/// Batches in the order of the examples, over and over, with the rates that the optimizer's kernel reads.
fn steps(optimizer: Optimizer, batch: usize, count: usize) -> Vec<Step> {
    let starts = (0..EXAMPLES).step_by(batch).cycle();
    let step = |(start, t): (usize, u64)| {
        let [first, second] = optimizer.bias_corrections(t);
        Step {
            learning_rate: optimizer.learning_rate() as f32,
            first_moment_correction: first as f32,
            second_moment_correction: second as f32,
            ..Step::batch(start as u32, batch.min(EXAMPLES - start) as u32)
        }
    };
    starts.zip(1..).take(count).map(step).collect()
}

/// The expected values, and the network that they are of.
struct Golden {
    file: SafeTensors<'static>,
    model: Model,
}

impl Golden {
    fn load() -> Golden {
        let file = SafeTensors::deserialize(include_bytes!("golden/dense.safetensors")).unwrap();
        Golden { file, model: Model::new(&ARCH.parse::<Arch>().unwrap()) }
    }

    fn expected(&self, name: &str) -> Vec<f64> {
        self.values(name, Dtype::F64)
    }

    fn values<T: Pod>(&self, name: &str, dtype: Dtype) -> Vec<T> {
        let tensor = self.file.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), dtype, "{name}");
        bytemuck::pod_collect_to_vec(tensor.data())
    }
}

/// A training plan on a backend, with the golden data and starting parameters.
struct Run {
    recording: Recording,
    program: Box<dyn Program>,
}

impl Run {
    fn load(golden: &Golden, backend: &dyn Backend, batch: usize, optimizer: Optimizer) -> Run {
        let features = golden.model.arch().inputs();
        let normalization = Normalization::UNIT;
        let data = DataShape { train: EXAMPLES, examples: EXAMPLES, features, normalization };
        let options = TrainingOptions { batch, optimizer, ..TrainingOptions::default() };
        let recording = golden.model.record_training(data, &options).unwrap();
        let mut program = backend.load(&recording.plan).unwrap();

        let labels: Vec<u32> = golden.values::<u8>("labels", Dtype::U8).into_iter().map(u32::from).collect();
        let images = golden.values("images", Dtype::U8);
        let dataset = Dataset::in_memory("golden", images, labels, features, golden.model.arch().outputs());
        recording.upload(program.as_mut(), &dataset).unwrap();
        for ((name, parameter), &tensor) in golden.model.parameters().iter().zip(&recording.parameters) {
            assert_eq!(golden.file.tensor(name).unwrap().shape(), parameter.shape, "{name}");
            program.write(tensor, Data::F32(&golden.values(name, Dtype::F32))).unwrap();
        }
        Run { recording, program }
    }

    /// Runs the steps; the mean loss of each.
    fn train(&mut self, steps: &[Step]) -> Vec<f32> {
        let mut losses = Vec::new();
        let mut logged = |batches: &[BatchMetrics]| {
            losses.extend(batches.iter().map(|batch| batch.loss_sum / batch.rows as f32));
            ControlFlow::Continue(())
        };
        self.program.run(Phase::Train, steps, &mut logged).unwrap();
        losses
    }

    fn read(&mut self, tensor: Tensor) -> Vec<f32> {
        self.program.slow_read_f32(tensor).unwrap()
    }
}
