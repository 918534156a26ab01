//! What the documents name exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{files, root};

/// All Markdown files of the project but those of tools: path from the root and content.
fn documents() -> Vec<(String, String)> {
    let mut documents: Vec<(String, String)> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(|file| (file.to_string(), fs::read_to_string(root().join(file)).unwrap()))
        .into();
    for folder in ["docs", "data", "benches"] {
        documents.extend(files(folder, "md").into_iter().filter(|(file, _)| !file.contains("/target/")));
    }
    documents
}

/// The targets of a document's links and pictures.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept =
            heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// Files and folders that a document names in backticks, by their paths from the root.
fn named(text: &str) -> BTreeSet<String> {
    let roots = ["src/", "shaders/", "tests/", "benches/", "docs/", "recipes/", "examples/", "data/mnist", "data/font"];
    // Odd pieces between backticks are code.
    let code = text.split('`').skip(1).step_by(2);
    let is_path = |code: &&str| {
        let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        plain && roots.iter().any(|root| code.starts_with(root))
    };
    code.filter(is_path).map(str::to_string).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    for (file, text) in documents() {
        let folder = root().join(&file).parent().unwrap().to_path_buf();
        for link in links(&text).into_iter().filter(|link| !link.starts_with("http")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { root().join(&file) } else { folder.join(path) };
            assert!(target.exists(), "{file} links to {link}");
            if !anchor.is_empty() {
                let headings = anchors(&fs::read_to_string(&target).unwrap());
                assert!(headings.contains(anchor), "{file} links to {link}, but there are {headings:?}");
            }
        }
    }
}

#[test]
fn named_files_exist() {
    for (file, text) in documents() {
        for path in named(&text) {
            // Changes and results keep the names that were valid at their date.
            let is_history = file == "CHANGELOG.md" || file.starts_with("docs/results/");
            assert!(is_history || root().join(&path).exists(), "{file} names `{path}`");
        }
        assert!(!text.contains("@@"), "{file} has a placeholder");
    }
}

/// The two tests above look at something.
#[test]
fn links_and_names_are_found() {
    let of = |name: &str| documents().into_iter().find(|(file, _)| file == name).unwrap().1;
    assert!(links(&of("README.md")).len() >= 10 && named(&of("docs/ARCHITECTURE.md")).len() >= 10);
    assert_eq!(links("see [a](b.md#c) and ![d](e.svg)"), ["b.md#c", "e.svg"]);
    assert_eq!(anchors("# A `b`: c-d\n## E"), BTreeSet::from(["a-b-c-d".to_string(), "e".to_string()]));
    let text = "`src/lib.rs`, `src/{a,b}.rs` and `gpunet`, ```\nx\n```, `tests/project`";
    assert_eq!(named(text), BTreeSet::from(["src/lib.rs".to_string(), "tests/project".to_string()]));
    assert!(Path::new(root()).join("README.md").exists());
}

/// The README stays a page that is read: its first screen says what gpunet is and shows it at work.
#[test]
fn the_readme_is_short() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 120, "{} lines", readme.lines().count());
    let first_screen: String = readme.lines().take(60).collect::<Vec<_>>().join("\n");
    for needed in ["cargo install", "gpunet train", "test accuracy", "learning-curves"] {
        assert!(first_screen.contains(needed), "`{needed}` is not in the first 60 lines");
    }
}
