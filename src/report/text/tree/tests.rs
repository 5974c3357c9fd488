//! Trees that grow by the shortest events, drawn.

use serde_json::{Value, json};

use super::*;
use crate::event::Event;
use crate::layout::columns;

/// A tree that grows by the shortest events.
#[derive(Default)]
struct Story {
    tree: TaskTree,
    seq: u64,
}

impl Story {
    fn event(&mut self, mut line: Value, more: Value) -> &mut Self {
        self.seq += 1;
        line["seq"] = json!(self.seq);
        line["at_ns"] = json!(self.seq * 1000);
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let event: Event = serde_json::from_value(line).unwrap();
        self.tree.apply(&event);
        self
    }

    fn root(&mut self, task: u64, tid: u64) -> &mut Self {
        let line = json!({"type": "task", "task": task, "tid": tid, "tgid": tid});
        self.event(
            line,
            json!({"kind": "process", "comm": "root", "how": "launched"}),
        )
    }

    fn made(&mut self, by: (u64, u64), task: u64, tid: u64, tgid: u64) -> &mut Self {
        let kind = if tid == tgid { "process" } else { "thread" };
        let made = json!({"task": task, "tid": tid, "tgid": tgid, "kind": kind});
        let line = json!({"type": "clone", "task": by.0, "tid": by.1, "tgid": by.1});
        self.event(
            line,
            json!({"comm": "x", "abi": "x86_64", "call": "clone",
                    "flags": if kind == "thread" { json!(["CLONE_THREAD"]) } else { json!([]) },
                    "outcome": {"created": made}}),
        )
    }

    fn exit(&mut self, task: u64, tid: u64, tgid: u64, more: Value) -> &mut Self {
        let mut line = json!({"type": "exit", "task": task, "tid": tid, "tgid": tgid,
                "how": "self", "status": {"exited": 0}, "last": tid == tgid});
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.event(line, json!({}))
    }

    fn draw(&self, look: &Look) -> String {
        let out = self.whole(look);
        // The golden files have the heads of the columns, and the notes below.
        let rows = out
            .lines()
            .filter(|row| !row.starts_with("task ") && !row.starts_with('('));
        rows.map(|row| format!("{row}\n")).collect()
    }

    fn whole(&self, look: &Look) -> String {
        let mut out = String::new();
        let done: Result<(), ()> = rows(look, &self.tree, |row| {
            out.push_str(row);
            Ok(())
        });
        done.unwrap();
        out
    }
}

#[test]
fn siblings_folds_and_living_tasks() {
    let mut story = Story::default();
    story.root(1, 100);
    for n in 0..3 {
        story.made((1, 100), 2 + n, 7002 + n, 100);
        let lived = [19_000, 500_000, 840_000][n as usize];
        let end = json!({"comm": "worker", "lived_ns": lived});
        story.exit(2 + n, 7002 + n, 100, end);
    }
    story
        .made((1, 100), 9, 101, 101)
        .made((9, 101), 10, 102, 101);
    story.exit(
        10,
        102,
        101,
        json!({"comm": "sub", "how": "cut_off", "lived_ns": 7}),
    );
    story.made((1, 100), 11, 103, 100);
    assert_eq!(
        story.draw(&Look::default()),
        "\
100 x                                          process   alive
├─ worker ×3   tids 7002–7004                  threads   ended         19–840 µs
├─ 101 x, copy of 100                          process   alive
│  └─ 102 sub                                  thread    cut off            7 ns
└─ 103 x                                       thread    alive
"
    );
    let mut ascii = Look::default();
    ascii.style.unicode = false;
    let ascii = story.draw(&ascii);
    assert!(ascii.is_ascii(), "{ascii}");
    assert!(ascii.contains("|- worker x3   tids 7002-7004"), "{ascii}");
}

#[test]
fn attached_tasks_stand_under_their_process_and_processes_under_their_parent() {
    let mut story = Story::default();
    let mut attach = |task: u64, tid: u64, tgid: u64, ppid: u64, comm: &str| {
        let kind = if tid == tgid { "process" } else { "thread" };
        let line = json!({"type": "task", "task": task, "tid": tid, "tgid": tgid, "ppid": ppid});
        story.event(line, json!({"kind": kind, "comm": comm, "how": "attached"}));
    };
    // The tid of the first thread was recycled: it is below the leader's.
    attach(1, 90, 100, 1, "early");
    attach(2, 100, 100, 1, "server");
    attach(3, 101, 100, 1, "late");
    attach(4, 200, 200, 100, "child");
    attach(5, 300, 300, 7, "stranger");
    assert_eq!(
        story.draw(&Look::default()),
        "\
100 server                                     process   alive
├─ 90 early                                    thread    alive
├─ 101 late                                    thread    alive
└─ 200 child                                   process   alive
300 stranger                                   process   alive
"
    );
    // They end in any order; what is above stays while something below lives.
    story.exit(2, 100, 100, json!({"comm": "server", "last": false}));
    story.exit(1, 90, 100, json!({"comm": "early"}));
    story.exit(3, 101, 100, json!({"comm": "late", "how": "cut_off"}));
    assert_eq!(
        story.draw(&Look::default()),
        "\
100 server                                     process   exit 0
├─ 90 early                                    thread    ended
├─ 101 late                                    thread    cut off
└─ 200 child                                   process   alive
300 stranger                                   process   alive
"
    );
    story.exit(4, 200, 200, json!({"comm": "child"}));
    let text = story.draw(&Look::default());
    assert!(text.contains("└─ 200 child"), "{text}");
}

