//! `gpunet sweep`: all combinations, through kills and mistakes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{fresh_folder, gpunet, refuses, succeeds};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with the tiny data set and a recipe for it.
fn with_recipe() -> TempDir {
    let folder = fresh_folder();
    let recipe = "arch = \"4-8-3\"\ndata = \"data\"\nbatch = 7\nepochs = 3\ndevice = \"cpu\"\n";
    fs::write(folder.path().join("tiny.toml"), recipe).unwrap();
    folder
}

/// What `gpunet compare` makes of the runs in a folder, but for times and places.
fn outcomes(folder: &Path, runs: &str) -> Vec<Value> {
    let printed = succeeds(folder, &["compare", runs, "--json", "--out", "unused"]);
    let mut objects: Vec<Value> = serde_json::from_str(&printed).unwrap();
    for object in &mut objects {
        for key in ["seconds", "path"] {
            assert!(object.as_object_mut().unwrap().remove(key).is_some());
        }
    }
    objects
}

/// The table at the end of a sweep, its column of times left out.
fn table(printed: &str) -> Vec<Vec<String>> {
    let lines =
        printed.lines().skip_while(|line| !line.starts_with("run ")).take_while(|line| !line.contains("curves"));
    let row = |line: &str| line.split_whitespace().filter(|cell| !cell.contains(':')).map(String::from).collect();
    lines.map(row).collect()
}

#[test]
fn a_sweep_has_a_device_and_a_folder_of_its_own() {
    let folder = with_recipe();
    let recipe = fs::read_to_string(folder.path().join("tiny.toml")).unwrap().replace("cpu", "no-such-gpu");
    fs::write(folder.path().join("tiny.toml"), recipe).unwrap();
    let sweep = |threads: &'static str| {
        let words = ["sweep", "tiny.toml", "--grid", "lr=0.1,0.2", "--device", "cpu", "--threads", threads];
        succeeds(folder.path(), &[&words[..], &["--out", "runs/a"]].concat())
    };
    let printed = sweep("2");
    assert!(printed.contains("with CPU, 2 threads"), "{printed}");
    // Threads do not matter to what is there.
    assert_eq!(sweep("1").matches("finished before").count(), 2);
    let grid = ["sweep", "tiny.toml", "--grid", "device=cpu", "--device", "no-such-gpu", "--out", "runs/b"];
    succeeds(folder.path(), &grid);
    fs::create_dir_all(folder.path().join("runs/c")).unwrap();
    fs::write(folder.path().join("runs/c/lr=0.2"), "").unwrap();
    let refused = ["sweep", "tiny.toml", "--grid", "lr=0.1,0.2", "--device", "cpu", "--out", "runs/c"];
    refuses(folder.path(), &refused, &["lr=0.2 is a file"]);
    assert!(!folder.path().join("runs/c/lr=0.1").exists());
    refuses(folder.path(), &["sweep", "tiny.toml", "--grid", "lr=0.1", "--out", "runs/a/lr=0.1"], &["is a run itself"]);
}

