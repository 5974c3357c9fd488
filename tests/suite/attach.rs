//! Running programs: all of them is seen, and after the trace they go on as if nobody had watched.

use std::process::{Command, Stdio};

use clonespy::event::{Event, EventKind, Kind, Outcome, TaskId, Tid};

use crate::driven::{Driven, Seen, Spy, status, threads};
use crate::fixtures::program;
use crate::run::{End, lacking, run, send, tool, until};
use crate::trace::clonespy;

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

/// Each way to end a trace lets the program go on, whatever it was doing.
#[test]
fn a_program_that_is_let_go_goes_on_as_before() {
    for way in ["INT", "TERM", "HUP", "QUIT", "timeout"] {
        let mut driven = Driven::start();
        // Asleep in four ways, busy in two threads, inside a vfork, and with signals pending.
        driven.ask("sleep");
        driven.ask("busy");
        let child = driven.ask("vfork").number("child");
        driven.ask("pend");
        let pid = driven.pid().to_string();
        let seen = if way == "timeout" {
            Spy::attach(&pid, &["--timeout", "0.2"]).finish()
        } else {
            Spy::attach(&pid, NONE).end(way)
        };
        seen.run.expect(way, End::Exit(0));
        even(&seen);
        let Some(EventKind::End(end)) = seen.events.last().map(|event| &event.kind) else {
            panic!("no end");
        };
        let cut = if way == "timeout" { way } else { "interrupt" };
        assert_eq!(end.cut.as_deref(), Some(cut));
        // The child of the vfork was there before: it is none of ours.
        let child = u32::try_from(child).expect("a pid");
        assert_eq!(tracer(child), Some(0));
        assert_eq!(driven.ask("awake").number("awake"), 0, "{way}");
        assert_eq!(driven.ask("deliver").number("caught"), 2, "{way}");
        assert_eq!(driven.ask("vfork-exit").number("status"), 3 << 8, "{way}");
        driven.ask("calm");
        assert_eq!(driven.ask("wake").number("awake"), 3, "{way}");
        driven.goes_on();
    }
}

/// Both sides of a vfork are traced and let go while the parent waits for the child.
#[test]
fn both_sides_of_a_vfork_are_let_go() {
    for way in WAYS {
        for (how, status_word) in [("vfork-exit", 3 << 8), ("vfork-exec", 0)] {
            let mut driven = Driven::start();
            let way = format!("--intercept={way}");
            let spy = Spy::attach(&driven.pid().to_string(), &[&way]);
            let child = driven.ask("vfork").number("child");
            let child = u32::try_from(child).expect("a pid");
            assert_eq!(tracer(child), Some(spy.started.pid));
            let seen = spy.end("TERM");
            seen.run.expect(&way, End::Exit(0));
            even(&seen);
            assert_eq!(detached(&seen), 3, "main, the caller of vfork, its child");
            assert_eq!(tracer(child), Some(0));
            assert_eq!(driven.ask(how).number("status"), status_word, "{way}");
            driven.goes_on();
        }
    }
}

/// Signals that are pending when the trace begins, or come while it lasts, arrive once.
#[test]
fn signals_arrive_once() {
    for way in WAYS {
        let mut driven = Driven::start();
        driven.ask("pend");
        let spy = Spy::attach(&driven.pid().to_string(), &[format!("--intercept={way}")]);
        assert_eq!(driven.ask("deliver").number("caught"), 2, "{way}");
        assert_eq!(driven.ask("pend").number("caught"), 2, "{way}");
        spy.end("INT").run.expect(way, End::Exit(0));
        assert_eq!(driven.ask("deliver").number("caught"), 4, "{way}");
        driven.goes_on();
    }
}

fn state(pid: u32) -> char {
    status(pid, "State")
        .and_then(|state| state.chars().next())
        .unwrap_or('?')
}

/// Stopped before the trace, or during it: still stopped after it, until SIGCONT.
#[test]
fn a_stopped_program_stays_stopped() {
    for before in [true, false] {
        for way in WAYS {
            let mut driven = Driven::start();
            let pid = driven.pid();
            let stop = || {
                send("STOP", i64::from(pid));
                until("stopped", pid, || "tT".contains(state(pid)).then_some(()));
            };
            if before {
                stop();
            }
            let spy = Spy::attach(&pid.to_string(), &[format!("--intercept={way}")]);
            if !before {
                stop();
            }
            let seen = spy.end("TERM");
            seen.run.expect(way, End::Exit(0));
            even(&seen);
            // The kernel lets it take one step from one sort of stop to the other. Had it gone on,
            // it would sleep now, and for ever.
            until("stopped", pid, || (state(pid) == 'T').then_some(()));
            driven.tell("fork");
            send("CONT", i64::from(pid));
            assert_ne!(driven.answer().number("forked"), 0);
            driven.goes_on();
        }
    }
}

