//! Training against PyTorch: the network that the golden files were computed with, and the comparison.

use std::ops::ControlFlow;

use bytemuck::Pod;
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::backend::parity::Comparison;
use gpunet::low_level::backend::{Backend, Program};
use gpunet::low_level::data::{DataShape, FeatureType};
use gpunet::low_level::data::{Dataset, Normalization};
use gpunet::low_level::kernels::kernel::Tolerance;
use gpunet::low_level::kernels::step::{BatchMetrics, Step};
use gpunet::low_level::nn::arch::Arch;
use gpunet::low_level::nn::model::{Model, Recording, TrainingOptions};
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::{Data, Phase, Tensor};
use safetensors::{Dtype, SafeTensors};

use super::gpu;

// As in `golden/make.py`.
const ARCH: &str = "20-17-13-7";
const EXAMPLES: usize = 64;
/// A pass over the 64 examples has batches of 24, 24 and 16, so the last one is short.
pub const TRAINING_BATCH: usize = 24;
pub const STEPS: usize = 10;

/// Images, labels and initial parameters of the dense network, and its expected values.
pub const DENSE: &[u8] = include_bytes!("../golden/dense.safetensors");

/// Every backend with its tolerance. Values are of the order of one. A NaN exceeds every tolerance.
pub fn backends() -> Vec<(String, Box<dyn Backend>, Tolerance)> {
    let double = Tolerance {
        absolute: 2e-7,
        relative: 1e-6,
        reason: "f64 throughout, but 1/255, rates and betas are f32 parameters, and values are read back as f32",
    };
    let single = Tolerance {
        absolute: 2e-6,
        relative: 1e-5,
        reason: "f32 sums of at most 32 products; WGSL's exp and log may be off by 5e-7; errors add up over ten steps",
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

/// Asserts that all compared values agree.
pub fn report(what: &str, comparison: &Comparison, tolerance: Tolerance) {
    let Comparison { max_error, worst_share, failure, .. } = comparison;
    println!("{what}: off by at most {max_error:.1e}, {worst_share:.2} of the tolerance");
    assert_eq!(*failure, None, "{what}; reason for the tolerance: {}", tolerance.reason);
}

/// `count` steps over the batches in the order of the examples, again and again, with the optimizer's rates.
pub fn steps(optimizer: Optimizer, batch: usize, count: usize) -> Vec<Step> {
    let starts = (0..EXAMPLES).step_by(batch).cycle();
    let step = |(start, t): (usize, u64)| {
        let mut step = Step::batch(start as u32, batch.min(EXAMPLES - start) as u32);
        optimizer.set_scalars(&mut step, t, 1.0);
        step
    };
    starts.zip(1..).take(count).map(step).collect()
}

/// A network and its expected values.
pub struct Golden {
    start: SafeTensors<'static>,
    expected: SafeTensors<'static>,
    pub model: Model,
    normalization: Normalization,
}

impl Golden {
    /// The dense network, and a file with its expected values.
    pub fn load(expected: &'static [u8]) -> Golden {
        Golden::of(ARCH, DENSE, expected, Normalization::UNIT)
    }

    /// Any network: `start` holds images, labels and initial parameters, `expected` the expected values.
    pub fn of(arch: &str, start: &'static [u8], expected: &'static [u8], normalization: Normalization) -> Golden {
        let [start, expected] = [start, expected].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
        Golden { start, expected, model: Model::new(&arch.parse::<Arch>().unwrap()), normalization }
    }

    pub fn expected(&self, name: &str) -> Vec<f64> {
        values(&self.expected, name, Dtype::F64)
    }

    /// The names of the runs in the file, taken from its `<run>.losses`.
    pub fn runs(&self) -> Vec<&str> {
        self.expected.names().into_iter().filter_map(|name| name.strip_suffix(".losses")).collect()
    }
}

fn values<T: Pod>(file: &SafeTensors<'_>, name: &str, dtype: Dtype) -> Vec<T> {
    let tensor = file.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), dtype, "{name}");
    bytemuck::pod_collect_to_vec(tensor.data())
}

/// A training plan on a backend, with the golden data and initial parameters.
pub struct Run {
    pub recording: Recording,
    program: Box<dyn Program>,
}

impl Run {
    pub fn load(golden: &Golden, backend: &dyn Backend, options: &TrainingOptions) -> Run {
        let features = golden.model.arch().inputs();
        let normalization = golden.normalization.clone();
        let data =
            DataShape { train: EXAMPLES, examples: EXAMPLES, features, values: FeatureType::Bytes, normalization };
        let recording = golden.model.record_training(data, options).unwrap();
        let mut program = backend.load(&recording.plan).unwrap();

        let labels: Vec<u8> = values(&golden.start, "labels", Dtype::U8);
        let labels = labels.into_iter().map(u32::from).collect();
        let images: Vec<u8> = values(&golden.start, "images", Dtype::U8);
        let dataset = Dataset::in_memory("golden", images, labels, features, golden.model.arch().outputs());
        recording.upload(program.as_mut(), &dataset).unwrap();
        for ((name, parameter), &tensor) in golden.model.parameters().iter().zip(&recording.parameters) {
            assert_eq!(golden.start.tensor(name).unwrap().shape(), parameter.shape, "{name}");
            program.write(tensor, Data::F32(&values(&golden.start, name, Dtype::F32))).unwrap();
        }
        Run { recording, program }
    }

    /// Runs the steps and returns the mean loss of each.
    pub fn train(&mut self, steps: &[Step]) -> Vec<f32> {
        let mut losses = Vec::new();
        let mut logged = |batches: &[BatchMetrics]| {
            losses.extend(batches.iter().map(|batch| batch.loss_sum / batch.rows as f32));
            ControlFlow::Continue(())
        };
        self.program.run(Phase::Train, steps, &mut logged).unwrap();
        losses
    }

    /// Evaluates a batch.
    pub fn evaluate(&mut self, step: &Step) {
        self.program.run(Phase::Eval, std::slice::from_ref(step), &mut |_| ControlFlow::Continue(())).unwrap();
    }

    pub fn read(&mut self, tensor: Tensor) -> Vec<f32> {
        self.program.slow_read_f32(tensor).unwrap()
    }
}

/// Trains ten steps of each run on every backend and compares the losses before each update and the final parameters.
pub fn check_ten_steps(golden: &Golden, runs: &[(&str, TrainingOptions)]) {
    for (name, backend, tolerance) in backends() {
        for (prefix, options) in runs {
            let options = TrainingOptions { batch: TRAINING_BATCH, ..options.clone() };
            let mut run = Run::load(golden, backend.as_ref(), &options);
            let losses = run.train(&steps(options.optimizer, TRAINING_BATCH, STEPS));

            let mut comparison = Comparison::NONE;
            let mut check =
                |name: &str, values: &[f32]| comparison.add(name, values, &golden.expected(name), tolerance);
            check(&format!("{prefix}.losses"), &losses);
            for ((parameter, _), tensor) in golden.model.parameters().iter().zip(run.recording.parameters.clone()) {
                check(&format!("{prefix}.{parameter}"), &run.read(tensor));
            }
            report(&format!("{name}, ten steps of {prefix}"), &comparison, tolerance);
        }
    }
}
