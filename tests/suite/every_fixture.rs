//! Every fixture under clonespy: the program notices nothing, the events are what the fixture says
//! and what strace says, and the recorded trace renders as the live one did.

use std::collections::HashMap;
use std::process::Command;

use clonespy::event::{Created, EventKind, Kind, Outcome, Status, TaskId, Tid};
use clonespy::internals::flags::CLONE_VFORK;

use crate::fixture_facts::{Fact, facts, normal};
use crate::fixtures::{Build, CASES, Case, built, named, program};
use crate::run::{End, Run, run, run_with};
use crate::trace::{
    Traced, clonespy, command, compare, expect_whole, format, fresh_file, trace, trace_with, words,
};
use crate::without_tracer::EVERY_WAY;

/// One test a case, so that a failure names it.
macro_rules! live {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(named(stringify!($name)));
            }
        )*
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

live! {
    thread threads fork clone_vm clone_vm_without vfork cow cow_elsewhere io_threads
    exec_thread exec_thread_leader_exited exec_thread_race exec_thread_leader_sigsuspend leader_exits exit_group_thread
    caller_dies caller_dies_exec caller_dies_sigkill newborn_killed orphans unreaped unreaped_waits tid_reuse
    exit_code signal_exit signal_exit_kill signal_exit_segv signal_exit_rt
    clone_parent clone_ptrace clone_untraced clone_untraced_tight shared_memory_process
    vfork_variants clone3_sizes clone_flags failures int80
    pidns init_crash signals restart seccomp_errno seccomp_tsync seccomp_harmless
    seccomp_strict no_seccomp tracer_inside
    storm storm_alive storm_forks getppid streams surroundings sigchld orphaned_group fair changing_args fork_bomb driven exec_storm
}

#[test]
fn every_case_is_tested_live() {
    let cases: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(TESTED, cases);
}

#[track_caller]
fn check(case: &Case) {
    let bare = run(Command::new(program(case.fixture)).args(case.args));
    bare.expect(case.name, case.end);
    let line = command(case);
    expect_case(case, &bare, &trace(&words(&line)));
    compare(case.name, &words(&line), case.strace);
}

/// What is true of a case whenever it is traced, given what it says alone.
#[track_caller]
pub fn expect_case(case: &Case, bare: &Run, traced: &Traced) {
    traced.run.expect(case.name, case.end);
    let same = |output: &str| {
        let mut lines = normal(output);
        lines.retain(|line| !line.starts_with("differs "));
        lines
    };
    assert_eq!(
        same(&bare.out()),
        same(&traced.run.out()),
        "{}: alone and traced",
        case.name
    );
    assert_eq!(
        bare.err(),
        traced.run.err(),
        "{}: standard error",
        case.name
    );
    expect_whole(traced, case.name);
    expect_status(traced, case.end);
    // The children of a program that the harness did not wait for print as well; all is read.
    for fact in facts(&traced.run.out()) {
        match fact.sort.as_str() {
            "task" => expect_task(traced, &fact),
            "call" => expect_call(traced, &fact),
            _ => {}
        }
    }
}

/// The trace's last line says how the program ended.
#[track_caller]
fn expect_status(traced: &Traced, end: End) {
    let Some(EventKind::End(last)) = traced.events.last().map(|event| &event.kind) else {
        panic!("no end");
    };
    match (&last.status, end) {
        (Some(Status::Exited { exited }), End::Exit(code)) => assert_eq!(*exited, code),
        (Some(Status::Signaled { signaled, .. }), End::Signal(number)) => {
            let name = match number {
                9 => "SIGKILL",
                11 => "SIGSEGV",
                15 => "SIGTERM",
                40 => "SIGRT_8",
                _ => panic!("which name has signal {number}?"),
            };
            assert_eq!(signaled, name);
        }
        (status, end) => panic!("{status:?} is not {end:?}"),
    }
}

fn created(traced: &Traced) -> impl Iterator<Item = (Tid, &Created)> {
    traced.events.iter().filter_map(|event| match &event.kind {
        EventKind::Clone(call) => match &call.outcome {
            Outcome::Created(created) => Some((call.tid, created)),
            _ => None,
        },
        _ => None,
    })
}

