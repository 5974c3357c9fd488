//! Golden files: recorded traces (`tests/golden/NAME.jsonl`), what they are to look like
//! (`NAME.VARIANT.txt`). One, `rich`, has every kind of line and is looked at in every way; the others
//! have one thing to show, and are looked at in the ways where that shows.
//!
//! `CLONESPY_BLESS=1 cargo test golden` writes the expected files anew; read the difference before
//! committing it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clonespy::event::{Call, Event};
use clonespy::internals::lints;
use clonespy::replay::Replay;
use clonespy::report::{self, Calls, Clock, Lang, Look, Outcomes, Summary};
use clonespy::{Linter, Outputs, Run, run};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::run::guard;

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Every recorded trace, by name.
fn traces() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(golden("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    names
}

/// A destination that can be read afterwards.
#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn render(
    events: impl Iterator<Item = clonespy::Result<Event>>,
    format: &str,
    look: &Look,
) -> (String, Run) {
    let linter = Linter::new(&[], &["unreaped-children".to_owned()]).unwrap();
    render_with(events, linter, format, look)
}

fn render_with(
    events: impl Iterator<Item = clonespy::Result<Event>>,
    linter: Linter,
    format: &str,
    look: &Look,
) -> (String, Run) {
    let sink = Sink::default();
    let mut outputs = Outputs::new();
    let make = report::format(format).unwrap().make;
    outputs.add("sink", make(Box::new(sink.clone()), look));
    let run = run(events, linter, outputs);
    let text = String::from_utf8(sink.0.borrow().clone()).unwrap();
    (text, run)
}

pub fn text(name: &str, look: &Look) -> String {
    let path = golden(&format!("{name}.jsonl"));
    render(Replay::open(&path).unwrap(), "text", look).0
}

/// Words that recorded traces here have and no version of clonespy says: they are kept as they are.
const OF_NO_VERSION: &[&str] = &["tasks of uid", "filter of its own"];

/// In Chinese nothing of ours is left in English: where three English words stand in a row, a program,
/// the kernel or a library has said them, or they are names.
#[test]
fn the_chinese_report_of_every_trace_is_chinese() {
    let _guard = guard();
    let words = regex::Regex::new(r"\b[a-z]{2,}(?:[,;:]? [a-z]{2,}){2,}\b").unwrap();
    for name in traces() {
        let path = golden(&format!("{name}.jsonl"));
        let supplied = supplied(&fs::read_to_string(&path).unwrap());
        for verbose in [0, 2] {
            let mut look = Look {
                verbose,
                all: true,
                summary: Summary::Too,
                ..Look::default()
            };
            look.style.lang = Lang::Chinese;
            look.style.cut = false;
            look.style.width = 10_000;
            let all: Vec<_> = lints().map(|lint| lint.id.to_owned()).collect();
            let linter = Linter::new(&[], &all).unwrap();
            let text = render_with(Replay::open(&path).unwrap(), linter, "text", &look).0;
            let left: Vec<_> = words
                .find_iter(&text)
                .map(|found| found.as_str())
                .filter(|found| !OF_NO_VERSION.contains(found))
                .filter(|found| !supplied.iter().any(|one| one.contains(found)))
                .collect();
            assert!(left.is_empty(), "{name}: {left:?} in\n{text}");
        }
    }
}

