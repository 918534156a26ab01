//! The command as users meet it: what it writes and prints.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{fresh_folder, refuses, succeeds, train_tiny};
use gpunet::low_level::data::Normalization;
use gpunet::low_level::store::{ModelMetadata, SavedModel};
use serde_json::Value;

#[test]
fn a_run_leaves_the_files_of_the_contract() {
    let folder = fresh_folder();
    let printed = succeeds(folder.path(), &train_tiny(&[]));
    assert_eq!(printed.lines().filter(|line| line.starts_with("epoch ")).count(), 12, "{printed}");
    assert!(printed.contains("test accuracy 100.00 % (30 of 30)"), "{printed}");

    let run = folder.path().join("runs/latest");
    let history = fs::read_to_string(run.join("history.csv")).unwrap();
    let header = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds";
    assert_eq!((history.lines().next(), history.lines().count()), (Some(header), 13));
    let names: Vec<String> =
        fs::read_dir(&run).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), 5, "nothing half-written is left: {names:?}");

    // The configuration is complete: as a recipe it gives the same model, bit for bit.
    succeeds(folder.path(), &["train", "--recipe", "runs/latest/config.toml", "--out", "again"]);
    let model = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    let first =
        fs::read_dir(folder.path().join("runs")).unwrap().map(|e| e.unwrap().path()).find(|p| !p.ends_with("latest"));
    assert!(model(&first.unwrap()) == model(&folder.path().join("again")));
    assert!(
        model(&folder.path().join("runs/latest")) == model(&folder.path().join("again")),
        "latest is the newest run"
    );
}

#[test]
fn model_files_are_pytorchs_layout_with_metadata() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    let bytes = fs::read(folder.path().join("run/model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for (name, shape) in [
        ("layers.0.weight", vec![8, 4]),
        ("layers.0.bias", vec![8]),
        ("layers.1.weight", vec![3, 8]),
        ("layers.1.bias", vec![3]),
    ] {
        assert_eq!(tensors.tensor(name).unwrap().shape(), shape, "{name}");
    }
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata: Value = serde_json::from_str(&header.metadata().as_ref().unwrap()["gpunet"]).unwrap();
    assert_eq!(metadata["arch"], "4-8-3");
    assert_eq!(metadata["activation"], "relu");
    assert_eq!(metadata["trained_on"], "data");
    assert_eq!(metadata["classes"], serde_json::json!(["0", "1", "2"]));
    assert_eq!(metadata["normalization"]["name"], "scale");
}

#[test]
fn eval_reports_what_the_contract_names() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    for model in [&["eval", "run", "--json"][..], &["eval", "run/model.safetensors", "--json"], &["eval", "--json"]] {
        let report: Value = serde_json::from_str(&succeeds(folder.path(), model)).unwrap();
        let mut keys: Vec<&String> = report.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["accuracy", "confusion", "count", "dataset", "device", "loss", "per_class"]);
        assert_eq!(report["count"], 30);
        assert_eq!(report["accuracy"], 1.0);
        assert_eq!(report["confusion"], serde_json::json!([[10, 0, 0], [0, 10, 0], [0, 0, 10]]));
        let class = serde_json::json!({"class": "1", "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 10});
        assert_eq!(report["per_class"][1], class);
    }
    let printed = succeeds(folder.path(), &["eval"]);
    assert!(printed.contains("accuracy 100.00 % (30 of 30)") && printed.contains("confusion"), "{printed}");
}

/// A model that calls everything class 1: rows are true classes, and each figure differs from the others.
#[test]
fn eval_tells_precision_from_recall_and_rows_from_columns() {
    let folder = fresh_folder();
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    let metadata = ModelMetadata::new("4-3".parse().unwrap(), Normalization::UNIT, classes, "data".to_string());
    let parameters = vec![vec![0.0; 12], vec![0.0, 1.0, 0.0]];
    SavedModel { metadata, parameters }.save(&folder.path().join("one.safetensors")).unwrap();

    let report: Value = serde_json::from_str(&succeeds(folder.path(), &["eval", "one.safetensors", "--json"])).unwrap();
    assert_eq!(report["confusion"], serde_json::json!([[0, 10, 0], [0, 10, 0], [0, 10, 0]]));
    let figure = |class: usize, name: &str| report["per_class"][class][name].as_f64().unwrap();
    assert_eq!((figure(1, "precision"), figure(1, "recall"), figure(1, "f1")), (1.0 / 3.0, 1.0, 0.5));
    assert_eq!((figure(0, "precision"), figure(0, "recall"), figure(0, "f1")), (0.0, 0.0, 0.0));
    // Logits (0, 1, 0): log(2 + e), less the logit of the true class, which is 1 for a third of the examples.
    let loss = (2.0 + 1f64.exp()).ln() - 1.0 / 3.0;
    assert!((report["loss"].as_f64().unwrap() - loss).abs() <= 1e-6, "{}", report["loss"]);
}

