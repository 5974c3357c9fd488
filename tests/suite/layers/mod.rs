//! Imports point one way: the modules at the top of `src` use only what the table allows, no ring of
//! files lies anywhere in `src`, and only `sys` holds `unsafe`.
//!
//! The sources are read and every path is followed to the file that defines what it names (`graph`
//! says what counts as a use). What is there in tests alone may lie in rings.
//!
//! `cargo test --test suite layers::print -- --ignored --nocapture` prints every file with the files
//! that it uses, the first line of each use, and the rings.

mod graph;
pub mod sources;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use graph::{Uses, describe, implementing, rings, uses};
use sources::Sources;
use table::{ALLOWED, EXCEPTIONS, FOR_TESTS, JOINTS, STATE, TRACER};

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The sources of the crate, read once.
pub fn read() -> &'static Sources {
    static SOURCES: OnceLock<Sources> = OnceLock::new();
    SOURCES.get_or_init(|| Sources::read(&src()))
}

/// The module at the top of `src` to which a file belongs.
fn top(file: &Path) -> String {
    let first = file.components().next().expect("a name").as_os_str();
    Path::new(first).with_extension("").display().to_string()
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    // Tests keep to the table too.
    for (file, used) in uses(read(), true) {
        let module = top(&file);
        if JOINTS.contains(&module.as_str()) || FOR_TESTS.contains(&module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("src/{}: {module} has no row", file.display()));
            continue;
        };
        for (to, places) in used {
            let other = top(&to);
            let only = EXCEPTIONS
                .iter()
                .find(|(from, to, _)| *from == module && *to == other);
            let fits = |name: &str| {
                other == module
                    || (allowed.contains(&other.as_str())
                        && only.is_none_or(|(_, _, names)| names.contains(&name)))
            };
            let misfit = places.iter().find(|place| {
                let sample = place.test && FOR_TESTS.contains(&other.as_str());
                !sample && !fits(&place.name)
            });
            if let Some(graph::Use { line, name, .. }) = misfit {
                let (file, to) = (file.display(), to.display());
                wrong.push(format!("src/{file}:{line} uses {name} of src/{to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_files_lie_in_a_ring() {
    let uses = uses(read(), false);
    let mut wrong = String::new();
    for ring in rings(&uses) {
        wrong += &format!("a ring of {} files:\n", ring.len());
        wrong += &describe(&uses, &ring);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_tracer_has_its_methods_in_three_places() {
    let allowed = |file: &PathBuf| TRACER.iter().any(|place| file.starts_with(place));
    let files = implementing(read(), Path::new("tracer/mod.rs"), "Tracer");
    assert!(files.len() > 1, "{files:?}");
    let wrong: Vec<&PathBuf> = files.iter().filter(|file| !allowed(file)).collect();
    assert!(wrong.is_empty(), "impl Tracer in {wrong:?}");
}

#[test]
fn every_row_is_of_a_module() {
    let there: BTreeSet<String> = read()
        .modules
        .iter()
        .map(|module| top(&module.file))
        .collect();
    let rows = ALLOWED
        .iter()
        .flat_map(|(name, uses)| [*name].into_iter().chain(uses.iter().copied()));
    let all: BTreeSet<&str> = rows
        .chain(JOINTS.iter().copied())
        .chain(FOR_TESTS.iter().copied())
        .collect();
    let gone: Vec<_> = all
        .into_iter()
        .filter(|name| !there.contains(*name))
        .collect();
    assert!(gone.is_empty(), "no such module: {gone:?}");
}

#[test]
fn parts_of_the_state_do_not_know_each_other() {
    let inside = |file: &Path| file.starts_with("tracer/state") && !file.ends_with("mod.rs");
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (file, used) in uses(read(), false).iter().filter(|(file, _)| inside(file)) {
        for to in used.keys().filter(|to| inside(to)) {
            // A part may have a folder of its own.
            let part = |file: &Path| {
                let file = file.strip_prefix("tracer/state").expect("inside");
                top(file)
            };
            let (from, to) = (part(file), part(to));
            if from != to && !STATE.iter().any(|(a, b, _)| *a == from && *b == to) {
                wrong.push(format!("{from} uses {to}"));
            }
            seen.insert((from, to));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for (from, to, why) in STATE {
        let pair = (from.to_string(), to.to_string());
        assert!(seen.contains(&pair), "{from} does not use {to} ({why})");
    }
}

#[test]
fn only_sys_holds_unsafe() {
    // A `//` in a string cuts the line: good enough for one word.
    let says = |file: &Path| {
        let text = std::fs::read_to_string(src().join(file)).expect("a source file");
        text.lines()
            .filter_map(|line| line.split("//").next())
            .flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .any(|word| word == "unsafe")
    };
    let files: BTreeSet<&PathBuf> = read().modules.iter().map(|module| &module.file).collect();
    let wrong: Vec<_> = files
        .into_iter()
        .filter(|file| says(file) && top(file) != "sys")
        .collect();
    assert!(wrong.is_empty(), "unsafe in {wrong:?}");
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

#[test]
fn every_file_is_read() {
    fn collect(directory: &Path, files: &mut BTreeSet<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("src") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.insert(path.strip_prefix(src()).expect("inside").to_owned());
            }
        }
    }
    let mut there = BTreeSet::new();
    collect(&src(), &mut there);
    let read: BTreeSet<PathBuf> = read()
        .modules
        .iter()
        .map(|module| module.file.clone())
        .collect();
    assert_eq!(there, read);
}

#[test]
#[ignore = "prints, and fails never"]
fn print() {
    let uses = uses(read(), false);
    for (file, used) in &uses {
        println!("src/{}", file.display());
        for (to, places) in used {
            let first = &places[0];
            let (line, name) = (first.line, &first.name);
            println!("  {line:4}: {name} of src/{}", to.display());
        }
    }
    for ring in rings(&uses) {
        println!("\na ring of {} files", ring.len());
        print!("{}", describe(&uses, &ring));
    }
}

/// A crate in a few lines, and who uses whom in it.
fn made_up(files: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a folder");
    for (file, text) in files {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let uses: Uses = uses(&Sources::read(dir.path()), false);
    let pairs = uses.iter().flat_map(|(from, used)| {
        used.iter().map(move |(to, places)| {
            let names: BTreeSet<_> = places.iter().map(|place| place.name.as_str()).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(" ");
            format!("{} {}: {names}", from.display(), to.display())
        })
    });
    pairs.collect()
}

#[test]
fn paths_are_followed_in_all_their_spellings() {
    let lib = "mod a; mod b; mod c; pub use b::inner::Deep as Renamed;
        #[cfg(unix)] mod either; #[cfg(not(unix))] #[path = \"other.rs\"] mod either;
        #[cfg(test)] mod only;";
    let b = "pub mod inner; mod third; pub use inner::*; pub struct B; pub enum Kind { One }
        macro_rules! shout { ($x:expr) => { $crate::c::loud($x) }; } pub(crate) use shout;";
    let inner = "pub struct Deep; pub struct Wide; impl super::B { pub fn far(&self) {} }
        rows! { const ROW: u8 = 1; }";
    let files = |a: &'static str| {
        [
            ("lib.rs", lib),
            ("a.rs", a),
            ("b/mod.rs", b),
            ("b/inner.rs", inner),
            ("b/third.rs", "fn f(x: X) { x.far() }"),
            (
                "c.rs",
                "pub fn loud(_: u8) {} pub fn quiet() {} pub trait Loud {}",
            ),
            ("either.rs", "pub fn any() {}"),
            ("other.rs", "pub fn any() {}"),
            ("only.rs", "use crate::a;"),
            ("main.rs", "fn main() { clonespy::a::start() }"),
        ]
    };
    let of_a = |a: &'static str| -> Vec<String> {
        let all = made_up(&files(a)).into_iter();
        all.filter_map(|pair| pair.strip_prefix("a.rs ").map(str::to_owned))
            .collect()
    };
    // By imports: groups, renames, re-exports, globs as far as they are used.
    assert_eq!(
        of_a("use crate::{b::{self, Kind as K}, c::*};"),
        ["b/mod.rs: Kind"]
    );
    assert_eq!(of_a("use crate::Renamed;"), ["b/inner.rs: Deep"]);
    assert_eq!(
        of_a("use super::b::*; type T = Wide;"),
        ["b/inner.rs: Wide"]
    );
    assert_eq!(of_a("use crate::c::*; fn f() { quiet() }"), ["c.rs: quiet"]);
    assert_eq!(of_a("use crate::b::ROW;"), ["b/inner.rs: ROW"]);
    assert_eq!(of_a("use crate::b::Kind::*;"), ["b/mod.rs: Kind"]);
    // By paths, in macros and attributes too.
    assert_eq!(
        of_a("use crate::b; fn f(x: &b::Deep) {}"),
        ["b/inner.rs: Deep"]
    );
    assert_eq!(
        of_a("fn f() { println!(\"{}\", crate::c::loud(1)) }"),
        ["c.rs: loud"]
    );
    assert_eq!(
        of_a("#[derive(S)] struct X { #[serde(with = \"crate::c::loud\")] x: u8 }"),
        ["c.rs: loud"]
    );
    assert_eq!(
        of_a("mod x { fn f() { super::super::c::quiet() } }"),
        ["c.rs: quiet"]
    );
    assert_eq!(of_a("fn f() { use crate::c; c::quiet() }"), ["c.rs: quiet"]);
    assert_eq!(of_a("use crate::b::shout;"), ["b/mod.rs: shout"]);
    assert_eq!(
        of_a("fn f() { crate::either::any() }"),
        ["either.rs: any", "other.rs: any"]
    );
    assert_eq!(
        of_a("struct X; impl crate::c::Loud for X {}"),
        ["c.rs: Loud"]
    );
    // By methods of a type that lies in several files.
    assert!(of_a("fn f(x: X) { x.far() }").is_empty());
    assert_eq!(
        of_a("use crate::b::B; fn f() { B::far(&x) }"),
        ["b/inner.rs: B::far", "b/mod.rs: B"]
    );
    assert_eq!(
        of_a("impl crate::b::B { fn f(&self) { self.far(); Self::far(self) } }"),
        ["b/inner.rs: B::far", "b/mod.rs: B"]
    );
    // Not by declarations, tests, other crates, modules alone.
    assert!(
        of_a("use crate::b; mod x {} #[cfg(test)] mod tests { use crate::c::loud; }").is_empty()
    );
    assert!(of_a("use std::c::loud; fn f(quiet: u8) { ::b::Deep(quiet) }").is_empty());
    assert!(
        of_a("#[cfg(all(test, unix))] fn f() { crate::c::quiet() } pub(in crate::b) fn g() {}")
            .is_empty()
    );
    let all = made_up(&files("pub fn start() {}"));
    assert!(
        all.contains(&"b/third.rs b/inner.rs: B::far".to_owned()),
        "{all:?}"
    );
    assert!(all.contains(&"main.rs a.rs: start".to_owned()), "{all:?}");
    assert!(all.contains(&"b/mod.rs c.rs: loud".to_owned()), "{all:?}");
    assert!(
        all.contains(&"lib.rs b/inner.rs: Deep".to_owned()),
        "{all:?}"
    );
    assert!(
        !all.iter().any(|pair| pair.starts_with("only.rs")),
        "{all:?}"
    );
}

#[test]
fn rings_are_found() {
    let file = |text: &str| -> Uses {
        let pairs = text
            .split(' ')
            .map(|pair| pair.split_once('>').expect("a>b"));
        let mut uses = Uses::new();
        for (from, to) in pairs {
            uses.entry(to.into()).or_default();
            let used = uses.entry(from.into()).or_default();
            used.entry(to.into()).or_default();
        }
        uses
    };
    let none: [Vec<PathBuf>; 0] = [];
    assert_eq!(rings(&file("a>b b>c a>c")), none);
    assert_eq!(
        rings(&file("a>b b>c c>b")),
        [["b".into(), "c".into()] as [PathBuf; 2]]
    );
    assert_eq!(rings(&file("a>b b>a c>d d>e e>c a>c")).len(), 2);
}
