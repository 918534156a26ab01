//! The facade: data of the caller's own, predictions, runs that are stopped, parts without examples.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use gpunet::low_level::math::random::{Stream, unit};
use gpunet::low_level::store::SavedModel;
use gpunet::optim::Adam;
use gpunet::{
    Dataset, Decay, Device, EarlyStopping, Ending, Event, Features, Model, NormalizationKind, Part, Plateau, Schedule,
    Split, Trainer,
};

/// `count` examples of three whole numbers from 0 to 255, of very different spread, and their classes: whether the first is
/// above 128.
fn numbers(count: usize) -> (Vec<u8>, Vec<u32>) {
    let random = |i: usize| unit(Stream::ParityCase(80), 3, i as u64);
    let example = |i: usize| [random(3 * i) * 255.0, 100.0 + 3.0 * random(3 * i + 1), 7.0].map(|value| value as u8);
    let values: Vec<u8> = (0..count).flat_map(example).collect();
    let labels = values.chunks(3).map(|example| u32::from(example[0] > 128)).collect();
    (values, labels)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| f32::from(byte)).collect()
}

fn trainer<'a>() -> Trainer<'a> {
    let adam = Adam { learning_rate: 0.01, ..Adam::default() };
    Trainer::new("3-8-2".parse().unwrap()).optimizer(adam).epochs(5).batch(32).device(Device::cpu().unwrap())
}

fn split(data: Dataset) -> Dataset {
    data.split(Split::fractions(0.1, 0.2)).unwrap()
}

#[test]
fn data_that_makes_no_sense_is_refused() {
    let says = |values: &[f32], features: usize, labels: &[u32]| {
        Dataset::from_features(values, features, labels).unwrap_err().to_string()
    };
    assert!(says(&[1.0, 2.0, 3.0], 2, &[0, 1]).contains("3 values are not 2 rows of 2 features, 4 in all"));
    assert!(says(&[1.0, 2.0, 3.0, f32::INFINITY], 2, &[0, 1]).contains("row 1, column 1 is inf"));
    assert!(says(&[], 2, &[]).contains("0 examples"));
    assert!(says(&[1.0], 0, &[0]).contains("0 features"));
    assert!(says(&[1.0, 2.0], 1, &[0, 70_000]).contains("label 70000 of example 1"));
    let data = Dataset::from_features(&[1u8, 2], 1, &[0, 2]).unwrap();
    assert_eq!(data.classes, ["0", "1", "2"]);
    let error = data.clone().with_classes(["a", "b"]).unwrap_err().to_string();
    assert!(error.contains("2 names for 3 classes"), "{error}");
    assert_eq!(data.with_classes(["a", "b", "c", "d"]).unwrap().classes.len(), 4);
}

#[test]
fn a_split_keeps_examples_with_their_labels() {
    let (values, labels) = numbers(50);
    let data = split(Dataset::from_features(&values, 3, &labels).unwrap());
    assert_eq!([Part::Train, Part::Validation, Part::Test].map(|part| data.part(part).len()), [35, 5, 10]);
    let Features::Bytes(moved) = &data.values else { panic!("bytes stay bytes") };
    assert_ne!(*moved, values);
    for (example, &label) in moved.chunks(3).zip(&data.labels) {
        assert_eq!(u32::from(example[0] > 128), label);
    }
    let sorted = |values: &[u8]| {
        let mut rows: Vec<Vec<u8>> = values.chunks(3).map(<[u8]>::to_vec).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(moved), sorted(&values));
}

/// Bytes as floats are the same numbers, and so are the models, bit for bit.
#[test]
fn floats_train_as_bytes_do() {
    let (values, labels) = numbers(200);
    let bytes = split(Dataset::from_features(&values, 3, &labels).unwrap());
    let reals = split(Dataset::from_features(&floats(&values), 3, &labels).unwrap());
    assert_ne!(bytes.fingerprint(), reals.fingerprint());
    for kind in [NormalizationKind::StandardizePerImage, NormalizationKind::None] {
        for device in ["cpu", "gpu"] {
            let train = |data: &Dataset| {
                let device = Device::named(device).unwrap();
                trainer().normalization(kind).epochs(2).device(device).fit(data).unwrap()
            };
            let (of_bytes, of_floats) = (train(&bytes), train(&reals));
            let file = |run: &gpunet::Run| {
                let folder = tempfile::tempdir().unwrap();
                run.model.save(folder.path().join("model")).unwrap();
                SavedModel::load(&folder.path().join("model")).unwrap().parameters
            };
            if kind == NormalizationKind::None {
                assert_eq!(file(&of_bytes), file(&of_floats), "{device}");
            }
            assert_eq!(of_bytes.test.unwrap().correct, of_floats.test.unwrap().correct, "{device}, {kind:?}");
        }
    }
}

