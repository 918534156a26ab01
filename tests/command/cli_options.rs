//! What the command answers to settings that make no sense, and how options, recipes and runs go together.

use std::fs;

use crate::command::{fresh_folder, gpunet, refuses, succeeds, train_tiny};
use serde_json::Value;

/// Each refused with a sentence that names the option and says what it must be, before anything is made.
#[test]
fn nonsense_is_refused_with_a_sentence() {
    let folder = fresh_folder();
    let refused = |more: &[&str], parts: &[&str]| refuses(folder.path(), &train_tiny(more), parts);
    refused(&["--dropout", "1.0"], &["--dropout is 1; the probability to drop a value lies from 0 up to but below 1"]);
    refused(&["--dropout", "-0.1"], &["--dropout is -0.1"]);
    refused(&["--dropout", "NaN"], &["--dropout is NaN"]);
    refused(&["--l2", "-1"], &["--l2 is -1"]);
    refused(&["--l1", "inf"], &["--l1 is inf"]);
    refused(&["--weight-decay", "-0.1"], &["--weight-decay is -0.1"]);
    refused(&["--max-norm", "0"], &["--max-norm is 0"]);
    refused(&["--clip-norm", "-1"], &["--clip-norm is -1"]);
    refused(&["--clip-value", "0"], &["--clip-value is 0"]);
    refused(&["--warmup", "12"], &["--warmup and --epochs contradict each other", "leaves nothing of a run of 12"]);
    refused(&["--warmup", "-1"], &["--warmup is -1"]);
    refused(&["--label-smoothing", "2"], &["--label-smoothing is 2; label smoothing lies from 0 up to but below 1"]);
    refused(&["--loss", "mse", "--label-smoothing", "0.1"], &["--label-smoothing is for softmax-cross-entropy"]);
    refused(&["--loss", "svm:margin=0"], &["`loss.margin` is 0"]);
    refused(&["--loss", "hinge"], &["there is no `hinge`"]);
    refused(&["--class-weights", "1,-1,1"], &["--class-weights is [1.0, -1.0, 1.0]"]);
    refused(&["--class-weights", "1,1"], &["--class-weights", "the data has 3 classes"]);
    refused(&["--class-weights", "even"], &["`balanced`, or a number per class"]);
    refused(&["--activation", "rleu"], &["there is no `rleu`; did you mean `relu`?"]);
    refused(&["--init", "gaussian:-1"], &["gaussian:S with a deviation S above 0"]);
    refused(&["--normalization", "standard"], &["did you mean `standardize`?"]);
    refused(&["--schedule", "cosin"], &["did you mean `cosine`?"]);
    refused(&["--schedule", "step:evry=3"], &["there is no setting `evry`; did you mean `every`?"]);
    refused(&["--schedule", "step:every=0"], &["`schedule.every` is 0"]);
    refused(&["--early-stopping", "patience=0"], &["`early_stopping.patience` is 0"]);
    refused(&["--accumulate", "0"], &["--accumulate is 0"]);
    refused(&["--subset", "0"], &["--subset"]);
    refused(&["--subset", "61"], &["a subset of 61 cannot be drawn from the 50 training examples"]);
    refused(&["--test", "31"], &["--test"]);
    refused(&["--optimizer", "adam"], &["cannot be used with"]);
    let train =
        |more: &[&str], parts: &[&str]| refuses(folder.path(), &[&["train", "--data", "data"], more].concat(), parts);
    train(&["--arch", "4-3", "--batch", "half"], &["a number of examples, or `full`"]);
    train(&["--arch", "4-3", "--optimizer", "adm"], &["did you mean `adam`?"]);
    train(&["--arch", "4-3", "--optimizer", "adam:beta1=1"], &["`optimizer.beta1` is 1"]);
    train(&["--arch", "4-3", "--optimizer", "momentum:momentum=1"], &["`optimizer.momentum` is 1"]);
    train(
        &["--arch", "4-3", "--batch", "full", "--accumulate", "2"],
        &["--batch and --accumulate contradict each other"],
    );
    assert!(!folder.path().join("runs").exists(), "nothing was made");
}

