//! Lints on programs: what is found, and what is not.

use std::ffi::OsStr;

use clonespy::check::lints::{LINTS, Lints};
use clonespy::event::{Event, Finding};
use clonespy::tasks::TaskTree;
use clonespy::tracer::{Launch, Tracer};

use crate::fixtures::program;
use crate::run::tool;
use crate::trace::{Traced, trace};

/// Everything that a trace shows, every lint asked for.
fn findings(traced: &Traced) -> Vec<Finding> {
    findings_in(&traced.events)
}

fn findings_in(events: &[Event]) -> Vec<Finding> {
    let ids: Vec<String> = LINTS.iter().map(|lint| lint.id.to_owned()).collect();
    let mut lints = Lints::new(&[], &ids).expect("lints");
    let mut tree = TaskTree::new();
    let mut found = Vec::new();
    for event in events {
        tree.apply(event);
        if !matches!(event, Event::End(_)) {
            found.extend(lints.event(event, &tree));
        }
    }
    found
}

/// The names of the lints that a command meets, each once.
fn met(command: &[&OsStr]) -> Vec<String> {
    let mut ids: Vec<String> = findings(&trace(command))
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
        ("exit_group_thread", &[], &["threads-cut-off"]),
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
subprocess.run('true | cat', shell=True, preexec_fn=lambda: None)
wait.set()
";

#[test]
fn python_that_forks_under_threads_is_found_and_subprocess_is_not() {
    let Some(python) = tool("python3") else {
        return;
    };
    let run = |script: &str| {
        let traced = trace(&[python.as_os_str(), OsStr::new("-c"), OsStr::new(script)]);
        let mut found = findings(&traced);
        found.retain(|finding| finding.lint == "fork-with-threads");
        found
    };
    let found = run(FORKS);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].text.contains("creates a task itself"),
        "{found:#?}"
    );
    let found = run(SPAWNS);
    assert!(found.is_empty(), "{found:#?}");
}

/// Descriptors are looked at where that is asked for.
#[test]
fn a_descriptor_without_close_on_exec_is_named() {
    let Some(shell) = tool("sh") else {
        return;
    };
    let events = |inherited_fds: bool| -> Vec<Event> {
        let launch = Launch {
            program: shell.clone().into(),
            args: vec![
                "-c".into(),
                "exec 9</dev/zero; true; (exec env >/dev/null); :".into(),
            ],
            inherited_fds,
            ..Launch::default()
        };
        let tracer = Tracer::launch(&launch).expect("the shell starts");
        tracer.map(|event| event.expect("a trace")).collect()
    };
    let leaks = |events: &[Event]| {
        let mut found = findings_in(events);
        found.retain(|finding| finding.lint == "fd-leak-to-exec");
        found
    };
    let found = leaks(&events(true));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].text.contains("9 /dev/zero"), "{found:#?}");
    assert_eq!(leaks(&events(false)), []);
}