/// Logits by hand in f64, from the model file alone: standardized by the training set, then two dense layers.
fn logits_by_hand(data: &Dataset, file: &Path, example: &[f32]) -> Vec<f64> {
    let Features::F32(values) = &data.values else { panic!("floats stay floats") };
    let train = &values[..3 * data.part(Part::Train).len()];
    let inputs: Vec<f64> = (0..3)
        .map(|column| {
            let of_column: Vec<f64> = train.iter().skip(column).step_by(3).map(|&value| f64::from(value)).collect();
            let mean = of_column.iter().sum::<f64>() / of_column.len() as f64;
            let variance = of_column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / of_column.len() as f64;
            let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
            (f64::from(example[column]) - mean) / deviation
        })
        .collect();
    let parameters = SavedModel::load(file).unwrap().parameters;
    let dense = |inputs: &[f64], weights: &[f32], biases: &[f32]| -> Vec<f64> {
        let row = |(row, bias): (&[f32], &f32)| {
            row.iter().zip(inputs).map(|(weight, input)| f64::from(*weight) * input).sum::<f64>() + f64::from(*bias)
        };
        weights.chunks(inputs.len()).zip(biases).map(row).collect()
    };
    let hidden: Vec<f64> = dense(&inputs, &parameters[0], &parameters[1]).iter().map(|z| z.max(0.0)).collect();
    dense(&hidden, &parameters[2], &parameters[3])
}

/// 1,237 examples are two whole batches and a short one.
#[test]
fn predictions_are_those_on_paper_in_batches_and_one_by_one() {
    let (values, labels) = numbers(1237);
    let values = floats(&values);
    let data = split(Dataset::from_features(&values, 3, &labels).unwrap());
    let run = trainer().fit(&data).unwrap();
    assert!(run.test().unwrap().accuracy() > 0.95, "it did learn");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    run.model.save(&file).unwrap();
    for device in ["cpu", "gpu"] {
        let model = Model::load(&file).unwrap().on(Device::named(device).unwrap());
        let (logits, probabilities) = (model.logits(&values).unwrap(), model.probabilities(&values).unwrap());
        let classes = model.predict(&values).unwrap();
        assert_eq!((logits.len(), probabilities.len(), classes.len()), (2 * 1237, 2 * 1237, 1237));
        for (index, example) in values.chunks(3).enumerate() {
            let expected = logits_by_hand(&data, &file, example);
            let found = &logits[2 * index..][..2];
            let is_near = |(&found, expected): (&f32, &f64)| (f64::from(found) - expected).abs() <= 1e-4;
            assert!(found.iter().zip(&expected).all(is_near), "{device}, {index}: {found:?}, {expected:?}");
            assert_eq!(classes[index], u32::from(found[1] > found[0]));
            let odds = f64::from(probabilities[2 * index + 1]) / f64::from(probabilities[2 * index]).max(1e-30);
            assert!((odds.ln() - (expected[1] - expected[0])).abs() <= 1e-3, "{device}, {index}: {odds}");
        }
        for index in [0, 499, 500, 1236] {
            let alone = model.logits(&values[3 * index..][..3]).unwrap();
            for (alone, together) in alone.iter().zip(&logits[2 * index..]) {
                assert!((alone - together).abs() <= 1e-5, "{device}, {index}: {alone}, {together}");
            }
        }
        assert_eq!(model.predict::<f32>(&[]).unwrap(), [0u32; 0]);
        let counted = classes.iter().zip(&labels).filter(|(class, label)| class == label).count();
        let whole = Dataset::from_features(&values, 3, &labels).unwrap();
        assert_eq!(model.evaluate(&whole, Part::Train).unwrap().metrics.correct, counted as u64);
    }
    let says = |error: gpunet::Error| error.to_string();
    assert!(says(run.model.predict(&[1.0f32; 4]).unwrap_err()).contains("4 values"));
    assert!(says(run.model.predict(&[1u8; 3]).unwrap_err()).contains("f32 features, but bytes"));
    assert!(says(run.model.predict(&[0.0f32, 1.0, 2.0, 0.0, f32::NAN, 0.0]).unwrap_err()).contains("row 1, column 1"));
}