/// A task that the fixture spoke of is in the trace, with its tgid, kind, creator and name.
#[track_caller]
fn expect_task(traced: &Traced, fact: &Fact) {
    let (pid, tid) = (fact.number("pid"), fact.number("tid"));
    let kind = match fact.get("kind") {
        "thread" => Kind::Thread,
        _ => Kind::Process,
    };
    let parent = fact.values.get("parent").map(|_| fact.number("parent"));
    let nested: Option<Vec<Tid>> = fact.values.get("nspid").map(|list| {
        list.split(',')
            .map(|tid| tid.parse().expect("a tid"))
            .collect()
    });
    let fits = |creator: Tid, task: &Created| {
        i128::from(task.tid) == tid
            && i128::from(task.tgid) == pid
            && task.kind == kind
            && parent.is_none_or(|parent| parent == i128::from(creator))
            && nested
                .as_ref()
                .is_none_or(|list| task.ns_tids.as_ref() == Some(list))
    };
    let root = traced.events.iter().any(|event| match &event.kind {
        EventKind::Task(task) => {
            i128::from(task.tid) == tid && i128::from(task.tgid) == pid && task.kind == kind
        }
        _ => false,
    });
    assert!(
        (root && parent.is_none()) || created(traced).any(|(creator, task)| fits(creator, task)),
        "no event says: {fact:?}\nthose of this tid: {:#?}",
        created(traced)
            .filter(|(_, task)| i128::from(task.tid) == tid)
            .collect::<Vec<_>>()
    );
    expect_name(traced, fact);
}

/// The name under which the task ended (a task in a nested namespace is not asked for its name).
#[track_caller]
fn expect_name(traced: &Traced, fact: &Fact) {
    if fact.values.contains_key("nspid") {
        return;
    }
    let tid = fact.number("tid");
    // By clonespy's number: an exec may have given the task another tid before it ended.
    let tasks: Vec<TaskId> = traced
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Task(task) => Some((task.tid, event.header.task)),
            EventKind::Clone(call) => match &call.outcome {
                Outcome::Created(created) => Some((created.tid, created.task)),
                _ => None,
            },
            EventKind::Exec(exec) => Some((exec.tid, event.header.task)),
            _ => None,
        })
        .filter(|(known, _)| i128::from(*known) == tid)
        .map(|(_, task)| task)
        .collect();
    let names: Vec<&str> = traced
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Exit(exit) if tasks.contains(&event.header.task) => exit.comm.as_deref(),
            _ => None,
        })
        .collect();
    assert!(
        names.contains(&fact.get("name")),
        "{fact:?} ended under the names {names:?}"
    );
}

/// A call that the fixture made is in the trace, with its flags, exit signal and result.
#[track_caller]
fn expect_call(traced: &Traced, fact: &Fact) {
    let (ret, errno) = (fact.number("ret"), fact.number("errno"));
    let found = traced.events.iter().any(|event| {
        let EventKind::Clone(call) = &event.kind else {
            return false;
        };
        let word = |word: Option<clonespy::event::Hex>| word.map(|word| i128::from(word.0));
        i128::from(call.tid) == fact.number("caller")
            && call.request.call.name() == fact.get("name")
            && word(call.request.flags_raw) == Some(fact.number("flags"))
            && word(call.request.exit_signal_raw) == Some(fact.number("exit_signal"))
            && match &call.outcome {
                Outcome::Created(created) => i128::from(created.tid) == ret,
                Outcome::Failed { code, .. } => i128::from(*code) == errno && ret == -1,
                _ => false,
            }
    });
    assert!(found, "no event says: {fact:?}");
}

#[test]
fn other_builds_are_seen_as_well() {
    for build in [Build::Static, Build::Musl, Build::I386] {
        for fixture in EVERY_WAY {
            let Some(path) = built(fixture, build) else {
                break;
            };
            let line = [path.as_os_str()];
            let traced = trace(&line);
            traced.run.expect(fixture, End::Exit(0));
            expect_whole(&traced, fixture);
            for fact in facts(&traced.run.out()) {
                if fact.sort == "task" {
                    expect_task(&traced, &fact);
                }
            }
            compare(fixture, &line, named(fixture).strace);
        }
    }
}

