//! A layer outside of the crate, with two WGSL kernels of its own: softsign, y = x / (1 + |x|) (Bergstra et al., "Quadratic
//! polynomials learn better image features", 2009).
//!
//! Each kernel is a struct of its launch parameters with a shader and a CPU twin, and each device is checked against the twin in
//! f64. Then a network with the layer learns two spirals, step by step through the parts below the facade. Those parts are unstable.
//!
//! Run it with `cargo run --release --example own_layer`, or with a device: `cargo run --release --example own_layer gpu`.

use std::ops::ControlFlow;

use gpunet::low_level::backend::parity::check_kernel;
use gpunet::low_level::kernels::kernel::{
    Arguments, Case, DType, Input, KernelSpec, Slot, Tolerance, linear_grid, params,
};
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::math::real::Real;
use gpunet::low_level::nn::layers::{Dense, Layer, LayerTensors, Parameter, Recorder, Values};
use gpunet::low_level::nn::model::{Model, TrainingOptions};
use gpunet::low_level::plan::{Phase, Tensor};
use gpunet::optim::{Adam, Optimizer};
use gpunet::{Activation, Dataset, Device, Init, NormalizationKind};

params! {
    /// `output = x / (1 + |x|)`, both `[length]`.
    pub struct Softsign {
        /// Elements.
        pub length: u32,
    }
}

params! {
    /// `input_grad = output_grad / (1 + |x|)^2`, all `[length]`.
    pub struct SoftsignGrad {
        /// Elements.
        pub length: u32,
    }
}

/// Lengths of parity cases: one, a prime, one past a workgroup.
const LENGTHS: [u32; 3] = [1, 97, 257];

impl KernelSpec for Softsign {
    const NAME: &'static str = "softsign";
    const WGSL: &'static str = include_str!("softsign.wgsl");
    const SLOTS: &'static [Slot] = &[Slot::read("input", DType::F32), Slot::write("output", DType::F32)];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        linear_grid((self.length as usize).div_ceil(256))
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.length as usize; 2]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (input, output) = (arguments.reals(0), arguments.reals_mut(1));
        for (y, &x) in output.iter_mut().zip(input) {
            *y = x / (T::one() + x.abs());
        }
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let inputs = vec![Input::Uniform { low: -4.0, high: 4.0 }, Input::Poison];
        Case::new(label, *self, inputs).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        LENGTHS.map(|length| Softsign { length }.case(format!("length {length}"))).to_vec()
    }
}

impl KernelSpec for SoftsignGrad {
    const NAME: &'static str = "softsign_grad";
    const WGSL: &'static str = include_str!("softsign_grad.wgsl");
    const SLOTS: &'static [Slot] = &[
        Slot::read("input", DType::F32),
        Slot::read("output_grad", DType::F32),
        Slot::write("input_grad", DType::F32),
    ];
    const WORKGROUP: [u32; 3] = [256, 1, 1];

    fn grid(&self) -> [u32; 3] {
        linear_grid((self.length as usize).div_ceil(256))
    }

    fn lengths(&self) -> Vec<usize> {
        vec![self.length as usize; 3]
    }

    fn run<T: Real>(&self, mut arguments: Arguments<'_, T>) {
        let (input, output_grad, input_grad) = (arguments.reals(0), arguments.reals(1), arguments.reals_mut(2));
        for ((slope, &x), &gradient) in input_grad.iter_mut().zip(input).zip(output_grad) {
            let divisor = T::one() + x.abs();
            *slope = gradient / (divisor * divisor);
        }
    }

    fn case(&self, label: impl Into<String>) -> Case {
        let inputs = vec![Input::Uniform { low: -4.0, high: 4.0 }, Input::SIGNED, Input::Poison];
        Case::new(label, *self, inputs).tolerance(Tolerance::ELEMENTWISE)
    }

    fn cases() -> Vec<Case> {
        LENGTHS.map(|length| SoftsignGrad { length }.case(format!("length {length}"))).to_vec()
    }
}

/// The layer: softsign of `[batch, features]`. What comes before it must be linear.
struct SoftsignLayer {
    features: usize,
}

impl SoftsignLayer {
    fn length(&self, recorder: &Recorder<'_>) -> u32 {
        (recorder.batch * self.features) as u32
    }
}

