use serde_json::{Value, json};

use super::linter::MOST_SITES;
use super::*;
use crate::event::{Event, EventKind, Finding, Header, TaskId};
use crate::tasks::TaskTree;

/// What a line says that is a finding's.
fn told(event: Event) -> (Header, Finding) {
    match event.kind {
        EventKind::Finding(finding) => (event.header, finding),
        other => panic!("{other:?}"),
    }
}

/// A trace in the making, and the lints that read it.
struct Story {
    linter: Linter,
    tree: TaskTree,
    seq: u64,
    found: Vec<(Header, Finding)>,
}

fn all() -> Vec<String> {
    lints().map(|lint| lint.id.to_owned()).collect()
}

impl Story {
    /// One process, of one thread.
    fn new() -> Story {
        let mut story = Story {
            linter: Linter::new(&[], &all()).unwrap(),
            tree: TaskTree::new(),
            seq: 0,
            found: Vec::new(),
        };
        story.tell(
            json!({"type": "task", "at_ns": 0, "task": 1, "tid": 100, "tgid": 100,
                          "kind": "process", "comm": "main", "how": "launched"}),
        );
        story
    }

    fn tell(&mut self, mut line: Value) -> &mut Story {
        self.seq += 1;
        line["seq"] = self.seq.into();
        let event: Event = serde_json::from_value(line).expect("an event");
        assert!(!matches!(event.kind, EventKind::Unknown));
        self.tree.apply(&event);
        let found = self.linter.event(&event, &self.tree);
        self.found.extend(found.into_iter().map(told));
        self
    }

    /// A call by a task of a process; `outcome` as in a trace.
    fn call(
        &mut self,
        ms: u64,
        (task, tgid): (u64, i32),
        call: &str,
        flags: &[&str],
        outcome: Value,
    ) -> &mut Story {
        self.call_with(ms, (task, tgid), call, flags, outcome, json!({}))
    }

    fn call_with(
        &mut self,
        ms: u64,
        (task, tgid): (u64, i32),
        call: &str,
        flags: &[&str],
        outcome: Value,
        more: Value,
    ) -> &mut Story {
        let mut line = json!({"type": "clone", "at_ns": ms * 1_000_000, "task": task,
            "tid": tgid + (task as i32 % 100) - 1, "tgid": tgid, "comm": "main", "abi": "x86_64",
            "call": call, "flags": flags, "exit_signal": "SIGCHLD", "exit_signal_raw": "0x11",
            "outcome": outcome});
        for (key, value) in more.as_object().expect("an object") {
            line[key] = value.clone();
        }
        self.tell(line)
    }

    fn exec(&mut self, ms: u64, task: u64, tid: i32) -> &mut Story {
        self.tell(
            json!({"type": "exec", "at_ns": ms * 1_000_000, "task": task, "tid": tid,
                         "tgid": tid, "path": "/bin/new"}),
        )
    }

    fn exit(&mut self, ms: u64, task: u64, (tid, tgid): (i32, i32), how: &str) -> &mut Story {
        self.tell(
            json!({"type": "exit", "at_ns": ms * 1_000_000, "task": task, "tid": tid,
            "tgid": tgid, "comm": "worker", "how": how, "status": {"exited": 0},
            "last": tid == tgid}),
        )
    }

    fn told(&self) -> Vec<(&str, u64)> {
        self.found
            .iter()
            .map(|(header, found)| (found.lint.as_str(), header.at_ns / 1_000_000))
            .collect()
    }
}

fn process(task: u64, tid: i32) -> Value {
    json!({"created": {"task": task, "tid": tid, "tgid": tid, "kind": "process"}})
}

fn thread(task: u64, tid: i32, tgid: i32) -> Value {
    json!({"created": {"task": task, "tid": tid, "tgid": tgid, "kind": "thread"}})
}

const THREAD: &[&str] = &["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"];
const VFORK: &[&str] = &["CLONE_VM", "CLONE_VFORK"];
const MAIN: (u64, i32) = (1, 100);

/// A process with a second thread, which has forked at 10 ms: child 3, tid 200.
fn forked() -> Story {
    let mut story = Story::new();
    story
        .call(1, MAIN, "clone3", THREAD, thread(2, 101, 100))
        .call(10, MAIN, "fork", &[], process(3, 200));
    assert_eq!(story.told(), []);
    story
}

