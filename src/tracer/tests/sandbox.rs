//! Filters that the program installs itself.

use super::*;
use crate::event::Intercept;
use crate::event::Kind::{Process, Thread};
use crate::event::Tid;
use crate::peek::Syscall;
use crate::peek::testing::x86_64;
use crate::seccomp::insn::{self, Insn};
use crate::sys::{Request, What};

const FPROG: u64 = 0x60_0000;
const CODE: u64 = 0x60_1000;
const TSYNC: u64 = 1;
const NEW_LISTENER: u64 = 8;
const TSYNC_ESRCH: u64 = 16;

fn seccomp(flags: u64) -> Syscall {
    x86_64(317, [1, flags, FPROG, 0, 0, 0])
}

fn prctl() -> Syscall {
    x86_64(157, [22, 2, FPROG, 0, 0, 0])
}

/// A program whose filter has one answer to everything.
fn program(answer: u32) -> Story {
    let mut s = Story::new();
    let Insn { code, jt, jf, k } = Insn::new(insn::RET | insn::K, answer);
    let mut insn = code.to_ne_bytes().to_vec();
    insn.extend([jt, jf]);
    insn.extend(k.to_ne_bytes());
    s.map(ROOT, CODE, &insn);
    let mut fprog = [0; 16];
    fprog[..2].copy_from_slice(&1u16.to_ne_bytes());
    fprog[8..].copy_from_slice(&CODE.to_ne_bytes());
    s.map(ROOT, FPROG, &fprog);
    s
}

fn harmful() -> Story {
    program(insn::RET_ERRNO | 1)
}

