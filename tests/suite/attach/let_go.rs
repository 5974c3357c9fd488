//! Programs that are let go: however the trace ends, they go on, or stay stopped, as before.

use clonespy::event::{Cut, EventKind};

use super::{NONE, WAYS, detached, even, made, state, tracer};
use crate::driven::{Driven, Spy};
use crate::fixtures::program;
use crate::run::{End, send, until};

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
        let cut = match way {
            "timeout" => Cut::Timeout,
            _ => Cut::Interrupt,
        };
        assert_eq!(end.cut, Some(cut));
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