#[test]
fn a_fork_with_threads_is_found_when_the_child_lives_on() {
    let mut story = forked();
    story.exit(59, 2, (101, 100), "self");
    assert_eq!(story.told(), []);
    story.exit(60, 3, (200, 200), "self");
    assert_eq!(story.told(), [("fork-with-threads", 60)]);
    let (header, found) = &story.found[0];
    assert_eq!(
        (found.clone_seq, header.task, found.count),
        (Some(3), TaskId(1), Some(1))
    );
    assert!(
        found.text.contains("(101 main)") && found.text.ends_with("first 50 ms"),
        "{}",
        found.text
    );
}

#[test]
fn or_when_it_creates_a_task() {
    let mut story = forked();
    story.call(
        12,
        (3, 200),
        "clone3",
        THREAD,
        json!({"failed": {"errno": "EAGAIN", "code": 11}}),
    );
    assert_eq!(story.told(), []);
    story.call(13, (3, 200), "clone3", THREAD, thread(4, 201, 200));
    story.exit(99, 3, (200, 200), "self");
    assert_eq!(story.told(), [("fork-with-threads", 13)]);
    assert!(story.found[0].1.text.ends_with("creates a task itself"));
}

#[test]
fn but_not_when_it_execs_ends_or_was_alone() {
    let mut story = forked();
    story.exec(59, 3, 200).exit(200, 3, (200, 200), "self");
    assert_eq!(story.told(), []);
    let mut story = forked();
    story
        .exit(59, 3, (200, 200), "self")
        .exit(200, 2, (101, 100), "self");
    assert_eq!(story.told(), []);
    let mut story = Story::new();
    story
        .call(1, MAIN, "clone3", THREAD, thread(2, 101, 100))
        .exit(5, 2, (101, 100), "self")
        .call(10, MAIN, "fork", &[], process(3, 200))
        .exit(200, 3, (200, 200), "self");
    assert_eq!(story.told(), []);
}

#[test]
fn a_site_is_told_once_and_counted() {
    let mut story = forked();
    story
        .call(20, MAIN, "fork", &[], process(4, 300))
        .exit(200, 3, (200, 200), "self")
        .exit(201, 4, (300, 300), "self");
    assert_eq!(story.told().len(), 1);
    assert_eq!(story.linter.count("fork-with-threads"), 2);
    let last = story.linter.finish();
    assert_eq!(last.len(), 1);
    let (_, last) = told(last[0].clone());
    assert_eq!((last.count, last.clone_seq), (Some(2), Some(3)));
    // Another place in the program is another site.
    let place = json!({"caller": [{"address": "0x1000"}]});
    story
        .call_with(300, MAIN, "fork", &[], process(5, 400), place)
        .exit(400, 5, (400, 400), "self");
    assert_eq!(story.told().len(), 2);
}

#[test]
fn a_child_of_vfork_should_exec_at_once() {
    let mut story = Story::new();
    story
        .call(1, MAIN, "vfork", VFORK, process(2, 200))
        .exec(2, 2, 200);
    story.exit(5000, 2, (200, 200), "self");
    assert_eq!(story.told(), []);
    story
        .call(6000, MAIN, "vfork", VFORK, process(3, 300))
        .call(6001, (3, 300), "clone3", THREAD, thread(4, 301, 300));
    assert_eq!(story.told(), [("vfork-misuse", 6001)]);
    story
        .call(7000, MAIN, "clone", VFORK, process(5, 400))
        .exit(8100, 5, (400, 400), "self");
    assert_eq!(story.told()[1..], [("vfork-misuse", 8000)]);
}