/// A network that no device can have is told before one that fits is trained.
#[test]
fn all_combinations_fit_the_device_before_the_first_is_trained() {
    let folder = with_recipe();
    let sweep =
        ["sweep", "tiny.toml", "--grid", "batch=32;arch=4-8-3,4-130000000-3", "--device", "gpu", "--out", "runs"];
    refuses(folder.path(), &sweep, &["arch=4-130000000-3", "max_storage_buffer_binding_size"]);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn every_combination_is_trained_as_train_would() {
    let folder = with_recipe();
    let printed = succeeds(folder.path(), &["sweep", "tiny.toml", "--grid", "lr=0.1,0.02;adam;epochs=2"]);
    let names = ["lr=0.1,adam,epochs=2", "lr=0.02,adam,epochs=2"];
    let table = table(&printed);
    assert_eq!(table.iter().map(|row| &row[0][..]).take(3).collect::<Vec<_>>(), ["run", names[0], names[1]]);
    for (name, rate) in names.into_iter().zip(["0.1", "0.02"]) {
        let typed = ["train", "--recipe", "tiny.toml", "--lr", rate, "--adam", "--epochs", "2", "--out", rate];
        succeeds(folder.path(), &typed);
        for file in ["model.safetensors", "config.toml", "test.json"] {
            let read = |run: &Path| fs::read(folder.path().join(run).join(file)).unwrap();
            assert!(read(&Path::new("sweeps/tiny").join(name)) == read(Path::new(rate)), "{name} {file}");
        }
        let svg = fs::read_to_string(folder.path().join("sweeps/tiny/comparison.svg")).unwrap();
        assert!(svg.contains(name), "{name}");
    }
    assert!(folder.path().join("sweeps/tiny/comparison.png").exists());
    assert_eq!(fs::read_dir(folder.path().join("sweeps/tiny")).unwrap().count(), 4);
}

#[test]
fn a_killed_sweep_goes_on_to_the_same_end() {
    let folder = with_recipe();
    let grid = ["sweep", "tiny.toml", "--grid", "lr=0.1,0.3,0.5;epochs=12"];
    let whole = succeeds(folder.path(), &[&grid[..], &["--out", "whole"]].concat());
    let arguments = [&grid[..], &["--out", "killed"]].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gpunet"))
        .current_dir(folder.path())
        .args(&arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let rows = |run: &str| fs::read_to_string(folder.path().join("killed").join(run).join("history.csv"));
    let kept = |run: &str| rows(run).map_or(0, |text| text.lines().count().saturating_sub(1));
    while kept("lr=0.3,epochs=12") < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(kept("lr=0.3,epochs=12") < 12 && kept("lr=0.5,epochs=12") == 0, "killed too late");

    let first = folder.path().join("killed/lr=0.1,epochs=12/model.safetensors");
    let written = fs::metadata(&first).unwrap().modified().unwrap();
    let printed = succeeds(folder.path(), &arguments);
    assert_eq!(printed.matches("finished before").count(), 1, "{printed}");
    assert!(printed.contains("continuing killed/lr=0.3,epochs=12 after epoch"), "{printed}");
    assert_eq!(fs::metadata(&first).unwrap().modified().unwrap(), written, "a finished run is left alone");
    assert_eq!(table(&printed), table(&whole));
    assert_eq!(outcomes(folder.path(), "killed"), outcomes(folder.path(), "whole"));
    // Nothing is left to train.
    let printed = succeeds(folder.path(), &arguments);
    assert_eq!((printed.matches("finished before").count(), printed.contains("epoch 12/12")), (3, false), "{printed}");
    assert_eq!(table(&printed), table(&whole));
}

#[test]
fn what_train_would_refuse_is_refused_before_anything_trains() {
    let folder = with_recipe();
    let refused = |grid: &str, parts: &[&str]| {
        refuses(folder.path(), &["sweep", "tiny.toml", "--out", "runs", "--grid", grid], parts);
        assert!(!folder.path().join("runs").exists(), "{grid}: nothing is made");
    };
    refused("", &["empty part", "lr=0.1,0.01;batch=50,100"]);
    refused("lr=0.1;", &["empty part"]);
    refused("lr=", &["`lr=` lacks a value"]);
    refused("epoch=1,2", &["run epoch=1: unexpected argument '--epoch'", "'--epochs'"]);
    refused("lr=0.1,x", &["run lr=x: invalid value 'x' for '--lr"]);
    refused("lr", &["a value is required for '--lr"]);
    refused("adam=1", &["unexpected value '1' for '--adam'"]);
    refused("adam;sgd", &["'--adam' cannot be used with '--sgd'"]);
    refused("lr=0.1;lr=0.2", &["cannot be used multiple times"]);
    refused("lr=0.1;batch=7,0", &["run lr=0.1,batch=0: --batch is 0"]);
    refused("lr=0.1;arch=4-3,4-2", &["run lr=0.1,arch=4-2", "3 classes"]);
    refused("data=data,nowhere", &["run data=nowhere: there is no data set at"]);
    refused("device=cpu,no-such-gpu", &["run device=no-such-gpu: no device fits"]);
    refused("lr=0.1,0.10", &["lr=0.1 and lr=0.10 are the same settings"]);
    refused("out=a,b", &["`out` cannot be swept"]);
    refused("help", &["unexpected argument '--help'"]);
    refuses(folder.path(), &["sweep", "tiny.toml"], &["--grid"]);
    refuses(folder.path(), &["sweep", "nowhere.toml", "--grid", "lr=1"], &["could not read nowhere.toml"]);
    refuses(folder.path(), &["sweep", "tiny.toml", "--grid", "seed=1", "--seeds", "2"], &["--seeds and a seed"]);
    refuses(folder.path(), &["sweep", "tiny.toml", "--seeds", "0"], &["--seeds"]);
    assert!(!folder.path().join("sweeps").exists());
}

#[test]
fn a_run_of_another_recipe_is_not_gone_on_with() {
    let folder = with_recipe();
    let recipe = folder.path().join("tiny.toml");
    succeeds(folder.path(), &["sweep", "tiny.toml", "--grid", "lr=0.1"]);
    let other = fs::read_to_string(&recipe).unwrap().replace("epochs = 3", "epochs = 4");
    fs::write(&recipe, other).unwrap();
    // Also where the folder lacks another run that would be trained before.
    let parts =
        ["sweeps/tiny/lr=0.1 holds a run with other settings", "`epochs = 3` there, `epochs = 4` here", "--out"];
    refuses(folder.path(), &["sweep", "tiny.toml", "--grid", "lr=0.2,0.1"], &parts);
    assert!(!folder.path().join("sweeps/tiny/lr=0.2").exists());
    fs::remove_file(folder.path().join("sweeps/tiny/lr=0.1/test.json")).unwrap();
    refuses(folder.path(), &["sweep", "tiny.toml", "--grid", "lr=0.1"], &parts);
    // Other combinations of the folder are nobody's business.
    let printed = succeeds(folder.path(), &["sweep", "tiny.toml", "--grid", "lr=0.3"]);
    assert_eq!(table(&printed).len(), 3, "{printed}");
}

#[test]
fn a_diverging_combination_is_reported_and_the_next_one_trained() {
    let folder = with_recipe();
    let arguments = ["sweep", "tiny.toml", "--grid", "lr=1e38,0.1", "--seeds", "2"];
    let (code, printed, stderr) = gpunet(folder.path(), &arguments);
    assert_eq!((code, stderr.matches("warning: training diverged").count()), (0, 2), "{stderr}");
    let table = table(&printed);
    assert_eq!(table[1][..7], ["lr=1e38,seed=1", "-", "-", "-", "-", "diverged", "-"]);
    assert_eq!(table[2][5], "diverged");
    assert!(table[3][0] == "lr=0.1,seed=1" && table[3][5].parse::<f64>().is_ok(), "{printed}");
    let (code, ..) = gpunet(folder.path(), &["sweep", "tiny.toml", "--grid", "lr=1e38"]);
    assert_eq!(code, 1, "nothing is left to compare");
}

#[test]
fn seeds_are_counted_from_the_recipes_and_averaged() {
    let folder = with_recipe();
    fs::write(folder.path().join("seeded.toml"), "seed = 5\nepochs = 1\ndata = \"data\"\narch = \"4-3\"\n").unwrap();
    let arguments = ["sweep", "seeded.toml", "--grid", "device=cpu;lr=0.01,0.2", "--seeds", "3", "--out", "runs"];
    let printed = succeeds(folder.path(), &arguments);
    let runs = outcomes(folder.path(), "runs");
    for (rate, row) in
        ["0.01", "0.2"].iter().zip(printed.lines().skip_while(|line| !line.contains("std. dev.")).skip(1))
    {
        let accuracy = |seed: u64| {
            let name = format!("device=cpu,lr={rate},seed={seed}");
            let run = runs.iter().find(|run| run["name"] == name[..]).unwrap_or_else(|| panic!("no {name}"));
            run["test"]["accuracy"].as_f64().unwrap()
        };
        let accuracies = [5, 6, 7].map(accuracy);
        let mean = accuracies.iter().sum::<f64>() / 3.0;
        let deviation = (accuracies.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
        let cells: Vec<&str> = row.split_whitespace().collect();
        let [mean, deviation] = [mean, deviation].map(|share| format!("{:.2}", 100.0 * share));
        assert_eq!(cells, [&format!("device=cpu,lr={rate}")[..], "3", &mean, &deviation]);
    }
    // Seeds alone are a sweep too.
    let printed = succeeds(folder.path(), &["sweep", "tiny.toml", "--seeds", "2"]);
    assert_eq!(table(&printed)[2][0], "seed=2");
    assert!(printed.contains("\nthe recipe"), "{printed}");
}
