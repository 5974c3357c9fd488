//! Who made whom, in every order of events.

use super::*;
use crate::abi::flags::{CLONE_PARENT, CLONE_VFORK, CLONE_VM, CloneFlags};
use crate::event::Kind::{Process, Thread};
use crate::sys::{Request, What};

#[test]
fn a_plain_fork_is_three_stops() {
    let mut s = Story::new();
    s.enters(ROOT, fork());
    assert_eq!(s.did(), [Did::Resume(ROOT, Request::Syscall, 0)]);
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, FORK);
    assert_eq!(s.did(), [Did::Resume(ROOT, Request::Cont, 0)]);
    s.first_stop(101);
    assert_eq!(s.did(), [Did::Resume(101, Request::Cont, 0)]);
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(
        s.end(),
        [
            "#1 fork: #2 101 process",
            "#2 ends: Itself 0 last",
            "#1 ends: Itself 0 last"
        ]
    );
}

#[test]
fn a_newborn_that_stops_first_waits_for_its_event() {
    let mut s = Story::new();
    s.enters(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.did();
    s.first_stop(101);
    assert_eq!(s.did(), [], "parked");
    s.tells(ROOT, 101, FORK);
    let mut did = s.did();
    did.sort_by_key(|did| matches!(did, Did::Resume(ROOT, ..)));
    assert_eq!(
        did,
        [
            Did::Resume(101, Request::Cont, 0),
            Did::Resume(ROOT, Request::Cont, 0)
        ]
    );
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 fork: #2 101 process");
}

#[test]
fn the_tgid_alone_says_thread_or_process() {
    for event in [FORK, VFORK, CLONE] {
        for kind in [Process, Thread] {
            let mut s = Story::new();
            let flags = match kind {
                Process => CloneFlags(0),
                Thread => CloneFlags(pthread().args[0]),
            };
            s.enters(ROOT, clone(flags));
            s.makes(ROOT, 101, kind);
            s.tells(ROOT, 101, event);
            s.first_stop(101);
            s.exits(101);
            s.exits(ROOT);
            assert_eq!(s.end()[0], format!("#1 clone: #2 101 {kind}"));
        }
    }
}

#[test]
fn flags_that_the_kernel_did_not_follow_are_contradicted() {
    let mut s = Story::new();
    s.enters(ROOT, pthread());
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, CLONE);
    s.first_stop(101);
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 clone: #2 101 process, against CLONE_THREAD");
}

#[test]
fn a_newborn_killed_before_its_first_stop_is_told_in_both_orders() {
    for before in [true, false] {
        let mut s = Story::new();
        s.enters(ROOT, fork());
        s.makes(ROOT, 101, Process);
        if before {
            s.killed(101);
            s.tells(ROOT, 101, FORK);
        } else {
            s.tells(ROOT, 101, FORK);
            s.killed(101);
        }
        s.exits(ROOT);
        assert_eq!(
            s.end(),
            [
                "#1 fork: #2 101 process",
                "#2 ends: Signal SIGKILL last",
                "#1 ends: Itself 0 last"
            ]
        );
    }
}

#[test]
fn a_tid_used_again_before_the_first_event_is_two_tasks() {
    let mut s = Story::new();
    s.creates(ROOT, 102, Process);
    s.enters(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.killed(101);
    // The tid is free, and the other process's newborn gets it.
    s.enters(102, fork());
    s.makes(102, 101, Process);
    s.first_stop(101);
    s.tells(ROOT, 101, FORK);
    assert_eq!(
        s.state(101),
        Some(State::Stopped),
        "the new one is still parked"
    );
    s.tells(102, 101, FORK);
    assert_eq!(s.state(101), Some(State::Runs));
    s.exits(101);
    s.exits(102);
    s.exits(ROOT);
    assert_eq!(
        s.end(),
        [
            "#1 fork: #2 102 process",
            "#1 fork: #3 101 process",
            "#3 ends: Signal SIGKILL last",
            "#2 fork: #4 101 process",
            "#4 ends: Itself 0 last",
            "#2 ends: Itself 0 last",
            "#1 ends: Itself 0 last"
        ]
    );
}

#[test]
fn a_dead_callers_newborn_is_told_by_its_registers() {
    // The newborn's stop before or after the end of its creator.
    for early in [true, false] {
        let mut s = Story::new();
        s.creates(ROOT, 101, Process);
        s.enters(101, fork());
        s.makes(101, 102, Process);
        if early {
            s.first_stop(102);
            s.killed(101);
        } else {
            s.killed(101);
            s.first_stop(102);
        }
        assert_eq!(s.state(102), Some(State::Runs));
        s.exits(102);
        s.exits(ROOT);
        let lines = s.end();
        assert!(lines.contains(&"#2 fork: #3 102 process, told by child".to_owned()));
        let clone = lines.iter().position(|line| line.starts_with("#2 fork"));
        let ends = lines.iter().position(|line| line.starts_with("#2 ends"));
        assert_eq!(clone < ends, early, "{lines:?}");
    }
}

#[test]
fn a_dead_thread_s_newborn_thread_is_told_by_its_registers() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.enters(101, pthread());
    s.makes(101, 102, Thread);
    s.cut_off(101);
    s.first_stop(102);
    s.cut_off(102);
    s.exits(ROOT);
    assert_eq!(
        s.end()[1..],
        [
            "#2 ends: CutOff 0",
            "#2 clone: #3 102 thread, told by child",
            "#3 ends: CutOff 0",
            "#1 ends: Itself 0 last"
        ]
    );
}

