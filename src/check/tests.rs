//! The file's language, and what is said of traces.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::error::Error;
use crate::event::Event;

fn read(text: &str) -> crate::error::Result<Expectation> {
    Expectation::parse(text, Path::new("x.toml"))
}

#[track_caller]
fn good(text: &str) -> Expectation {
    match read(text) {
        Ok(expectation) => expectation,
        Err(why) => panic!("{why}"),
    }
}

/// The mistakes of a file, as they are shown.
#[track_caller]
fn bad(text: &str) -> String {
    match read(text) {
        Err(Error::Expectation(words)) => words.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn ranges_are_read_and_written() {
    let cases = [
        ("4", 4, Some(4), "4"),
        ("4..=8", 4, Some(8), "4..=8"),
        ("4..9", 4, Some(8), "4..=8"),
        ("..=8", 0, Some(8), "..=8"),
        ("1..", 1, None, "1.."),
        (" 4 ..= 8 ", 4, Some(8), "4..=8"),
        ("..", 0, None, "0.."),
    ];
    for (text, min, max, words) in cases {
        let range: Range = text.parse().expect(text);
        assert_eq!(range, Range { min, max }, "{text}");
        assert_eq!(range.to_string(), words);
        assert_eq!(range.to_string().parse(), Ok(range));
    }
    let wrong = [
        "",
        "x",
        "-1",
        "+4",
        "4..=3",
        "4..4",
        "..0",
        "4...8",
        "4..=",
        "1e3",
        "0x4",
        "99999999999999999999",
    ];
    for text in wrong {
        assert!(text.parse::<Range>().is_err(), "{text}");
    }
}

#[test]
fn globs_fit_what_they_say() {
    let cases = [
        ("worker-*", "worker-1", true),
        ("worker-*", "worker-", true),
        ("worker-*", "xworker-1", false),
        ("*-?", "a-b-c", true),
        ("*-?", "a-b-cd", false),
        ("*a*b*", "xaxxbx", true),
        ("", "", true),
        ("", "x", false),
        ("*", "", true),
        (r"\*", "*", true),
        (r"\*", "x", false),
        ("?", "ü", true),
    ];
    for (pattern, text, fits) in cases {
        assert_eq!(Glob(pattern.into()).fits(text), fits, "{pattern} {text}");
    }
    // Patterns that make backtracking matchers take for ever.
    let (many, text) = ("*a".repeat(50), "a".repeat(5000));
    assert!(!Glob(many + "b").fits(&text));
}

#[test]
fn mistakes_are_shown_with_place_and_suggestion() {
    let cases: &[(&str, &[&str])] = &[
        (
            "exit = 0\ncomand = ['a']\n",
            &["x.toml:2:1", "comand", "did you mean `command`?", "^^^^^^"],
        ),
        (
            "[tasks]\nthread = 5",
            &[
                "x.toml:2:1",
                "`thread` in [tasks]",
                "did you mean `threads`?",
            ],
        ),
        (
            "[[clone]]\nflags = ['CLONE_VN']",
            &["x.toml:2:10", "CLONE_VN", "did you mean \"CLONE_VM\"?"],
        ),
        (
            "[[clone]]\nflags = ['NEWUSER']",
            &["did you mean \"CLONE_NEWUSER\"?"],
        ),
        (
            "[[clone]]\nflags = ['SIGCHLD']",
            &["a signal is no flag", "exit_signal"],
        ),
        (
            "[lints]\ndeny = ['fork-with-thread']",
            &[
                "x.toml:2:9",
                "`lints.deny`",
                "did you mean \"fork-with-threads\"?",
            ],
        ),
        (
            "[lints]\nallow = ['warnings']",
            &["`lints.allow`", "unknown lint", "one of fork-with-threads"],
        ),
        (
            "[lints]\nforbid = ['vfork-misuse']",
            &["`forbid` in [lints]", "[lints] knows deny, allow"],
        ),
        ("lints = 1", &["`lints` is a table"]),
        ("[[clone]]\nflag = []", &["did you mean `flags`?"]),
        (
            "[[clone]]\nis = 'pthread-create'",
            &["`is`", "did you mean \"pthread_create\"?"],
        ),
        ("[[clone]]\ncall = 'clone4'", &["`call`", "did you mean"]),
        (
            "[[clone]]\nkind = 'task'",
            &["`kind`", "one of thread, process"],
        ),
        ("[[clone]]\ncount = '8..=4'", &["`count`", "empty"]),
        ("[[clone]]\ncount = -1", &["`count`", "-1"]),
        ("[[clone]]\ncount = 1.5", &["`count` is float"]),
        (
            "[[clone]]\nexit_signal = 'SIGCHILD'",
            &["did you mean \"SIGCHLD\"?"],
        ),
        (
            "[[clone]]\noutcome = 'EINVALID'",
            &["did you mean \"EINVAL\"?"],
        ),
        ("[[clone]]\nname = []", &["`name` is an empty list"]),
        ("exit = 'SIGKIL'", &["`exit`", "SIGKIL"]),
        ("exit = 256", &["`exit`", "255"]),
        ("exit = []", &["`exit` is empty"]),
        ("else = 'deny'", &["`else`", "forbid"]),
        ("ordered = false", &["`ordered` is true, or left out"]),
        ("forbid = { untraced = false }", &["`forbid.untraced`"]),
        ("machine = 'x86-64'", &["did you mean \"x86_64\"?"]),
        ("skip = '*'", &["`skip` begins with the word skip"]),
        ("timeout = 0", &["`timeout`", "86400"]),
        ("timeout = '1s'", &["`timeout`"]),
        ("command = 'ls'", &["`command` is a list"]),
        ("command = []", &["`command` is an empty list"]),
        ("env = { 'A=B' = '' }", &["A=B"]),
        ("env = { A = 1 }", &["env.A", "false to remove"]),
        ("tasks = 1", &["`tasks` is a table"]),
        ("clone = {}", &["[[clone]]"]),
        ("exit = 0\nexit = 0", &["x.toml:2", "duplicate key"]),
        ("exit = ", &["x.toml:1"]),
    ];
    for (text, parts) in cases {
        let words = bad(text);
        for part in *parts {
            assert!(words.contains(part), "{text:?}: no {part:?} in\n{words}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_their_order() {
    let words = bad("exot = 0\n[tasks]\nprocesses = 'many'\n[[clone]]\nnom = 'x'\n");
    let places = ["x.toml:1:1", "x.toml:3:13", "x.toml:5:1"];
    let found: Vec<usize> = places
        .iter()
        .map(|place| words.find(place).expect(place))
        .collect();
    assert!(found.is_sorted(), "{words}");
}

#[test]
fn a_terminal_is_safe_from_the_file() {
    let words = bad("\"\\u001b[2J\" = 1 # \u{9b}2J\n");
    assert!(
        words.chars().all(|c| c == '\n' || !c.is_control()),
        "{words:?}"
    );
}

/// Events by their JSON.
fn events(lines: &[&str]) -> Vec<Event> {
    let parse = |line: &&str| serde_json::from_str(line).expect(line);
    lines.iter().map(parse).collect()
}

const START: &str = r#"{"type":"start","format":1,"clonespy":"0.1.0","trace_id":"t","mode":"launch","command":["./a"],"kernel":"6","machine":"x86_64","wall":"w","intercept":"seccomp"}"#;
const ROOT: &str = r#"{"type":"task","seq":1,"at_ns":0,"task":1,"tid":10,"tgid":10,"kind":"process","comm":"a","how":"launched"}"#;

fn call(seq: u64, call: &str, flags: u64, outcome: &str) -> String {
    format!(
        r#"{{"type":"clone","seq":{seq},"at_ns":1,"task":1,"tid":10,"tgid":10,"comm":"a","abi":"x86_64","call":"{call}","flags_raw":"{flags:#x}","exit_signal":"SIGCHLD","exit_signal_raw":"0x11","outcome":{outcome}}}"#
    )
}

fn made(seq: u64, task: u64) -> String {
    let outcome =
        format!(r#"{{"created":{{"task":{task},"tid":{task},"tgid":{task},"kind":"process"}}}}"#);
    call(seq, "clone", 0x0120_0000, &outcome)
}

fn exit(seq: u64, task: u64, name: &str, code: i32) -> String {
    let tid = if task == 1 { 10 } else { task };
    format!(
        r#"{{"type":"exit","seq":{seq},"at_ns":2,"task":{task},"tid":{tid},"tgid":{tid},"comm":"{name}","how":"self","status":{{"exited":{code}}},"last":true}}"#
    )
}

const END: &str = r#"{"type":"end","seq":99,"at_ns":3,"status":{"exited":0},"totals":{"processes":0,"threads":0,"leaders":0,"calls":{},"created":0,"failed":0,"untraced":0,"unfinished":0}}"#;

/// Two forks, one refused vfork; the second child outlives the program.
fn sample() -> Seen {
    let lines = [
        START.to_owned(),
        ROOT.to_owned(),
        made(2, 2),
        call(
            3,
            "vfork",
            0x4100,
            r#"{"failed":{"errno":"EAGAIN","code":11}}"#,
        ),
        made(4, 3),
        exit(5, 2, "first", 1),
        exit(6, 1, "a", 0),
        exit(7, 3, "second", 2),
        END.to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Seen::of(&events(&lines))
}

#[test]
fn what_is_so_holds_and_what_is_not_is_named() {
    let holds = [
        "exit = 0",
        "exit = [1, 'SIGKILL', '0..=0']",
        "tasks = { processes = 3, threads = '2..', created = 2, failed = 1, outlived = 1 }",
        "clone = [{ is = 'fork', count = 2 }, { outcome = 'E*' }]",
        "clone = [{ name = 'first', exit = 1 }, { name = 's*', exit = 2 }, { outcome = 'EAGAIN' }]",
        "clone = [{ is = ['fork', 'vfork'], outcome = '*', count = 3 }]",
        "else = 'allow'\nclone = [{ name = 'first' }]",
        "forbid = { flags = ['CLONE_NEWUSER'], untraced = true, calls = ['clone3'] }",
        "lints = { deny = 'warnings', allow = ['vfork-misuse'] }",
        "lints = { deny = ['shared-memory-process', 'fork-with-threads'] }",
        "ordered = true\nclone = [{ name = 'first' }, { outcome = 'EAGAIN' }, { name = 'second' }]",
        "clone = [{ require = ['CLONE_VFORK'], outcome = '*' }, { forbid = ['CLONE_VM'] }]",
        "",
    ];
    for text in holds {
        if let Err(why) = good(text).check(&sample()) {
            panic!("{text}: {why}");
        }
    }
    let fails: &[(&str, &[&str])] = &[
        (
            "exit = 'SIGTERM'",
            &["exit   (x.toml:1)", "- expected  SIGTERM", "+ seen      0"],
        ),
        ("tasks.outlived = 0", &["tasks.outlived", "\"second\""]),
        (
            "tasks.failed = 0",
            &[
                "tasks.failed",
                "vfork",
                "EAGAIN",
                "call 2 of 3",
                "line 1: failed = 1",
            ],
        ),
        (
            "clone = [{ is = 'fork' }]",
            &["none describes", "vfork by", "outcome = \"EAGAIN\""],
        ),
        (
            "clone = [{ is = 'fork', name = 'first' }, { outcome = 'EAGAIN' }]",
            &[
                "closest is clone[1] (line 1), which another call fits",
                "name: expected \"first\"",
            ],
        ),
        (
            "clone = [{ is = 'fork', count = 1 }, { outcome = '*' }]",
            &[],
        ),
        (
            "clone = [{ is = 'fork', count = 1 }, { outcome = 'EAGAIN' }]",
            &[
                "clone[1].count",
                "- expected  1 such call",
                "+ seen      2",
                "too many",
            ],
        ),
        (
            "clone = [{ name = 'third' }, { outcome = '*' }]",
            &["clone[1].count", "nearest", "name: expected \"third\""],
        ),
        ("else = 'forbid'", &["else   (x.toml:1)", "no call at all"]),
        (
            "forbid.calls = ['vfork']",
            &["forbid.calls", "vfork", "failed with EAGAIN"],
        ),
        (
            "forbid.flags = ['CLONE_VFORK']",
            &["forbid.flags", "CLONE_VFORK"],
        ),
        (
            "ordered = true\nclone = [{ outcome = 'EAGAIN' }, { is = 'fork' }]",
            &["ordered   (x.toml:1)", "call 1 of 3"],
        ),
    ];
    for (text, parts) in fails {
        let checked = good(text).check(&sample());
        if parts.is_empty() {
            assert_eq!(checked, Ok(()), "{text}");
            continue;
        }
        let words = checked.expect_err(text).to_string();
        for part in *parts {
            assert!(words.contains(part), "{text}: no {part:?} in\n{words}");
        }
    }
}

#[test]
fn a_tracer_that_cannot_see_failures_cannot_promise_that_there_were_none() {
    let start = START.replace("\"seccomp\"}", "\"event\",\"blind\":[\"failed calls\"]}");
    let exit = exit(2, 1, "a", 0);
    let seen = Seen::of(&events(&[&start, ROOT, &exit, END]));
    let why = good("tasks.failed = 0")
        .check(&seen)
        .expect_err("it cannot know");
    assert!(
        why.to_string().contains("not all of them can be seen"),
        "{why}"
    );
    assert_eq!(good("tasks.processes = 1").check(&seen), Ok(()));
    assert!(
        !bless(&Expectation::default(), &seen)
            .expect("whole")
            .contains("failed")
    );
}

#[test]
fn a_trace_that_was_cut_short_is_not_blessed_and_does_not_hold() {
    let seen = Seen::of(&events(&[START, ROOT]));
    assert!(bless(&Expectation::default(), &seen).is_err());
    let why = good("").check(&seen).expect_err("it is cut short");
    assert!(why.to_string().contains("before its end"), "{why}");
}

#[test]
fn names_that_attack_are_blessed_and_shown_safely() {
    let name = r"\u001b[2J\\\u0022*?\n";
    let lines = [
        START.to_owned(),
        ROOT.to_owned(),
        made(2, 2),
        exit(3, 2, name, 0),
        exit(4, 1, "a", 0),
        END.to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let seen = Seen::of(&events(&lines));
    let text = bless(&Expectation::default(), &seen).expect("whole");
    assert_eq!(good(&text).check(&seen), Ok(()), "{text}");
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
    let why = good("clone = [{ name = 'x' }]")
        .check(&seen)
        .expect_err("another name");
    let safe = why.to_string();
    assert!(
        safe.chars().all(|c| c == '\n' || !c.is_control()),
        "{safe:?}"
    );
}

#[test]
fn verdicts_are_told_in_every_format() {
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let adhoc = |name, range: &str| Task {
        subject: Subject::Trace(format!("<{name}>.jsonl").into()),
        adhoc: Adhoc {
            counts: vec![("processes", range.parse().expect("a range"))],
            ..Adhoc::default()
        },
        ..Task::default()
    };
    let plan = CheckPlan {
        tasks: vec![adhoc("a", "3"), adhoc("b", "4"), adhoc("gone", "1")],
        jobs: 3,
        ..CheckPlan::default()
    };
    let perform = |job: &Job| match &job.subject {
        Subject::Trace(file) if file.to_string_lossy().contains("gone") => {
            Err(Error::Usage("it is \u{1b}gone".into()))
        }
        _ => Ok(Ran {
            events: events(&[
                START,
                ROOT,
                &made(2, 2),
                &made(3, 3),
                &exit(4, 1, "a", 0),
                END,
            ]),
            stdout: b"\x1b[31m&".to_vec(),
            ..Ran::default()
        }),
    };
    let sinks: Vec<Sink> = FORMATS.iter().map(|_| Sink::default()).collect();
    let mut tellers: Vec<Box<dyn Teller>> = FORMATS
        .iter()
        .zip(&sinks)
        .map(|(format, sink)| (format.make)(Box::new(sink.clone())))
        .collect();
    let verdict = run(&plan, &perform, &mut tellers);
    assert_eq!(verdict.status(), 2);
    let said: Vec<String> = sinks
        .iter()
        .map(|sink| String::from_utf8(sink.0.lock().expect("no panic").clone()).expect("UTF-8"))
        .collect();
    for (format, said) in FORMATS.iter().zip(&said) {
        assert!(said.contains("tasks.processes"), "{}: {said}", format.name);
        assert!(!said.contains('\u{1b}'), "{}: {said:?}", format.name);
    }
    let [text, json, junit] = said.as_slice() else {
        panic!("another format: test it");
    };
    assert!(text.starts_with("ok       <a>.jsonl"), "{text}");
    assert!(
        text.ends_with("3 checks: 1 ok, 1 failed, 1 error\n"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(json["verdict"], "error");
    assert_eq!(
        json["checks"][1]["mismatch"]["problems"][0]["expected"]
            .as_str()
            .map(|s| &s[..1]),
        Some("4")
    );
    assert!(junit.contains("&lt;b&gt;.jsonl"), "{junit}");
    assert!(
        junit.contains("<failure ") && junit.contains("<error "),
        "{junit}"
    );
    assert!(junit.contains("tests=\"3\""), "{junit}");
}

/// Words that files are made of, in any order.
fn soup() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "command",
        "exit",
        "[tasks]",
        "[[clone]]",
        "[forbid]",
        "flags",
        "count",
        "=",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        ".",
        "CLONE_VM",
        "1..=4",
        "0",
        "-1",
        "true",
        "#",
        "\\u0000",
        "name",
        "is",
        "ü",
        "\u{1b}",
        "\"\"\"",
        "0xffffffffffffffffffff",
        "1e400",
        "*",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_makes_the_reader_panic(text in prop_oneof![soup(), ".{0,200}"]) {
        match read(&text) {
            Ok(expectation) => {
                let _ = expectation.check(&sample());
            }
            Err(why) => prop_assert!(why.to_string().contains("x.toml"), "{why}"),
        }
    }

    #[test]
    fn a_key_with_any_value_is_read_or_refused_by_name(
        key in prop::sample::select(vec![
            "exit", "machine", "else", "ordered", "timeout", "skip", "build", "stdin",
            "tasks.threads", "forbid.flags", "lints.deny", "lints.allow", "clone = [{ flags", "clone = [{ count", "clone = [{ name",
        ]),
        value in prop_oneof![
            any::<i64>().prop_map(|n| n.to_string()),
            any::<bool>().prop_map(|b| b.to_string()),
            "[a-zA-Z0-9_.=*-]{0,12}".prop_map(|s| format!("{s:?}")),
            Just("[]".to_owned()), Just("{}".to_owned()), Just("nan".to_owned()),
            Just("1979-05-27".to_owned()),
        ],
    ) {
        let row = key.strip_prefix("clone = [{ ");
        let text = format!("{key} = {value}{}", if row.is_some() { " }]" } else { "" });
        if let Err(why) = read(&text) {
            let last = row.unwrap_or(key);
            let last = last.rsplit('.').next().unwrap_or(last);
            prop_assert!(why.to_string().contains(last), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_blessed_holds_whatever_was_seen(
        children in prop::collection::vec(("[a-c0-9*\\\\\"]{0,4}", 0..3_i32, 0..4_u8), 0..40),
    ) {
        let mut lines = vec![START.to_owned(), ROOT.to_owned()];
        for (number, (name, code, sort)) in children.iter().enumerate() {
            let task = u64::try_from(number).expect("few") + 11;
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            match sort {
                0 => lines.push(call(task * 2, "vfork", 0x4100, r#"{"unfinished":{}}"#)),
                1 => lines.push(call(task * 2, "clone", 1 << 40, r#"{"failed":{"errno":"errno 999","code":999}}"#)),
                _ => {
                    lines.push(made(task * 2, task));
                    lines.push(exit(task * 2 + 1, task, &name, *code));
                }
            }
        }
        lines.push(exit(98, 1, "a", 0));
        lines.push(END.to_owned());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let seen = Seen::of(&events(&lines));
        let text = bless(&Expectation::default(), &seen).expect("whole");
        let blessed = good(&text);
        if let Err(why) = blessed.check(&seen) {
            prop_assert!(false, "{why}\n{text}");
        }
    }
}