#[test]
fn recipes_name_the_line_and_the_nearest_key() {
    let folder = fresh_folder();
    let refused = |recipe: &str, parts: &[&str]| {
        fs::write(folder.path().join("r.toml"), recipe).unwrap();
        refuses(folder.path(), &["train", "--recipe", "r.toml"], parts);
    };
    refused("arch = '4-3'\nepoch = 3\n", &["r.toml, line 2: there is no setting `epoch`; did you mean `epochs`?"]);
    refused("[optimizer]\nname = 'sgd'\nmomentum = 0.9\n", &["r.toml, line 3: there is no setting `momentum`"]);
    refused("batch = 'full'\naccumulate = 4\n", &["r.toml, line 1: `batch` and `accumulate` contradict"]);
    refused("arch = '4-5-5-3'\nactivation = ['relu']\n", &["r.toml, line 2", "1 activations for 2 hidden layers"]);
    refused("epochs = 3\nepochs = 4\n", &["r.toml, line 2", "duplicate key"]);
}

/// Options win over the recipe, and the run leaves the recipe that they came to.
#[test]
fn options_win_over_the_recipe() {
    let folder = fresh_folder();
    let recipe = "data = 'data'\narch = '4-8-3'\ndevice = 'cpu'\nbatch = 7\nepochs = 2\nshuffle = false\ndropout = [0.1, 0.2]\n\
                  [optimizer]\nname = 'momentum'\nmomentum = 0.8\n[schedule]\nname = 'cosine'\n";
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let options = ["--epochs", "3", "--lr", "0.01", "--warmup", "1", "--shuffle", "true", "--activation", "tanh"];
    succeeds(folder.path(), &[&["train", "--recipe", "r.toml", "--out", "run"], &options[..]].concat());
    let left: toml::Table = fs::read_to_string(folder.path().join("run/config.toml")).unwrap().parse().unwrap();
    assert_eq!((left["epochs"].as_integer(), left["shuffle"].as_bool()), (Some(3), Some(true)));
    assert_eq!((left["activation"].as_str(), left["batch"].as_integer()), (Some("tanh"), Some(7)));
    assert_eq!(left["dropout"], toml::Value::Array(vec![0.1.into(), 0.2.into()]));
    let optimizer = left["optimizer"].as_table().unwrap();
    assert_eq!((optimizer["learning_rate"].as_float(), optimizer["momentum"].as_float()), (Some(0.01), Some(0.8)));
    let schedule = left["schedule"].as_table().unwrap();
    assert_eq!((schedule["name"].as_str(), schedule["warmup"].as_float()), (Some("cosine"), Some(1.0)));
}

/// A model of pooled data is evaluated on the test examples that were cut out for it, not on what it was trained on.
#[test]
fn a_model_of_pooled_data_is_evaluated_on_what_it_has_not_seen() {
    let folder = fresh_folder();
    let printed = succeeds(folder.path(), &train_tiny(&["--pool", "true", "--test", "11", "--out", "run"]));
    assert!(printed.contains("(11 of 11)"), "{printed}");
    for model in ["run", "run/model.safetensors"] {
        let report: Value =
            serde_json::from_str(&succeeds(folder.path(), &["eval", model, "--json", "--data", "data"])).unwrap();
        assert_eq!(report["count"], 11, "{model}");
    }
    // Other data has its own test part.
    crate::command::tiny_data(&folder.path().join("other"));
    let report: Value =
        serde_json::from_str(&succeeds(folder.path(), &["eval", "run", "--json", "--data", "other"])).unwrap();
    assert_eq!(report["count"], 30);
}

