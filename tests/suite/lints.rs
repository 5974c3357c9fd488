//! Linter on programs: what is found, and what is not.

use std::ffi::OsStr;
use std::path::Path;

use clonespy::event::{Event, EventKind, Finding};
use clonespy::internals::lints;

use crate::fixtures::program;
use crate::run::{End, run, tool};
use crate::trace::{Traced, clonespy, events, format, fresh_file, trace, trace_with};

/// What a trace holds, each site once. The report of a replay with these options is that of the run.
#[track_caller]
fn findings(traced: &Traced, options: &[&str]) -> Vec<Finding> {
    traced.run.expect("the program", End::Exit(0));
    assert_eq!(replayed(&traced.jsonl, options), traced.text);
    let found = traced.events.iter().filter_map(|event| match &event.kind {
        EventKind::Finding(finding) if finding.count == Some(1) => Some(finding.clone()),
        _ => None,
    });
    let found: Vec<Finding> = found.collect();
    for finding in &found {
        // Wherever the lines were broken.
        let text = traced.text.split_whitespace().collect::<String>();
        let said = finding.text.replace(' ', "");
        let remarked = ["untraced-child", "args-changed-during-call"];
        let summed = format!("! {}", finding.lint);
        assert!(traced.text.contains(&summed), "{}", traced.text);
        assert!(
            text.contains(&said) || remarked.contains(&finding.lint.as_str()),
            "{said}: {}",
            traced.text
        );
    }
    found
}

/// The names of the lints that a command meets, every lint asked for, each once.
#[track_caller]
fn met(command: &[&OsStr]) -> Vec<String> {
    let all: Vec<&str> = lints().map(|lint| lint.id).collect();
    let options = ["--lint", &all.join(",")];
    let mut ids: Vec<String> = findings(&trace_with(&options, command), &options)
        .into_iter()
        .map(|finding| finding.lint)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn fixtures_show_what_they_are_made_to_show() {
    for (fixture, args, expected) in [
        ("thread", &[][..], &[][..]),
        ("fork", &[], &[]),
        ("vfork", &[], &[]),
        ("vfork_variants", &[], &[]),
        ("shared_memory_process", &[], &["shared-memory-process"]),
        (
            "clone_vm",
            &["clone_vm"],
            &["exit-signal-odd", "shared-memory-process"],
        ),
        (
            "clone_untraced",
            &[],
            &["shared-memory-process", "untraced-child"],
        ),
    ] {
        let program = program(fixture);
        let mut command = vec![program.as_os_str()];
        command.extend(args.iter().map(OsStr::new));
        assert_eq!(met(&command), expected, "{fixture}");
    }
}

#[test]
fn a_filter_that_refuses_clone3_is_one_story() {
    let program = program("seccomp_errno");
    assert!(met(&[program.as_os_str()]).contains(&"clone3-fallback".to_owned()));
}

/// The threads wait, the child waits longer than it takes to be found, and nobody sleeps for long.
const FORKS: &str = "
import os, threading
wait = threading.Event()
threads = [threading.Thread(target=wait.wait) for _ in range(2)]
for thread in threads: thread.start()
pid = os.fork()
if pid == 0:
    second = os.fork()
    if second: os.waitpid(second, 0)
    os._exit(0)
os.waitpid(pid, 0)
wait.set()
";

const SPAWNS: &str = "
import subprocess, threading
wait = threading.Event()
threads = [threading.Thread(target=wait.wait) for _ in range(2)]
for thread in threads: thread.start()
subprocess.run(['true'])
subprocess.run('true | cat', shell=True)
wait.set()
";

#[test]
fn python_that_forks_under_threads_is_found_and_subprocess_is_not() {
    let Some(python) = tool("python3") else {
        return;
    };
    let run = |script: &str| {
        let traced = trace(&[python.as_os_str(), OsStr::new("-c"), OsStr::new(script)]);
        let mut found = findings(&traced, &[]);
        found.retain(|finding| finding.lint == "fork-with-threads");
        (found, traced.text)
    };
    let (found, text) = run(FORKS);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].text.contains("creates a task itself"),
        "{found:#?}"
    );
    assert!(text.contains("[fork-with-threads]"), "{text}");
    let (found, text) = run(SPAWNS);
    assert!(found.is_empty(), "{found:#?}");
    assert!(!text.contains("fork-with-threads"), "{text}");
}

