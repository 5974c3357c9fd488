//! Reports that make no sense: whatever comes, the loop ends and says what it saw.

use super::*;
use crate::event::Intercept;
use crate::event::Kind::{Process, Thread};
use crate::peek::Syscall;
use crate::sys::{Op, What};

#[test]
fn an_event_that_names_nobody_is_a_child_out_of_sight() {
    for message in [0, u64::MAX, 1 << 40] {
        let mut s = Story::new();
        s.enters(ROOT, fork());
        s.edit(ROOT, |fake| fake.message = message);
        s.stops(ROOT, event_stop(5, FORK), Op::None);
        s.exits(ROOT);
        assert_eq!(s.end()[0], "#1 fork: untraced None");
    }
}

#[test]
fn an_event_that_names_the_caller_itself_does_not_end_the_trace() {
    let mut s = Story::new();
    s.enters(ROOT, fork());
    s.tells(ROOT, ROOT, FORK);
    s.enters(ROOT, fork());
    s.exits(ROOT);
    s.end();
}

#[test]
fn an_exec_from_nowhere_is_an_exec() {
    for former in [0, 4711] {
        let mut s = Story::new();
        s.execs(ROOT, former);
        s.exits(ROOT);
        assert_eq!(s.end()[0], format!("#1 exec, was {former}"));
    }
}

#[test]
fn an_event_of_an_unknown_architecture_frees_its_newborn() {
    let strange = Syscall {
        arch: 0xffff_ffff,
        ..fork()
    };
    for early in [true, false] {
        let mut s = Story::new();
        s.creates(ROOT, 102, Process);
        // Somebody else is inside a call all the time.
        s.enters(102, fork());
        s.entry(ROOT, strange);
        s.makes(ROOT, 101, Process);
        if early {
            s.first_stop(101);
        }
        s.edit(101, |fake| fake.registers.saved = [7; 6]);
        s.tells(ROOT, 101, FORK);
        if !early {
            s.first_stop(101);
        }
        assert_eq!(s.state(101), Some(State::Runs));
        s.exits(101);
        s.killed(102);
        s.exits(ROOT);
        assert!(s.end().contains(&"#3 101 process Orphan".to_owned()));
    }
}

#[test]
fn a_stranger_s_end_is_a_task_that_ends() {
    let mut s = Story::new();
    s.world().tasks.insert(666, fake(666, 666, 1, 0));
    s.exits(666);
    s.exits(ROOT);
    assert_eq!(
        s.end(),
        [
            "#2 666 process Orphan",
            "#2 ends: Itself 0 last",
            "#1 ends: Itself 0 last"
        ]
    );
}

/// Orphans of strangers are given to the init of their pid namespace, which clonespy can be.
#[test]
fn the_end_of_a_child_that_is_not_traced_is_nobody_s_news() {
    let mut s = Story::new();
    s.world().own_tid = 1;
    s.world().tasks.insert(666, fake(666, 666, 1, 0));
    s.exits(666);
    assert_eq!(s.did(), [Did::Reap(666)]);
    s.exits(ROOT);
    assert_eq!(s.end(), ["#1 ends: Itself 0 last"]);
}

#[test]
fn a_stranger_s_stop_is_a_task_that_goes_on() {
    let mut s = Story::new();
    s.world().tasks.insert(666, fake(666, 666, 1, 0));
    s.signal(666, 10);
    assert_eq!(s.did(), [Did::Resume(666, crate::sys::Request::Cont, 10)]);
    s.exits(666);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#2 666 process Orphan");
}

#[test]
fn stops_without_a_meaning_are_passed_over() {
    let mut s = Story::new();
    s.stops(ROOT, What::Stopped(0x85), Op::Unknown(9));
    s.stops(ROOT, What::Stopped(0x85), Op::None);
    s.stops(ROOT, event_stop(5, 7), Op::Unknown(9));
    s.stops(ROOT, event_stop(5, 6), Op::None);
    s.stops(ROOT, event_stop(5, 9), Op::None);
    s.returns(ROOT, -11);
    s.exits(ROOT);
    assert_eq!(s.end(), ["#1 ends: Itself 0 last"]);
}

#[test]
fn the_program_s_own_trace_filter_sees_enosys() {
    let mut s = Story::new();
    s.filtered(ROOT, fork(), 7);
    assert_eq!(s.did().first(), Some(&Did::Result(ROOT, -38)));
    s.returns(ROOT, -38);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 fork: ENOSYS");
}

#[test]
fn without_entry_stops_an_event_is_read_from_the_caller() {
    let mut s = Story::with(Intercept::Event);
    s.edit(ROOT, |fake| fake.call = Some(pthread()));
    s.makes(ROOT, 101, Thread);
    s.first_stop(101);
    assert_eq!(
        s.state(101),
        Some(State::Stopped),
        "its creator is in the call"
    );
    s.tells(ROOT, 101, CLONE);
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 clone: #2 101 thread");
}

#[test]
fn without_entry_stops_a_child_with_clone_ptrace_comes_by_itself() {
    use crate::abi::flags::{CLONE_PTRACE, CLONE_UNTRACED};
    let mut s = Story::with(Intercept::Event);
    s.edit(ROOT, |fake| {
        fake.call = Some(clone(CLONE_PTRACE.union(CLONE_UNTRACED)))
    });
    s.makes(ROOT, 101, Process);
    s.first_stop(101);
    assert_eq!(s.state(101), Some(State::Runs));
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#2 101 process Ptrace");
}
