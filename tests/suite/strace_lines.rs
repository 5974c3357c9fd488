//! `--format strace`: the lines are those that strace prints, and programs that read strace's logs
//! read ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use clonespy::event::EventKind;

use crate::fixtures::program;
use crate::run::{End, lacking, run, tool};
use crate::trace::{clonespy, events, format, fresh_file};

/// Fixtures whose calls follow each other, so that strace and we see them in one order.
const CASES: &[(&str, &[&str])] = &[
    ("thread", &[]),
    ("fork", &[]),
    ("vfork", &[]),
    ("clone_vm", &["clone_vm"]),
    ("clone_flags", &[]),
    ("clone3_sizes", &[]),
    ("failures", &[]),
    ("shared_memory_process", &[]),
];

/// What strace shows of a call that a trace does not hold: pointers to tids that the kernel did not
/// take, and a struct that it did not read.
const UNLIKE: &[&str] = &[
    "set_tid=NULL",
    "set_tid=ADDRESS",
    "set_tid=0x1000",
    ", 4097)",
    "/* bytes 88..4095",
    "stack_size=0, ???}",
];

/// Sizes, signals and errnos of the fixtures that have as many digits as tids.
const NO_TIDS: &[&str] = &["255", "145", "256", "4095", "4096", "4097"];

/// The log of a run in which no task has such a number: the next tids are others.
fn log(file: &Path, mut run: impl FnMut()) -> String {
    loop {
        run();
        let log = std::fs::read_to_string(file).expect("a log");
        let mut tids = log.lines().filter_map(|line| line.split(' ').next());
        if !tids.any(|tid| NO_TIDS.contains(&tid)) {
            return log;
        }
    }
}