impl Layer for SoftsignLayer {
    fn kind(&self) -> &'static str {
        "softsign"
    }

    fn describe(&self) -> String {
        format!("softsign {}", self.features)
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn forward_flops(&self) -> u64 {
        3 * self.features as u64
    }

    fn forward(&self, recorder: &mut Recorder<'_>, input: Values, _tensors: &LayerTensors) -> Values {
        let dims = recorder.features(self.features);
        let output = recorder.activation("output", &dims);
        let length = self.length(recorder);
        recorder.launch(Softsign { length }, &[], &[input.tensor, output]);
        Values::plain(output)
    }

    fn backward(
        &self,
        recorder: &mut Recorder<'_>,
        input: Values,
        output_grad: Tensor,
        _tensors: &LayerTensors,
        wants_input_grad: bool,
    ) -> Option<Tensor> {
        assert_eq!(input.activation, Activation::Identity, "the layer before a softsign is linear");
        wants_input_grad.then(|| {
            let dims = recorder.features(self.features);
            let input_grad = recorder.activation("input_grad", &dims);
            let length = self.length(recorder);
            recorder.launch(SoftsignGrad { length }, &[], &[input.tensor, output_grad, input_grad]);
            input_grad
        })
    }
}

/// Two spirals of 1.5 turns, [2 * count, 2], and the spiral that each point is of, [2 * count].
fn spirals(count: u32) -> (Vec<f32>, Vec<u32>) {
    let labels: Vec<u32> = (0..2 * count).map(|i| i % 2).collect();
    let point = |(i, &label): (usize, &u32)| {
        let radius = 0.1 + 0.9 * (i / 2) as f32 / count as f32;
        let angle = 3.0 * std::f32::consts::PI * radius + std::f32::consts::PI * label as f32;
        [radius * angle.cos(), radius * angle.sin()]
    };
    (labels.iter().enumerate().flat_map(point).collect(), labels)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const BATCH: usize = 50;
    const EPOCHS: u32 = 400;
    let device = Device::named(&std::env::args().nth(1).unwrap_or("auto".to_string()))?;
    println!("on {}", device.name());
    for kernel in [Softsign::KERNEL, SoftsignGrad::KERNEL] {
        let report = check_kernel(device.backend.as_ref(), kernel)?;
        println!("{}: error {:.1e}, allowed {:.1e}", report.name, report.max_error, report.tolerance);
        if let Some(failure) = report.failure {
            return Err(failure.into());
        }
    }

    let (x, y) = spirals(200);
    let data = Dataset::from_features(&x, 2, &y)?;
    let dense = |inputs: usize, outputs: usize| Dense {
        inputs,
        outputs,
        has_bias: true,
        activation: Activation::Identity,
        init: Init::HE_NORMAL,
    };
    let softsign = || Box::new(SoftsignLayer { features: 32 });
    let layers: Vec<Box<dyn Layer>> =
        vec![Box::new(dense(2, 32)), softsign(), Box::new(dense(32, 32)), softsign(), Box::new(dense(32, 2))];
    let model = Model::of_layers(&"2-32-32-2".parse()?, layers);

    // Record the training step once, and load it onto the device with data and initial weights.
    let optimizer: Optimizer = Adam { learning_rate: 0.01, ..Adam::default() }.into();
    let options = TrainingOptions { batch: BATCH, optimizer, ..TrainingOptions::default() };
    let shape = data.shape(NormalizationKind::StandardizePerPixel.fit(&data));
    let recording = model.record_training(shape, &options)?;
    let mut program = device.backend.load(&recording.plan)?;
    recording.upload(program.as_mut(), &data)?;
    model.initialize(&recording, program.as_mut(), 1)?;

    // Replay the step for every batch.
    let (mut update, mut correct) = (0, 0);
    for epoch in 1..=EPOCHS {
        let mut steps = Vec::new();
        for start in (0..data.len()).step_by(BATCH) {
            update += 1;
            let mut step = Step { epoch, seed_low: 1, ..Step::batch(start as u32, BATCH as u32) };
            optimizer.set_scalars(&mut step, update, 1.0);
            steps.push(step);
        }
        program.run(Phase::Shuffle, &steps[..1], &mut |_| ControlFlow::Continue(()))?;
        correct = 0;
        program.run(Phase::Train, &steps, &mut |batches| {
            correct += batches.iter().map(|batch| batch.correct as usize).sum::<usize>();
            ControlFlow::Continue(())
        })?;
        if epoch % 100 == 0 {
            println!("epoch {epoch}: {correct} of {} correct", data.len());
        }
    }
    if correct * 100 < data.len() * 98 {
        return Err("the spirals should be told apart".into());
    }
    Ok(())
}