#[test]
fn a_newborn_thread_that_only_dies_is_told_of_its_dead_creator() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.enters(101, pthread());
    s.makes(101, 102, Thread);
    s.cut_off(102);
    s.cut_off(101);
    s.exits(ROOT);
    assert_eq!(
        s.end()[1..],
        [
            "#2 clone: #3 102 thread, told by child",
            "#3 ends: CutOff 0",
            "#2 ends: CutOff 0",
            "#1 ends: Itself 0 last"
        ]
    );
}

#[test]
fn clone_parent_makes_a_sibling_also_of_a_dead_caller() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Process);
    s.enters(101, clone(CLONE_PARENT));
    s.makes(101, 102, Process);
    s.edit(102, |fake| fake.ppid = ROOT);
    s.killed(101);
    s.first_stop(102);
    s.exits(102);
    s.exits(ROOT);
    let lines = s.end();
    assert_eq!(
        lines[2],
        "#2 clone: #3 102 process, told by child, parent #1"
    );
}

/// Two processes with the same registers die in the same call: whose child is it?
#[test]
fn of_two_dead_callers_the_parent_is_chosen() {
    for father in [101, 102] {
        let mut s = Story::new();
        s.creates(ROOT, 101, Process);
        s.creates(ROOT, 102, Process);
        s.enters(101, fork());
        s.enters(102, fork());
        s.makes(father, 103, Process);
        s.killed(101);
        s.killed(102);
        s.first_stop(103);
        s.exits(103);
        s.exits(ROOT);
        let lines = s.end();
        let (id, other) = if father == 101 { (2, 3) } else { (3, 2) };
        assert!(
            lines.contains(&format!("#{id} fork: #4 103 process, told by child")),
            "{lines:?}"
        );
        assert!(
            lines.contains(&format!("#{other} fork: unfinished")),
            "{lines:?}"
        );
    }
}

/// Threads of one process: the registers tell them apart.
#[test]
fn of_two_dead_threads_the_one_with_these_registers_is_chosen() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.creates(ROOT, 102, Thread);
    s.edit(102, |fake| fake.registers.saved[0] = 7);
    s.enters(101, pthread());
    s.enters(102, pthread());
    s.makes(101, 103, Thread);
    s.cut_off(101);
    s.cut_off(102);
    s.first_stop(103);
    s.cut_off(103);
    s.exits(ROOT);
    let lines = s.end();
    assert!(
        lines.contains(&"#2 clone: #4 103 thread, told by child".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"#3 clone: unfinished".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_newborn_that_fits_nobody_is_an_orphan() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.enters(101, pthread());
    s.makes(101, 102, Thread);
    s.edit(102, |fake| fake.registers.saved[0] = 7);
    s.cut_off(101);
    s.first_stop(102);
    s.cut_off(102);
    s.exits(ROOT);
    assert_eq!(
        s.end()[1..],
        [
            "#2 ends: CutOff 0",
            "#3 102 thread Orphan",
            "#3 ends: CutOff 0",
            "#2 clone: unfinished",
            "#1 ends: Itself 0 last"
        ]
    );
}

#[test]
fn a_live_call_that_fits_is_waited_for() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Process);
    s.enters(101, fork());
    s.killed(101);
    s.enters(ROOT, fork());
    s.makes(ROOT, 102, Process);
    s.first_stop(102);
    assert_eq!(s.state(102), Some(State::Stopped));
    s.tells(ROOT, 102, FORK);
    s.exits(102);
    s.exits(ROOT);
    let lines = s.end();
    assert!(
        lines.contains(&"#1 fork: #3 102 process".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_call_without_a_newborn_is_unfinished_threads_at_the_end_of_their_group() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Process);
    s.creates(101, 102, Thread);
    s.enters(102, pthread());
    s.enters(101, fork());
    s.cut_off(102);
    s.killed(101);
    let before_the_end = s.lines();
    assert!(before_the_end.contains(&"#3 clone: unfinished".to_owned()));
    assert!(!before_the_end.contains(&"#2 fork: unfinished".to_owned()));
    s.exits(ROOT);
    assert_eq!(s.totals().unfinished, 1);
    let lines = s.end();
    assert!(lines.contains(&"#2 fork: unfinished".to_owned()));
}

