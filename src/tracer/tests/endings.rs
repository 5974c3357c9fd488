//! exec, and deaths.

use super::*;
use crate::event::Kind::{Process, Thread};
use crate::sys::{Instruction, Op, Request, What};

#[test]
fn the_leader_s_exec_keeps_its_number() {
    let mut s = Story::new();
    s.execs(ROOT, ROOT);
    s.exits(ROOT);
    assert_eq!(s.end(), ["#1 exec", "#1 ends: Itself 0 last"]);
}

#[test]
fn another_thread_s_exec_replaces_the_leader_and_keeps_its_number() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.takes_tid(ROOT, 101);
    s.execs(ROOT, 101);
    s.exits(ROOT);
    assert_eq!(
        s.end()[1..],
        [
            "#1 ends: Replaced",
            "#2 exec, was 101",
            "#2 ends: Itself 0 last"
        ]
    );
}

#[test]
fn the_former_tid_may_have_a_new_owner_before_the_exec_is_told() {
    // What is seen of the new owner first: its first stop, or its creator's event.
    for stop_first in [true, false] {
        let mut s = Story::new();
        s.creates(ROOT, 101, Thread);
        s.creates(ROOT, 102, Process);
        s.takes_tid(ROOT, 101);
        s.enters(102, fork());
        s.makes(102, 101, Process);
        if stop_first {
            s.first_stop(101);
            assert_eq!(s.state(101), Some(State::Stopped), "it is a newborn");
            s.tells(102, 101, FORK);
        } else {
            s.tells(102, 101, FORK);
            s.first_stop(101);
        }
        assert_eq!(s.state(101), Some(State::Runs));
        s.execs(ROOT, 101);
        // The newborn's own call is seen: its stop is not taken for its first.
        s.enters(101, fork());
        s.returns(101, -11);
        s.exits(101);
        s.exits(102);
        s.exits(ROOT);
        assert_eq!(
            s.end()[2..],
            [
                "#3 fork: #4 101 process",
                "#1 ends: Replaced",
                "#2 exec, was 101",
                "#4 fork: EAGAIN",
                "#4 ends: Itself 0 last",
                "#3 ends: Itself 0 last",
                "#2 ends: Itself 0 last"
            ]
        );
    }
}

#[test]
fn the_former_tid_s_new_owner_may_die_before_the_exec_is_told() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.creates(ROOT, 102, Process);
    s.takes_tid(ROOT, 101);
    s.enters(102, fork());
    s.makes(102, 101, Process);
    s.killed(101);
    s.execs(ROOT, 101);
    s.tells(102, 101, FORK);
    s.exits(102);
    s.exits(ROOT);
    assert_eq!(
        s.end()[2..],
        [
            "#1 ends: Replaced",
            "#2 exec, was 101",
            "#3 fork: #4 101 process",
            "#4 ends: Signal SIGKILL last",
            "#3 ends: Itself 0 last",
            "#2 ends: Itself 0 last"
        ]
    );
}

#[test]
fn an_exec_closes_the_calls_of_siblings_and_of_the_old_leader() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.creates(ROOT, 102, Thread);
    s.enters(ROOT, pthread());
    s.enters(102, pthread());
    s.cut_off(102);
    s.takes_tid(ROOT, 101);
    s.execs(ROOT, 101);
    s.exits(ROOT);
    let lines = s.end();
    assert_eq!(
        lines[2..],
        [
            "#3 ends: CutOff 0",
            "#1 ends: Replaced",
            "#3 clone: unfinished",
            "#1 clone: unfinished",
            "#2 exec, was 101",
            "#2 ends: Itself 0 last"
        ]
    );
}