#[test]
fn bench_and_inspect_and_doctor_report_what_the_contract_names() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["bench", "--arch", "20-30-5", "--batch", "16", "--steps", "5", "--device", "cpu", "--json"];
    let report: Value = serde_json::from_str(&succeeds(folder.path(), &arguments)).unwrap();
    for key in [
        "arch",
        "batch",
        "device",
        "backend",
        "steps",
        "ms_per_step",
        "images_per_second",
        "gflops",
        "first_step_ms",
        "cold_start_ms",
        "losses",
        "peak_bytes",
    ] {
        assert!(!report[key].is_null(), "{key}");
    }
    for key in ["min", "median", "max"] {
        assert!(report["ms_per_step"][key].as_f64().unwrap() > 0.0, "{key}");
    }
    let report: Value =
        serde_json::from_str(&succeeds(folder.path(), &["doctor", "--device", "cpu", "--json"])).unwrap();
    assert_eq!(report["ok"], true);
    for key in ["name", "cases", "max_error", "tolerance", "ok"] {
        assert!(!report["kernels"][0][key].is_null(), "{key}");
    }
    assert!(report["adapter"].is_object() && report.get("limits").is_some() && report["features"].is_array());

    let report: Value =
        serde_json::from_str(&succeeds(folder.path(), &["inspect", "--arch", "784-500-10", "--json"])).unwrap();
    assert_eq!(report["parameters"], 397_510);
    let deeper = succeeds(folder.path(), &["inspect", "--arch", "784-500-300-100-10", "--json"]);
    let deeper: Value = serde_json::from_str(&deeper).unwrap();
    assert!(deeper["unshared_bytes"].as_u64() > deeper["total_bytes"].as_u64(), "{deeper}");
    // Of a run, the data is its own: 60 and 30 images of four bytes and their labels.
    let tiny = fresh_folder();
    succeeds(tiny.path(), &train_tiny(&["--out", "run"]));
    let printed = succeeds(tiny.path(), &["inspect", "run"]);
    assert!(printed.contains("90 examples on the device"), "{printed}");
    fs::rename(tiny.path().join("data"), tiny.path().join("moved")).unwrap();
    refuses(tiny.path(), &["inspect", "run"], &["no data set at", "--examples N"]);
    assert!(succeeds(tiny.path(), &["inspect", "run", "--examples", "7"]).contains("7 examples on the device"));
    let printed = succeeds(folder.path(), &["inspect", "--arch", "784-500-10", "--plan"]);
    assert!(printed.contains("dense 784 -> 500, relu") && printed.contains("phase train"), "{printed}");
}

#[test]
fn a_run_goes_on_to_the_bits_it_would_have_come_to() {
    let folder = fresh_folder();
    let file = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let epochs = |count: &'static str, out: &'static str| {
        let mut arguments = train_tiny(&["--out", out]);
        let at = arguments.iter().position(|&argument| argument == "12").unwrap();
        arguments[at] = count;
        succeeds(folder.path(), &arguments)
    };
    epochs("6", "whole");
    epochs("2", "stopped");
    assert!(file("whole/model.safetensors") != file("stopped/model.safetensors"));
    let printed = succeeds(folder.path(), &["train", "--resume", "stopped", "--epochs", "6"]);
    assert!(
        printed.contains("after epoch 2") && printed.contains("epoch 3/6") && !printed.contains("epoch 2/6"),
        "{printed}"
    );
    assert!(file("whole/model.safetensors") == file("stopped/model.safetensors"));
    assert_eq!(file("whole/config.toml"), file("stopped/config.toml"));
    assert_eq!(String::from_utf8(file("stopped/history.csv")).unwrap().lines().count(), 7);
    // A finished run has nothing left to train and is only tested.
    let printed = succeeds(folder.path(), &["train", "--resume", "stopped"]);
    assert!(!printed.contains("epoch 6/6") && printed.contains("test accuracy"), "{printed}");

    refuses(folder.path(), &["train", "--resume", "stopped", "--lr", "1"], &["cannot be used with"]);
    refuses(folder.path(), &["train", "--resume", "data"], &["no checkpoint.bin"]);
    let sound = file("stopped/checkpoint.bin");
    fs::write(folder.path().join("stopped/checkpoint.bin"), &sound[..sound.len() / 2]).unwrap();
    refuses(folder.path(), &["train", "--resume", "stopped"], &["cut short or damaged"]);
    assert!(file("whole/model.safetensors") == file("stopped/model.safetensors"), "and the model is left alone");
}

