//! Tuning: tiles are found by timing, saved, and reused.

use std::path::{Path, PathBuf};

use crate::harness::{Small, first_step, run_one};
use gpunet::low_level::backend::device::{Device, DeviceOptions};
use gpunet::low_level::backend::gpu::Tuning;
use gpunet::low_level::kernels::tile::{TILES, Tile};
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::plan::Phase;
use serde_json::Value;

/// The tiles that a small network's products use. Also checks that a training step is correct with them.
fn tiles(tuning: Tuning, cache: &Path) -> Vec<&'static str> {
    let small = Small::new("9-21-3", 6, Optimizer::adam(), 1.0);
    let options = DeviceOptions { tuning, cache: Some(cache.to_path_buf()), ..DeviceOptions::default() };
    let backend = Device::open("gpu", &options).unwrap().backend;
    let mut program = backend.load(&small.recording.plan).unwrap();
    for &gradient in &small.recording.gradients {
        assert!(
            program.slow_read_f32(gradient).unwrap().iter().all(|&value| value == 0.0),
            "tuning leaves gradients behind"
        );
    }
    small.fill(program.as_mut());
    let mut reference = small.reference();
    let step = first_step(0, 6, &Optimizer::adam());
    let [loss, expected] =
        [run_one(program.as_mut(), Phase::Train, &step), run_one(&mut reference, Phase::Train, &step)];
    assert!((loss.loss_sum - expected.loss_sum).abs() <= 1e-5 * expected.loss_sum, "{loss:?}, {expected:?}");
    let launches = 0..small.recording.plan.launches(Phase::Train).len();
    launches.filter_map(|index| program.tile(Phase::Train, index)).map(|tile: &Tile| tile.name).collect()
}

/// The file in which an adapter's tiles are saved.
fn tiles_file(cache: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(cache).unwrap().map(|file| file.unwrap().path());
    files.find(|file| file.file_name().unwrap().to_str().unwrap().starts_with("tiles-")).unwrap()
}

#[test]
fn tuned_tiles_are_saved_and_reused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("not/made/yet");
    let untuned = tiles(Tuning::Off, &cache);
    assert_eq!(untuned.len(), 5, "two forward, two weight gradients, one input gradient: {untuned:?}");
    let found = tiles(Tuning::Anew, &cache);
    assert_eq!(found.len(), 5);

    let file = &tiles_file(&cache);
    let mut kept: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let of_training = kept["tiles"].as_object().unwrap().clone();
    assert_eq!(of_training.len(), 5, "evaluation has the same shapes: {of_training:?}");
    assert_eq!(of_training["dense_forward in f32: 1 of 6x21, 2268 operations"], found[0]);

    // The tiles in the file are used, even though tuning found others.
    let other = TILES[5].name;
    for tile in kept["tiles"].as_object_mut().unwrap().values_mut() {
        *tile = Value::from(other);
    }
    std::fs::write(file, kept.to_string()).unwrap();
    assert_eq!(tiles(Tuning::WhereNew, &cache), [other; 5]);
    assert_eq!(tiles(Tuning::Off, &cache), untuned, "without tuning, the file is not used");

    // Invalid files and unknown tile names are ignored.
    for content in
        ["{\"tiles\": [1, 2", "{\"tiles\": {\"dense_forward in f32: 1 of 6x21, 2268 operations\": \"round\"}}", ""]
    {
        std::fs::write(file, content).unwrap();
        assert_eq!(tiles(Tuning::Off, &cache), untuned);
        assert_eq!(tiles(Tuning::WhereNew, &cache).len(), 5);
    }
}

/// The position of a layer's parameters in memory is not part of its shape.
#[test]
fn layers_of_one_shape_are_timed_once() {
    let folder = tempfile::tempdir().unwrap();
    let small = Small::new("9-9-9-3", 6, Optimizer::adam(), 1.0);
    let cache = Some(folder.path().to_path_buf());
    let options = DeviceOptions { tuning: Tuning::Anew, cache, ..DeviceOptions::default() };
    Device::open("gpu", &options).unwrap().backend.load(&small.recording.plan).unwrap();
    let kept: Value = serde_json::from_slice(&std::fs::read(tiles_file(folder.path())).unwrap()).unwrap();
    let gradients = kept["tiles"].as_object().unwrap().keys().filter(|key| key.starts_with("dense_grad")).count();
    assert_eq!(gradients, 2, "{kept}");
}