/// A line without what differs from run to run: addresses, and the numbers of tasks, which are
/// counted in order of appearance instead.
fn normal(text: &str) -> Vec<String> {
    let mut tids: BTreeMap<String, usize> = BTreeMap::new();
    let own =
        |line: &&str| line.contains("clone") || line.contains("fork(") || line.contains("+++");
    let whole = |line: &&str| !line.contains("unfinished") && !line.contains("resumed");
    text.lines()
        .filter(own)
        .filter(whole)
        .filter(|line| !line.contains("execve("))
        .map(|line| {
            let mut out = String::new();
            let mut word = String::new();
            for c in line.chars().chain(['\n']) {
                if c.is_ascii_alphanumeric() || c == '_' {
                    word.push(c);
                    continue;
                }
                out.push_str(&redact(&word, &mut tids));
                word.clear();
                out.push(c);
            }
            // The room before a result goes by the length of what was replaced.
            out.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn redact(word: &str, tids: &mut BTreeMap<String, usize>) -> String {
    let address = word.starts_with("0x5") || word.starts_with("0x7");
    if address && word.len() >= 14 {
        return "ADDRESS".into();
    }
    // Tids are the numbers from three digits up that are no size, signal or errno of a fixture.
    // (Nor are they as large as PID_MAX_LIMIT, 2^22.)
    let number = (3..=7).contains(&word.len()) && word.chars().all(|c| c.is_ascii_digit());
    if number && !NO_TIDS.contains(&word) {
        let next = tids.len() + 1;
        return format!("T{}", tids.entry(word.to_owned()).or_insert(next));
    }
    word.to_owned()
}

/// The lines of calls, in order, and those of ends, sorted: whose end is seen first is chance.
fn parts(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut ends, calls): (Vec<_>, Vec<_>) = normal(text)
        .into_iter()
        .partition(|line| line.contains("+++"));
    ends.sort();
    (calls, ends)
}

#[test]
fn the_lines_are_those_of_strace() {
    let Some(strace) = tool("strace") else {
        return;
    };
    for (fixture, args) in CASES {
        let path = program(fixture);
        let (theirs, ours) = (fresh_file("strace"), fresh_file("ours"));
        let theirs = log(&theirs, || {
            run(Command::new(&strace)
                .args(["-f", "-q", "-e", "signal=none"])
                .args(["-e", "trace=clone,clone3,fork,vfork", "-o"])
                .arg(&theirs)
                .arg(&path)
                .args(*args))
            .expect(fixture, End::Exit(0));
        });
        let ours = log(&ours, || {
            run(clonespy()
                .args(["--format", "strace", "-o"])
                .arg(&ours)
                .arg("--")
                .arg(&path)
                .args(*args))
            .expect(fixture, End::Exit(0));
        });
        // A caller that strace finds waiting has its line in two halves, which are not compared.
        let halves = theirs.contains("unfinished");
        let (their_calls, their_ends) = parts(&theirs);
        let (our_calls, our_ends) = parts(&ours);
        if halves {
            let missing = their_calls.iter().filter(|line| !line.contains(" T"));
            assert!(
                missing.count() <= our_calls.len(),
                "{fixture}:\n{theirs}\n{ours}"
            );
            continue;
        }
        assert_eq!(
            our_calls.len(),
            their_calls.len(),
            "{fixture}:\n{theirs}\n{ours}"
        );
        for (our, their) in our_calls.iter().zip(&their_calls) {
            let unlike = UNLIKE.iter().any(|part| their.contains(part));
            assert!(unlike || our == their, "{fixture}:\n{our}\n{their}");
        }
        assert_eq!(our_ends, their_ends, "{fixture}");
    }
}

/// A Python that has the module, in CLONESPY_PYTHON or in the path.
#[track_caller]
fn python(module: &str) -> Option<PathBuf> {
    let named = std::env::var_os("CLONESPY_PYTHON").map(PathBuf::from);
    let found = named.or_else(|| tool("python3"))?;
    let has = run(Command::new(&found).args(["-c", &format!("import {module}")]));
    if has.end() != End::Exit(0) {
        lacking(&format!(
            "{module} is not installed for {}",
            found.display()
        ));
        return None;
    }
    Some(found)
}

/// flametrace (PyPI) draws flame graphs from strace's logs; its parser reads ours.
const READ: &str = "\
import sys
from flametrace.core import StraceParser
for call in StraceParser().parse(open(sys.argv[1])):
    print(call.func, call.retcode, call.elapsed is not None)
";

#[test]
fn a_reader_of_straces_logs_reads_ours() {
    let Some(python) = python("flametrace") else {
        return;
    };
    let cases = [
        ("fork", &[][..]),
        ("threads", &["7"]),
        ("vfork", &[]),
        ("clone_flags", &[]),
    ];
    for (fixture, args) in cases {
        let (log, jsonl) = (fresh_file("log"), fresh_file("jsonl"));
        run(clonespy()
            .args(["-ttt", "-T", "--format"])
            .arg(format(&log, "strace"))
            .arg("--format")
            .arg(format(&jsonl, "jsonl"))
            .arg("--")
            .arg(program(fixture))
            .args(args))
        .expect(fixture, End::Exit(0));
        let read = run(Command::new(&python).args(["-c", READ]).arg(&log));
        read.expect(fixture, End::Exit(0));
        let text = read.out();
        let seen = |func: &str| {
            let funcs = text.lines().filter_map(|line| line.split(' ').next());
            funcs.filter(|one| *one == func).count() as u64
        };
        let events = events(&jsonl, "");
        let Some(EventKind::End(end)) = events.last().map(|event| &event.kind) else {
            panic!("{fixture}: no end");
        };
        assert!(!end.totals.calls.is_empty());
        for (call, count) in &end.totals.calls {
            assert_eq!(seen(call), *count, "{fixture}, {call}:\n{text}");
        }
        assert_eq!(seen("atexit"), end.totals.threads, "{fixture}:\n{text}");
        assert!(seen("execve") >= 1, "{fixture}:\n{text}");
    }
}
