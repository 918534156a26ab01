//! Properties of losses beyond their values: divergence shows, and evaluation reports the loss that the model was
//! trained with.

use crate::harness::{Small, backends, run_one};
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::data::{Dataset, Normalization, Part};
use gpunet::low_level::kernels::step::Step;
use gpunet::low_level::nn::arch::Arch;
use gpunet::low_level::nn::loss::{HingeVariant, Loss};
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::plan::{Data, Phase};
use gpunet::low_level::store::{ModelMetadata, SavedModel};
use gpunet::low_level::train::evaluate;

const LOSSES: [Loss; 5] = [
    Loss::SoftmaxCrossEntropy { label_smoothing: 0.0 },
    Loss::SoftmaxCrossEntropy { label_smoothing: 0.1 },
    Loss::Svm { variant: HingeVariant::WestonWatkins, margin: 1.0 },
    Loss::Svm { variant: HingeVariant::CrammerSinger, margin: 1.0 },
    Loss::Mse {},
];

/// If one logit is not finite, whatever its class, the loss is not finite either.
#[test]
fn a_logit_that_is_not_finite_shows_in_the_loss() {
    let mut devices = backends();
    devices.push(("cpu f64", Box::new(CpuBackend::<f64>::new(None).unwrap())));
    for (loss, (name, backend)) in LOSSES.iter().flat_map(|loss| devices.iter().map(move |device| (loss, device))) {
        for classes in [1, 3, 70] {
            let options = TrainingOptions { batch: 4, loss: *loss, ..TrainingOptions::default() };
            let small = Small::with(&format!("5-{classes}"), &options);
            let mut program = backend.load(&small.recording.plan).unwrap();
            small.fill(program.as_mut());
            for (class, value) in [
                (0, f32::NAN),
                (classes - 1, -f32::NAN),
                (classes / 2, f32::INFINITY),
                (classes - 1, f32::NEG_INFINITY),
            ] {
                let mut bias = vec![0.0; classes];
                bias[class] = value;
                program.write(small.recording.parameters[1], Data::F32(&bias)).unwrap();
                run_one(program.as_mut(), Phase::Eval, &Step::batch(0, 4));
                let losses = program.slow_read_f32(small.recording.loss.losses).unwrap();
                let shows = losses.iter().all(|loss| !loss.is_finite());
                assert!(shows, "{name}, {loss:?}: {value} for class {class} of {classes} gave {losses:?}");
            }
        }
    }
}

/// The network's logits are its biases for every image, so its loss follows from the labels.
#[test]
fn evaluation_reports_the_loss_that_the_model_was_trained_with() {
    let classes: Vec<String> = (0..10).map(|class| class.to_string()).collect();
    let arch: Arch = "784-10".parse().unwrap();
    let dataset = Dataset::load_test("mnist", arch.input(), classes.clone()).unwrap();
    let biases: Vec<f32> = (0..10).map(|class| class as f32 * 0.25).collect();
    let labels = &dataset.labels[dataset.part(Part::Test)];
    let hinge = |target: u32| -> f64 {
        (0..10).filter(|&c| c != target).map(|c| (1.5 + 0.25 * (f64::from(c) - f64::from(target))).max(0.0)).sum()
    };
    let expected = labels.iter().map(|&target| hinge(target)).sum::<f64>() / labels.len() as f64;

    let metadata = ModelMetadata {
        loss: Loss::Svm { variant: HingeVariant::WestonWatkins, margin: 1.5 },
        ..ModelMetadata::new(arch, Normalization::UNIT, classes, dataset.name.clone())
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    SavedModel { metadata, parameters: vec![vec![0.0; 7840], biases] }.save(&path).unwrap();
    let model = SavedModel::load(&path).unwrap();
    let evaluation = evaluate(&model, &dataset, Part::Test, &CpuBackend::<f32>::new(None).unwrap()).unwrap();
    let loss = evaluation.metrics.loss();
    assert!((loss - expected).abs() < 1e-5 * expected, "{loss} instead of {expected}");
}

#[test]
fn model_files_that_name_no_loss_use_cross_entropy() {
    let metadata = ModelMetadata::new("4-3".parse().unwrap(), Normalization::UNIT, vec![], "data".to_string());
    let metadata = ModelMetadata { loss: Loss::Mse {}, ..metadata };
    let mut json = serde_json::to_value(&metadata).unwrap();
    assert_eq!(serde_json::from_value::<ModelMetadata>(json.clone()).unwrap(), metadata);
    json.as_object_mut().unwrap().remove("loss").unwrap();
    assert_eq!(serde_json::from_value::<ModelMetadata>(json).unwrap().loss, Loss::default());
}

#[test]
fn a_model_file_with_an_invalid_loss_is_refused() {
    let metadata = ModelMetadata {
        loss: Loss::Svm { variant: HingeVariant::CrammerSinger, margin: -1.0 },
        ..ModelMetadata::new("1-1".parse().unwrap(), Normalization::UNIT, vec!["0".to_string()], "data".to_string())
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    SavedModel { metadata, parameters: vec![vec![1.0], vec![0.0]] }.save(&path).unwrap();
    let error = SavedModel::load(&path).unwrap_err().to_string();
    assert!(error.contains("`loss.margin` is -1.0"), "{error}");
}
