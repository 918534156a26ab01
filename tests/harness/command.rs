//! Running the `gpunet` command on a tiny data set in a fresh folder.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs `gpunet` in a folder and returns exit code, standard output and standard error.
pub fn gpunet(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_gpunet")).current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// Asserts success and returns standard output.
pub fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = gpunet(folder, arguments);
    assert_eq!(code, 0, "{arguments:?} failed: {stderr}");
    stdout
}

/// Asserts exit code 2 and one error that contains all of `parts`, without a panic.
pub fn refuses(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let (code, _, stderr) = gpunet(folder, arguments);
    assert_eq!(code, 2, "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{arguments:?}: the message lacks `{part}`: {stderr}");
    }
}

/// An IDX file: magic number, dimensions, bytes.
pub fn idx(magic: u32, dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = [&[magic], dimensions].concat();
    header.iter().flat_map(|word| word.to_be_bytes()).chain(bytes.iter().copied()).collect()
}

pub const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// A data set of 2x2 images, 60 for training and 30 for testing. In each of the three classes another pixel is bright.
pub fn tiny_data(folder: &Path) {
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
pub fn fresh_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    tiny_data(&folder.path().join("data"));
    folder
}

#[rustfmt::skip]
pub const TRAIN_TINY: [&str; 14] = [
    "train", "--data", "data", "--arch", "4-8-3", "--batch", "7", "--epochs", "12", "--device", "cpu", "--adam", "--lr", "0.05",
];

pub fn train_tiny<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&TRAIN_TINY[..], more].concat()
}

/// [`train_tiny`] with another number of epochs.
pub fn train_tiny_for<'a>(epochs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    train_tiny(more).into_iter().map(|argument| if argument == "12" { epochs } else { argument }).collect()
}