#[test]
fn what_one_call_shows() {
    let mut story = Story::new();
    story.call(1, MAIN, "clone", &["CLONE_VM"], process(2, 200));
    story.call(
        2,
        MAIN,
        "clone",
        &["CLONE_VM"],
        json!({"failed": {"errno": "EPERM", "code": 1}}),
    );
    story.call(
        3,
        MAIN,
        "clone",
        &["CLONE_UNTRACED"],
        json!({"untraced": {"tid": 300}}),
    );
    story.call(4, MAIN, "clone", &["CLONE_NEWNET"], process(4, 400));
    story.call(
        5,
        MAIN,
        "clone",
        &["CLONE_VM"],
        json!({"created": {"task": 5, "tid": 500,
        "tgid": 500, "kind": "process", "flags_contradicted": ["CLONE_VM"]}}),
    );
    assert_eq!(
        story.told(),
        [
            ("shared-memory-process", 1),
            ("untraced-child", 3),
            ("namespace-creation", 4),
            ("args-changed-during-call", 5)
        ]
    );
}

#[test]
fn exit_signals_that_wait_does_not_see() {
    let text = |call: &str, flags: &[&str], more: Value| {
        let mut story = Story::new();
        story.call_with(1, MAIN, call, flags, process(2, 200), more);
        story.found.first().map(|(_, found)| {
            assert_eq!(found.lint, "exit-signal-odd");
            found.text.clone()
        })
    };
    let none = json!({"exit_signal": null, "exit_signal_raw": "0x0"});
    assert!(
        text("clone", &[], none.clone())
            .unwrap()
            .contains("no signal at its end")
    );
    assert_eq!(text("clone", &["CLONE_PARENT"], none.clone()), None);
    assert_eq!(text("clone3", &["CLONE_AUTOREAP"], none), None);
    let usr1 = json!({"exit_signal": "SIGUSR1", "exit_signal_raw": "0xa"});
    assert!(text("clone3", &[], usr1).unwrap().contains("sends SIGUSR1"));
    assert_eq!(text("clone3", &[], json!({})), None);
    let invalid = |raw: &str| {
        let mut more = json!({"exit_signal_raw": raw});
        more["exit_signal"] = json!("SIGCHLD");
        more
    };
    assert_eq!(text("clone", &[], invalid("0x11")), None);
    // Absent: a number that no signal has.
    let mut story = Story::new();
    story.tell(
        json!({"type": "clone", "at_ns": 1, "task": 1, "tid": 100, "tgid": 100, "comm": "main",
        "abi": "x86_64", "call": "clone", "flags": [], "exit_signal_raw": "0x91",
        "outcome": process(2, 200)}),
    );
    assert!(
        story.found[0].1.text.contains("no CLONE_NEWTIME"),
        "{}",
        story.found[0].1.text
    );
}

#[test]
fn a_fall_back_is_the_next_call_with_the_same_flags() {
    let refused = |errno: &str, reasons: Value| json!({"failed": {"errno": errno, "code": 38, "reasons": reasons}});
    let after = |first: Value, flags: &[&str], by: (u64, i32)| {
        let mut story = Story::new();
        story.call(
            1,
            MAIN,
            "clone3",
            &["CLONE_VM", "CLONE_VFORK", "CLONE_CLEAR_SIGHAND"],
            first,
        );
        story.call(2, by, "clone", flags, process(2, 200));
        story
            .told()
            .iter()
            .filter(|(id, _)| *id == "clone3-fallback")
            .count()
    };
    assert_eq!(after(refused("ENOSYS", json!([])), VFORK, MAIN), 1);
    assert_eq!(after(refused("EINVAL", json!([])), VFORK, MAIN), 1);
    assert_eq!(after(refused("EPERM", json!([])), VFORK, MAIN), 0);
    assert_eq!(
        after(refused("ENOSYS", json!([])), &["CLONE_VFORK"], MAIN),
        0
    );
    assert_eq!(after(refused("ENOSYS", json!([])), VFORK, (7, 700)), 0);
    assert_eq!(after(process(3, 300), VFORK, MAIN), 0);
    let mistake = json!([{"rule": "exit-signal-not-own", "certainty": "certain", "text": "…"}]);
    assert_eq!(after(refused("EINVAL", mistake), VFORK, MAIN), 0);
}

#[test]
fn threads_that_their_process_took_along() {
    let mut story = Story::new();
    story
        .call(1, MAIN, "clone3", THREAD, thread(2, 101, 100))
        .call(1, MAIN, "clone3", THREAD, thread(3, 102, 100))
        .exit(2, 3, (102, 100), "self")
        .exit(5, 2, (101, 100), "cut_off");
    assert_eq!(story.told(), []);
    story.exit(5, 1, (100, 100), "self");
    assert_eq!(story.told(), [("threads-cut-off", 5)]);
    assert!(
        story.found[0]
            .1
            .text
            .contains("1 thread that had not: 101 worker")
    );
}

