//! Imports point one way: each module of the crate uses only what stands to its left in the table,
//! and only `sys` holds `unsafe`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may use besides itself. A new module gets a row.
const ALLOWED: &[(&str, &[&str])] = &[
    ("error", &[]),
    // Two exceptions to the order: the tables of calls speak of `event::Call` and `event::Stack`.
    ("abi", &["error", "event"]),
    ("event", &["error", "abi"]),
    ("origins", &["error", "abi", "event"]),
    ("seccomp", &["error", "abi"]),
    ("peek", &["error", "abi", "event"]),
    ("decode", &["error", "abi", "event", "peek"]),
    ("symbols", &["error", "abi", "event", "peek", "decode"]),
    (
        "observe",
        &[
            "error", "abi", "event", "origins", "peek", "decode", "symbols", "sys",
        ],
    ),
    (
        "tracer",
        &[
            "error", "abi", "event", "seccomp", "peek", "decode", "symbols", "observe", "sys",
        ],
    ),
    ("sys", &["error"]),
    ("replay", &["error", "abi", "event"]),
    ("tasks", &["error", "abi", "event"]),
    ("suggest", &[]),
    ("output", &["error", "sys"]),
    ("lint", &["error", "abi", "event", "tasks"]),
    (
        "check",
        &[
            "error", "abi", "event", "origins", "tasks", "lint", "output", "suggest",
        ],
    ),
    ("report", &["error", "abi", "event", "tasks"]),
    ("explain", &["error", "abi", "origins", "suggest"]),
    ("measure", &["error", "abi", "sys"]),
];

/// What joins the layers and may use all of them.
const JOINTS: &[&str] = &["lib", "library", "cli", "main"];

/// Modules for tests alone: any test may use them.
const SAMPLES: &str = "_samples";
const WATCHDOG: &str = "watchdog";

/// From `abi`, nothing of `event` but this.
const EXCEPTIONS: &[&str] = &["event::Call", "event::Stack"];

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for (module, file, code) in code() {
        if JOINTS.contains(&module.as_str()) || module.ends_with(SAMPLES) || module == WATCHDOG {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!(
                "{}: module {module} has no row in this test",
                file.display()
            ));
            continue;
        };
        for path in paths(&code) {
            let used = path.split("::").next().unwrap_or_default();
            let fits = used == module || allowed.contains(&used);
            // What lib.rs re-exports is the error type's short name.
            let short = matches!(used, "Error" | "Result");
            let samples = used.ends_with(SAMPLES) || used == WATCHDOG;
            if !(fits || short || samples)
                || (module == "abi" && used == "event" && !EXCEPTIONS.contains(&path.as_str()))
            {
                wrong.push(format!("{}: crate::{path}", file.display()));
            }
        }
        if climbs_out(&file, &code) {
            wrong.push(format!(
                "{}: super:: reaches the crate's root",
                file.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_sys_holds_unsafe() {
    let wrong: Vec<String> = code()
        .into_iter()
        .filter(|(module, _, code)| module != "sys" && words(code).any(|word| word == "unsafe"))
        .map(|(_, file, _)| file.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "unsafe in {}", wrong.join(", "));
}

#[test]
fn the_table_of_layers_has_no_ring_but_the_licensed_one() {
    let table: BTreeMap<&str, BTreeSet<&str>> = ALLOWED
        .iter()
        .map(|(name, uses)| (*name, uses.iter().copied().collect()))
        .collect();
    let reaches = |from: &str, to: &str| table.get(from).is_some_and(|uses| uses.contains(to));
    for (a, uses) in &table {
        for b in uses {
            let licensed = matches!((*a, *b), ("abi", "event") | ("event", "abi"));
            assert!(licensed || !reaches(b, a), "{a} and {b} use each other");
        }
    }
}

/// Every source file: its module, its path, its code without comments.
fn code() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(!files.is_empty());
    files
        .into_iter()
        .map(|file| {
            let inside = file.strip_prefix(&root).expect("a file of src");
            let first = inside.components().next().expect("a name").as_os_str();
            let module = Path::new(first).with_extension("").display().to_string();
            let text = std::fs::read_to_string(&file).expect("a source file");
            let code = text
                .lines()
                .map(without_comment)
                .collect::<Vec<_>>()
                .join("\n");
            (module, inside.to_owned(), code)
        })
        .collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("src") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// A line without its comment. A `//` in a string cuts the string: good enough for looking at
/// imports.
fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The paths behind each `crate::`, groups in braces opened one level deep: enough to see the
/// module and, for the exception, the item.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let path = &code[at + "crate::".len()..];
        if let Some(group) = path.strip_prefix('{') {
            found.extend(members(group));
            continue;
        }
        let plain = plain(path);
        match path[plain.len()..].strip_prefix("::{") {
            Some(group) => {
                found.extend(
                    members(group)
                        .into_iter()
                        .map(|item| format!("{plain}::{item}")),
                );
            }
            None => found.push(plain.to_owned()),
        }
    }
    found
}

/// The leading `a::b::C` of a text.
fn plain(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
        .unwrap_or(text.len());
    text[..end].trim_end_matches(':')
}

/// The members of a group, given the text after its opening brace.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let member = plain(group[start..at].trim());
                if !member.is_empty() {
                    found.push(member.to_owned());
                }
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether an import at the top of a file leaves its module by `super`.
fn climbs_out(file: &Path, code: &str) -> bool {
    let depth = file.components().count();
    let is_root = file.file_stem().is_some_and(|stem| stem == "mod");
    // src/a.rs and src/a/mod.rs are one step below the root, src/a/b.rs two.
    let steps = if is_root { depth - 1 } else { depth };
    let climb = format!("use {}", "super::".repeat(steps));
    code.lines()
        .any(|line| line.trim_start_matches("pub ").starts_with(&climb))
}

#[test]
fn paths_are_found_in_all_their_spellings() {
    let code = "use crate::event::{Call, Tid as T};\nuse crate::{\n    abi::Abi,\n    peek::{Errno, Peek},\n};\nlet x = crate::sys::wait(1);";
    assert_eq!(
        paths(code),
        ["event::Call", "event::Tid", "abi::Abi", "peek", "sys::wait"]
    );
    assert!(climbs_out(Path::new("tasks.rs"), "use super::event;"));
    assert!(!climbs_out(Path::new("tasks.rs"), "    use super::*;"));
    assert!(!climbs_out(Path::new("abi/flags.rs"), "use super::Abi;"));
    assert!(climbs_out(
        Path::new("abi/flags.rs"),
        "use super::super::event;"
    ));
    assert!(words("unsafe_code; a.unsafe {").any(|word| word == "unsafe"));
    assert!(!words("unsafe_code").any(|word| word == "unsafe"));
}
