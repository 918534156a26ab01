//! The command as users meet it: what it writes, prints and answers to mistakes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Runs `gpunet` in a folder and returns exit code, standard output and standard error.
fn gpunet(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_gpunet")).current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// Asserts success and returns standard output.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = gpunet(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

/// Asserts exit code 2 and one error that contains all of `parts`, without a panic.
fn refuses(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let (code, _, stderr) = gpunet(folder, arguments);
    assert_eq!(code, 2, "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{arguments:?}: `{part}` is not in: {stderr}");
    }
}

/// An IDX file: magic number, dimensions, bytes.
fn idx(magic: u32, dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = [&[magic], dimensions].concat();
    header.iter().flat_map(|word| word.to_be_bytes()).chain(bytes.iter().copied()).collect()
}

const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// A data set of 2x2 images in three classes that differ in which pixel is bright: 60 to train on, 30 to test.
fn tiny_data(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (first, count) in [(0, 60u32), (2, 30)] {
        let labels: Vec<u8> = (0..count).map(|i| (i % 3) as u8).collect();
        let pixel = |label: u8, pixel: u8| if label == pixel { 220 } else { 20 };
        let images: Vec<u8> = labels.iter().flat_map(|&label| (0..4).map(move |p| pixel(label, p))).collect();
        fs::write(folder.join(FILES[first]), idx(0x803, &[count, 2, 2], &images)).unwrap();
        fs::write(folder.join(FILES[first + 1]), idx(0x801, &[count], &labels)).unwrap();
    }
}

/// A folder with the tiny data set in `data`.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    tiny_data(&folder.path().join("data"));
    folder
}

#[rustfmt::skip]
const TRAIN_TINY: [&str; 14] = [
    "train", "--data", "data", "--arch", "4-8-3", "--batch", "7", "--epochs", "12", "--device", "cpu", "--adam", "--lr", "0.05",
];

fn train_tiny<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&TRAIN_TINY[..], more].concat()
}

#[test]
fn a_run_leaves_the_files_of_the_contract() {
    let folder = workplace();
    let printed = succeeds(folder.path(), &train_tiny(&[]));
    assert_eq!(printed.lines().filter(|line| line.starts_with("epoch ")).count(), 12, "{printed}");
    assert!(printed.contains("test accuracy 100.00 % (30 of 30)"), "{printed}");

    let run = folder.path().join("runs/latest");
    let history = fs::read_to_string(run.join("history.csv")).unwrap();
    let header = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds";
    assert_eq!((history.lines().next(), history.lines().count()), (Some(header), 13));
    let names: Vec<String> =
        fs::read_dir(&run).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), 4, "nothing half-written is left: {names:?}");

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
    let folder = workplace();
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
    let folder = workplace();
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
    let printed = succeeds(folder.path(), &["inspect", "--arch", "784-500-10", "--plan"]);
    assert!(printed.contains("dense 784 -> 500, relu") && printed.contains("phase train"), "{printed}");
}

#[test]
fn mistakes_in_options_are_answered_with_sentences() {
    let folder = workplace();
    let refuses_training =
        |more: &[&str], parts: &[&str]| refuses(folder.path(), &[&["train", "--data", "data"], more].concat(), parts);
    refuses_training(&["--arch", "784-5o0-10"], &["`5o0` is not a number", "784-5o0-10\n      ^^^"]);
    refuses_training(&["--arch", "5-3"], &["takes 5 inputs", "4 pixels"]);
    refuses_training(&["--arch", "4-2"], &["ends in 2 outputs", "3 classes"]);
    refuses_training(&["--arch", "4-3", "--batch", "0"], &["--batch is 0"]);
    refuses_training(&["--arch", "4-3", "--epochs", "0"], &["--epochs is 0"]);
    refuses_training(&["--arch", "4-3", "--lr", "-0.1"], &["--lr is -0.1"]);
    refuses_training(&["--arch", "4-3", "--lr", "NaN"], &["--lr is NaN"]);
    refuses_training(&["--arch", "4-3", "--lr", "0"], &["--lr is 0"]);
    refuses_training(&["--arch", "4-3", "--lr", "1e39"], &["--lr is 1"]);
    refuses_training(&["--arch", "4-3", "--threads", "0"], &["--threads is 0"]);
    refuses_training(&["--arch", "4-3", "--validation", "60"], &["--validation 60 leaves no training data"]);
    refuses_training(&["--arch", "4-3", "--device", "no-such-gpu"], &["no device fits", "auto, cpu"]);
    refuses_training(&["--arch", "4-3", "--device", "99"], &["no device fits `--device 99`"]);
    refuses_training(
        &["--arch", "4-8-3", "--batch", "7", "--lr", "1e38", "--device", "cpu", "--out", "lost"],
        &["training diverged", "--lr"],
    );
    assert!(!folder.path().join("lost/model.safetensors").exists(), "a NaN never reaches a saved model");
    refuses(folder.path(), &["train", "--adam", "--sgd"], &["cannot be used with"]);
    refuses(folder.path(), &["inspect", "--arch", "1000000-1000000"], &["parameters"]);
}