/// The old leader's fork had made a child that was never told of.
#[test]
fn the_old_leader_s_newborn_is_told_by_its_registers() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.edit(101, |fake| fake.registers.saved = [7; 6]);
    s.enters(ROOT, fork());
    s.makes(ROOT, 102, Process);
    s.first_stop(102);
    s.takes_tid(ROOT, 101);
    s.execs(ROOT, 101);
    assert_eq!(s.state(102), Some(State::Runs));
    s.exits(102);
    s.exits(ROOT);
    let lines = s.end();
    assert!(
        lines.contains(&"#1 fork: #3 102 process, told by child".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_leader_that_exits_early_is_told_last() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    // The kernel reports the leader only after the last thread, with that one's status.
    s.gone(101, What::Exited(7));
    s.gone(ROOT, What::Exited(7));
    assert_eq!(
        s.end()[1..],
        ["#2 ends: Itself 7", "#1 ends: Itself 7 last"]
    );
}

#[test]
fn a_thread_that_its_group_s_signal_ends_is_cut_off() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.signal(101, 11);
    assert_eq!(s.did().last(), Some(&Did::Resume(101, Request::Cont, 11)));
    for tid in [101, ROOT] {
        s.dies(tid);
        let (signal, core) = (11, true);
        s.gone(tid, What::Killed { signal, core });
    }
    assert_eq!(
        s.end()[1..],
        ["#2 ends: Signal SIGSEGV", "#1 ends: Signal SIGSEGV last"]
    );

    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.killed(101);
    s.killed(ROOT);
    assert_eq!(
        s.end()[1..],
        ["#2 ends: CutOff SIGKILL", "#1 ends: Signal SIGKILL last"]
    );
}

#[test]
fn a_group_stop_lasts_until_its_end_is_reported() {
    let mut s = Story::new();
    s.signal(ROOT, 19);
    s.stops(ROOT, event_stop(19, 128), Op::None);
    s.first_stop(ROOT);
    s.signal(ROOT, 18);
    assert_eq!(
        s.did(),
        [
            Did::Resume(ROOT, Request::Cont, 19),
            Did::Resume(ROOT, Request::Listen, 0),
            Did::Resume(ROOT, Request::Cont, 0),
            Did::Resume(ROOT, Request::Cont, 18),
        ]
    );
    s.exits(ROOT);
    s.end();
}

/// A process whose pid is 1 in a namespace of its own.
fn with_init() -> Story {
    let mut s = Story::new();
    s.enters(ROOT, clone(crate::abi::flags::CLONE_NEWPID));
    s.makes(ROOT, 101, Process);
    s.edit(101, |fake| fake.ns = vec![1]);
    s.tells(ROOT, 101, CLONE);
    s.first_stop(101);
    s.did();
    s
}

#[test]
fn a_crashing_init_is_let_go_to_die() {
    let mut s = with_init();
    s.edit(101, |fake| (fake.code, fake.dies_detached) = (1, true));
    s.signal(101, 11);
    assert_eq!(s.did(), [Did::Detach(101, 11)]);
    s.exits(ROOT);
    assert_eq!(
        s.end(),
        [
            "#1 clone: #2 101 process",
            "#2 ends: Signal SIGSEGV last",
            "#1 ends: Itself 0 last"
        ]
    );
}

#[test]
fn an_init_that_survives_is_seized_again() {
    let mut s = with_init();
    s.edit(101, |fake| fake.code = 1);
    s.signal(101, 11);
    assert_eq!(s.did(), [Did::Detach(101, 11), Did::Seize(101)]);
    s.exits(101);
    s.exits(ROOT);
    s.end();
}

#[test]
fn an_init_that_catches_the_signal_or_was_sent_it_is_not_let_go() {
    for (code, caught) in [(1, 1 << 10), (0, 0), (-6, 0)] {
        let mut s = with_init();
        s.edit(101, |fake| (fake.code, fake.caught) = (code, caught));
        s.signal(101, 11);
        assert_eq!(s.did(), [Did::Resume(101, Request::Cont, 11)]);
        s.exits(101);
        s.exits(ROOT);
        s.end();
    }
}

#[test]
fn a_breakpoint_in_an_init_is_rewound() {
    let mut s = with_init();
    s.edit(101, |fake| {
        (fake.code, fake.dies_detached) = (1, true);
        fake.call = Some(fork());
    });
    s.signal(101, 5);
    let back = Did::StepBack(101, Instruction::Breakpoint);
    assert_eq!(s.did(), [back, Did::Detach(101, 5)]);
    s.exits(ROOT);
    s.end();
}

/// A thread in exec gave its tid away, and its process was killed before the exec was told: its end
/// is told with that of its process.
#[test]
fn a_thread_whose_exec_is_never_told_ends_with_its_process() {
    let mut s = Story::new();
    s.creates(ROOT, 200, Process);
    s.creates(200, 201, Thread);
    s.takes_tid(200, 201);
    s.creates(ROOT, 201, Process);
    s.killed(200);
    let told = s.lines();
    assert!(told.contains(&"#3 ends: Unknown".to_owned()), "{told:?}");
    s.exits(201);
    s.exits(ROOT);
    s.end();
}
