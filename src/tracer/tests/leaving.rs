//! Letting go: nothing that was taken from a task is kept, and nothing that was changed stays so.

use super::*;
use crate::abi::flags::CLONE_UNTRACED;
use crate::event::Intercept;
use crate::event::Kind::Thread;
use crate::sys::{Report, Request, What};

/// SIGTERM.
const TERM: i32 = 15;

/// A running process with two threads that can be let go.
fn attached() -> Story {
    let mut s = Story::with(Intercept::Event);
    s.edit(ROOT, |fake| fake.call = Some(pthread()));
    s.makes(ROOT, 101, Thread);
    s.tells(ROOT, 101, CLONE);
    s.first_stop(101);
    s.did();
    s
}

/// Stops that were taken and had no turn: each task goes on with its signal, which would be lost, and
/// who is in a group stop stays there.
#[test]
fn stops_that_were_taken_are_given_back() {
    for (status, how, signal) in [
        (10, Request::Cont, 10),
        (0x85, Request::Cont, 0),
        (19 | 128 << 8, Request::Listen, 0),
    ] {
        let mut s = attached();
        s.edit(101, |fake| fake.state = State::Stopped);
        let what = What::Stopped(status);
        s.world().leftover.push_back(Report { tid: 101, what });
        s.tracer.asked_to_end(TERM);
        assert_eq!(s.did(), [Did::Resume(101, how, signal)]);
        assert!(s.tracer.ended);
    }
}

/// A newborn that is parked goes on as well.
#[test]
fn a_parked_newborn_is_given_back() {
    let mut s = attached();
    s.edit(ROOT, |fake| fake.call = Some(fork()));
    s.makes(ROOT, 102, crate::event::Kind::Process);
    s.first_stop(102);
    assert_eq!(s.state(102), Some(State::Stopped));
    s.tracer.asked_to_end(TERM);
    assert_eq!(s.state(102), Some(State::Runs));
    assert!(s.tracer.ended);
}

/// A register is changed for the length of a call with CLONE_UNTRACED: it is put back first.
#[cfg(target_arch = "x86_64")]
#[test]
fn nobody_is_let_go_with_a_changed_register() {
    let mut s = Story::with(Intercept::Event);
    if let Some(tracee) = s.tracer.cx.table.get_mut(ROOT) {
        tracee.full = true;
    }
    let call = clone(CLONE_UNTRACED);
    s.entry(ROOT, call);
    s.tracer.asked_to_end(TERM);
    assert!(!s.tracer.ended, "the flag is off");
    s.returns(ROOT, -11);
    assert!(s.tracer.ended);
    let pokes = s
        .did()
        .into_iter()
        .filter(|did| matches!(did, Did::Argument(..)));
    assert_eq!(pokes.count(), 2, "off, and on again");
}

/// What was started decides itself what a signal means to it, with a filter and without: it is passed
/// on, and the end is waited for.
#[test]
fn what_was_started_is_waited_for() {
    for way in [Intercept::Seccomp, Intercept::Syscall] {
        waited_for(Story::with(way));
    }
}

fn waited_for(mut s: Story) {
    s.tracer.asked_to_end(TERM);
    assert!(!s.tracer.ended);
    assert_eq!(s.did(), [Did::Kill(ROOT, TERM)]);
    s.tracer.asked_to_end(TERM);
    assert!(!s.tracer.ended);
    assert_eq!(s.did(), [Did::Kill(ROOT, 9)], "asked twice");
    s.killed(ROOT);
    s.end();
}