/// A kill between the renames of an epoch's files is mended when the run goes on, even with nothing left to train.
#[test]
fn going_on_makes_what_is_missing_from_the_checkpoint() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    let names = ["model.safetensors", "history.csv", "config.toml"];
    let read = || names.map(|name| fs::read(folder.path().join("run").join(name)).unwrap());
    let whole = read();
    fs::remove_file(folder.path().join("run/model.safetensors")).unwrap();
    fs::write(folder.path().join("run/history.csv"), "stale").unwrap();
    fs::write(folder.path().join("run/.gpunet-abandoned"), "half-written").unwrap();
    let printed = succeeds(folder.path(), &["train", "--resume", "run"]);
    assert!(printed.contains("all 12 epochs are trained"), "{printed}");
    assert!(read() == whole);
    assert!(!folder.path().join("run/.gpunet-abandoned").exists());
}

/// Runs are used from any folder, and know their data.
#[test]
fn a_run_finds_its_data_from_another_folder() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    let elsewhere = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let run = run.to_str().unwrap();
    assert!(succeeds(elsewhere.path(), &["eval", run]).contains("accuracy 100.00 %"));
    succeeds(elsewhere.path(), &["train", "--resume", run, "--epochs", "13"]);
    // Moved data is named; other data is refused.
    fs::rename(folder.path().join("data"), folder.path().join("moved")).unwrap();
    refuses(folder.path(), &["train", "--resume", "run"], &["no data set at"]);
    succeeds(folder.path(), &["train", "--resume", "run", "--data", "moved"]);
    let labels = folder.path().join("moved/train-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).unwrap();
    bytes[8] ^= 1;
    fs::write(&labels, bytes).unwrap();
    refuses(folder.path(), &["train", "--resume", "run", "--data", "moved"], &["moved is not the data that this run"]);
}

/// Where links are not to be had, `runs/latest` is a file with the run's name.
#[test]
fn the_newest_run_is_found_through_a_pointer_file() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&["--out", "runs/one"]));
    let latest = folder.path().join("runs/latest");
    fs::remove_file(&latest).unwrap();
    fs::write(&latest, "one").unwrap();
    assert!(succeeds(folder.path(), &["eval"]).contains("accuracy 100.00 %"));
    assert!(succeeds(folder.path(), &["train", "--resume", "runs/latest"]).contains("test accuracy 100.00 %"));
}

/// Killed at any moment, a run has left whole files of some epoch: they evaluate, and training goes on from them.
#[test]
fn a_killed_run_evaluates_and_goes_on() {
    let folder = fresh_folder();
    let mut arguments = train_tiny(&["--out", "run"]);
    let epochs = arguments.iter().position(|&argument| argument == "12").unwrap();
    arguments[epochs] = "1000000";
    let mut child = Command::new(env!("CARGO_BIN_EXE_gpunet"))
        .current_dir(folder.path())
        .args(&arguments)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let history = folder.path().join("run/history.csv");
    let kept = || fs::read_to_string(&history).map_or(0, |text| text.lines().count().saturating_sub(1));
    while kept() < 3 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    succeeds(folder.path(), &["eval", "run"]);
    let more = (kept() + 2).to_string();
    succeeds(folder.path(), &["train", "--resume", "run", "--epochs", &more]);
    assert_eq!(kept().to_string(), more);
}
