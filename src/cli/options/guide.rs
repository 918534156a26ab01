//! The table of options in the guide. It is made from clap's arguments and the entries.

use std::path::PathBuf;

use clap::{Arg, Args, Command};

use super::{Setting, all};
use crate::cli::train::Arguments;

const START: &str = "<!-- generated: training options -->\n";
const END: &str = "<!-- end -->";

/// One row per option of `train`: the option, its recipe key, its default, what it does.
fn table() -> String {
    let mut command = Arguments::augment_args(Command::new("train")).disable_help_flag(true);
    command.build();
    // By heading, as in the help.
    let headings: Vec<_> = command.get_arguments().map(Arg::get_help_heading).collect();
    let mut arguments: Vec<_> = command.get_arguments().collect();
    arguments.sort_by_key(|argument| headings.iter().position(|&heading| heading == argument.get_help_heading()));
    let rows = arguments.into_iter().map(|argument| {
        let name = argument.get_long().unwrap_or_default();
        let setting = all().iter().find(|setting| setting.option == name);
        let key = setting.map_or(String::new(), key);
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let (help, default) = match help.split_once(" [default: ") {
            Some((help, default)) => (help.to_string(), default.trim_end_matches(']').to_string()),
            None => (help, String::new()),
        };
        let row = [option(argument), key, code(setting, default), help].map(|text| cell(&text));
        format!("|{}\n", row.concat())
    });
    let header = "| option | recipe key | default | what it does |\n|---|---|---|---|\n";
    [header.to_string()].into_iter().chain(rows).collect()
}

/// The recipe key. A setting with settings of its own is a section.
fn key(Setting { path, kinds, .. }: &Setting) -> String {
    if kinds.is_empty() { format!("`{path}`") } else { format!("`[{path}]`") }
}

/// The option as a user types it.
fn option(argument: &Arg) -> String {
    let name = argument.get_long().unwrap_or_default();
    let takes_value = argument.get_num_args().is_some_and(|count| count.takes_values());
    let value = argument.get_value_names().filter(|_| takes_value).and_then(|names| names.first());
    match value {
        Some(value) if argument.is_require_equals_set() => format!("`--{name}[={value}]`"),
        Some(value) => format!("`--{name} {value}`"),
        None => format!("`--{name}`"),
    }
}

/// The default, as code if it is a value or a pattern.
fn code(setting: Option<&Setting>, default: String) -> String {
    let is_value = setting.is_some_and(|setting| setting.default.is_none() && !default.is_empty());
    if is_value || default.contains('<') { format!("`{default}`") } else { default }
}

/// A cell and the bar at its end.
fn cell(text: &str) -> String {
    if text.is_empty() { " |".to_string() } else { format!(" {} |", text.replace('|', "\\|")) }
}

fn page() -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/guide/training-options.md");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The page before the table, the table, and the page after it.
fn parts(page: &str) -> (&str, &str, &str) {
    let (before, rest) = page.split_once(START).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    (before, table, after)
}

#[test]
fn the_guide_has_the_options_that_there_are() {
    let (_, page) = page();
    assert!(
        parts(&page).1 == table(),
        "docs/guide/training-options.md differs from the options; `cargo test --release --bin gpunet write_the_table -- --ignored` \
         writes its table anew"
    );
}

#[test]
#[ignore = "writes the table of docs/guide/training-options.md"]
fn write_the_table() {
    let (path, page) = page();
    let (before, _, after) = parts(&page);
    std::fs::write(path, format!("{before}{START}{}{END}{after}", table())).unwrap();
}
