//! The same seed on the same device gives the same bits, with any number of threads.

use crate::harness::{Small, first_step, gpu, random_dataset, run_one};
use gpunet::low_level::backend::Backend;
use gpunet::low_level::backend::cpu::CpuBackend;
use gpunet::low_level::backend::gpu::ShaderChecks;
use gpunet::low_level::data::{Dataset, Normalization, Split};
use gpunet::low_level::kernels::precision::Precision;
use gpunet::low_level::nn::model::TrainingOptions;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::Phase;
use gpunet::low_level::run::config::{BatchSize, Config};
use gpunet::low_level::store::{ModelMetadata, RunFolder, SavedModel};
use gpunet::low_level::train::{go_on, resume, train};

/// The bytes of the model file after a few epochs.
fn model_file(config: &Config, dataset: &Dataset, backend: &dyn Backend) -> Vec<u8> {
    let outcome = train(config, dataset, backend, None, &mut go_on).unwrap();
    let metadata =
        ModelMetadata::new(config.arch.clone(), Normalization::UNIT, dataset.classes.clone(), dataset.name.clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    SavedModel { metadata, parameters: outcome.model.parameters }.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

fn config(arch: &str, batch: usize, epochs: usize, seed: u64) -> Config {
    Config { arch: arch.parse().unwrap(), batch: BatchSize::Rows(batch), epochs, seed, ..Config::default() }
}

/// The same settings with every optional part of a training step.
fn with_everything(config: &Config) -> Config {
    let recipe = Config::from_recipe(
        "accumulate = 2\nactivation = 'gelu'\ndropout = 0.3\nclass_weights = 'balanced'\n\
         loss = {name = 'softmax-cross-entropy', label_smoothing = 0.1}\noptimizer = {name = 'adamw'}\n\
         regularization = {l1 = 1e-5, l2 = 1e-4, weight_decay = 0.1, max_norm = 2}\nclipping = {norm = 0.5, value = 0.1}",
    );
    let (arch, batch, epochs, seed) = (config.arch.clone(), config.batch, config.epochs, config.seed);
    Config { arch, batch, epochs, seed, ..recipe.unwrap() }
}

/// Within a precision, every tile adds the products of a sum in the same order. So it does not matter which tile tuning
/// finds fastest.
#[test]
fn every_tile_gives_the_same_bits() {
    let backend = gpu(ShaderChecks::Trusted);
    for precision in Precision::ALL.into_iter().filter(|precision| !precision.is_half() || backend.has_half()) {
        let options = TrainingOptions { batch: 33, precision, ..TrainingOptions::default() };
        let small = Small::with("67-70-13", &options);
        let gradients = |tile| {
            let mut program = backend.load_in(&small.recording.plan, tile).unwrap();
            small.fill(program.as_mut());
            run_one(program.as_mut(), Phase::Train, &first_step(0, 33, &Optimizer::sgd()));
            let tensors = small.recording.gradients.iter();
            tensors.map(|&tensor| program.slow_read_f32(tensor).unwrap()).collect::<Vec<_>>()
        };
        let tiles = backend.tiles(precision);
        let expected = gradients(tiles[0]);
        for tile in tiles {
            assert!(gradients(tile) == expected, "{} in {}", tile.name, precision.name());
        }
    }
}

#[test]
fn one_seed_gives_one_model_file_on_the_cpu_with_any_number_of_threads() {
    // Layers so wide that products and updates are divided among threads, and narrow ones.
    let dataset = Dataset::load("mnist", &Split { validation: Some(55_000), ..Split::default() }).unwrap();
    let plain = [
        "784-10",
        "784-301-10",
        "784-700-500-64-10",
        // Both convolution methods, with and without strides, and enough channels for several tasks.
        "1x28x28-17C5s2-BN-37C3p1-BN-16C3-MP2-40C3s2p1-AP2-10",
    ]
    .map(|arch| config(arch, 96, 1, 3));
    for config in plain.iter().cloned().chain([with_everything(&plain[2])]) {
        let files: Vec<Vec<u8>> = [1, 2, 2, 3]
            .map(|threads| model_file(&config, &dataset, &CpuBackend::<f32>::new(Some(threads)).unwrap()))
            .to_vec();
        assert!(files.iter().all(|file| *file == files[0]), "{config:?}");
    }
}

#[test]
fn one_seed_gives_one_model_file_on_the_gpu() {
    let dataset = random_dataset(500, 30, 5);
    let convolutional = config("1x5x6-7C3p1-BN-MP2-5C2-GAP", 64, 3, 3);
    let config = config("30-70-40-5", 64, 3, 3);
    for config in [with_everything(&config), config, convolutional] {
        let files = [(); 2].map(|()| model_file(&config, &dataset, gpu(ShaderChecks::Trusted).as_ref()));
        assert!(files[0] == files[1], "{config:?}");
    }
}

#[test]
fn stopping_and_resuming_on_the_gpu_changes_no_bit() {
    let dataset = random_dataset(500, 30, 5);
    let adamw = with_everything(&config("1x5x6-7C3p1-BN-MP2-40-BN-5", 64, 4, 3));
    let backend = gpu(ShaderChecks::Trusted);
    for optimizer in ["adamw", "nadam", "radam", "muon"].map(|name| Optimizer::named(name).unwrap()) {
        check_stop(&Config { optimizer, ..adamw.clone() }, &dataset, backend.as_ref());
    }
}

/// Trains on after a stop, and at once.
fn check_stop(config: &Config, dataset: &Dataset, backend: &dyn Backend) {
    let whole = train(config, dataset, backend, None, &mut go_on).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let begun = Config { epochs: 1, ..config.clone() };
    let mut run = RunFolder::create(folder.path(), false).unwrap();
    train(&begun, dataset, backend, Some(&mut run), &mut go_on).unwrap();
    let (mut run, _, checkpoint) = RunFolder::resume(folder.path()).unwrap();
    let resumed = resume(config, checkpoint, dataset, backend, Some(&mut run), &mut go_on).unwrap();
    assert!(resumed.model.parameters == whole.model.parameters, "{}", config.optimizer);
    assert_eq!(resumed.test, whole.test);
}

#[test]
fn another_seed_gives_another_model() {
    let dataset = random_dataset(200, 12, 3);
    let backend = CpuBackend::<f32>::new(None).unwrap();
    let [a, b] = [1, 2].map(|seed| model_file(&config("12-8-3", 50, 2, seed), &dataset, &backend));
    assert!(a != b);
}