#[test]
fn broken_data_is_answered_with_sentences() {
    let folder = workplace();
    let data = folder.path().join("data");
    let refused = |change: &dyn Fn(), parts: &[&str]| {
        tiny_data(&data);
        change();
        refuses(
            folder.path(),
            &["train", "--data", "data", "--arch", "4-3", "--device", "cpu", "--out", "unused"],
            parts,
        );
        fs::remove_dir_all(&data).unwrap();
        assert!(!folder.path().join("unused").exists(), "nothing is made before the data is sound");
    };
    let write = |file: usize, content: &[u8]| fs::write(data.join(FILES[file]), content).unwrap();
    let sound: Vec<u8> = fs::read(data.join(FILES[0])).unwrap();

    refuses(folder.path(), &["train", "--data", "nowhere"], &["no data set at `nowhere`", "t10k-labels-idx1-ubyte"]);
    refused(&|| fs::remove_file(data.join(FILES[3])).unwrap(), &["t10k-labels-idx1-ubyte is missing"]);
    refused(&|| write(0, &sound[..100]), &["train-images-idx3-ubyte holds 84 bytes", "240", "cut short"]);
    refused(&|| write(0, &[&[0x1f, 0x8b], &sound[2..]].concat()), &["not sound gzip"]);
    refused(&|| write(1, &idx(0x803, &[1, 1, 1], &[0])), &["magic number is 0x00000803 instead of 0x00000801"]);
    refused(&|| write(1, &idx(0x801, &[59], &[0; 59])), &["60 images", "59 labels"]);
    refused(&|| write(3, &idx(0x801, &[30], &[7; 30])), &["label 7 of example 0 is outside the 3 classes"]);
    refused(&|| write(0, &idx(0x803, &[60, 3, 3], &[0; 540])), &["test images", "4 pixels", "9"]);
    refused(&|| write(0, &idx(0x803, &[u32::MAX, 28, 28], &[])), &["more than"]);
}

#[test]
fn runs_are_not_overwritten_without_force() {
    let folder = workplace();
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    let model = folder.path().join("run/model.safetensors");
    let before = fs::read(&model).unwrap();
    refuses(folder.path(), &train_tiny(&["--out", "run", "--seed", "2"]), &["already holds a run", "--force"]);
    assert!(fs::read(&model).unwrap() == before);
    fs::write(folder.path().join("run/notes.txt"), "mine").unwrap();
    succeeds(folder.path(), &train_tiny(&["--out", "run", "--seed", "2", "--force"]));
    assert!(fs::read(&model).unwrap() != before);
    assert_eq!(fs::read_to_string(folder.path().join("run/notes.txt")).unwrap(), "mine", "other files stay");

    fs::write(folder.path().join("file"), "x").unwrap();
    refuses(folder.path(), &train_tiny(&["--out", "file"]), &["is a file"]);
    refuses(folder.path(), &train_tiny(&["--out", "file/run"]), &["could not create the folder file/run"]);
}

#[test]
fn a_run_goes_on_to_the_bits_it_would_have_come_to() {
    let folder = workplace();
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

#[test]
fn models_that_are_none_are_refused() {
    let folder = workplace();
    refuses(folder.path(), &["eval"], &["there is no run yet", "gpunet train"]);
    refuses(folder.path(), &["eval", "nothing"], &["there is no model at nothing"]);
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    let model = folder.path().join("run/model.safetensors");
    let sound = fs::read(&model).unwrap();
    for length in [0, 7, 8, 100, sound.len() / 2, sound.len() - 1] {
        fs::write(&model, &sound[..length]).unwrap();
        refuses(folder.path(), &["eval", "run"], &["is no gpunet model", "not a sound safetensors file"]);
    }
    let mut with_nan = sound.clone();
    let last = with_nan.len() - 4;
    with_nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&model, with_nan).unwrap();
    refuses(folder.path(), &["eval", "run"], &["is NaN"]);
    fs::write(folder.path().join("recipe.toml"), "arch = \"4-3\"\nepoch = 3\n").unwrap();
    refuses(folder.path(), &["train", "--recipe", "recipe.toml"], &["line 2", "unknown field `epoch`", "`epochs`"]);
}

/// `gpunet eval | head -1` is no error.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = workplace();
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    let mut child = Command::new(env!("CARGO_BIN_EXE_gpunet"))
        .current_dir(folder.path())
        .args(["eval", "run"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !stderr.contains("panicked"), "{stderr}");
}
