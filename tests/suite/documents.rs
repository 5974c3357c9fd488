//! The documents show what is so: each command in them is run, and must say what stands under it.
//!
//! `CLONESPY_BLESS=1 cargo test documents` writes the outputs anew; read the difference before
//! committing it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;

use crate::fixtures::{CASES, program, sources};
use crate::layers::{self, sources::Sources};
use crate::run::{guard, lacking, run, tool};
use crate::trace::fresh_file;

/// A command, and where in the document its output stands.
struct Shown {
    command: String,
    output: std::ops::Range<usize>,
}

/// The blocks that begin with `$ clonespy`.
fn shown(lines: &[&str]) -> Vec<Shown> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < lines.len() {
        let command = lines[at + 1].strip_prefix("$ ");
        if let (true, Some(command)) = (lines[at].starts_with("```"), command) {
            let end = (at + 2..lines.len())
                .find(|&line| lines[line] == "```")
                .expect("a block that ends");
            found.push(Shown {
                command: command.to_owned(),
                output: at + 2..end,
            });
            at = end;
        }
        at += 1;
    }
    found
}

/// What does not differ from run to run.
fn normal(text: &str) -> Vec<String> {
    let regex = |pattern: &str| Regex::new(pattern).expect("a pattern");
    let unit = "(ns|µs|ms|s)";
    let text = text.trim_end();
    let time = regex(&format!(r"[\d.]+( {unit})?(–[\d.]+)? {unit}\b"));
    let address = regex(r"0x[0-9a-f]{11,}");
    let tid = regex(r"\b\d{3,7}\b");
    let text = time.replace_all(text, "TIME");
    let text = address.replace_all(&text, "ADDRESS");
    let mut tids = BTreeMap::new();
    // Whether tasks alike have neighbouring tids is chance.
    let text = text.replace("among tids", "tids").replace(" 间  ", "  ");
    let text = tid.replace_all(&text, |found: &regex::Captures<'_>| {
        let next = tids.len() + 1;
        format!("T{}", tids.entry(found[0].to_owned()).or_insert(next))
    });
    unwrapped(&text)
        .iter()
        // A child that lives 50 ms is found, and on a busy machine every child may.
        .filter(|line| !line.trim_start().starts_with('!') || !line.contains("fork-with-threads"))
        // Where a long command is cut depends on how many digits its pid has.
        .map(|line| {
            let word = |word: &'_ str| {
                if word.ends_with('…') {
                    "…".to_owned()
                } else {
                    word.to_owned()
                }
            };
            line.split_whitespace()
                .map(word)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

/// The lines, each remark in one: where it is wrapped depends on how many digits its pids have.
fn unwrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut remark = false;
    for line in text.lines() {
        let more = remark && line.starts_with("        ");
        remark = more || line.starts_with("      ! ");
        match (lines.last_mut(), remark) {
            (Some(last), true) if more => last.push_str(&line.replace(' ', "")),
            (_, true) => lines.push(line.replace(' ', "")),
            (_, false) => lines.push(line.to_owned()),
        }
    }
    lines
}

