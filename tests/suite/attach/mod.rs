//! Running programs: all of them is seen, and after the trace they go on as if nobody had watched.

use std::process::{Command, Stdio};

use clonespy::event::{Event, EventKind, Gap, Kind, Outcome, Refusal, TaskId, Tid};

use crate::driven::{Driven, Seen, Spy, status, threads};
use crate::fixtures::program;
use crate::run::{End, until};

mod let_go;
mod refused;

const NONE: &[&str] = &[];
/// The ways to catch calls of a running program.
const WAYS: &[&str] = &["event", "syscall"];

fn tids(pid: u32) -> Vec<Tid> {
    let mut tids = threads(pid);
    tids.sort_unstable();
    tids
}

/// The process that traces a task, 0 for none; `None` once the task is gone. (/proc names the
/// tracing thread.)
fn tracer(tid: u32) -> Option<u32> {
    let thread: u32 = status(tid, "TracerPid")?.parse().ok()?;
    match status(thread, "Tgid") {
        Some(tgid) => tgid.parse().ok(),
        None => Some(thread),
    }
}

/// What the calls made: tid, kind and name of the call.
fn made(seen: &Seen) -> Vec<(Tid, Kind, &'static str)> {
    seen.events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Clone(call) => match &call.outcome {
                Outcome::Created(task) => Some((task.tid, task.kind, call.request.call.name())),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// Everybody who was seen has ended or was let go, once.
#[track_caller]
fn even(seen: &Seen) {
    let mut come: Vec<TaskId> = Vec::new();
    let mut gone: Vec<TaskId> = Vec::new();
    for event in &seen.events {
        match &event.kind {
            EventKind::Task(_) => come.push(event.header.task),
            EventKind::Clone(call) => {
                if let Outcome::Created(task) = &call.outcome {
                    come.push(task.task);
                }
            }
            EventKind::Exit(_) => gone.push(event.header.task),
            EventKind::Detach(_) => gone.push(event.header.task),
            _ => {}
        }
    }
    come.sort_unstable();
    gone.sort_unstable();
    assert_eq!(come, gone, "{:#?}", seen.events);
    let ends = seen
        .events
        .iter()
        .filter(|e| matches!(&e.kind, EventKind::End(_)));
    assert_eq!(ends.count(), 1, "{:#?}", seen.events);
    assert!(matches!(
        seen.events.last().map(|event| &event.kind),
        Some(EventKind::End(_))
    ));
}

fn detached(seen: &Seen) -> usize {
    let detach = |event: &&Event| matches!(&event.kind, EventKind::Detach(_));
    seen.events.iter().filter(detach).count()
}

fn state(pid: u32) -> char {
    status(pid, "State")
        .and_then(|state| state.chars().next())
        .unwrap_or('?')
}

#[test]
fn every_thread_is_seen_and_what_they_make_later() {
    for way in WAYS {
        let mut driven = Driven::start();
        driven.ask("sleep");
        let pid = driven.pid();
        let spy = Spy::attach(&pid.to_string(), &[format!("--intercept={way}")]);
        let left = tids(pid);
        for tid in &left {
            let tracer = tracer(tid.unsigned_abs());
            assert_eq!(tracer, Some(spy.started.pid), "tid {tid}");
        }
        let forked = driven.ask("fork").number("forked");
        driven.ask("thread");
        let child = driven.ask("vfork").number("child");
        assert_eq!(driven.ask("vfork-exec").number("status"), 0);
        assert_eq!(driven.ask("fail").number("errno"), 22);
        // Who was joined may still be on its way out.
        until("gone", pid, || (tids(pid) == left).then_some(()));
        let seen = spy.end("INT");
        seen.run.expect(way, End::Exit(0));
        even(&seen);
        assert_eq!(seen.attached(), left, "{way}");
        assert_eq!(detached(&seen), left.len(), "{way}");
        let made = made(&seen);
        let processes: Vec<i128> = made
            .iter()
            .filter(|(_, kind, _)| *kind == Kind::Process)
            .map(|&(tid, ..)| i128::from(tid))
            .collect();
        assert_eq!(processes, [forked, child], "{way}");
        // One for "thread", one that called vfork.
        assert_eq!(made.len(), 4, "{way}: {made:?}");
        let failed = |event: &&Event| matches!(&event.kind, EventKind::Clone(call) if matches!(call.outcome, Outcome::Failed { .. }));
        let failed = seen.events.iter().filter(failed).count();
        assert_eq!(failed, usize::from(*way == "syscall"), "{way}");
        let Some(EventKind::Start(start)) = seen.events.first().map(|event| &event.kind) else {
            panic!("no start");
        };
        assert_eq!(start.blind.is_empty(), *way == "syscall", "{way}");
        assert!(seen.text.contains("driven"), "the summary: {}", seen.text);
        // Nobody's sleep was disturbed: an interrupt would end that in epoll_wait.
        assert_eq!(driven.ask("awake").number("awake"), 0, "{way}");
        driven.goes_on();
    }
}

/// With every system call asked for, also the first failure after attaching is seen: nothing has
/// stopped the program before but clonespy itself.
#[test]
fn the_first_failed_call_is_seen() {
    let mut driven = Driven::start();
    let spy = Spy::attach(&driven.pid().to_string(), &["--intercept=syscall"]);
    assert_eq!(driven.ask("fail").number("errno"), 22);
    let seen = spy.end("INT");
    let failed = |event: &&Event| matches!(&event.kind, EventKind::Clone(call) if matches!(call.outcome, Outcome::Failed { .. }));
    assert_eq!(
        seen.events.iter().filter(failed).count(),
        1,
        "{:#?}",
        seen.events
    );
    driven.goes_on();
}

#[test]
fn a_leader_that_has_ended_does_not_matter() {
    let mut driven = Driven::start();
    driven.ask("leader-exits");
    let pid = driven.pid();
    let spy = Spy::attach(&pid.to_string(), NONE);
    let forked = driven.ask("fork").number("forked");
    let seen = spy.end("INT");
    seen.run.expect("attached", End::Exit(0));
    even(&seen);
    assert_eq!(seen.attached().len(), 1);
    assert!(!seen.attached().contains(&pid.cast_signed()));
    let forks: Vec<i128> = made(&seen).iter().map(|m| i128::from(m.0)).collect();
    assert_eq!(forks, [forked]);
    driven.goes_on();
}

/// While threads come and go as fast as they can: each attach finds all that live, each new one is
/// seen, and a hundred rounds leave no trace on the program.
#[test]
fn a_hundred_rounds_on_a_busy_program() {
    let mut driven = Driven::start();
    driven.ask("busy");
    let pid = driven.pid();
    for round in 0..100 {
        let spy = Spy::attach(&pid.to_string(), NONE);
        for tid in threads(pid) {
            // One that has just been made is traced from its birth; one that has ended has no line.
            let tracer = tracer(tid.unsigned_abs());
            assert!(
                tracer.is_none_or(|tracer| tracer == spy.started.pid)
                    || status(tid.unsigned_abs(), "State")
                        .is_none_or(|s| s.starts_with(['Z', 'X'])),
                "round {round}: {tid} is traced by {tracer:?}"
            );
        }
        let seen = spy.end("INT");
        seen.run.expect("a round", End::Exit(0));
        even(&seen);
        for tid in threads(pid) {
            let tracer = tracer(tid.unsigned_abs());
            assert!(
                tracer.is_none_or(|tracer| tracer == 0),
                "round {round}: {tid} is still traced"
            );
        }
    }
    driven.ask("calm");
    driven.goes_on();
}

/// Who stops while others are still being seized is not forgotten: the threads that make threads are
/// joined while they are traced.
#[test]
fn who_stops_while_others_are_seized_goes_on() {
    let mut driven = Driven::start();
    driven.ask("sleep");
    for _ in 0..20 {
        driven.ask("busy");
        let spy = Spy::attach(&driven.pid().to_string(), NONE);
        driven.ask("calm");
        let seen = spy.end("INT");
        seen.run.expect("a round", End::Exit(0));
        even(&seen);
    }
    driven.goes_on();
}

/// A thread in exec holds the lock that attaching needs, and waits for its siblings to be reaped,
/// which are ours: that must not deadlock.
#[test]
fn a_program_that_is_in_exec_again_and_again() {
    attach_in_exec(&["0"], NONE);
}

/// The same where who must be reaped was made by a thread that was seized, and where each could stop
/// once more on its way out.
#[test]
fn a_program_in_exec_whose_threads_make_threads() {
    attach_in_exec(&["0", "0", "busy"], NONE);
    attach_in_exec(&["0", "0", "busy"], &["--lint", "unreaped-children"]);
}

fn attach_in_exec(words: &[&str], options: &[&str]) {
    let mut storm = Command::new(program("exec_storm"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a fixture");
    let pid = storm.id();
    for round in 0..60 {
        let spy = Spy::attach(&pid.to_string(), options);
        let seen = spy.end("INT");
        seen.run.expect("a round", End::Exit(0));
        even(&seen);
        assert!(!seen.attached().is_empty(), "round {round}");
    }
    drop(storm.stdin.take());
    let end = until("the storm ends", pid, || storm.try_wait().expect("status"));
    assert_eq!(end.code(), Some(6));
}

#[test]
fn one_of_two_is_better_than_none_and_the_other_is_told() {
    let mut driven = Driven::start();
    let pids = format!("{},4194305", driven.pid());
    let spy = Spy::attach(&pids, NONE);
    driven.ask("fork");
    let seen = spy.end("INT");
    seen.run.expect("one of two", End::Exit(0));
    assert_eq!(made(&seen).len(), 1);
    let told = seen.events.iter().any(|event| {
        matches!(&event.kind, EventKind::Start(start) if start.blind.contains(&Gap::Process {
            pid: 4_194_305,
            why: Refusal::Absent,
        }))
    });
    assert!(told, "{:#?}", seen.events);
    driven.goes_on();
}

#[test]
fn two_processes_and_a_program() {
    let (mut one, mut other) = (Driven::start(), Driven::start());
    let pids = format!("{} {}", one.pid(), other.pid());
    let mut options = vec!["--until=main", "--"];
    let third = program("driven");
    options.push(third.to_str().expect("UTF-8"));
    let mut spy = Spy::attach(&pids, &options);
    one.ask("fork");
    other.ask("thread");
    let mut stdin = spy.started.stdin.take().expect("the program's");
    std::io::Write::write_all(&mut stdin, b"fork\nexit 4\n").expect("it listens");
    let seen = spy.finish();
    seen.run.expect("the program's status", End::Exit(4));
    even(&seen);
    assert_eq!(seen.attached().len(), 2);
    assert_eq!(made(&seen).len(), 3, "{:?}", made(&seen));
    assert_eq!(detached(&seen), 2);
    one.goes_on();
    other.goes_on();
}

#[test]
fn descendants_are_attached_to_where_that_is_asked_for() {
    for (options, expected) in [(NONE, 1), (&["--descendants"][..], 3)] {
        // A shell, a shell below it, the program below that.
        let inner = "\"$1\"; exit $?";
        let outer = "sh -c \"$2\" sh \"$1\"; exit $?";
        let mut driven = Driven::of(
            Command::new("sh")
                .args(["-c", outer, "sh"])
                .arg(program("driven"))
                .arg(inner),
        );
        driven.ask("thread");
        let spy = Spy::attach(&driven.pid().to_string(), options);
        driven.ask("fork");
        let seen = spy.end("TERM");
        assert_eq!(seen.attached().len(), expected);
        assert_eq!(made(&seen).len(), usize::from(expected == 3));
        assert_eq!(driven.end(Some(5)).code(), Some(5));
    }
}

/// Everything has ended: so does the trace, with status 0.
#[test]
fn the_trace_ends_with_the_last_task() {
    let driven = Driven::start();
    let spy = Spy::attach(&driven.pid().to_string(), NONE);
    assert_eq!(driven.end(Some(9)).code(), Some(9));
    let seen = spy.finish();
    seen.run.expect("all ended", End::Exit(0));
    even(&seen);
    assert_eq!(detached(&seen), 0);
}