/// A thread belongs to its creator's group: a dead caller of another one cannot have made it.
#[test]
fn a_thread_is_never_given_to_a_caller_of_another_group() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Process);
    s.creates(ROOT, 102, Thread);
    s.creates(101, 104, Thread);
    s.enters(104, pthread());
    s.cut_off(104);
    s.edit(102, |fake| fake.call = Some(pthread()));
    s.makes(102, 103, Thread);
    s.first_stop(103);
    for tid in [103, 102, 101, ROOT] {
        s.exits(tid);
    }
    let lines = s.end();
    assert!(
        lines.contains(&"#5 103 thread Orphan".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"#4 clone: unfinished".to_owned()),
        "{lines:?}"
    );
}

/// Only ids are known of a newborn that merely died: it goes to a call that can have made such a one.
#[test]
fn a_tombstone_goes_to_a_call_of_its_own_kind() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.creates(ROOT, 102, Thread);
    s.creates(ROOT, 103, Process);
    s.enters(101, pthread());
    s.enters(102, fork());
    s.makes(101, 104, Thread);
    s.enters(103, clone(CLONE_PARENT));
    s.killed(103);
    s.cut_off(101);
    s.cut_off(102);
    s.cut_off(104);
    s.exits(ROOT);
    let lines = s.end();
    assert!(
        lines.contains(&"#2 clone: #5 104 thread, told by child".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"#3 fork: unfinished".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"#4 clone: unfinished".to_owned()),
        "{lines:?}"
    );
}

/// The caller goes on although its newborn was killed while it was parked.
#[test]
fn a_parked_newborn_killed_does_not_hold_its_creator() {
    let mut s = Story::new();
    s.enters(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.first_stop(101);
    s.dies(101);
    s.tells(ROOT, 101, FORK);
    assert_eq!(s.state(ROOT), Some(State::Runs));
    s.killed(101);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 fork: #2 101 process");
}

#[test]
fn a_newborn_s_first_stop_in_a_stopped_group_keeps_it_there() {
    for parked in [true, false] {
        let mut s = Story::new();
        s.enters(ROOT, pthread());
        s.makes(ROOT, 101, Thread);
        let group_stop = event_stop(19, 128);
        if parked {
            s.stops(101, group_stop, crate::sys::Op::None);
            s.tells(ROOT, 101, CLONE);
        } else {
            s.tells(ROOT, 101, CLONE);
            s.stops(101, group_stop, crate::sys::Op::None);
        }
        assert_eq!(s.state(101), Some(State::Listens));
        // SIGCONT.
        s.first_stop(101);
        assert_eq!(s.state(101), Some(State::Runs));
        s.exits(101);
        s.exits(ROOT);
        s.end();
    }
}

#[test]
fn a_vfork_of_shared_memory_is_a_process() {
    let mut s = Story::new();
    s.enters(ROOT, clone(CLONE_VM.union(CLONE_VFORK)));
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, VFORK);
    s.first_stop(101);
    s.gone(101, What::Exited(3));
    s.exits(ROOT);
    assert_eq!(
        s.end()[..2],
        ["#1 clone: #2 101 process", "#2 ends: Itself 3 last"]
    );
}

/// Only ids are known, and two dead threads can have made it: neither is said to have, and the one
/// that made another newborn still gets that one.
#[test]
fn a_tombstone_that_fits_two_calls_takes_neither() {
    let mut s = Story::new();
    s.creates(ROOT, 101, Thread);
    s.creates(ROOT, 102, Thread);
    s.edit(101, |fake| fake.registers.saved = [7; 6]);
    for (tid, child) in [(101, 103), (102, 104)] {
        s.enters(tid, fork());
        s.makes(tid, child, Process);
    }
    s.cut_off(101);
    s.killed(103);
    s.cut_off(102);
    s.first_stop(104);
    s.exits(104);
    s.exits(ROOT);
    let lines = s.end();
    assert!(
        lines.contains(&"#4 103 process Orphan".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"#3 fork: #5 104 process, told by child".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&"#2 fork: unfinished".to_owned()));
}

/// In a pid namespace below ours a thread has a tid of its own in each, as its process has.
#[test]
fn a_thread_in_a_namespace_has_a_tid_in_each() {
    let mut s = Story::new();
    s.enters(ROOT, fork());
    s.makes(ROOT, 101, Process);
    s.edit(101, |init| init.ns = vec![1]);
    s.tells(ROOT, 101, FORK);
    s.first_stop(101);
    s.enters(101, pthread());
    s.makes(101, 102, Thread);
    s.edit(102, |thread| thread.ns = vec![2]);
    s.tells(101, 102, CLONE);
    s.first_stop(102);
    let inside: Vec<Option<Vec<i32>>> = s
        .told
        .iter()
        .filter_map(|event| match &event.kind {
            crate::event::EventKind::Clone(call) => match &call.outcome {
                crate::event::Outcome::Created(made) => Some(made.ns_tids.clone()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(inside, [Some(vec![101, 1]), Some(vec![102, 2])]);
    s.exits(102);
    s.exits(101);
    s.exits(ROOT);
    s.end();
}
