//! Expectations against traces, and how verdicts are told.

use super::super::expect::{Denied, Forbid};
use super::super::*;
use super::{END, ROOT, START, call, events, exit, good, made, sample};
use crate::error::Error;
use crate::event::EventKind;
use crate::lint::Analysis;
use crate::output::Outputs;

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
            "clone = [{ call = 'clone', flags = ['CLONE_CHILD_SETTID', 'CLONE_CHILD_CLEARTID'], exit_signal = 'SIGCHLD', count = 1 }, { outcome = 'EAGAIN' }]",
            &["clone[1].count", "\n      call clone as fork does\n"],
        ),
        (
            "clone = [{ call = 'clone3', flags = ['CLONE_NEWNET', 'CLONE_NEWUSER'], kind = 'thread', name = 'x', exit = 9 }, { outcome = '*' }]",
            &[
                "clone[1].count",
                "+ seen      0\n      kind thread, call clone3, flags CLONE_NEWUSER|CLONE_NEWNET, name \"x\", exit 9\n\n  where",
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

/// What is known of a failure stands beside it, and what is only possible does not.
#[test]
fn a_failed_call_is_told_with_its_reason() {
    let failed = |certainty: &str| {
        let outcome = format!(
            r#"{{"failed":{{"errno":"EAGAIN","code":11,"reasons":[{{"rule":"pids-max","certainty":"{certainty}","text":"5 of 5 in /a"}}]}}}}"#
        );
        let lines = [
            START,
            ROOT,
            &call(2, "fork", 0, &outcome),
            &exit(3, 1, "a", 0),
            END,
        ];
        let why = good("tasks.failed = 0").check(&Analysis::of(&events(&lines)));
        why.expect_err("it failed").to_string()
    };
    for certainty in ["certain", "likely"] {
        let words = failed(certainty);
        assert!(
            words.contains("failed with EAGAIN: 5 of 5 in /a [pids-max]"),
            "{words}"
        );
    }
    for certainty in ["possible", "excluded"] {
        assert!(!failed(certainty).contains("pids-max"), "{certainty}");
    }
}

/// Blessed anew, a file speaks of the machines that it spoke of, and is run as it was.
#[test]
fn what_is_no_observation_stays_when_it_is_blessed() {
    let text = concat!(
        "command = [\"./a\"]\nbuild = \"make\"\nenv = { \"A\" = \"b\", \"C\" = false }\n",
        "stdin = \"x\"\ntimeout = 7\nskip = \"skip*\"\nmachine = [\"x86_64\", \"aarch64\"]\n",
        "[forbid]\nflags = [\"CLONE_NEWUSER\"]\nuntraced = true\ncalls = [\"clone3\"]\n",
        "[lints]\ndeny = [\"warnings\"]\nallow = [\"vfork-misuse\"]\n",
    );
    let before = good(text);
    let after = good(&bless(&before, &sample()).expect("whole"));
    assert_eq!(after.recipe, before.recipe);
    assert_eq!(after.machine, before.machine);
    let calls = |forbid: &Forbid| forbid.calls.as_ref().map(|calls| calls.value.clone());
    let flags = |forbid: &Forbid| forbid.flags.as_ref().map(|flags| flags.value);
    assert_eq!(calls(&after.forbid), calls(&before.forbid));
    assert_eq!(flags(&after.forbid), flags(&before.forbid));
    assert!(after.forbid.untraced.is_some());
    let denied = |lints: &Denied| {
        lints
            .lints()
            .iter()
            .map(|lint| lint.value.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(denied(&after.lints), denied(&before.lints));
}

#[test]
fn a_tracer_that_cannot_see_failures_cannot_promise_that_there_were_none() {
    let start = START.replace("\"seccomp\"}", "\"event\",\"blind\":[\"failed calls\"]}");
    let exit = exit(2, 1, "a", 0);
    let seen = Analysis::of(&events(&[&start, ROOT, &exit, END]));
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
    let seen = Analysis::of(&events(&[START, ROOT]));
    assert!(bless(&Expectation::default(), &seen).is_err());
    let why = good("").check(&seen).expect_err("it is cut short");
    assert!(why.to_string().contains("before its end"), "{why}");
}

/// A line that was lost, or that this clonespy cannot read, is not taken for a task that never was.
#[test]
fn a_trace_whose_lines_do_not_add_up_is_no_proof() {
    let child = [made(2, 2), exit(3, 2, "first", 0)];
    let whole = [START, ROOT, &child[0], &child[1], &exit(4, 1, "a", 0), END].map(str::to_owned);
    let whole = whole.iter().map(String::as_str).collect::<Vec<_>>();
    let whole = events(&whole);
    assert_eq!(Analysis::of(&whole).index().cut(), None);
    // As a line of a newer clonespy is read.
    let mut unread = whole.clone();
    unread[2].kind = EventKind::Unknown;
    let mut lost = whole;
    lost.remove(2);
    for events in [lost, unread] {
        let seen = Analysis::of(&events);
        let why = seen.index().cut().expect("it does not add up");
        assert!(why.contains("its end counts"), "{why}");
        assert!(good("exit = 0").check(&seen).is_err());
        assert!(bless(&Expectation::default(), &seen).is_err());
    }
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
    let seen = Analysis::of(&events(&lines));
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
    let run_job = |job: &Job| match &job.subject {
        Subject::Trace(file) if file.to_string_lossy().contains("gone") => {
            Err(Error::Usage("it is \u{1b}gone\nfor good".into()))
        }
        _ => Ok(Recording {
            events: events(&[
                START,
                ROOT,
                &made(2, 2),
                &made(3, 3),
                &exit(4, 1, "a", 0),
                END,
            ]),
            stdout: b"\x1b[31m&".to_vec(),
            ..Recording::default()
        }),
    };
    let sinks: Vec<Sink> = FORMATS.iter().map(|_| Sink::default()).collect();
    let mut outputs = Outputs::new();
    for (format, sink) in FORMATS.iter().zip(&sinks) {
        outputs.add(format.name, (format.make)(Box::new(sink.clone())));
    }
    let (verdict, failures) = run(&plan, &run_job, outputs);
    assert!(failures.is_empty(), "{failures:?}");
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
    assert_eq!(json["checks"][1]["stdout"], "\u{1b}[31m&");
    assert!(junit.contains("&lt;b&gt;.jsonl"), "{junit}");
    // Lines stay lines in what an element holds, and in no attribute.
    assert!(junit.contains("one\" type=\"broken\">it is"), "{junit}");
    assert!(junit.contains("\nfor good</error>"), "{junit}");
    assert!(
        junit.contains("<failure ") && junit.contains("<error "),
        "{junit}"
    );
    assert!(junit.contains("tests=\"3\""), "{junit}");
}