#[test]
fn the_overfit_check_says_whether_it_can() {
    let folder = fresh_folder();
    let check = |more: &[&str]| {
        let base = [
            "train",
            "--data",
            "data",
            "--arch",
            "4-8-3",
            "--device",
            "cpu",
            "--adam",
            "--lr",
            "0.05",
            "--overfit",
            "20",
        ];
        gpunet(folder.path(), &[&base[..], more].concat())
    };
    let (code, printed, _) = check(&[]);
    assert!(code == 0 && printed.contains("overfitting succeeded: all examples are correct after epoch "), "{printed}");
    let (code, printed, _) = check(&["--epochs", "1", "--init", "zeros"]);
    assert!(
        code == 1
            && printed.contains("overfitting failed: ")
            && printed.contains("of 20 examples are correct after epoch 1;"),
        "{printed}"
    );
    assert!(!folder.path().join("runs").exists(), "it keeps nothing");
    let (code, printed, _) = check(&["--init", "gaussian:1e30"]);
    assert!(code == 1 && printed.contains("overfitting failed: training diverged"), "{printed}");
    refuses(folder.path(), &train_tiny(&["--overfit", "0"]), &["a subset of 0"]);
}

/// The check leaves nothing in place that holds a network back, not even the decay that an optimizer comes with.
#[test]
fn the_overfit_check_is_of_the_network_alone() {
    let folder = fresh_folder();
    let check = |more: &[&str]| {
        let base = ["train", "--data", "data", "--arch", "4-8-3", "--device", "cpu", "--lr", "0.05", "--overfit", "20"];
        gpunet(folder.path(), &[&base[..], more].concat())
    };
    let (_, plain, _) = check(&["--optimizer", "adam"]);
    for held in [&["--optimizer", "adamw"][..], &["--adam", "--dropout", "0.9", "--l2", "10", "--weight-decay", "1"]] {
        assert_eq!(check(held).1, plain, "{held:?}");
    }
}

#[test]
fn lr_find_leaves_a_curve_and_suggests_a_rate() {
    let folder = fresh_folder();
    let find = ["lr-find", "--data", "data", "--arch", "4-8-3", "--batch", "7", "--device", "cpu"];
    let printed = succeeds(folder.path(), &[&find[..], &["--out", "made/curve"]].concat());
    assert!(printed.contains("a learning rate to start with: --lr "), "{printed}");
    for name in ["curve.csv", "curve.svg", "curve.png"] {
        assert!(folder.path().join("made").join(name).is_file(), "{name}");
    }
    let refused = |more: &[&str], parts: &[&str]| refuses(folder.path(), &[&find[..], more].concat(), parts);
    refused(&["--init", "gaussian:1e30"], &["the loss is NaN or infinite from the first rate on"]);
    // At these rates nothing changes.
    let (code, printed, _) = gpunet(folder.path(), &[&find[..], &["--from", "1e-30", "--to", "1e-20"]].concat());
    assert_eq!(code, 1);
    assert!(printed.contains("the loss falls at none of these rates") && !printed.contains("--lr"), "{printed}");
    fs::write(folder.path().join("file"), "").unwrap();
    refused(&["--out", "file/curve"], &["could not create the folder file"]);
    refused(&["--from", "0", "--out", "unmade/curve"], &["--from is 0"]);
    assert!(!folder.path().join("unmade").exists());
    refused(&["--from", "1", "--to", "0.1"], &["--from and --to contradict each other"]);
    refused(&["--updates", "10000000000"], &["--updates is 10000000000"]);
}