/// Every string of a trace but for the sentences of ours.
fn supplied(trace: &str) -> Vec<String> {
    fn strings(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) => out.push(text.clone()),
            Value::Array(all) => all.iter().for_each(|one| strings(one, out)),
            Value::Object(all) => all
                .iter()
                .filter(|(name, _)| {
                    !["blind", "what", "why", "intercept_why", "text", "cut"]
                        .contains(&name.as_str())
                })
                .for_each(|(name, one)| {
                    // What was counted has the name that it has in the trace.
                    out.push(name.clone());
                    strings(one, out);
                }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut out = Vec::new();
    for line in trace.lines() {
        // The last line of a trace that was cut short is no whole one.
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        strings(&line, &mut out);
        // As a command line.
        let argv: Vec<_> = line["argv"].as_array().into_iter().flatten().collect();
        let argv: Vec<_> = argv.iter().filter_map(|word| word.as_str()).collect();
        out.push(argv.join(" "));
    }
    out
}

/// Compares with a file, or writes it where that was asked for.
#[track_caller]
fn expect(file: &str, text: &str) {
    let path = golden(file);
    if std::env::var_os("CLONESPY_BLESS").is_some() {
        fs::write(path, text).unwrap();
        return;
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    if wanted != text {
        panic!(
            "{file} differs (-: the file, +: now):\n{}",
            difference(&wanted, text)
        );
    }
}

/// The lines that differ, with what is around them.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let head = same(&mut old.iter().zip(&new));
    let room = old.len().min(new.len()) - head;
    let tail = same(&mut old.iter().rev().zip(new.iter().rev())).min(room);
    let mut out = String::new();
    let mut put = |sign: char, lines: &[&str]| {
        lines
            .iter()
            .for_each(|line| out.push_str(&format!("{sign} {line}\n")));
    };
    put(' ', &old[head.saturating_sub(3)..head]);
    put('-', &old[head..old.len() - tail]);
    put('+', &new[head..new.len() - tail]);
    put(
        ' ',
        &old[old.len() - tail..(old.len() - tail + 3).min(old.len())],
    );
    out
}

/// Every way of looking, by the name that its files have.
fn variants() -> Vec<(&'static str, Look)> {
    fn with(change: impl FnOnce(&mut Look)) -> Look {
        let mut look = Look::default();
        change(&mut look);
        look
    }
    let east = TimeZone::fixed(jiff::tz::offset(8));
    vec![
        ("80", with(|_| ())),
        ("120", with(|look| look.style.width = 120)),
        ("40", with(|look| look.style.width = 40)),
        ("ascii", with(|look| look.style.unicode = false)),
        ("color", with(|look| look.style.color = true)),
        (
            "120.color",
            with(|look| (look.style.width, look.style.color) = (120, true)),
        ),
        ("zh", with(|look| look.style.lang = Lang::Chinese)),
        (
            "zh.40",
            with(|look| (look.style.lang, look.style.width) = (Lang::Chinese, 40)),
        ),
        (
            "zh.120",
            with(|look| (look.style.lang, look.style.width) = (Lang::Chinese, 120)),
        ),
        ("pipe", with(|look| look.style.cut = false)),
        ("v", with(|look| look.verbose = 1)),
        ("vv", with(|look| look.verbose = 2)),
        ("why", with(|look| look.why = true)),
        ("q", with(|look| look.quiet = 1)),
        ("qq", with(|look| look.quiet = 2)),
        ("qqq", with(|look| look.quiet = 3)),
        (
            "fork",
            with(|look| look.filter.calls = Calls::NONE.with(Call::Fork).with(Call::Vfork)),
        ),
        ("c", with(|look| look.summary = Summary::Only)),
        (
            "c.40",
            with(|look| (look.summary, look.style.width) = (Summary::Only, 40)),
        ),
        (
            "C.zh",
            with(|look| (look.summary, look.style.lang) = (Summary::Too, Lang::Chinese)),
        ),
        (
            "successes",
            with(|look| look.filter.outcomes = Outcomes::Successes),
        ),
        (
            "failures",
            with(|look| look.filter.outcomes = Outcomes::Failures),
        ),
        ("y", with(|look| look.names = true)),
        ("threads", with(|look| look.filter.threads_only = true)),
        ("depth", with(|look| look.filter.depth = Some(0))),
        (
            "t",
            with(|look| {
                look.stamps.clock = Some(Clock::Seconds);
                look.stamps.took = true;
                look.zone = east;
            }),
        ),
        (
            "r",
            with(|look| {
                look.stamps.clock = Some(Clock::Epoch);
                look.stamps.relative = true;
            }),
        ),
    ]
}

/// The ways of looking at the traces that have one thing to show, besides the usual one.
const WAYS: &[(&str, &[&str])] = &[
    ("attach", &["40", "zh"]),
    ("ends", &["color", "zh"]),
    ("failed", &["vv", "zh"]),
    // One set of flags alone: no sum below it.
    ("fork", &["c"]),
    // What is escaped must be so wherever it stands.
    ("hostile", &["40", "ascii", "color", "pipe", "y", "zh"]),
    ("odd", &["vv", "zh"]),
    ("pthread", &["color", "zh"]),
    ("vfork", &["vv", "zh"]),
];

#[test]
fn every_trace_looks_as_it_should() {
    // Blessing writes the traces anew: not while another test reads them.
    let _guard = guard();
    for name in traces() {
        let ways = WAYS.iter().find(|(other, _)| *other == name);
        for (variant, look) in variants() {
            let more = ways.is_some_and(|(_, ways)| ways.contains(&variant));
            if variant == "80" || name == "rich" || more {
                expect(&format!("{name}.{variant}.txt"), &text(&name, &look));
            }
        }
    }
}

#[test]
fn no_golden_file_is_left_over() {
    let ways = variants();
    let left: Vec<String> = fs::read_dir(golden("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| {
            let (name, rest) = file.split_once('.').unwrap();
            let traces = traces();
            let is_way = |way: &str| {
                let more = WAYS
                    .iter()
                    .any(|(other, ways)| *other == name && ways.contains(&way));
                way == "80" || name == "rich" || more
            };
            !match rest.rsplit_once('.').unwrap_or(("", rest)) {
                ("", "jsonl") => true,
                ("", "strace") => STRACE.contains(&name),
                ("", "md") => true,
                (way, "txt") if name == "storm" => ["80", "qq"].contains(&way),
                (way, "txt") => {
                    traces.iter().any(|other| other == name)
                        && ways
                            .iter()
                            .any(|(variant, _)| *variant == way && is_way(way))
                }
                _ => false,
            }
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn whatever_is_recorded_nothing_reaches_the_terminal_but_text() {
    let _guard = guard();
    for name in traces() {
        for (variant, look) in variants() {
            let text = text(&name, &look);
            let odd = |c: char| c.is_control() && c != '\n' && !(look.style.color && c == '\x1b');
            assert!(!text.contains(odd), "{name}.{variant}");
            assert!(!text.contains('\u{202e}'), "{name}.{variant}");
            assert!(look.style.unicode || text.is_ascii(), "{name}.{variant}");
            // A word longer than a line is not cut: that is what may stand out.
            let wide =
                |line: &&str| width(line) > look.style.width && line.trim_start().contains(' ');
            let long: Vec<_> = text.lines().filter(wide).collect();
            let may = !look.style.cut || look.style.color || name == "newer" || name == "hostile";
            assert!(may || long.is_empty(), "{name}.{variant}: {long:#?}");
            assert!(text.is_empty() || text.ends_with('\n'), "{name}.{variant}");
        }
    }
}

#[test]
fn a_trace_read_and_written_is_the_same() {
    let _guard = guard();
    // The two that a newer version wrote and that was cut short hold what is not kept.
    for name in traces()
        .iter()
        .filter(|name| !["newer", "cut"].contains(&name.as_str()))
    {
        let path = golden(&format!("{name}.jsonl"));
        let (text, _) = render(Replay::open(&path).unwrap(), "jsonl", &Look::default());
        expect(&format!("{name}.jsonl"), &text);
        let (array, _) = render(Replay::open(&path).unwrap(), "json", &Look::default());
        let array: Vec<Value> = serde_json::from_str(&array).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(array, lines, "{name}");
    }
}

#[test]
fn every_recorded_line_is_valid_by_the_schema() {
    let _guard = guard();
    let schema = serde_json::from_str(&report::schema()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut lines = 0;
    for name in traces() {
        let text = fs::read_to_string(golden(&format!("{name}.jsonl"))).unwrap();
        for line in text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        {
            let errors: Vec<_> = schema.iter_errors(&line).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {line}\n{errors:#?}");
            lines += 1;
        }
    }
    assert!(lines > 90, "{lines}");
}

/// Twenty thousand threads, created and joined in a row by one process.
fn storm() -> impl Iterator<Item = clonespy::Result<Event>> {
    const MANY: u64 = 20_000;
    let fields = |mut line: Value, more: Value| {
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Ok(serde_json::from_value(line).unwrap())
    };
    let stamp = |seq: u64, task: u64, tid: u64| json!({"seq": seq, "at_ns": seq * 1000, "task": task, "tid": tid, "tgid": 7001});
    let start = fs::read_to_string(golden("pthread.jsonl")).unwrap();
    let start: Event = serde_json::from_str(start.lines().next().unwrap()).unwrap();
    let main = [
        Ok(start),
        fields(
            stamp(1, 1, 7001),
            json!({"type": "task", "kind": "process", "comm": "clonespy", "how": "launched"}),
        ),
        fields(
            stamp(2, 1, 7001),
            json!({"type": "exec", "path": "/srv/storm", "argv": ["./storm"], "comm": "storm"}),
        ),
    ];
    let threads = (0..MANY).flat_map(move |n| {
        let created = json!({"task": n + 2, "tid": 7002 + n, "tgid": 7001, "kind": "thread"});
        [
            fields(
                stamp(3 + 2 * n, 1, 7001),
                json!({"type": "clone", "comm": "storm",
                "abi": "x86_64", "call": "clone3", "flags": ["CLONE_VM", "CLONE_THREAD"],
                "flags_raw": "0x10100", "exit_signal": null, "exit_signal_raw": "0x0",
                "outcome": {"created": created}}),
            ),
            fields(
                stamp(4 + 2 * n, n + 2, 7002 + n),
                json!({"type": "exit", "comm": "worker",
                "how": "self", "status": {"exited": 0}, "last": false,
                "lived_ns": 19_000 + n * 821_000 / (MANY - 1)}),
            ),
        ]
    });
    let end = [
        fields(
            stamp(50_000, 1, 7001),
            json!({"type": "exit", "comm": "storm", "how": "self",
            "status": {"exited": 0}, "last": true, "lived_ns": 1_900_000_000u64}),
        ),
        fields(
            stamp(50_001, 1, 7001),
            json!({"type": "end", "status": {"exited": 0},
            "totals": {"processes": 1, "threads": MANY + 1, "leaders": 1,
                "calls": {"clone3": MANY}, "created": MANY, "failed": 0, "untraced": 0,
                "unfinished": 0}}),
        ),
    ];
    main.into_iter().chain(threads).chain(end)
}

#[test]
fn twenty_thousand_threads_are_one_row() {
    let _guard = guard();
    let look = Look {
        quiet: 2,
        ..Look::default()
    };
    expect("storm.qq.txt", &render(storm(), "text", &look).0);
}

#[test]
fn twenty_thousand_lines_alike_are_few_and_all_shows_each() {
    let _guard = guard();
    let (text, _) = render(storm(), "text", &Look::default());
    expect("storm.80.txt", &text);
    let look = Look {
        all: true,
        ..Look::default()
    };
    let (text, _) = render(storm(), "text", &look);
    assert_eq!(text.matches("clone3 → thread ").count(), 20_000);
    assert!(!text.contains("more like this"));
}

/// Columns on a screen.
fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// What is looked at as strace's lines.
const STRACE: &[&str] = &["exec", "hostile", "rich"];

#[test]
fn strace_lines() {
    let _guard = guard();
    for name in STRACE {
        let path = golden(&format!("{name}.jsonl"));
        let (text, _) = render(Replay::open(&path).unwrap(), "strace", &Look::default());
        expect(&format!("{name}.strace"), &text);
    }
}
