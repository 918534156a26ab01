//! Every choice of every setting together with every choice of every other: all train on a tiny data set, on the CPU backend
//! and through a recipe.

use std::collections::BTreeSet;
use std::path::Path;

use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::data::{Dataset, Part};
use gpunet::low_level::math::random::{Stream, unit};
use gpunet::low_level::run::config::Config;
use gpunet::low_level::store::{SavedModel, load_config};
use gpunet::low_level::train::{evaluate, go_on, train};

/// Settings, each with its choices as lines of a recipe. Learning rates are low enough for inputs from 0 to 255.
const SETTINGS: &[&[&str]] = &[
    &["arch = '4-6-5-3'", "arch = '4-3'", "arch = '1x2x2-3C2p1-BN-MP2-5-3'"],
    &[
        "activation = 'relu'",
        "activation = 'leaky-relu'",
        "activation = 'elu'",
        "activation = 'gelu'",
        "activation = 'silu'",
        "activation = 'tanh'",
        "activation = 'sigmoid'",
        "activation = 'identity'",
    ],
    &[
        "init = 'he-normal'",
        "init = 'he-uniform'",
        "init = 'xavier-normal'",
        "init = 'xavier-uniform'",
        "init = 'lecun-normal'",
        "init = 'lecun-uniform'",
        "init = 'gaussian:0.1'",
        "init = 'zeros'",
    ],
    &["", "dropout = 0.3"],
    &["", "validation = 12"],
    &["", "test = 7"],
    &["", "pool = true"],
    &["", "subset = 20"],
    &[
        "normalization = 'scale'",
        "normalization = 'standardize'",
        "normalization = 'standardize-per-pixel'",
        "normalization = 'standardize-per-image'",
        "normalization = 'mean-image'",
        "normalization = 'none'",
    ],
    &["batch = 7", "batch = 100", "batch = 1", "batch = 'full'", "batch = 5\naccumulate = 3"],
    &["", "shuffle = false"],
    &["epochs = 3", "epochs = 4"],
    &["", "precision = 'f16'", "precision = 'f32-split'"],
    &[
        "optimizer = {name = 'sgd', learning_rate = 1e-5}",
        "optimizer = {name = 'momentum', learning_rate = 1e-6}",
        "optimizer = {name = 'momentum', learning_rate = 1e-5, average = true, bias_correction = true}",
        "optimizer = {name = 'nesterov', learning_rate = 1e-6}",
        "optimizer = {name = 'rmsprop', learning_rate = 1e-4}",
        "optimizer = {name = 'adagrad', learning_rate = 1e-4}",
        "optimizer = {name = 'adam', learning_rate = 1e-4}",
        "optimizer = {name = 'adamw', learning_rate = 1e-4}",
        "optimizer = {name = 'lion', learning_rate = 1e-5}",
    ],
    &[
        "",
        "loss = {name = 'softmax-cross-entropy', label_smoothing = 0.1}",
        "loss = {name = 'svm'}",
        "loss = {name = 'svm', variant = 'crammer-singer', margin = 0.5}",
        "loss = {name = 'mse'}",
    ],
    &["", "class_weights = 'balanced'", "class_weights = [1, 0, 2.5]"],
    &["", "regularization.l1 = 1e-3"],
    &["", "regularization.l2 = 1e-3"],
    &["", "regularization.weight_decay = 0.1"],
    &["", "regularization.max_norm = 1"],
    &["", "clipping.norm = 0.5"],
    &["", "clipping.value = 0.1"],
    &[
        "",
        "schedule = {name = 'constant', warmup = 1}",
        "schedule = {name = 'step', every = 1}",
        "schedule = {name = 'exponential', warmup = 0.5}",
        "schedule = {name = 'inverse-time'}",
        "schedule = {name = 'inverse-time', compounding = true}",
        "schedule = {name = 'inverse-sqrt'}",
        "schedule = {name = 'polynomial'}",
        "schedule = {name = 'cosine', warmup = 1}",
        "schedule = {name = 'one-cycle'}",
        "schedule = {name = 'plateau', patience = 1}",
    ],
    &["", "early_stopping = {patience = 1}", "early_stopping = {patience = 2, metric = 'val-accuracy'}"],
];

/// A choice for each setting.
type Row = Vec<usize>;

/// Rows in which every pair of choices of two settings comes up: of some random ones always the row that has most of the pairs
/// still missing.
fn rows() -> Vec<Row> {
    let mut missing = BTreeSet::new();
    for (a, first) in SETTINGS.iter().enumerate() {
        for (b, second) in SETTINGS.iter().enumerate().skip(a + 1) {
            missing.extend((0..first.len()).flat_map(|i| (0..second.len()).map(move |j| (a, i, b, j))));
        }
    }
    let pairs = |row: &Row| -> Vec<(usize, usize, usize, usize)> {
        let settings = 0..row.len();
        settings.flat_map(|a| (a + 1..row.len()).map(move |b| (a, b))).map(|(a, b)| (a, row[a], b, row[b])).collect()
    };
    let mut draws = 0;
    let mut rows = Vec::new();
    while let Some(&(a, i, b, j)) = missing.first() {
        let mut random = || -> Row {
            let mut row: Row = SETTINGS
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
    let rows = rows();
    println!("{} runs", rows.len());
    for row in rows {
        let lines: Vec<&str> = SETTINGS.iter().zip(&row).map(|(choices, &choice)| choices[choice]).collect();
        let recipe = format!("data = '{}'\n{}\n", folder.path().join("data").display(), lines.join("\n"));
        check(folder.path(), &recipe, &backend).unwrap_or_else(|error| panic!("{error}\nin\n{recipe}"));
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