#[test]
fn parts_without_examples_have_no_figures() {
    let (values, labels) = numbers(100);
    let data = Dataset::from_features(&values, 3, &labels).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let run = trainer().run_folder(&path).fit(&data).unwrap();
    assert!(run.history.iter().all(|record| record.val_loss.is_none() && record.val_accuracy.is_none()));
    assert_eq!((run.test, run.ending), (None, Ending::AllEpochs));
    assert!(run.test().unwrap_err().to_string().contains("no test set"));
    let history = fs::read_to_string(path.join("history.csv")).unwrap();
    assert!(history.lines().skip(1).all(|row| row.split(',').nth(3) == Some("")), "{history}");
    assert!(!path.join("test.json").exists());
    assert!(fs::read_to_string(path.join("config.toml")).unwrap().contains("data = \"own data\""));
    let resumed = Trainer::resume(&path).unwrap().epochs(6).fit(&data).unwrap();
    assert_eq!(resumed.history.len(), 6);

    let refused = |trainer: Trainer<'_>| trainer.fit(&data).unwrap_err().to_string();
    assert!(refused(trainer().early_stopping(EarlyStopping::default())).contains("no validation set"));
    let plateau = Schedule { decay: Decay::Plateau(Plateau::default()), ..Schedule::default() };
    assert!(refused(trainer().schedule(plateau)).contains("no validation set"));
    let error = run.model.evaluate(&data, Part::Test).unwrap_err().to_string();
    assert!(error.contains("no test set"), "{error}");
    assert_eq!(run.model.evaluate(&data, Part::Train).unwrap().metrics.examples, 100);
}

#[test]
fn a_handler_stops_a_run_and_it_goes_on_to_the_same_bits() {
    let (values, labels) = numbers(300);
    let data = split(Dataset::from_features(&values, 3, &labels).unwrap());
    let whole = trainer().fit(&data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let stop_at = |epoch: usize| {
        move |event: Event<'_>| match event {
            Event::Epoch { record, .. } if record.epoch == epoch => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let stopped = trainer().run_folder(&path).on_event(stop_at(2)).fit(&data).unwrap();
    assert_eq!((stopped.ending, stopped.history.len(), stopped.kept_epoch), (Ending::Stopped, 2, 2));
    assert!(stopped.test.is_some() && !path.join("test.json").exists(), "the run is not finished");
    assert!(trainer().run_folder(&path).fit(&data).unwrap_err().to_string().contains("already holds a run"));

    let other_data = Dataset::from_features(&values, 3, &labels).unwrap();
    let refused = |trainer: Trainer<'_>, data: &Dataset| trainer.fit(data).unwrap_err().to_string();
    assert!(refused(Trainer::resume(&path).unwrap(), &other_data).contains("its examples differ"));
    assert!(refused(Trainer::resume(&path).unwrap().batch(33), &data).contains("only epochs, device and threads"));
    let resumed = Trainer::resume(&path).unwrap().device(Device::cpu().unwrap()).fit(&data).unwrap();
    assert_eq!((resumed.ending, resumed.history.len()), (Ending::AllEpochs, 5));
    assert_eq!(resumed.model.logits(&values).unwrap(), whole.model.logits(&values).unwrap());
    assert!(path.join("test.json").exists());
    // The last epoch ends the run by itself.
    assert_eq!(trainer().on_event(stop_at(5)).fit(&data).unwrap().ending, Ending::AllEpochs);

    let mut batches = 0;
    let within = trainer().on_event(|event| {
        batches += usize::from(matches!(event, Event::Batches { epoch: 2, .. }));
        if batches > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let within = within.fit(&data).unwrap();
    assert_eq!((within.ending, within.history.len(), batches), (Ending::Stopped, 1, 1));
    let never = trainer().on_event(|_| ControlFlow::Break(())).fit(&data).unwrap();
    assert_eq!((never.ending, never.history.len(), never.kept_epoch), (Ending::Stopped, 0, 0));
}
