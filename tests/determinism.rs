//! The same seed on the same device ends in the same bits, with any number of threads.

mod harness;

use gpunet::backend::Backend;
use gpunet::backend::cpu::CpuBackend;
use gpunet::backend::gpu::ShaderChecks;
use gpunet::config::{BatchSize, Config};
use gpunet::data::{Dataset, Normalization, Split};
use gpunet::store::{ModelMetadata, SavedModel};
use gpunet::train::train;
use harness::{gpu, random_dataset};

/// The bytes of the model file after a few epochs.
fn model_file(config: &Config, dataset: &Dataset, backend: &dyn Backend) -> Vec<u8> {
    let outcome = train(config, dataset, backend, None, &mut |_| {}).unwrap();
    let metadata =
        ModelMetadata::new(config.arch.clone(), Normalization::UNIT, dataset.classes.clone(), dataset.name.clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    SavedModel { metadata, parameters: outcome.parameters }.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

fn config(arch: &str, batch: usize, epochs: usize, seed: u64) -> Config {
    Config { arch: arch.parse().unwrap(), batch: BatchSize::Rows(batch), epochs, seed, ..Config::default() }
}

#[test]
fn one_seed_gives_one_model_file_on_the_cpu_with_any_number_of_threads() {
    // Layers wide enough that products and updates are cut into pieces for threads, and thin ones.
    let dataset = Dataset::load("mnist", &Split { validation: Some(55_000), ..Split::default() }).unwrap();
    for arch in ["784-10", "784-301-10", "784-700-500-64-10"] {
        let config = config(arch, 96, 1, 3);
        let files: Vec<Vec<u8>> = [1, 2, 2, 3]
            .map(|threads| model_file(&config, &dataset, &CpuBackend::<f32>::new(Some(threads)).unwrap()))
            .to_vec();
        assert!(files.iter().all(|file| *file == files[0]), "{arch}");
    }
}

#[test]
fn one_seed_gives_one_model_file_on_the_gpu() {
    let dataset = random_dataset(500, 30, 5);
    let config = config("30-70-5", 64, 3, 3);
    let files = [(); 2].map(|()| model_file(&config, &dataset, gpu(ShaderChecks::Trusted).as_ref()));
    assert!(files[0] == files[1]);
}

#[test]
fn another_seed_gives_another_model() {
    let dataset = random_dataset(200, 12, 3);
    let backend = CpuBackend::<f32>::new(None).unwrap();
    let [a, b] = [1, 2].map(|seed| model_file(&config("12-8-3", 50, 2, seed), &dataset, &backend));
    assert!(a != b);
}