#[test]
fn off_a_terminal_a_long_row_keeps_its_command_and_the_columns() {
    let mut story = Story::default();
    story.root(1, 100).made((1, 100), 2, 101, 101);
    let long = format!("/usr/bin/cc {}", "-O2 ".repeat(20));
    let argv: Vec<&str> = long.split_whitespace().collect();
    let line = json!({"type": "exec", "task": 2, "tid": 101, "tgid": 101});
    story.event(line, json!({"argv": argv, "path": "/usr/bin/cc"}));
    story.made((2, 101), 3, 102, 102);
    let mut pipe = Look::default();
    pipe.style.cut = false;
    let command = argv.join(" ");
    assert_eq!(
        story.draw(&pipe),
        format!(
            "\
100 x                                          process   alive
└─ 101 {command}
                                               process   alive
   └─ 102 x, copy of 101                       process   alive
"
        )
    );
    let text = story.draw(&Look::default());
    assert!(text.contains("└─ 101 …/cc -O2 "), "{text}");
    let verbose = Look {
        verbose: 1,
        ..Look::default()
    };
    let text = story.draw(&verbose);
    assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    assert_eq!(text.matches("-O2").count(), 20, "{text}");
}

#[test]
fn counts_below_a_fold_are_of_each() {
    let mut story = Story::default();
    story.root(1, 100);
    for n in 0..4u64 {
        let (task, tid) = (10 + 10 * n, 200 + 10 * n);
        story.made((1, 100), task, tid, tid);
        for m in 1..=3 {
            story.made((task, tid), task + m, tid + m, tid);
            story.exit(
                task + m,
                tid + m,
                tid,
                json!({"comm": if m < 3 { "w" } else { "z" }}),
            );
        }
        story.exit(task, tid, tid, json!({"comm": "job"}));
    }
    assert_eq!(
        story.draw(&Look::default()),
        "\
100 x                                          process   alive
└─ job ×4, copies of 100   among tids 200–230  processes exit 0           7.0 µs
   ├─ w ×2 each   among tids 201–232           threads   ended            1.0 µs
   └─ z, one each   among tids 203–233         threads   ended            1.0 µs
"
    );
}

#[test]
fn a_relay_is_one_row() {
    let mut story = Story::default();
    story.root(1, 100);
    for n in 1..1000 {
        story.made((n, 99 + n), n + 1, 100 + n, 100 + n);
        story.exit(n, 99 + n, 99 + n, json!({"comm": "relay"}));
    }
    let text = story.draw(&Look::default());
    assert!(text.lines().count() < 12, "{text}");
    assert!(text.contains(" in a row   tids "), "{text}");
    assert!(text.contains("1099 x, copy of its creator "), "{text}");
}

#[test]
fn rows_that_read_alike_and_are_apart_are_explained() {
    let note = "(rows that read alike: made by other calls, or with other flags)";
    for (flags, told) in [
        (["CLONE_FS", "CLONE_FILES"], true),
        (["CLONE_FS"; 2], false),
    ] {
        let mut story = Story::default();
        story.root(1, 100);
        for n in 0..20u64 {
            let (task, tid) = (2 + n, 101 + n);
            let created = json!({"task": task, "tid": tid, "tgid": tid, "kind": "process"});
            story.event(
                json!({"type": "clone", "task": 1, "tid": 100, "tgid": 100, "comm": "x"}),
                json!({"abi": "x86_64", "call": "clone", "flags": [flags[n as usize % 2]],
                    "flags_raw": "0x200", "outcome": {"created": created}}),
            );
            story.exit(task, tid, tid, json!({"comm": "x"}));
        }
        let text = story.whole(&Look::default());
        assert_eq!(text.contains(note), told, "{text}");
        assert_eq!(
            text.matches(" ×").count(),
            if told { 2 } else { 1 },
            "{text}"
        );
    }
}

#[test]
fn a_thread_that_execs_is_no_created_process() {
    let mut story = Story::default();
    story.root(1, 100);
    story.made((1, 100), 2, 101, 100);
    story.made((1, 100), 3, 102, 102);
    story.exit(1, 100, 100, json!({"how": "replaced", "last": false}));
    let exec = json!({"type": "exec", "task": 2, "tid": 100, "tgid": 100, "former_tid": 101});
    story.event(exec, json!({"argv": ["heir"], "path": "/bin/heir"}));
    let mut look = Look::default();
    look.filter.threads_only = true;
    let text = story.draw(&look);
    assert!(text.contains(" 100 heir "), "{text}");
    assert!(!text.contains(" 102 "), "{text}");
}

#[test]
fn a_deep_tree_needs_no_stack_and_no_width() {
    let mut story = Story::default();
    story.root(1, 1);
    let depth = 20_000;
    for n in 1..depth {
        story.made((n, n), n + 1, n + 1, n + 1);
    }
    let text = story.draw(&Look::default());
    assert_eq!(text.lines().count() as u64, depth);
    assert!(text.lines().all(|line| columns(line) <= 80));
    assert!(text.lines().last().unwrap().starts_with("+19991 "));
}

#[test]
fn long_and_hostile_names_stay_in_their_column() {
    let mut story = Story::default();
    story.root(1, 100);
    let line = json!({"type": "exec", "task": 1, "tid": 100, "tgid": 100});
    story.event(
        line,
        json!({"argv": ["\x1b[2J", "工".repeat(100)], "path": "/x"}),
    );
    let status = json!({"signaled": "SIGSEGV", "core_dumped": true});
    story.exit(1, 100, 100, json!({"how": "signal", "status": status}));
    let text = story.draw(&Look::default());
    assert!(text.starts_with("100 '\\x1b[2J' 工工"), "{text}");
    assert!(
        text.trim_end().ends_with("process   killed: SIGSEGV core"),
        "{text}"
    );
    assert!(columns(text.trim_end()) <= 80);
}
