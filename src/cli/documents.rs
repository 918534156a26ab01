//! Every command that README and guide show parses: a renamed option must not live on there.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use gpunet::low_level::nn::optim::Optimizer;
use gpunet::low_level::settings;

use super::Cli;

/// README and the pages of the guide.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs/guide")).unwrap().map(|page| page.unwrap().path());
    let mut documents: Vec<PathBuf> =
        pages.filter(|page| page.extension().is_some_and(|found| found == "md")).collect();
    documents.push(root.join("README.md"));
    documents.sort();
    documents
}

/// The lines of a document's code blocks, fenced or indented, with continued lines joined.
fn code_lines(text: &str) -> Vec<String> {
    let (mut fenced, mut lines) = (false, Vec::new());
    let mut continued = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            continued += line.trim();
            match continued.strip_suffix('\\') {
                Some(begun) => continued = format!("{} ", begun.trim_end()),
                None => lines.push(std::mem::take(&mut continued)),
            }
        }
    }
    lines
}

/// The words of a command as a shell takes them apart, up to a comment, a pipe or the next command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (letter, quote) {
            (_, Some(open)) if letter == open => quote = None,
            ('"' | '\'', None) => (quote, word) = (Some(letter), Some(word.unwrap_or_default())),
            ('#', None) if word.is_none() => break,
            ('|' | ';' | '&' | '>', None) => break,
            (' ', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// The arguments of a line that runs gpunet, however it is started.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = words(line.trim_start_matches("$ "));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let rest = match &words[..] {
        ["gpunet" | "target/release/gpunet", rest @ ..] | ["cargo", "run", "--release", "--", rest @ ..] => rest,
        _ => return None,
    };
    Some(rest.iter().map(|word| (*word).to_string()).collect())
}

#[test]
fn every_command_of_the_documents_parses() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for line in code_lines(&text) {
            let Some(arguments) = arguments(&line) else { continue };
            let parsed = Cli::try_parse_from(["gpunet".to_string()].into_iter().chain(arguments));
            let is_help = |error: &clap::Error| {
                use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
                matches!(error.kind(), DisplayHelp | DisplayVersion)
            };
            if let Some(error) = parsed.err().filter(|error| !is_help(error)) {
                panic!("{}: `{line}`\n{error}", document.display());
            }
        }
    }
}

/// The row of a table of the training options that begins with this name in backticks.
fn row(name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/training-options.md");
    let text = fs::read_to_string(page).unwrap();
    let begin = format!("| `{name}` |");
    text.lines()
        .find(|line| line.starts_with(&begin))
        .unwrap_or_else(|| panic!("no row begins with `{name}`"))
        .to_string()
}

#[test]
fn the_guide_has_a_row_for_every_optimizer_with_its_defaults() {
    for optimizer in Optimizer::all() {
        let settings = settings::text(&optimizer);
        let mut settings = settings.split(':');
        let row = row(settings.next().unwrap());
        for setting in settings {
            assert!(row.contains(&format!("`{setting}`")), "{setting} is not in: {row}");
        }
    }
}

/// The README and most pages show commands, so that a change of their form which hides them from the test above is noticed.
#[test]
fn commands_are_found_in_the_documents() {
    let count = |document: &PathBuf| {
        code_lines(&fs::read_to_string(document).unwrap()).iter().filter(|line| arguments(line).is_some()).count()
    };
    let with_commands = documents().iter().filter(|document| count(document) > 0).count();
    assert!(2 * with_commands > documents().len(), "{with_commands} of {} documents", documents().len());
    let found = arguments("$ gpunet sweep r.toml --grid \"lr=0.1,0.3;batch=50\" --out a   # four runs");
    assert_eq!(found.unwrap(), ["sweep", "r.toml", "--grid", "lr=0.1,0.3;batch=50", "--out", "a"]);
    assert_eq!(
        code_lines("text\n```\ngpunet train \\\n  --adam\n```\n    gpunet eval"),
        ["gpunet train --adam", "gpunet eval"]
    );
}
