//! What the command answers to mistakes: exit code 2 and a sentence, and nothing of the user's is lost.

use std::fs;
use std::process::Command;

use crate::command::{FILES, fresh_folder, gpunet, idx, refuses, succeeds, tiny_data, train_tiny};

#[test]
fn mistakes_in_options_are_answered_with_sentences() {
    let folder = fresh_folder();
    let refuses_training =
        |more: &[&str], parts: &[&str]| refuses(folder.path(), &[&["train", "--data", "data"], more].concat(), parts);
    refuses_training(&["--arch", "784-5o0-10"], &["`5o0` is no layer", "784-5o0-10\n      ^^^"]);
    refuses_training(&["--arch", "5-3"], &["takes 5 inputs", "4 features"]);
    refuses_training(&["--arch", "4-2"], &["ends in 2 outputs", "3 classes"]);
    refuses_training(&["--arch", "4-3", "--batch", "0"], &["--batch is 0"]);
    refuses_training(&["--arch", "4-3", "--epochs", "0"], &["--epochs is 0"]);
    refuses_training(&["--arch", "4-3", "--lr", "-0.1"], &["--lr is -0.1"]);
    refuses_training(&["--arch", "4-3", "--lr", "NaN"], &["--lr is NaN"]);
    refuses_training(&["--arch", "4-3", "--lr", "0"], &["--lr is 0.0"]);
    refuses_training(&["--arch", "4-3", "--lr", "1e39"], &["--lr is 1e39"]);
    refuses_training(&["--arch", "4-3", "--threads", "0"], &["--threads is 0"]);
    refuses_training(
        &["--arch", "4-3", "--validation", "60"],
        &["a validation set of 60 cannot be taken from the 60 training examples"],
    );
    refuses_training(
        &["--arch", "4-8-BN-3", "--batch", "7"],
        &["--arch and --batch contradict", "50 training", "batch size, such as 8"],
    );
    refuses_training(
        &["--arch", "4-8-BN-3", "--batch", "1"],
        &["--arch and --batch contradict", "batch size, such as 2"],
    );
    refuses_training(&["--arch", "4-3", "--device", "no-such-gpu"], &["no device fits", "auto, cpu"]);
    refuses_training(&["--arch", "4-3", "--device", "99"], &["no device fits `99`"]);
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
    let folder = fresh_folder();
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
    refused(&|| write(0, &idx(0x803, &[60, 3, 3], &[0; 540])), &["test images", "1x2x2", "1x3x3"]);
    refused(&|| write(0, &idx(0x803, &[u32::MAX, 28, 28], &[])), &["more than"]);
}

#[test]
fn runs_are_not_overwritten_without_force() {
    let folder = fresh_folder();
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

/// What fails before its first epoch is kept costs nothing: no run that it would have replaced, no folder left behind.
#[test]
fn a_run_that_fails_early_changes_nothing() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&["--out", "run"]));
    let model = folder.path().join("run/model.safetensors");
    let before = fs::read(&model).unwrap();
    let diverging = ["train", "--data", "data", "--arch", "4-8-3", "--batch", "7", "--lr", "1e38", "--device", "cpu"];
    refuses(folder.path(), &[&diverging[..], &["--out", "run", "--force"]].concat(), &["training diverged"]);
    assert!(fs::read(&model).unwrap() == before);
    refuses(folder.path(), &diverging, &["training diverged"]);
    let runs: Vec<_> = fs::read_dir(folder.path().join("runs")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(runs, ["latest"]);
}

/// `runs/latest` is a name for a run, not a run: replacing it replaces what it points at.
#[test]
fn the_newest_run_can_be_replaced_by_its_link() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&[]));
    refuses(folder.path(), &train_tiny(&["--out", "runs/latest"]), &["already holds a run"]);
    let printed = succeeds(folder.path(), &train_tiny(&["--out", "runs/latest", "--force"]));
    assert!(!printed.contains("saved in runs/latest"), "the link may point elsewhere before the run ends: {printed}");
    succeeds(folder.path(), &["eval"]);
    assert_eq!(fs::read_dir(folder.path().join("runs")).unwrap().count(), 2);
}

/// A name that cannot be linked is a warning, not the end of a run.
#[test]
fn a_missing_link_does_not_stop_a_run() {
    let folder = fresh_folder();
    fs::create_dir_all(folder.path().join("runs/latest")).unwrap();
    let (code, _, stderr) = gpunet(folder.path(), &train_tiny(&["--out", "run"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("warning: could not write runs/latest"), "{stderr}");
    assert!(folder.path().join("run/model.safetensors").exists());
}

/// A Vulkan loader that is shown no driver finds no adapter: `gpu` is refused with advice, `auto` takes the CPU backend.
#[cfg(target_os = "linux")]
#[test]
fn without_an_adapter_there_is_advice_and_the_cpu() {
    let folder = fresh_folder();
    let blind = |device: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_gpunet"))
            .current_dir(folder.path())
            .env("VK_DRIVER_FILES", "/dev/null")
            .env("VK_ICD_FILENAMES", "/dev/null")
            .args(["train", "--data", "data", "--arch", "4-3", "--epochs", "1", "--device", device])
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, printed) = blind("gpu");
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("no GPU adapter") && printed.contains("mesa-vulkan-drivers"), "{printed}");
    assert!(printed.contains("`--device cpu` works"), "{printed}");
    let (code, printed) = blind("auto");
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("with CPU, "), "{printed}");
}

#[test]
fn causes_are_named_once() {
    let folder = fresh_folder();
    let (code, _, stderr) = gpunet(folder.path(), &["train", "--recipe", "nowhere.toml"]);
    assert_eq!((code, stderr.matches("os error").count()), (2, 1), "{stderr}");
}

#[test]
fn models_that_are_none_are_refused() {
    let folder = fresh_folder();
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
    refuses(
        folder.path(),
        &["train", "--recipe", "recipe.toml"],
        &["recipe.toml, line 2: there is no setting `epoch`; did you mean `epochs`?"],
    );
}

/// `gpunet eval | head -1` is no error.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = fresh_folder();
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

/// Images in colour, `[count, channels, rows, columns]`, train a network that begins with their shape, and only such a one.
#[test]
fn images_in_colour_have_channels() {
    let folder = fresh_folder();
    let data = folder.path().join("data");
    for file in [0, 2] {
        let grey = fs::read(data.join(FILES[file])).unwrap();
        let count = u32::from_be_bytes(grey[4..8].try_into().unwrap());
        let bytes: Vec<u8> = grey[16..].chunks(4).flat_map(|image| [image, &[0; 4], image].concat()).collect();
        fs::remove_file(data.join(FILES[file])).unwrap();
        fs::write(data.join(FILES[file].replace("idx3", "idx4")), idx(0x804, &[count, 3, 2, 2], &bytes)).unwrap();
    }
    let train = ["train", "--data", "data", "--adam", "--lr", "0.05", "--batch", "7", "--device", "cpu"];
    let arch = "3x2x2-8C2p1-MP2-3";
    let printed = succeeds(folder.path(), &[&train[..], &["--arch", arch, "--epochs", "40", "--out", "run"]].concat());
    assert!(printed.contains("100.00 %"), "{printed}");
    succeeds(folder.path(), &["eval", "run", "--device", "cpu"]);
    let refused = |arch: &str, parts: &[&str]| refuses(folder.path(), &[&train[..], &["--arch", arch]].concat(), parts);
    refused("1x3x4-8C2-3", &["1x3x4", "3x2x2"]);
    refused("1x2x2-8C2-3", &["takes 4 inputs", "3x2x2"]);
}
