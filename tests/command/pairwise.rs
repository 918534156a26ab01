//! Every choice of every setting together with every choice of every other: all train on a tiny data set, on the CPU backend
//! and through a recipe.

use std::collections::BTreeSet;
use std::path::Path;

use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::data::{Dataset, NormalizationKind, Part};
use gpunet::low_level::kernels::activation::Activation;
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::math::random::{Stream, unit};
use gpunet::low_level::nn::loss::Loss;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::run::config::Config;
use gpunet::low_level::run::schedule::Schedule;
use gpunet::low_level::settings::{SpecError, from_table};
use gpunet::low_level::store::{SavedModel, load_config};
use gpunet::low_level::train::{evaluate, go_on, train};

/// Settings, each with its choices as lines of a recipe. Learning rates are low enough for inputs from 0 to 255.
fn settings() -> Vec<Vec<String>> {
    let each = |key: &str, names: &[&str]| names.iter().map(|name| format!("{key} = '{name}'")).collect::<Vec<_>>();
    let kinds = |key: &str, names: &[&str], rest: &str| {
        names.iter().map(|name| format!("{key} = {{name = '{name}'{rest}}}")).collect::<Vec<_>>()
    };
    let choices = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let optimizers: Vec<_> = Optimizer::all().iter().map(Optimizer::name).collect();
    vec![
        each("arch", &["4-6-5-3", "4-3", "1x2x2-3C2p1-BN-MP2-5-3"]),
        each("activation", &Activation::ALL.map(Activation::name)),
        each("init", &INITS),
        choices(&["", "dropout = 0.3"]),
        choices(&["", "validation = 12"]),
        choices(&["", "test = 7"]),
        choices(&["", "pool = true"]),
        choices(&["", "subset = 20"]),
        each("normalization", &NormalizationKind::ALL.map(NormalizationKind::name)),
        choices(&["batch = 7", "batch = 100", "batch = 1", "batch = 'full'", "batch = 5\naccumulate = 3"]),
        choices(&["", "shuffle = false"]),
        choices(&["epochs = 3", "epochs = 4"]),
        each("precision", &Precision::ALL.map(Precision::name)),
        [
            kinds("optimizer", &optimizers, ", learning_rate = 1e-6"),
            kinds("optimizer", &["momentum"], ", learning_rate = 1e-5, average = true, bias_correction = true"),
        ]
        .concat(),
        [
            kinds("loss", &Loss::ALL.map(|loss| loss.name()), ""),
            kinds("loss", &["softmax-cross-entropy"], ", label_smoothing = 0.1"),
            kinds("loss", &["svm"], ", variant = 'crammer-singer', margin = 0.5"),
        ]
        .concat(),
        choices(&["", "class_weights = 'balanced'", "class_weights = [1, 0, 2.5]"]),
        choices(&["", "regularization.l1 = 1e-3"]),
        choices(&["", "regularization.l2 = 1e-3"]),
        choices(&["", "regularization.weight_decay = 0.1"]),
        choices(&["", "regularization.max_norm = 1"]),
        choices(&["", "clipping.norm = 0.5"]),
        choices(&["", "clipping.value = 0.1"]),
        [
            kinds("schedule", &Schedule::NAMES, ""),
            kinds("schedule", &["constant"], ", warmup = 1"),
            kinds("schedule", &["step"], ", every = 1, warmup = 0.5"),
            kinds("schedule", &["inverse-time"], ", compounding = true"),
            kinds("schedule", &["plateau"], ", patience = 1"),
        ]
        .concat(),
        choices(&["", "early_stopping = {patience = 1}", "early_stopping = {patience = 2, metric = 'val-accuracy'}"]),
    ]
}

/// Names of initial distributions.
const INITS: [&str; 8] = [
    "he-normal",
    "he-uniform",
    "xavier-normal",
    "xavier-uniform",
    "lecun-normal",
    "lecun-uniform",
    "gaussian:0.1",
    "zeros",
];

/// A choice for each setting.
type Row = Vec<usize>;

