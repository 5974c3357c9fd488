//! Calls that fail, that are made again, or whose result says nothing.

use super::*;
use crate::event::Intercept;
use crate::event::Kind::{Process, Thread};
use crate::sys::Request;

const ERESTARTNOINTR: i64 = -513;

#[test]
fn a_failed_call_has_its_errno() {
    let mut s = Story::new();
    s.enters(ROOT, fork());
    s.returns(ROOT, -11);
    assert_eq!(s.did().last(), Some(&Did::Resume(ROOT, Request::Cont, 0)));
    s.enters(ROOT, fork());
    s.returns(ROOT, -4095);
    s.exits(ROOT);
    assert_eq!(
        s.end(),
        [
            "#1 fork: EAGAIN",
            "#1 fork: errno 4095",
            "#1 ends: Itself 0 last"
        ]
    );
}

#[test]
fn a_restarted_call_is_one_call() {
    let mut s = Story::new();
    for _ in 0..3 {
        s.enters(ROOT, fork());
        s.returns(ROOT, ERESTARTNOINTR);
        s.signal(ROOT, 14);
    }
    s.enters(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, FORK);
    s.first_stop(101);
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.totals().calls["fork"], 1);
    assert_eq!(s.end().len(), 3);
}

#[test]
fn a_restart_lasts_over_a_group_stop() {
    let mut s = Story::new();
    s.enters(ROOT, fork());
    s.returns(ROOT, ERESTARTNOINTR);
    s.signal(ROOT, 19);
    s.stops(ROOT, event_stop(19, 128), crate::sys::Op::None);
    s.first_stop(ROOT);
    s.signal(ROOT, 18);
    s.enters(ROOT, fork());
    s.returns(ROOT, -11);
    s.exits(ROOT);
    assert_eq!(s.end(), ["#1 fork: EAGAIN", "#1 ends: Itself 0 last"]);
}

/// The handler that runs first makes tasks itself, further down the stack.
#[test]
fn calls_of_a_handler_nest_inside_a_restarted_one() {
    let mut nested = fork();
    nested.sp -= 0x400;
    let mut deeper = fork();
    deeper.sp -= 0x800;
    let mut s = Story::new();
    s.enters(ROOT, fork());
    s.returns(ROOT, ERESTARTNOINTR);
    s.signal(ROOT, 14);
    s.enters(ROOT, nested);
    s.returns(ROOT, ERESTARTNOINTR);
    s.signal(ROOT, 15);
    s.enters(ROOT, deeper);
    s.returns(ROOT, -11);
    s.enters(ROOT, nested);
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, FORK);
    s.first_stop(101);
    s.enters(ROOT, fork());
    s.makes(ROOT, 102, Process);
    s.tells(ROOT, 102, FORK);
    s.first_stop(102);
    for tid in [101, 102, ROOT] {
        s.exits(tid);
    }
    assert_eq!(
        s.end()[..3],
        [
            "#1 fork: EAGAIN",
            "#1 fork: #2 101 process",
            "#1 fork: #3 102 process",
        ]
    );
}

#[test]
fn a_call_that_was_never_made_again_is_unfinished() {
    // The task ends, or a handler jumps away and other calls follow.
    for exec in [false, true] {
        let mut s = Story::new();
        s.enters(ROOT, fork());
        s.returns(ROOT, ERESTARTNOINTR);
        s.signal(ROOT, 14);
        if exec {
            s.execs(ROOT, ROOT);
        }
        s.exits(ROOT);
        assert!(s.end().contains(&"#1 fork: unfinished".to_owned()));
    }
    let mut s = Story::new();
    for number in 0..40u64 {
        let mut call = fork();
        call.sp += number * 64;
        s.enters(ROOT, call);
        s.returns(ROOT, ERESTARTNOINTR);
        s.signal(ROOT, 14);
    }
    s.exits(ROOT);
    let lines = s.end();
    let unfinished = lines.iter().filter(|line| *line == "#1 fork: unfinished");
    assert_eq!(unfinished.count(), 40);
}