#[test]
fn other_ways_of_catching_see_the_same_tasks() {
    for way in ["event", "syscall"] {
        for name in [
            "thread",
            "fork",
            "vfork",
            "clone_vm",
            "io_threads",
            "exec_thread",
            "fair",
            "sigchld",
            "orphaned_group",
        ] {
            let case = named(name);
            let line = command(case);
            let traced = trace_with(&[&format!("--intercept={way}")], &words(&line));
            traced.run.expect(name, case.end);
            expect_whole(&traced, name);
            for fact in facts(&traced.run.out()) {
                if fact.sort == "task" {
                    expect_task(&traced, &fact);
                }
            }
        }
    }
}

/// What each task that was traced is told by its surroundings: the same descriptors, signal mask
/// and dispositions, and its standard input reaches it.
#[test]
fn streams_and_signals_reach_the_program_untouched() {
    let input = b"to be copied\n";
    let bare = run_with(&mut Command::new(program("streams")), input);
    let file = fresh_file("jsonl");
    let traced = run_with(
        clonespy()
            .arg("--format")
            .arg(format(&file, "jsonl"))
            .arg("--")
            .arg(program("streams")),
        input,
    );
    assert_eq!(bare.stdout, input);
    assert_eq!(traced.stdout, input);
    assert_eq!(bare.err(), traced.err());
}

/// A descriptor that is closed for the program alone is closed for the traced program, too; and
/// signals that are ignored stay so.
#[test]
fn closed_streams_stay_closed_and_ignored_signals_ignored() {
    let script = "trap '' INT USR2; exec \"$@\" <&- ";
    let alone = run(Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(program("streams")));
    let file = fresh_file("jsonl");
    let traced = run(Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_clonespy"))
        .arg("--format")
        .arg(format(&file, "jsonl"))
        .arg("--")
        .arg(program("streams")));
    alone.expect("alone", End::Exit(0));
    traced.expect("traced", End::Exit(0));
    assert_eq!(alone.err(), traced.err());
    assert!(alone.err().contains("open=1,2"), "{}", alone.err());
    let said = alone.err();
    let ignored = said.split("ignored=").nth(1).expect("which are ignored");
    let ignored: Vec<&str> = ignored.trim().split(',').collect();
    assert!(ignored.contains(&"2") && ignored.contains(&"12"), "{said}");
}

/// The stops that a task costs do not depend on how many other calls it makes.
#[test]
fn calls_that_make_no_task_are_not_stopped() {
    let stops = |count: &str| {
        let path = program("getppid");
        let traced = trace_with(&["--stats"], &[path.as_os_str(), count.as_ref()]);
        traced.run.expect("getppid", End::Exit(0));
        let stats = traced.events.iter().find_map(|event| match &event.kind {
            EventKind::Stats(stats) => Some(stats.stops.clone()),
            _ => None,
        });
        stats
            .expect("--stats makes a stats event")
            .values()
            .sum::<u64>()
    };
    // A signal more or less (SIGCHLD) may be announced apart or not.
    let (few, many) = (stops("10"), stops("100000"));
    assert!(
        many.abs_diff(few) <= 4,
        "{few} stops for 10 calls, {many} for 100,000"
    );
}

/// The kernel lets a paused caller go before it reports its child's exec. In the trace the exec, or
/// the end, comes before what the caller does next.
#[test]
fn a_paused_caller_does_nothing_before_its_child_is_told_of() {
    let program = program("vfork_variants");
    let mut paused = HashMap::new();
    let traced = trace_with(&[], &[program.as_os_str()]);
    traced.run.expect("vfork_variants", End::Exit(0));
    let mut seen = 0;
    for event in &traced.events {
        match &event.kind {
            EventKind::Clone(call) => {
                assert_eq!(
                    paused.get(&event.header.task),
                    None,
                    "paused, and calls at seq {}",
                    event.header.seq
                );
                if let Outcome::Created(made) = &call.outcome
                    && call.request.has(CLONE_VFORK)
                {
                    paused.insert(event.header.task, made.task);
                    seen += 1;
                }
            }
            EventKind::Exec(_) => paused.retain(|_, child| *child != event.header.task),
            EventKind::Exit(_) => {
                paused.retain(|caller, child| {
                    *child != event.header.task && *caller != event.header.task
                });
            }
            _ => {}
        }
    }
    assert!(seen > 0, "it makes vforks");
}
