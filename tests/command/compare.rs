//! `gpunet compare`: the table, the JSON and the pictures.

use std::fs;
use std::path::Path;

use crate::command::{fresh_folder, refuses, succeeds, train_tiny, train_tiny_for};
use serde_json::Value;

/// The cells of a run's row in a table.
fn row(printed: &str, name: &str) -> Vec<String> {
    let line = printed.lines().find(|line| line.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in: {printed}")).split_whitespace().map(String::from).collect()
}

/// A column of a run's history.
fn history(run: &Path, column: usize) -> Vec<f64> {
    let text = fs::read_to_string(run.join("history.csv")).unwrap();
    text.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect()
}

/// The least value and the first epoch that had it.
fn least(values: &[f64]) -> (f64, usize) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().position(|&value| value == least).unwrap() + 1)
}

fn json(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let printed = succeeds(folder, &[&["compare", "--json"], arguments].concat());
    serde_json::from_str::<Value>(&printed).unwrap().as_array().unwrap().clone()
}

/// Texts of a well-formed SVG file.
fn svg_texts(file: &Path) -> Vec<String> {
    let content = fs::read_to_string(file).unwrap();
    let document = roxmltree::Document::parse(&content).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    texts.map(|node| node.text().unwrap().trim().to_string()).collect()
}

/// Width and height of a PNG file that decodes, and how many of its dots are not white.
fn png_size(file: &Path) -> (u32, u32, usize) {
    let mut reader = png::Decoder::new(fs::File::open(file).map(std::io::BufReader::new).unwrap()).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels.chunks(3).filter(|dot| dot.iter().any(|&channel| channel < 255)).count())
}

#[test]
fn the_table_and_the_json_tell_what_the_runs_files_tell() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny(&["--out", "quick"]));
    succeeds(folder.path(), &train_tiny_for("5", &["--out", "slow", "--seed", "3"]));
    let printed = succeeds(folder.path(), &["compare", "quick", "slow"]);
    let objects = json(folder.path(), &["quick", "slow"]);
    assert_eq!(objects.len(), 2);
    for (name, object) in ["quick", "slow"].into_iter().zip(&objects) {
        let run = folder.path().join(name);
        let (losses, accuracies) = (history(&run, 3), history(&run, 4));
        let (loss, loss_epoch) = least(&losses);
        let (error, accuracy_epoch) = least(&accuracies.iter().map(|accuracy| -accuracy).collect::<Vec<_>>());
        let test: Value = serde_json::from_slice(&fs::read(run.join("test.json")).unwrap()).unwrap();
        let eval: Value = serde_json::from_str(&succeeds(folder.path(), &["eval", name, "--json"])).unwrap();
        assert_eq!((&test["accuracy"], &test["count"]), (&eval["accuracy"], &eval["count"]));
        assert!((test["loss"].as_f64().unwrap() - eval["loss"].as_f64().unwrap()).abs() <= 1e-6);

        let percent = |share: f64| format!("{:.2}", 100.0 * share);
        let expected = [
            name.to_string(),
            percent(-error),
            percent(*accuracies.last().unwrap()),
            format!("{loss:.4}@{loss_epoch}"),
            format!("{:.4}", losses.last().unwrap()),
            percent(test["accuracy"].as_f64().unwrap()),
            format!("{:.4}", test["loss"].as_f64().unwrap()),
            losses.len().to_string(),
            "0:00".to_string(),
            "67".to_string(),
        ];
        assert_eq!(row(&printed, name), expected);

        let mut keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        keys.sort();
        #[rustfmt::skip]
        assert_eq!(keys, [
            "best_val_accuracy", "best_val_loss", "epochs", "final_val_accuracy", "final_val_loss", "name", "parameters", "path",
            "seconds", "test",
        ]);
        assert_eq!(object["name"], name);
        assert_eq!(object["best_val_loss"], serde_json::json!({"value": loss, "epoch": loss_epoch}));
        assert_eq!(object["best_val_accuracy"], serde_json::json!({"value": -error, "epoch": accuracy_epoch}));
        assert_eq!((&object["test"], &object["parameters"]), (&test, &Value::from(67)));
        assert!((object["seconds"].as_f64().unwrap() - history(&run, 6).iter().sum::<f64>()).abs() < 1e-9);
    }
    assert!(printed.lines().all(|line| line.chars().count() <= 100), "{printed}");
}

#[test]
fn pictures_are_sound_and_name_the_runs() {
    let folder = fresh_folder();
    let names = ["plain", "lr=0.1,batch=50", "a<b>&'c\"d", "\u{e9}t\u{e9}"];
    for name in names {
        succeeds(folder.path(), &train_tiny_for("2", &["--out", name]));
    }
    let printed = succeeds(folder.path(), &[&["compare"], &names[..]].concat());
    assert!(printed.ends_with("learning curves in comparison.svg and comparison.png\n"), "{printed}");
    let texts = svg_texts(&folder.path().join("comparison.svg"));
    for name in
        names.into_iter().chain(["Loss", "Accuracy", "validation", "training", "epoch", "mean loss per example"])
    {
        assert!(texts.iter().any(|text| text == name), "{name} is not in {texts:?}");
    }
    let (width, height, drawn) = png_size(&folder.path().join("comparison.png"));
    assert!(width == 2400 && (1000..1300).contains(&height), "{width} x {height}");
    assert!(drawn > 20_000, "{drawn} dots");

    // A folder, a path without extension and one with: in place of what was there.
    fs::create_dir(folder.path().join("pictures")).unwrap();
    fs::write(folder.path().join("curves.svg"), "old").unwrap();
    for (out, stem) in [("pictures", "pictures/comparison"), ("new/curves", "new/curves"), ("curves.png", "curves")] {
        succeeds(folder.path(), &["compare", "plain", "--out", out]);
        assert!(svg_texts(&folder.path().join(format!("{stem}.svg"))).contains(&"plain".to_string()), "{out}");
        png_size(&folder.path().join(format!("{stem}.png")));
    }
}

