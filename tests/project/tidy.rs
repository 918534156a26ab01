//! The architecture's invariants that can be read off the source.

use std::fs;

use crate::{files, root};

/// Lines of code of the library and the command, comments and test modules left out.
fn code() -> Vec<(String, String)> {
    let strip = |text: String| {
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_string();
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    files("src", "rs").into_iter().map(|(name, text)| (name, strip(text))).collect()
}

/// Asserts that only files in `allowed` (a prefix each) contain one of `words`.
fn only_in(words: &[&str], allowed: &[&str]) {
    for (name, text) in code() {
        if allowed.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        for word in words {
            assert!(!text.contains(word), "{name} contains `{word}`, which belongs in {allowed:?}");
        }
    }
}

#[test]
fn wgpu_is_named_only_in_the_gpu_backend() {
    only_in(&["wgpu", "pollster", "naga"], &["src/backend/gpu"]);
}

#[test]
fn the_plotting_library_is_named_only_in_reports() {
    only_in(&["plotters", "png::"], &["src/report/"]);
}

#[test]
fn only_the_command_line_prints() {
    only_in(&["println!", "print!(", "dbg!"], &[]);
    only_in(&["io::stdout", "io::stderr", "stdout()", "stderr()"], &["src/cli/"]);
}

#[test]
fn the_library_reads_no_environment_variables() {
    only_in(&["std::env", "env::var"], &[]);
}

#[test]
fn unsafe_code_stays_where_it_is_argued_for() {
    only_in(
        &["unsafe "],
        &[
            "src/math/gemm.rs",
            "src/backend/gpu/matrices.rs",
            "src/backend/gpu/pipeline_cache.rs",
            "src/backend/gpu/pipelines.rs",
        ],
    );
    for (name, text) in files("src", "rs") {
        let (blocks, arguments) = (text.matches("unsafe {").count(), text.matches("// SAFETY:").count());
        assert_eq!(blocks, arguments, "{name}: an argument for each unsafe block");
    }
}

#[test]
fn nothing_is_left_undone() {
    only_in(&["todo!", "unimplemented!", "FIXME"], &[]);
    for (name, text) in files("shaders", "wgsl") {
        assert!(!text.contains("TODO") && !text.contains("FIXME"), "{name}");
    }
}

/// Sizes that feel good: past them a file is looked at again.
#[test]
fn files_are_small() {
    for (folder, extension, most) in
        [("src", "rs", 300), ("shaders", "wgsl", 130), ("tests", "rs", 300), ("benches/kernels", "rs", 300)]
    {
        for (name, text) in files(folder, extension) {
            let lines = text.lines().count();
            assert!(lines <= most, "{name} has {lines} lines, more than {most}");
        }
    }
}

/// The bundled data is what was published.
#[test]
fn bundled_data_has_its_published_sums() {
    let sums = fs::read_to_string(root().join("data/mnist/SHA256SUMS")).unwrap();
    let mut checked = 0;
    for line in sums.lines().filter(|line| line.ends_with(".gz")) {
        let (sum, file) = line.split_once("  ").unwrap();
        let content = fs::read(root().join("data/mnist").join(file)).unwrap();
        let found: String =
            <sha2::Sha256 as sha2::Digest>::digest(&content).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(found, sum, "{file}");
        checked += 1;
    }
    assert_eq!(checked, 4);
}