/// What a command reports; `None` where this machine lacks something for it.
#[track_caller]
fn report(command: &str) -> Option<String> {
    let mut directory = None;
    for case in CASES {
        if command.contains(&format!("./{}", case.fixture)) {
            directory = program(case.fixture).parent().map(Path::to_owned);
        }
    }
    let redis = command.contains("redis-server");
    if redis && !redis_is_the_one_shown() {
        return None;
    }
    if let Some(directory) = &directory {
        // Another test may have made it.
        let _ = std::os::unix::fs::symlink(sources(), directory.join("fixtures"));
    }
    // Redis has a directory of its own: the documents are tested side by side.
    let directory = directory.unwrap_or_else(|| {
        let own = fresh_file("directory");
        std::fs::create_dir_all(&own).expect("a directory");
        own
    });
    let clonespy = PathBuf::from(env!("CARGO_BIN_EXE_clonespy"));
    let path = std::env::var("PATH").expect("PATH");
    let path = format!(
        "{}:{path}",
        clonespy.parent().expect("a directory").display()
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(&directory)
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("CLICOLOR_FORCE");
    let _guard = guard();
    let client = redis.then(|| drive(&directory.join("redis.sock")));
    let done = run(&mut shell);
    if let Some(client) = client {
        client.join().expect("the client");
    }
    // A verdict goes to standard output, a report to standard error.
    Some(done.err() + &done.out())
}

/// The threads of Redis have other names in other versions.
fn redis_is_the_one_shown() -> bool {
    let (Some(server), Some(_)) = (tool("redis-server"), tool("redis-cli")) else {
        return false;
    };
    let version = run(Command::new(server).arg("--version")).out();
    let same = version.contains(" v=7.0.");
    if !same {
        lacking(&format!("redis-server 7.0 is not installed, but {version}"));
    }
    same
}

/// Asks a Redis for a snapshot, waits until it is done, and ends it.
fn drive(socket: &Path) -> std::thread::JoinHandle<()> {
    let socket = socket.to_owned();
    let script = "\
        ask() { redis-cli -s \"$1\" $2 2>&1; }
        until ask \"$1\" ping | grep -q PONG; do :; done
        ask \"$1\" bgsave
        until ask \"$1\" 'info persistence' | grep -q rdb_bgsave_in_progress:0; do :; done
        ask \"$1\" 'shutdown nosave'";
    std::thread::spawn(move || {
        // Its status tells nothing: a server that shuts down does not answer.
        let _ = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(socket)
            .stdout(Stdio::null())
            .status();
    })
}

#[track_caller]
fn hold(document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(&path).expect("a document");
    let lines: Vec<&str> = text.lines().collect();
    let bless = std::env::var_os("CLONESPY_BLESS").is_some();
    let mut new: Vec<String> = Vec::new();
    let mut kept = 0;
    let blocks = shown(&lines);
    assert!(!blocks.is_empty(), "{document} shows nothing");
    for block in blocks {
        let Some(report) = report(&block.command) else {
            continue;
        };
        let written = lines[block.output.clone()].join("\n");
        if bless {
            new.extend(
                lines[kept..block.output.start]
                    .iter()
                    .map(|&line| line.to_owned()),
            );
            new.extend(report.lines().map(str::to_owned));
            kept = block.output.end;
            continue;
        }
        assert_eq!(
            normal(&report),
            normal(&written),
            "{document}: $ {}\n{report}",
            block.command
        );
    }
    if bless {
        new.extend(lines[kept..].iter().map(|&line| line.to_owned()));
        std::fs::write(&path, new.join("\n") + "\n").expect("the document");
    }
}

#[test]
fn the_readme_shows_what_is_so() {
    hold("README.md");
}

#[test]
fn the_essays_show_what_is_so() {
    hold("docs/essays.md");
}

#[test]
fn the_essays_in_chinese_show_what_is_so() {
    hold("docs/essays.zh.md");
}

#[test]
fn the_page_on_ci_shows_what_is_so() {
    hold("docs/ci.md");
}

/// Options that a document names exist, and every option of the help is in the README.
#[test]
fn the_readme_names_every_option_and_no_other() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let help = run(Command::new(env!("CARGO_BIN_EXE_clonespy")).arg("--help")).out();
    let long = Regex::new(r"--[a-z][a-z0-9-]+").expect("a pattern");
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        long.find_iter(text)
            .map(|found| found.as_str().to_owned())
            .collect()
    };
    // Written in the help; in the README by their short names.
    let known = words(&help);
    let others = [
        "--release",
        "--path",
        "--help",
        "--version",
        "--seccomp-bpf",
    ];
    for option in words(&readme) {
        let other = others.contains(&option.as_str());
        assert!(other || known.contains(&option), "{option} is no option");
    }
    for option in known {
        if ["--help", "--version"].contains(&option.as_str()) {
            continue;
        }
        let row = help.lines().find(|line| line.contains(&option));
        let short = row
            .and_then(|line| line.trim_start().get(..2))
            .unwrap_or_default();
        let named = readme.contains(&option) || readme.contains(&format!("`{short}"));
        assert!(named, "the README lacks {option}");
    }
}

/// The tests of a crate by their paths, without the `tests` that they lie in; macros make some of them.
fn tests_of(sources: &Sources) -> Vec<String> {
    let mut paths = Vec::new();
    let mut todo: Vec<(usize, String)> = (0..sources.modules.len())
        .filter(|id| sources.modules[*id].parent.is_none())
        .map(|id| (id, String::new()))
        .collect();
    while let Some((id, path)) = todo.pop() {
        let module = &sources.modules[id];
        let words = module.items.iter().chain(&module.perhaps);
        paths.extend(words.map(|word| format!("{path}::{word}")));
        for (name, children) in &module.children {
            let inside = match name.as_str() {
                "tests" => path.clone(),
                name => format!("{path}::{name}"),
            };
            paths.push(inside.clone());
            todo.extend(children.iter().map(|child| (*child, inside.clone())));
        }
    }
    paths
}

#[test]
fn the_tests_that_are_named_exist() {
    let suite = Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite"));
    let all = [tests_of(layers::read()), tests_of(&suite)]
        .concat()
        .join("\n");
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md"))
            .expect("a document");
    let names = Regex::new(r"`([a-z_]+(?:::[a-z0-9_…]+)+)`").unwrap();
    let mut missing = Vec::new();
    for name in names.captures_iter(&text).map(|found| found[1].to_owned()) {
        // `…` is what is left out of a long name; what comes after a module may be left out whole.
        let pattern = regex::escape(&name).replace('…', ".*");
        let pattern = Regex::new(&format!("(?m)::{pattern}$")).unwrap();
        if !pattern.is_match(&all) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
