//! Losses and their gradients compared with PyTorch's, on every backend, in training and in evaluation.
//!
//! `golden/losses.py` computed the expected values in float64. Its docstring describes each tensor.

use crate::harness::{backends, run_one};
use gpunet::low_level::backend::Backend;
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::parity::Comparison;
use gpunet::low_level::data::{Dataset, Normalization};
use gpunet::low_level::kernels::kernel::Tolerance;
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::nn::loss::{HingeVariant, Loss};
use gpunet::low_level::nn::model::{Model, TrainingOptions};
use gpunet::low_level::plan::{Data, Phase};
use safetensors::SafeTensors;

// As in `golden/losses.py`.
const EXAMPLES: usize = 24;
const CLASSES: usize = 7;
const SMOOTHING: f64 = 0.125;
const MARGIN: f64 = 45.0 / 64.0;

/// `(name in the file, training loss, name of the loss that evaluation reports)`.
const LOSSES: [(&str, Loss, &str); 5] = [
    ("cross-entropy", Loss::SoftmaxCrossEntropy { label_smoothing: 0.0 }, "cross-entropy"),
    ("smoothed", Loss::SoftmaxCrossEntropy { label_smoothing: SMOOTHING }, "cross-entropy"),
    ("weston-watkins", Loss::Svm { variant: HingeVariant::WestonWatkins, margin: MARGIN }, "weston-watkins"),
    ("crammer-singer", Loss::Svm { variant: HingeVariant::CrammerSinger, margin: MARGIN }, "crammer-singer"),
    ("mse", Loss::Mse {}, "mse"),
];

#[test]
fn losses_and_gradients_are_those_of_pytorch() {
    let single = Tolerance {
        absolute: 1e-6,
        relative: 2e-6,
        reason: "f32 sums of seven terms; WGSL allows errors of 19 ulp in exp(-8) and of 5e-7 in log",
    };
    let double = Tolerance { absolute: 1e-12, relative: 1e-7, reason: "f64 throughout, but read back as f32" };
    for (name, backend) in backends() {
        check_losses(name, backend.as_ref(), single);
    }
    check_losses("cpu f64", &CpuBackend::<f64>::new(None).unwrap(), double);
}

/// The network is the identity, so its logits are exactly those of the file.
fn check_losses(device: &str, backend: &dyn Backend, tolerance: Tolerance) {
    let file = SafeTensors::deserialize(include_bytes!("../golden/losses.safetensors")).unwrap();
    let expected = |name: &str| bytemuck::pod_collect_to_vec::<u8, f64>(file.tensor(name).unwrap().data());
    let labels = file.tensor("labels").unwrap().data().iter().map(|&label| u32::from(label)).collect();
    let images = file.tensor("bytes").unwrap().data().to_vec();
    let dataset = Dataset::in_memory("golden", images, labels, CLASSES, CLASSES);
    let data = dataset.shape(Normalization::Scale { factor: 1.0 / 32.0, offset: -4.0 });
    let weights: Vec<f32> = bytemuck::pod_collect_to_vec(file.tensor("class_weights").unwrap().data());
    let identity: Vec<f32> = (0..CLASSES * CLASSES).map(|i| if i % (CLASSES + 1) == 0 { 1.0 } else { 0.0 }).collect();
    let model = Model::new(&"7-7".parse().unwrap());

    for (name, loss, plain) in LOSSES {
        for (prefix, class_weights) in [("", None), ("weighted.", Some(weights.clone()))] {
            let options = TrainingOptions { batch: EXAMPLES, loss, class_weights, ..TrainingOptions::default() };
            let recording = model.record_training(data.clone(), &options).unwrap();
            let mut program = backend.load(&recording.plan).unwrap();
            recording.upload(program.as_mut(), &dataset).unwrap();
            program.write(recording.parameters[0], Data::F32(&identity)).unwrap();

            // The learning rate is zero, so evaluation uses the same network.
            let step = Step::batch(0, EXAMPLES as u32);
            let trained = run_one(program.as_mut(), Phase::Train, &step);
            let losses = program.slow_read_f32(recording.loss.losses).unwrap();
            let gradient = program.slow_read_f32(recording.loss.logits_grad).unwrap();
            run_one(program.as_mut(), Phase::Eval, &step);
            let evaluated = program.slow_read_f32(recording.loss.losses).unwrap();

            let wanted = expected(&format!("{prefix}{name}.losses"));
            let mut comparison = Comparison::NONE;
            comparison.add("losses", &losses, &wanted, tolerance);
            comparison.add("sum of losses", &[trained.loss_sum], &[wanted.iter().sum()], tolerance);
            comparison.add("gradient", &gradient, &expected(&format!("{prefix}{name}.grad")), tolerance);
            comparison.add("evaluated", &evaluated, &expected(&format!("{plain}.losses")), tolerance);
            println!("{device}, {prefix}{name}: {:.2} of the tolerance", comparison.worst_share);
            let reason = tolerance.reason;
            assert_eq!(comparison.failure, None, "{device}, {prefix}{name}; reason for the tolerance: {reason}");
        }
    }
}