/// How often the tasks of a command stopped, by kind.
fn stops(traced: &Traced) -> std::collections::BTreeMap<String, u64> {
    let stats = traced.events.iter().find_map(|event| match &event.kind {
        EventKind::Stats(stats) => Some(stats.stops.clone()),
        _ => None,
    });
    stats.expect("--stats makes a stats event")
}

#[test]
fn children_that_nobody_waited_for_are_named_where_that_is_asked_for() {
    let program = program("unreaped");
    let asked = ["--stats", "--lint", "unreaped-children"];
    for intercept in ["auto", "event", "syscall"] {
        let with = [&asked[..], &["--intercept", intercept]].concat();
        let traced = trace_with(&with, &[program.as_os_str()]);
        let found: Vec<Finding> = findings(&traced, &with[1..3])
            .into_iter()
            .filter(|finding| finding.lint == "unreaped-children")
            .collect();
        assert_eq!(found.len(), 1, "{intercept}: {found:#?}");
        let text = &found[0].text;
        assert!(
            text.contains(" forgotten") && text.contains(" of-a-thread"),
            "{text}"
        );
        assert!(!text.contains("waited-for"), "{text}");
        // Each of the five tasks stops once on its way out.
        assert_eq!(stops(&traced).get("leaving"), Some(&5), "{intercept}");
    }
    let waits = trace_with(&asked, &[program.as_os_str(), "waits".as_ref()]);
    assert!(!waits.text.contains("unreaped-children"), "{}", waits.text);
    let looked = |events: &[Event]| {
        let of = |event: &&Event| matches!(&event.kind, EventKind::Exit(exit) if exit.unreaped.is_some());
        events.iter().filter(of).count()
    };
    assert_eq!(looked(&waits.events), 4, "one a process");
}

/// std waits for a child whose exec has failed, and would take a stop on its way out.
#[test]
fn a_check_of_a_program_that_is_not_there_ends() {
    let file = fresh_file("nowhere.toml");
    let text = "command = ['./nowhere']\n[lints]\ndeny = ['unreaped-children']\n";
    std::fs::write(&file, text).expect("a file");
    for _ in 0..20 {
        let done = run(clonespy().arg("check").arg(&file));
        done.expect("the check", End::Exit(2));
        assert!(done.out().contains("not found"), "{}", done.out());
    }
}

#[test]
fn no_task_stops_once_more_for_what_was_not_asked_for() {
    let program = program("unreaped");
    let traced = trace_with(&["--stats"], &[program.as_os_str()]);
    assert_eq!(stops(&traced).get("leaving"), None);
    let looked =
        |event: &Event| matches!(&event.kind, EventKind::Exit(exit) if exit.unreaped.is_some());
    assert!(!traced.events.iter().any(looked));
    assert!(
        !traced.text.contains("unreaped-children"),
        "{}",
        traced.text
    );
}

/// The text of a replay with these options.
#[track_caller]
fn replayed(jsonl: &Path, options: &[&str]) -> String {
    let file = fresh_file("txt");
    let mut command = clonespy();
    command.arg("replay").args(options).arg(jsonl);
    command.arg("--format").arg(format(&file, "text"));
    run(&mut command).expect("the replay", End::Exit(0));
    std::fs::read_to_string(file).expect("the report")
}

