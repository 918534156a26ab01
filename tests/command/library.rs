//! The command and the library read each other's files.

use std::fs;

use crate::command::{FILES, fresh_folder, refuses, succeeds, train_tiny};
use gpunet::optim::Adam;
use gpunet::{Dataset, Device, Model, NormalizationKind, Part, Split, Trainer};
use serde_json::Value;

#[test]
fn the_command_evaluates_models_of_the_library() {
    let folder = fresh_folder();
    let path = folder.path();
    // The tiny data set as arrays: the files without their headers.
    let content = |file: &str, header: usize| fs::read(path.join("data").join(file)).unwrap()[header..].to_vec();
    let labels = |file: &str| content(file, 8).into_iter().map(u32::from).collect::<Vec<_>>();
    let data = Dataset::from_features(&content(FILES[0], 16), 4, &labels(FILES[1])).unwrap();
    let test = Dataset::from_features(&content(FILES[2], 16), 4, &labels(FILES[3])).unwrap();
    let trainer = || Trainer::new("4-8-3".parse().unwrap()).optimizer(Adam::default()).epochs(2).batch(7);
    let run = trainer().device(Device::cpu().unwrap()).run_folder(path.join("run")).fit(&data).unwrap();
    assert!(run.test.is_none());
    run.model.save(path.join("own.safetensors")).unwrap();

    let expected = run.model.evaluate(&test, Part::Train).unwrap().metrics;
    for model in ["own.safetensors", "run"] {
        let json = succeeds(path, &["eval", model, "--data", "data", "--json", "--device", "cpu"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(report["count"], 30);
        assert_eq!(report["accuracy"], expected.accuracy(), "{model}");
        assert_eq!(report["loss"], expected.loss(), "{model}");
    }
    let compared = succeeds(path, &["compare", "run", "--json"]);
    let runs: Value = serde_json::from_str(&compared).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 1, "a run without validation and test set is compared too: {compared}");

    let floats: Vec<f32> = content(FILES[0], 16).into_iter().map(f32::from).collect();
    let floats = Dataset::from_features(&floats, 4, &labels(FILES[1])).unwrap();
    let run = trainer().normalization(NormalizationKind::None).device(Device::cpu().unwrap()).fit(&floats).unwrap();
    run.model.save(path.join("floats.safetensors")).unwrap();
    refuses(path, &["eval", "floats.safetensors", "--data", "data", "--device", "cpu"], &["f32 features", "bytes"]);
}

#[test]
fn the_library_takes_models_and_runs_of_the_command() {
    let folder = fresh_folder();
    let path = folder.path();
    succeeds(path, &train_tiny(&["--out", "run"]));
    let model = Model::load(path.join("run")).unwrap().on(Device::cpu().unwrap());
    let pixels = [220u8, 20, 20, 20, 20, 20, 220, 20, 20, 220, 20, 20];
    assert_eq!(model.predict(&pixels).unwrap(), [0, 2, 1]);

    let split = Split { validation: Some(10), ..Split::default() };
    let data = Dataset::load(path.join("data").to_str().unwrap(), &split).unwrap();
    let resumed = Trainer::resume(path.join("run")).unwrap().epochs(14).fit(&data).unwrap();
    assert_eq!((resumed.history.len(), resumed.test().unwrap().examples), (14, 30));
    let history = fs::read_to_string(path.join("run/history.csv")).unwrap();
    assert_eq!(history.lines().count(), 15);
}