/// Job control works while the trace lasts.
#[test]
fn stop_and_continue_under_trace() {
    for way in WAYS {
        let mut driven = Driven::start();
        let pid = driven.pid();
        driven.ask("sleep");
        let spy = Spy::attach(&pid.to_string(), &[format!("--intercept={way}")]);
        for _ in 0..5 {
            send("STOP", i64::from(pid));
            until("stopped", pid, || "tT".contains(state(pid)).then_some(()));
            driven.tell("fork");
            send("CONT", i64::from(pid));
            assert_ne!(driven.answer().number("forked"), 0);
        }
        let seen = spy.end("INT");
        assert_eq!(made(&seen).len(), 5, "{way}");
        driven.goes_on();
    }
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

#[track_caller]
fn refused(pid: u32, words: &[&str]) {
    let run = run(clonespy().args(["-p", &pid.to_string()]));
    run.expect("refused", End::Exit(125));
    let said = run.err();
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn what_cannot_be_attached_to_is_told_why() {
    // Above any pid_max (include/linux/threads.h, PID_MAX_LIMIT).
    refused(4_194_305, &["4194305", "no such process"]);

    let own =
        run(Command::new("sh").args(["-c", "exec \"$0\" -p $$", env!("CARGO_BIN_EXE_clonespy")]));
    own.expect("itself", End::Exit(125));
    assert!(own.err().contains("it is clonespy itself"), "{}", own.err());

    let mut zombie = Command::new("true").spawn().expect("true");
    let pid = zombie.id();
    until("a zombie", pid, || (state(pid) == 'Z').then_some(()));
    refused(pid, &["zombie"]);
    zombie.wait().expect("its end");

    let mut driven = Driven::start();
    let spy = Spy::attach(&driven.pid().to_string(), NONE);
    refused(
        driven.pid(),
        &["traced already", "clonespy", &spy.started.pid.to_string()],
    );
    driven.ask("thread");
    spy.end("INT").run.expect("the first", End::Exit(0));
    driven.goes_on();
}

#[test]
fn a_kernel_thread_is_told_as_one() {
    if status(2, "Kthread").is_some_and(|kthread| kthread == "1") {
        refused(2, &["kernel thread"]);
    } else {
        lacking("there is no kernel thread in this pid namespace");
    }
}

pub fn root() -> bool {
    std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

#[test]
fn other_peoples_processes_are_theirs() {
    if root() {
        let Some(setpriv) = tool("setpriv") else {
            return;
        };
        let driven = Driven::start();
        // A copy where everybody may read it: the build directory may not be so.
        let place = std::env::temp_dir().join(format!("clonespy-{}", std::process::id()));
        // By another process: one that this one starts meanwhile would hold the open file.
        run(Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_clonespy"))
            .arg(&place));
        let run = run(Command::new(setpriv)
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&place)
            .args(["-p", &driven.pid().to_string()]));
        std::fs::remove_file(&place).expect("the copy");
        run.expect("another user's", End::Exit(125));
        assert!(run.err().contains("belongs to root"), "{}", run.err());
        driven.goes_on();
    } else {
        refused(1, &["belongs to root", "as root"]);
    }
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
        matches!(&event.kind, EventKind::Start(start) if start.blind.iter().any(|what| {
            what.contains("4194305") && what.contains("no such process")
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

#[test]
fn clonespy_killed_leaves_attached_tasks_running() {
    for way in WAYS {
        let mut driven = Driven::start();
        driven.ask("sleep");
        driven.ask("busy");
        let spy = Spy::attach(&driven.pid().to_string(), &[format!("--intercept={way}")]);
        driven.ask("vfork");
        send("KILL", i64::from(spy.started.pid));
        let run = spy.started.finish();
        run.expect("killed", End::Signal(9));
        driven.ask("calm");
        assert_eq!(driven.ask("vfork-exit").number("status"), 3 << 8);
        driven.goes_on();
    }
}

/// With a program along: a signal for clonespy is the program's; when that has ended, the attached
/// one is let go. The same when the time is over.
#[test]
fn a_program_and_an_attached_one_are_ended_each_in_its_way() {
    for way in ["TERM", "timeout"] {
        let mut driven = Driven::start();
        let third = program("driven");
        let mut options = vec!["--", third.to_str().expect("UTF-8")];
        if way == "timeout" {
            options.splice(0..0, ["--timeout", "0.3"]);
        }
        let mut spy = Spy::attach(&driven.pid().to_string(), &options);
        let stdin = spy.started.stdin.take();
        driven.ask("fork");
        let seen = if way == "timeout" {
            let run = spy.started.finish();
            run.expect(way, End::Exit(124));
            None
        } else {
            Some(spy.end(way))
        };
        if let Some(seen) = seen {
            seen.run.expect(way, End::Signal(15));
            even(&seen);
            assert_eq!(detached(&seen), 1);
        }
        drop(stdin);
        driven.goes_on();
    }
}