/// Rows in which every pair of choices of two settings comes up: of some random ones always the row that has most of the pairs
/// still missing.
fn rows(settings: &[Vec<String>]) -> Vec<Row> {
    let mut missing = BTreeSet::new();
    for (a, first) in settings.iter().enumerate() {
        for (b, second) in settings.iter().enumerate().skip(a + 1) {
            missing.extend((0..first.len()).flat_map(|i| (0..second.len()).map(move |j| (a, i, b, j))));
        }
    }
    let pairs = |row: &Row| -> Vec<(usize, usize, usize, usize)> {
        let indices = 0..row.len();
        indices.flat_map(|a| (a + 1..row.len()).map(move |b| (a, b))).map(|(a, b)| (a, row[a], b, row[b])).collect()
    };
    let mut draws = 0;
    let mut rows = Vec::new();
    while let Some(&(a, i, b, j)) = missing.first() {
        let mut random = || -> Row {
            let mut row: Row = settings
                .iter()
                .map(|choices| {
                    draws += 1;
                    (unit(Stream::ParityCase(50), 1, draws) * choices.len() as f32) as usize
                })
                .collect();
            (row[a], row[b]) = (i, j);
            row
        };
        let candidates: Vec<Row> = (0..30).map(|_| random()).collect();
        let news = |row: &Row| pairs(row).iter().filter(|pair| missing.contains(pair)).count();
        let best = candidates.into_iter().max_by_key(news).unwrap();
        pairs(&best).iter().for_each(|pair| {
            missing.remove(pair);
        });
        rows.push(best);
    }
    rows
}

#[test]
fn every_two_choices_train_together() {
    let folder = crate::command::fresh_folder();
    let backend = CpuBackend::<f32>::new(Some(1)).unwrap();
    let settings = settings();
    let rows = rows(&settings);
    println!("{} runs", rows.len());
    for row in rows {
        let lines: Vec<&str> = settings.iter().zip(&row).map(|(choices, &choice)| &choices[choice][..]).collect();
        let recipe = format!("data = '{}'\n{}\n", folder.path().join("data").display(), lines.join("\n"));
        check(folder.path(), &recipe, &backend).unwrap_or_else(|error| panic!("{error}\nin\n{recipe}"));
    }
}

/// Every setting takes part, but for those that only name data, device and seed.
#[test]
fn every_setting_has_choices() {
    let unknown = toml::Table::from_iter([("?".to_string(), true.into())]);
    let Err(SpecError::Key { known, .. }) = from_table::<Config>(&unknown) else { panic!("`?` is a setting") };
    let lines = settings().concat().join("\n");
    for key in known.into_iter().filter(|key| !["data", "seed", "device", "threads"].contains(key)) {
        let sets = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.']));
        assert!(lines.lines().any(sets), "{key}");
    }
}

/// Trains a recipe, and evaluates the model through its file.
fn check(folder: &Path, recipe: &str, backend: &CpuBackend<f32>) -> Result<(), Box<dyn std::error::Error>> {
    let path = folder.join("recipe.toml");
    std::fs::write(&path, recipe)?;
    let config = load_config(&path)?;
    assert_eq!(Config::from_recipe(&config.to_recipe())?, config, "a recipe says everything");
    let dataset = Dataset::load(&config.data, &config.split())?;
    let out = folder.join("run");
    let mut run = gpunet::low_level::store::RunFolder::create(&out, true)?;
    let outcome = train(&config, &dataset, backend, Some(&mut run), &mut go_on)?;
    let model = SavedModel::load(&out.join("model.safetensors"))?;
    assert_eq!(model.parameters, outcome.model.parameters, "the model that is saved is the one that was tested");
    let evaluation = evaluate(&model, &dataset, Part::Test, backend)?;
    let test = outcome.test.ok_or("there is a test set")?;
    assert_eq!(evaluation.metrics.correct, test.correct);
    assert!((evaluation.metrics.loss() - test.loss()).abs() <= 1e-5 * test.loss().max(1.0));
    Ok(())
}
