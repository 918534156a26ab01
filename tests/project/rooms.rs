//! The layers of the library: each room imports only rooms below it.

use std::collections::BTreeSet;

use crate::files;

/// The rooms of `src/` from the ground up. A room is a top-level file and the folder of the same name.
const ROOMS: [&str; 13] = [
    "math", "settings", "files", "kernels", "plan", "data", "backend", "nn", "run", "store", "profile", "error",
    "train",
];

/// Rooms that no other room imports: charts, which a feature leaves out, and what users of the library see first.
const ON_TOP: [&str; 2] = ["facade", "report"];

/// An import of one room by another, in a file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    file: String,
    from: String,
    to: String,
}

/// The room that a file of `src/` belongs to.
fn room_of(file: &str) -> String {
    let inside = file.strip_prefix("src/").expect("a file of src");
    inside.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_string()
}

/// The names that follow `crate::` in a file's code: comments and the test module left out, groups in braces taken apart.
fn imported(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: String =
        code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_names(group)),
            None => names.extend(name_at(rest)),
        }
    }
    names
}

/// The first name of each item of a group whose opening brace is left out.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut item_begins) = (1, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => item_begins = true,
            _ if item_begins && letter.is_alphabetic() => {
                names.extend(name_at(&group[at..]));
                item_begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn name_at(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    Some(name).filter(|name| !name.is_empty())
}

/// Imports of a room that does not lie below.
fn upward(files: &[(String, String)]) -> Vec<Arrow> {
    let height = |room: &str| ROOMS.iter().chain(&ON_TOP).position(|known| *known == room);
    let mut arrows = Vec::new();
    for (file, text) in files {
        let from = room_of(file);
        let Some(own) = height(&from) else { continue };
        for to in imported(text) {
            if height(&to).is_some_and(|other| other > own) {
                arrows.push(Arrow { file: file.clone(), from: from.clone(), to });
            }
        }
    }
    arrows
}

#[test]
fn rooms_import_only_rooms_below_them() {
    let sources = files("src", "rs");
    let rooms: BTreeSet<String> = sources.iter().map(|(file, _)| room_of(file)).collect();
    let listed: BTreeSet<String> =
        ROOMS.iter().chain(&ON_TOP).chain(&["lib", "main", "cli"]).map(|room| (*room).to_string()).collect();
    assert_eq!(rooms, listed, "every room of src/ has its place in this list");
    let found = upward(&sources);
    let tell = |Arrow { file, from, to }: &Arrow| format!("{file} imports `{to}`, which lies above its room `{from}`");
    assert!(found.is_empty(), "{}", found.iter().map(tell).collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_arrow_upwards_is_found() {
    let file = |name: &str, text: &str| (name.to_string(), text.to_string());
    let planted = [
        file("src/math/real.rs", "use crate::kernels::kernel::Kernel;"),
        file("src/plan.rs", "use crate::{\n    kernels::{kernel, step},\n    backend::Backend,\n};"),
        file("src/store/run.rs", "fn f() -> Result<(), crate::train::Error> {}"),
        file(
            "src/nn/model.rs",
            "use crate::plan::Plan; // not crate::train\n#[cfg(test)]\nmod tests { use crate::store::X; }",
        ),
    ];
    let found: Vec<(String, String)> = upward(&planted).into_iter().map(|arrow| (arrow.file, arrow.to)).collect();
    let expected = [("src/math/real.rs", "kernels"), ("src/plan.rs", "backend"), ("src/store/run.rs", "train")];
    assert_eq!(found, expected.map(|(file, to)| (file.to_string(), to.to_string())));
}