#[test]
fn descriptors_that_were_not_given_to_the_program_itself() {
    let exec = |task: u64, tid: i32, fds: Value| {
        json!({"type": "exec", "at_ns": 1, "task": task, "tid": tid, "tgid": tid, "path": "/bin/new",
               "inherited_fds": fds})
    };
    let given = json!({"fd": 9, "path": "/dev/null"});
    let mut story = Story::new();
    story.tell(exec(1, 100, json!([given])));
    story
        .call(2, MAIN, "fork", &[], process(2, 200))
        .tell(exec(2, 200, json!([given])));
    assert_eq!(story.told(), []);
    story.call(3, MAIN, "fork", &[], process(3, 300));
    story.tell(exec(
        3,
        300,
        json!([given, {"fd": 5, "path": "/etc/secret"}]),
    ));
    assert_eq!(story.told(), [("fd-leak-to-exec", 0)]);
    assert!(story.found[0].1.text.ends_with("5 /etc/secret"));
}

#[test]
fn lints_are_silenced_and_asked_for_by_name() {
    assert!(Linter::new(&["no-such".into()], &[]).is_err());
    let error = Linter::new(&[], &["typo".into()]).unwrap_err().to_string();
    assert!(
        error.contains("\"typo\"") && error.contains("fork-with-threads"),
        "{error}"
    );
    let watched = |allow: &[String], enable: &[String]| {
        let linter = Linter::new(allow, enable).unwrap();
        linter
            .watching
            .iter()
            .map(|(lint, _)| lint.id)
            .collect::<Vec<_>>()
    };
    let default = watched(&[], &[]);
    assert!(!default.contains(&"threads-cut-off") && !default.contains(&"fd-leak-to-exec"));
    assert!(watched(&[], &["threads-cut-off".into()]).contains(&"threads-cut-off"));
    let silent = watched(&["vfork-misuse".into()], &["vfork-misuse".into()]);
    assert!(!silent.contains(&"vfork-misuse"));
    assert_eq!(watched(&all(), &[]), [""; 0]);
}

#[test]
fn every_lint_is_documented() {
    let page = include_str!("../../docs/lints.md");
    for lint in lints() {
        let head = format!("\n## {}\n", lint.id);
        let (_, section) = page.split_once(&head).expect(lint.id);
        let section = section.split("\n#").next().unwrap_or_default();
        // How it is asked for or silenced, and how a finding reads.
        let level = match (lint.level, lint.default) {
            (Level::Warning, true) => "*warning, on.*",
            (Level::Note, true) => "*note, on.*",
            (Level::Note, false) => "*note, on request.*",
            (Level::Warning, false) => "*warning, on request.*",
        };
        assert!(section.contains(level), "{}: {level}", lint.id);
        assert!(section.contains("\n\n    "), "{}: no example", lint.id);
    }
}

#[test]
fn sites_without_end_are_counted_together() {
    let mut story = Story::new();
    for site in 0..(MOST_SITES as u64 + 100) {
        let task = site + 2;
        let tid = 1000 + i32::try_from(site).unwrap();
        let place = json!({"caller": [{"address": format!("{site:#x}")}]});
        story.call_with(
            site,
            MAIN,
            "clone",
            &["CLONE_NEWNET"],
            process(task, tid),
            place,
        );
        story.exit(site, task, (tid, tid), "self");
    }
    assert_eq!(story.linter.sites.len(), MOST_SITES + 1);
    assert_eq!(
        story.linter.count("namespace-creation"),
        MOST_SITES as u64 + 100
    );
}

#[test]
fn a_namespace_of_a_newer_version_is_one_too() {
    for (flag, count) in [("CLONE_NEWFANGLED", 1), ("CLONE_OTHER", 0)] {
        let mut story = Story::new();
        story.call(4, MAIN, "clone3", &[flag], process(4, 400));
        let found = story.found.iter();
        let namespaces = found.filter(|(_, one)| one.lint == "namespace-creation");
        assert_eq!(namespaces.count(), count, "{flag}");
    }
}