/// The call that ran is over; a restarting one cannot have made a newborn.
#[test]
fn a_restarting_call_is_nobody_s_creator() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Process);
    s.edit(101, |fake| fake.registers.saved = [100; 6]);
    s.enters(ROOT, fork());
    s.returns(ROOT, ERESTARTNOINTR);
    s.enters(101, fork());
    s.makes(101, 102, Process);
    s.killed(101);
    s.first_stop(102);
    assert_eq!(s.state(102), Some(State::Runs));
    s.exits(102);
    s.exits(ROOT);
    let lines = s.end();
    assert!(
        lines.contains(&"#2 fork: #3 102 process, told by child".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_filter_that_traps_or_kills_is_no_creation() {
    // RET_TRAP and RET_KILL: the result is the call's number.
    let mut s = Story::with(Intercept::Syscall);
    s.entry(ROOT, fork());
    s.returns(ROOT, 57);
    s.signal(ROOT, 31);
    assert_eq!(
        s.did().last(),
        Some(&Did::Resume(ROOT, Request::Syscall, 31))
    );
    s.entry(ROOT, fork());
    s.returns(ROOT, 57);
    s.killed(ROOT);
    assert_eq!(
        s.end(),
        [
            "#1 fork: SIGSYS",
            "#1 fork: SIGSYS",
            "#1 ends: Signal SIGKILL last"
        ]
    );
}

#[test]
fn a_result_without_an_event_was_made_by_nobody_we_know() {
    let mut s = Story::with(Intercept::Syscall);
    s.entry(ROOT, fork());
    s.returns(ROOT, 4711);
    s.entry(ROOT, fork());
    s.returns(ROOT, -11);
    s.exits(ROOT);
    assert_eq!(
        s.end()[..2],
        ["#1 fork: untraced Some(4711)", "#1 fork: EAGAIN"]
    );
}

/// RET_ERRNO with 0: no task has the tid 0.
#[test]
fn a_filter_that_feigns_success_is_no_creation() {
    let mut s = Story::with(Intercept::Syscall);
    s.entry(ROOT, fork());
    s.returns(ROOT, 0);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 fork: errno 0");
}

#[test]
fn in_syscall_mode_every_call_stops_and_one_event_tells() {
    let mut s = Story::with(Intercept::Syscall);
    s.entry(ROOT, crate::peek::testing::x86_64(39, [0; 6]));
    s.returns(ROOT, 100);
    s.entry(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, FORK);
    s.returns(ROOT, 101);
    s.first_stop(101);
    s.returns(101, 0);
    let all_syscall = |did: &Did| matches!(did, Did::Resume(_, Request::Syscall, 0));
    assert!(s.did().iter().all(all_syscall));
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.end().len(), 3);
}

#[test]
fn in_syscall_mode_a_filter_s_stop_after_the_entry_is_the_same_call() {
    let mut s = Story::new();
    s.tracer.cx.table.get_mut(ROOT).expect("root").full = true;
    s.entry(ROOT, fork());
    s.enters(ROOT, fork());
    s.returns(ROOT, ERESTARTNOINTR);
    s.entry(ROOT, fork());
    s.enters(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, FORK);
    s.returns(ROOT, 101);
    s.first_stop(101);
    assert_eq!(s.did().last(), Some(&Did::Resume(101, Request::Syscall, 0)));
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.end().len(), 3);
}

/// A handler's calls, and its sigreturn, return between a call and its second entry.
#[test]
fn in_syscall_mode_what_a_handler_calls_is_not_the_restarted_call() {
    let mut s = Story::with(Intercept::Syscall);
    s.entry(ROOT, fork());
    s.returns(ROOT, ERESTARTNOINTR);
    s.signal(ROOT, 10);
    for (nr, result) in [(39, 100), (15, 0), (15, -4)] {
        s.entry(ROOT, crate::peek::testing::x86_64(nr, [0; 6]));
        s.returns(ROOT, result);
    }
    s.entry(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, FORK);
    s.returns(ROOT, 101);
    s.first_stop(101);
    s.exits(101);
    s.exits(ROOT);
    let told = s.end();
    assert_eq!(told[0], "#1 fork: #2 101 process");
    assert_eq!(told.len(), 3);
}

/// The kernel lets a paused caller go before it reports the exec, or the end, that lets it go.
#[test]
fn a_caller_that_was_paused_is_told_of_after_its_child() {
    for exec in [true, false] {
        let mut s = Story::new();
        s.enters(ROOT, vfork());
        s.makes(ROOT, 101, Process);
        s.tells(ROOT, 101, VFORK);
        s.first_stop(101);
        s.enters(ROOT, fork());
        assert!(
            !matches!(s.did().last(), Some(&Did::Resume(ROOT, ..))),
            "it is held"
        );
        if exec {
            s.execs(101, 101);
        } else {
            s.exits(101);
        }
        assert_eq!(
            s.did().last(),
            Some(&Did::Resume(ROOT, Request::Syscall, 0))
        );
        s.returns(ROOT, -11);
        if exec {
            s.exits(101);
        }
        s.exits(ROOT);
        let told = s.end();
        let place = |text: &str| told.iter().position(|line| line.contains(text));
        let child = if exec { "#2 exec" } else { "#2 ends" };
        assert!(place(child) < place("EAGAIN"), "{told:?}");
    }
}

/// A child that leads threads and ends before them is reported after the last of them; its caller
/// is not held for so long.
#[test]
fn a_caller_held_for_a_leader_that_has_ended_goes_on() {
    let mut s = Story::new();
    s.enters(ROOT, vfork());
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, VFORK);
    s.first_stop(101);
    s.creates(101, 102, Thread);
    s.enters(ROOT, fork());
    assert_eq!(s.state(ROOT), Some(State::Stopped), "it is held");
    s.silence();
    assert_eq!(s.state(ROOT), Some(State::Stopped), "its child lives");
    // It ends, and nothing is reported.
    s.edit(101, |child| child.letter = Some('Z'));
    s.silence();
    assert_eq!(s.state(ROOT), Some(State::Runs));
    s.returns(ROOT, -11);
    s.exits(102);
    s.exits(101);
    s.exits(ROOT);
    s.end();
}

/// A paused caller that is killed while it is held is forgotten.
#[test]
fn a_held_caller_may_be_killed() {
    let mut s = Story::new();
    s.enters(ROOT, vfork());
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, VFORK);
    s.first_stop(101);
    s.enters(ROOT, fork());
    s.killed(ROOT);
    s.execs(101, 101);
    s.exits(101);
    assert_eq!(s.end().len(), 4);
}

/// Nor does its tid, used again, wait for a child that was somebody else's.
#[test]
fn a_tid_used_again_waits_for_nobody_s_child() {
    let mut s = Story::new();
    s.creates(ROOT, 102, Process);
    s.enters(102, vfork());
    s.makes(102, 103, Process);
    s.tells(102, 103, VFORK);
    s.first_stop(103);
    s.killed(102);
    s.creates(ROOT, 102, Process);
    s.enters(102, fork());
    assert_eq!(s.state(102), Some(State::Runs), "it is not held");
    s.returns(102, -11);
    s.exits(102);
    s.exits(103);
    s.exits(ROOT);
    s.end();
}