/// How the task goes on from its next plain stop.
fn pace(s: &mut Story, tid: Tid) -> Request {
    s.did();
    s.signal(tid, 10);
    match s.did().pop() {
        Some(Did::Resume(who, how, 10)) if who == tid => how,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_harmless_filter_changes_nothing() {
    for answer in [insn::RET_ALLOW, insn::RET_LOG] {
        for call in [seccomp(0), seccomp(TSYNC), prctl()] {
            let mut s = program(answer);
            s.enters(ROOT, call);
            assert_eq!(s.did(), [Did::Resume(ROOT, Request::Cont, 0)]);
            s.exits(ROOT);
            s.end();
        }
    }
}

#[test]
fn a_harmful_filter_makes_the_task_and_its_children_stop_everywhere() {
    for call in [seccomp(0), prctl()] {
        let mut s = harmful();
        s.enters(ROOT, call);
        s.returns(ROOT, 0);
        assert_eq!(pace(&mut s, ROOT), Request::Syscall);
        s.entry(ROOT, fork());
        s.makes(ROOT, 101, Process);
        s.tells(ROOT, 101, FORK);
        s.did();
        s.first_stop(101);
        assert_eq!(s.did(), [Did::Resume(101, Request::Syscall, 0)]);
        s.exits(101);
        s.exits(ROOT);
        s.end();
    }
}

#[test]
fn a_filter_that_was_refused_changes_nothing() {
    for (call, result) in [(seccomp(0), -22), (seccomp(TSYNC), 4711), (prctl(), -13)] {
        let mut s = harmful();
        s.enters(ROOT, call);
        s.returns(ROOT, result);
        assert_eq!(pace(&mut s, ROOT), Request::Cont);
        s.exits(ROOT);
        s.end();
    }
}

/// With NEW_LISTENER the positive result is a descriptor; TSYNC then needs TSYNC_ESRCH.
#[test]
fn a_listener_s_descriptor_is_no_refusal() {
    let mut s = harmful();
    s.enters(ROOT, seccomp(TSYNC | NEW_LISTENER | TSYNC_ESRCH));
    s.returns(ROOT, 5);
    assert_eq!(pace(&mut s, ROOT), Request::Syscall);
    s.exits(ROOT);
    s.end();
}

#[test]
fn what_cannot_be_read_is_not_harmless() {
    let mut s = Story::new();
    s.enters(ROOT, seccomp(0));
    s.returns(ROOT, 0);
    assert_eq!(pace(&mut s, ROOT), Request::Syscall);
    s.exits(ROOT);
    s.end();
}

#[test]
fn other_operations_of_the_same_calls_go_on() {
    let mut s = Story::new();
    for call in [x86_64(317, [0; 6]), x86_64(157, [22, 1, 0, 0, 0, 0])] {
        s.enters(ROOT, call);
        assert_eq!(s.did(), [Did::Resume(ROOT, Request::Cont, 0)]);
    }
    s.exits(ROOT);
    s.end();
}

/// Main and two threads, the filter harmful; the call for the whole group is at its SECCOMP stop.
fn three() -> Story {
    let mut s = harmful();
    s.creates(ROOT, 101, Thread);
    s.creates(ROOT, 102, Thread);
    s.did();
    s
}

#[test]
fn the_caller_is_held_until_the_other_threads_have_stopped() {
    let mut s = three();
    s.enters(ROOT, seccomp(TSYNC));
    assert_eq!(s.did(), [Did::Interrupt(101), Did::Interrupt(102)]);
    s.first_stop(101);
    assert_eq!(s.did(), [Did::Resume(101, Request::Syscall, 0)]);
    s.first_stop(102);
    let mut did = s.did();
    did.sort_by_key(|did| matches!(did, Did::Resume(102, ..)));
    assert_eq!(
        did,
        [
            Did::Resume(ROOT, Request::Syscall, 0),
            Did::Resume(102, Request::Syscall, 0)
        ]
    );
    s.returns(ROOT, 0);
    for tid in [101, 102, ROOT] {
        assert_eq!(pace(&mut s, tid), Request::Syscall);
    }
    for tid in [101, 102, ROOT] {
        s.exits(tid);
    }
    s.end();
}

#[test]
fn a_thread_that_would_notice_is_spared_and_told() {
    let mut s = three();
    let epoll_wait = "232 0x3 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n";
    s.edit(101, |fake| fake.place = Some(epoll_wait.to_owned()));
    // In vfork; the interrupt waits for it.
    let vfork = "58 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n";
    s.edit(102, |fake| fake.place = Some(vfork.to_owned()));
    s.enters(ROOT, seccomp(TSYNC));
    assert_eq!(
        s.did(),
        [Did::Interrupt(102), Did::Resume(ROOT, Request::Syscall, 0)]
    );
    s.returns(ROOT, 0);
    for tid in [101, 102] {
        assert_eq!(pace(&mut s, tid), Request::Syscall);
    }
    for tid in [101, 102, ROOT] {
        s.exits(tid);
    }
    assert!(s.end().contains(&"#2 blind".to_owned()));
}

#[test]
fn a_thread_that_ends_while_it_is_waited_for_releases_the_caller() {
    let mut s = three();
    s.enters(ROOT, seccomp(TSYNC));
    s.exits(101);
    s.did();
    s.exits(102);
    assert!(s.did().contains(&Did::Resume(ROOT, Request::Syscall, 0)));
    s.returns(ROOT, 0);
    s.exits(ROOT);
    s.end();
}

#[test]
fn a_caller_that_is_killed_while_it_is_held_holds_nobody() {
    let mut s = three();
    s.enters(101, seccomp(TSYNC));
    s.cut_off(101);
    for tid in [102, ROOT] {
        s.first_stop(tid);
        assert_eq!(s.state(tid), Some(State::Runs));
        s.cut_off(tid);
    }
    s.end();
}

/// Killed, and another's stop comes before the report of its end.
#[test]
fn a_caller_that_is_dying_holds_nobody() {
    let mut s = three();
    s.enters(101, seccomp(TSYNC));
    s.dies(101);
    for tid in [102, ROOT] {
        s.first_stop(tid);
        assert_eq!(s.state(tid), Some(State::Runs));
    }
    for tid in [101, 102, ROOT] {
        s.cut_off(tid);
    }
    s.end();
}

/// The old leader's end is never reported.
#[test]
fn a_held_leader_is_forgotten_at_an_exec() {
    let mut s = three();
    s.enters(ROOT, seccomp(TSYNC));
    s.cut_off(102);
    s.dies(ROOT);
    s.takes_tid(ROOT, 101);
    s.execs(ROOT, 101);
    assert_eq!(s.state(ROOT), Some(State::Runs));
    assert!(s.tracer.filters.is_empty());
    s.exits(ROOT);
    s.end();
}

/// A second thread installs one for the group as well, before it was seen to stop for the first.
#[test]
fn two_callers_at_once_are_both_released() {
    let mut s = three();
    s.enters(ROOT, seccomp(TSYNC));
    s.enters(101, seccomp(TSYNC));
    s.first_stop(102);
    for tid in [ROOT, 101] {
        assert_eq!(s.state(tid), Some(State::Runs), "{tid}");
    }
    s.returns(101, 0);
    s.returns(ROOT, -22);
    for tid in [ROOT, 101, 102] {
        assert_eq!(pace(&mut s, tid), Request::Syscall);
    }
    for tid in [101, 102, ROOT] {
        s.exits(tid);
    }
    s.end();
}

#[test]
fn a_newborn_thread_that_is_awaited_stops_everywhere_at_once() {
    let mut s = harmful();
    s.enters(ROOT, pthread());
    s.makes(ROOT, 101, Thread);
    s.tells(ROOT, 101, CLONE);
    s.enters(ROOT, seccomp(TSYNC));
    s.did();
    s.first_stop(101);
    assert_eq!(s.did(), [Did::Resume(101, Request::Syscall, 0)]);
    s.returns(ROOT, 0);
    s.exits(101);
    s.exits(ROOT);
    s.end();
}

#[test]
fn an_orphan_of_such_a_process_stops_everywhere_too() {
    let mut s = Story::with(Intercept::Seccomp);
    s.tracer.cx.table.get_mut(ROOT).expect("root").full = true;
    s.edit(ROOT, |fake| fake.call = Some(fork()));
    s.makes(ROOT, 101, Process);
    s.first_stop(101);
    assert_eq!(s.did(), [Did::Resume(101, Request::Syscall, 0)]);
    s.exits(101);
    s.exits(ROOT);
    s.end();
}

/// RET_KILL_THREAD ends the caller alone, without another stop; who is cut off with its group was in
/// its call.
#[test]
fn a_thread_that_a_filter_ends_has_not_called() {
    for (flags, outcome) in [(0, "SIGSYS"), (0x400, "unfinished")] {
        let mut s = Story::new();
        s.creates(ROOT, 101, Thread);
        s.enters(101, fork());
        s.edit(101, |caller| caller.flags = flags);
        let (signal, core) = (31, false);
        s.gone(101, What::Killed { signal, core });
        s.exits(ROOT);
        let told = format!("#2 fork: {outcome}");
        let lines = s.end();
        assert!(lines.contains(&told), "{lines:?}");
    }
}