#[test]
fn options_say_which_lints_watch_and_a_replay_follows_its_own() {
    let program = program("exit_group_thread");
    let command = [program.as_os_str()];
    let plain = trace(&command);
    assert!(!plain.text.contains("threads-cut-off"), "{}", plain.text);
    let asked = trace_with(&["--lint", "threads-cut-off"], &command);
    let found = |events: &[Event]| {
        let of = |event: &&Event| matches!(&event.kind, EventKind::Finding(one) if one.lint == "threads-cut-off");
        events.iter().filter(of).count()
    };
    assert_eq!((found(&plain.events), found(&asked.events)), (0, 1));
    assert!(asked.text.contains("[threads-cut-off]"), "{}", asked.text);
    // What was recorded does not matter, what is asked for does.
    assert_eq!(
        replayed(&asked.jsonl, &["--lint=threads-cut-off"]),
        asked.text
    );
    assert!(!replayed(&asked.jsonl, &[]).contains("threads-cut-off"));
    let later = replayed(&plain.jsonl, &["--lint", "threads-cut-off"]);
    assert!(later.contains("[threads-cut-off]"), "{later}");
    let both = ["--lint=threads-cut-off", "--allow=threads-cut-off"];
    assert!(!replayed(&plain.jsonl, &both).contains("threads-cut-off"));
}

#[test]
fn findings_are_as_quiet_as_they_are_asked_to_be_and_not_in_straces_lines() {
    let program = program("shared_memory_process");
    let traced = trace(&[program.as_os_str()]);
    let word = "shared-memory-process";
    let count = |options: &[&str]| {
        let text = replayed(&traced.jsonl, options);
        text.lines().filter(|line| line.contains(word)).count()
    };
    // At both places where it is found, and under the totals.
    assert_eq!(count(&[]), 3);
    assert_eq!(count(&["-q"]), 3);
    assert_eq!(count(&["-qq"]), 2);
    assert_eq!(count(&["-qqq"]), 0);
    assert_eq!(count(&["-c"]), 0);
    assert_eq!(count(&["--allow", word]), 0);
    let quiet = replayed(&traced.jsonl, &["-qq"]);
    assert!(quiet.contains("! warning: process"), "{quiet}");
    let chinese = replayed(&traced.jsonl, &["--lang=zh"]);
    assert!(chinese.contains("共用一份内存"), "{chinese}");
    let lines = fresh_file("strace");
    let mut command = clonespy();
    command.arg("replay").arg(&traced.jsonl).arg("--format");
    run(command.arg(format(&lines, "strace"))).expect("strace's lines", End::Exit(0));
    let lines = std::fs::read_to_string(lines).expect("the lines");
    assert!(lines.contains("clone") && !lines.contains(word), "{lines}");
    // Findings come before the last line, and have no seq of their own.
    let recorded = std::fs::read_to_string(&traced.jsonl).expect("the trace");
    let findings: Vec<&str> = recorded
        .lines()
        .filter(|line| line.contains("\"type\":\"finding\""))
        .collect();
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|line| !line.contains("\"seq\"")));
    assert!(
        recorded
            .lines()
            .last()
            .is_some_and(|line| line.contains("\"type\":\"end\""))
    );
}

/// Descriptors are looked at where that is asked for.
#[test]
fn a_descriptor_without_close_on_exec_is_named() {
    let Some(shell) = tool("sh") else {
        return;
    };
    let script = "exec 9</dev/zero; true; (exec env >/dev/null); :";
    let leaks = |options: &[&str]| {
        let traced = trace_with(
            options,
            &[shell.as_os_str(), "-c".as_ref(), script.as_ref()],
        );
        let recorded = events(&traced.jsonl, "");
        let looked = recorded.iter().any(
            |event| matches!(&event.kind, EventKind::Exec(exec) if exec.inherited_fds.is_some()),
        );
        let found = recorded.iter().filter_map(|event| match &event.kind {
            EventKind::Finding(one) if one.lint == "fd-leak-to-exec" => Some(one.text.clone()),
            _ => None,
        });
        (looked, found.collect::<Vec<_>>())
    };
    let (looked, found) = leaks(&["--lint", "fd-leak-to-exec"]);
    assert!(looked && found.len() == 1, "{found:#?}");
    assert!(found[0].contains("9 /dev/zero"), "{found:#?}");
    assert_eq!(leaks(&[]), (false, Vec::new()));
}