#[test]
fn runs_are_found_by_folders_and_links_and_each_counts_once() {
    let folder = fresh_folder();
    for out in ["runs/a", "runs/b", "more/a"] {
        succeeds(folder.path(), &train_tiny_for("1", &["--out", out]));
    }
    succeeds(folder.path(), &train_tiny_for("1", &["--out", "runs/c"]));
    fs::create_dir(folder.path().join("runs/notes")).unwrap();
    let names = |arguments: &[&str]| {
        let names = json(folder.path(), arguments);
        names.iter().map(|object| object["name"].as_str().unwrap().replace('\\', "/")).collect::<Vec<_>>()
    };
    assert_eq!(names(&["runs"]), ["a", "b", "c"]);
    assert_eq!(names(&["runs/latest"]), ["c"]);
    assert_eq!(names(&["runs/b", "runs", "runs/b/", "runs/latest"]), ["b", "a", "c"]);
    assert_eq!(names(&["runs/a", "more"]), ["runs/a", "more/a"]);
}

#[test]
fn what_is_no_run_is_named() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny_for("1", &["--out", "run"]));
    refuses(folder.path(), &["compare"], &["<RUN>"]);
    refuses(folder.path(), &["compare", "run", "data"], &["data is no run"]);
    refuses(folder.path(), &["compare", "nowhere"], &["nowhere is no run"]);
    refuses(folder.path(), &["compare", "run/config.toml"], &["run/config.toml is no run"]);
    fs::remove_dir_all(folder.path().join("run")).unwrap();
    refuses(folder.path(), &["compare", "runs/latest"], &["which is gone"]);
    assert!(!folder.path().join("comparison.svg").exists(), "nothing is drawn of it");
}

#[test]
fn damaged_records_are_named() {
    let folder = fresh_folder();
    succeeds(folder.path(), &train_tiny_for("1", &["--out", "mine"]));
    for (file, content) in [
        ("history.csv", "epoch,val_loss\n1,0.5\n"),
        ("history.csv", "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds\n1,x,1,1,1,1,1\n"),
        ("test.json", "{\"epoch\": 1"),
        ("config.toml", "arch = 3"),
    ] {
        let path = folder.path().join("mine").join(file);
        let sound = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        refuses(folder.path(), &["compare", "mine"], &[&format!("mine/{file}")]);
        fs::write(&path, sound).unwrap();
    }
    // A history that ends after its header is that of a run without epochs.
    let path = folder.path().join("mine/history.csv");
    let header = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_string();
    fs::write(&path, header).unwrap();
    assert_eq!(row(&succeeds(folder.path(), &["compare", "mine"]), "mine")[1..8], ["-", "-", "-", "-", "-", "-", "0"]);
}

/// The test result is that of the last epoch: a run that stopped, goes on or is replaced has none until it ends again.
#[test]
fn the_test_result_is_that_of_the_last_epoch() {
    let folder = fresh_folder();
    let test = |run: &str| json(folder.path(), &[run])[0]["test"].clone();
    succeeds(folder.path(), &train_tiny_for("2", &["--out", "mine"]));
    assert_eq!(test("mine")["epoch"], 2);
    succeeds(folder.path(), &["train", "--resume", "mine", "--epochs", "3"]);
    assert_eq!(test("mine")["epoch"], 3);

    // Of a run that went on and was stopped, as of one from before test results were kept, nothing is said.
    let file = folder.path().join("mine/test.json");
    let stale = fs::read_to_string(&file).unwrap().replace("\"epoch\":3", "\"epoch\":2");
    fs::write(&file, stale).unwrap();
    assert_eq!(test("mine"), Value::Null);
    // Older files do not say which epoch was kept.
    let old = "{\"epoch\":3,\"count\":30,\"accuracy\":1.0,\"loss\":0.5}";
    fs::write(&file, old).unwrap();
    assert_eq!(test("mine")["accuracy"], 1.0);
    fs::remove_file(&file).unwrap();
    assert_eq!(row(&succeeds(folder.path(), &["compare", "mine"]), "mine")[5..7], ["-", "-"]);

    // Of a run that was replaced by one that did not end, nothing is left.
    succeeds(folder.path(), &["train", "--resume", "mine"]);
    assert_eq!(test("mine")["epoch"], 3);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_gpunet"))
        .current_dir(folder.path())
        .args(train_tiny_for("1000000", &["--out", "mine", "--force"]))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let config = folder.path().join("mine/config.toml");
    while !fs::read_to_string(&config).unwrap().contains("epochs = 1000000") {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!file.exists());
}