/// Whatever a recipe says, an option that names a kind brings all of that kind's settings, be they its defaults.
#[test]
fn options_that_name_a_kind_win_over_the_recipe() {
    let folder = fresh_folder();
    let recipe = "data = 'data'\narch = '4-8-3'\ndevice = 'cpu'\nbatch = 5\nepochs = 2\n\
                  optimizer = {name = 'momentum', learning_rate = 0.5, momentum = 0.5}\n\
                  schedule = {name = 'step', every = 3, warmup = 1}\n";
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let config = |more: &[&str]| {
        succeeds(folder.path(), &[&["train", "--recipe", "r.toml", "--out", "run", "--force"], more].concat());
        let text = fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
        let config: toml::Table = toml::from_str(&text).unwrap();
        let number = |section: &str, key: &str| config[section][key].as_float().unwrap();
        [number("optimizer", "learning_rate"), number("optimizer", "momentum"), number("schedule", "warmup")]
    };
    assert_eq!(config(&[]), [0.5, 0.5, 1.0]);
    assert_eq!(config(&["--momentum"]), [0.03, 0.9, 1.0]);
    assert_eq!(config(&["--optimizer", "momentum:momentum=0.9", "--schedule", "cosine"]), [0.03, 0.9, 1.0]);
    assert_eq!(config(&["--lr", "0.1", "--schedule", "cosine:warmup=0"]), [0.1, 0.5, 0.0]);
    assert_eq!(config(&["--schedule", "cosine:warmup=0.5"]), [0.5, 0.5, 0.5]);
    assert_eq!(config(&["--schedule", "cosine:warmup=0.5", "--warmup", "0"]), [0.5, 0.5, 0.0]);
}

/// A run that stopped early keeps its best model; going on finds nothing to do, and the same model.
#[test]
fn a_run_that_stopped_early_is_done() {
    let folder = fresh_folder();
    let printed =
        succeeds(folder.path(), &train_tiny(&["--early-stopping", "patience=2:metric=val-accuracy", "--out", "run"]));
    assert!(printed.contains("the model is that of epoch"), "{printed}");
    let model = fs::read(folder.path().join("run/model.safetensors")).unwrap();
    let told: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/test.json")).unwrap()).unwrap();
    let kept = told["kept_epoch"].as_u64().unwrap();
    assert!(printed.contains(&format!("the model is that of epoch {kept}, the best")), "{printed}");
    assert_eq!(told["epoch"], kept + 2);
    let printed = succeeds(folder.path(), &["train", "--resume", "run"]);
    assert!(printed.contains("the run stopped early"), "{printed}");
    assert!(fs::read(folder.path().join("run/model.safetensors")).unwrap() == model);
}

/// Stopped and resumed, a run with all that has state ends in the bits of one that never stopped.
#[test]
fn every_kind_of_state_survives_a_stop() {
    let folder = fresh_folder();
    let recipe = "data = 'data'\narch = '1x2x2-5C1-BN-8-BN-3'\ndevice = 'cpu'\nbatch = 6\naccumulate = 2\nepochs = 6\ndropout = 0.2\n\
                  precision = 'f16'\n\
                  early_stopping = {patience = 50}\nregularization = {l2 = 1e-3, max_norm = 2.0}\nclipping = {norm = 0.5}\n\
                  optimizer = {name = 'momentum', average = true, bias_correction = true}\n\
                  schedule = {name = 'plateau', patience = 1, warmup = 1.5}\n";
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let train = |more: &[&str]| succeeds(folder.path(), &[&["train"], more].concat());
    train(&["--recipe", "r.toml", "--out", "whole"]);
    train(&["--recipe", "r.toml", "--epochs", "2", "--out", "stopped"]);
    train(&["--resume", "stopped", "--epochs", "6"]);
    let file = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(file("whole/model.safetensors") == file("stopped/model.safetensors"));
    assert_eq!(file("whole/config.toml"), file("stopped/config.toml"));
}

/// Where products are not made as the precision asks for, a warning says so.
#[test]
fn a_device_without_matrix_units_says_that_it_does_not_split() {
    let folder = fresh_folder();
    let warnings = |arguments: &[&str]| {
        let (code, _, warnings) = gpunet(folder.path(), arguments);
        assert_eq!(code, 0, "{warnings}");
        warnings
    };
    let train = |precision| train_tiny(&["--precision", precision, "--out", precision]);
    let said = "has no matrix units that f32-split can use";
    assert!(!warnings(&train("f32")).contains(said));
    assert!(warnings(&train("f32-split")).contains(said));
    assert!(warnings(&["eval", "f32-split", "--device", "cpu"]).contains(said));
    assert!(!warnings(&["eval", "f32-split", "--device", "cpu", "--precision", "f32"]).contains(said));
}
