//! The moments between two things that the kernel does at once and reports one after the other.

use super::*;
use crate::abi::flags::CLONE_PARENT;
use crate::event::Intercept;
use crate::event::Kind::{Process, Thread};
use crate::peek::Syscall;
use crate::sys::{Op, What};

/// SIGTRAP | PTRACE_EVENT_EXEC << 8.
const EXEC_CODE: i32 = 0x405;

/// A thread replaced the leader, and stands at its EXEC stop under the leader's tid.
fn heir_stands(s: &mut Story) {
    s.takes_tid(ROOT, 101);
    s.edit(ROOT, |heir| {
        heir.state = State::Stopped;
        heir.op = Op::None;
        heir.message = 101;
        heir.code = EXEC_CODE;
    });
}

/// A leader's stop was taken, then a thread exec'd, which ends the leader and takes its tid. What is
/// asked now is answered by the heir, and it must not be resumed for the leader's sake.
#[test]
fn a_stop_of_a_leader_that_was_replaced_since_is_nobody_s() {
    let syscall = What::Stopped(0x85);
    let signal = What::Stopped(10);
    for stale in [
        event_stop(5, 7),
        event_stop(5, CLONE),
        event_stop(5, 128),
        event_stop(19, 128),
        syscall,
        signal,
    ] {
        let mut s = Story::new();
        s.creates(ROOT, 101, Thread);
        heir_stands(&mut s);
        s.did();
        s.report(ROOT, stale);
        assert_eq!(s.did(), [], "{stale:?}");
        assert_eq!(s.state(ROOT), Some(State::Stopped), "{stale:?}");
        s.report(ROOT, event_stop(5, 4));
        assert_eq!(s.state(ROOT), Some(State::Runs), "{stale:?}");
        s.exits(ROOT);
        assert_eq!(
            s.end()[1..],
            [
                "#1 ends: Replaced",
                "#2 exec, was 101",
                "#2 ends: Itself 0 last"
            ],
            "{stale:?}"
        );
    }
}

/// A program can queue itself signals with any si_code (rt_sigqueueinfo(2)): such a leader goes on.
#[test]
fn a_signal_that_looks_like_an_exec_is_a_signal() {
    for signal in [5, 10] {
        let mut s = Story::new();
        s.creates(ROOT, 101, Thread);
        s.edit(ROOT, |leader| {
            leader.code = if signal == 5 { EXEC_CODE } else { 0x40a };
        });
        s.signal(ROOT, signal);
        assert_eq!(s.state(ROOT), Some(State::Runs), "{signal}");
        s.edit(ROOT, |leader| leader.code = 0);
        s.exits(101);
        s.exits(ROOT);
        s.end();
    }
}

/// Without entry stops: the newborn of CLONE_PARENT has its creator's parent, and is that creator's
/// all the same.
#[test]
fn without_entry_stops_a_sibling_waits_for_its_creators_event() {
    let mut s = Story::with(Intercept::Event);
    s.edit(ROOT, |fake| fake.call = Some(clone(CLONE_PARENT)));
    s.makes(ROOT, 101, Process);
    s.edit(101, |sibling| sibling.ppid = 1);
    s.first_stop(101);
    assert_eq!(s.state(101), Some(State::Stopped), "its creator is there");
    s.tells(ROOT, 101, CLONE);
    assert_eq!(s.state(101), Some(State::Runs));
    s.exits(101);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 clone: #2 101 process, parent outside");
}

/// Whether a creator may still tell is asked of the thread that made the last one first: with
/// thousands that sleep it would be a look at each of them for each newborn.
#[test]
fn the_last_creator_is_looked_at_first() {
    let mut s = Story::with(Intercept::Event);
    for tid in 101..200 {
        let mut sleeper = fake(tid, ROOT, 1, 0);
        sleeper.place = Some("34 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff".to_owned());
        s.world().tasks.insert(tid, sleeper);
        let id = s.tracer.cx.ledger.new_task();
        let tracee = crate::tracer::state::table::Tracee::new(id, ROOT, Thread);
        s.tracer.cx.table.insert(tid, tracee);
    }
    s.edit(ROOT, |leader| leader.place = Some("-1 0x0 0x0".to_owned()));
    for tid in [300, 301] {
        s.edit(199, |creator| {
            (creator.place, creator.call) = (None, Some(pthread()));
        });
        s.makes(199, tid, Thread);
        s.world().places_read = 0;
        s.first_stop(tid);
        assert_eq!(s.state(tid), Some(State::Stopped), "its creator is there");
        let looks = s.world().places_read;
        assert_eq!(looks > 90, tid == 300, "{tid}: {looks}");
        s.tells(199, tid, CLONE);
        assert_eq!(s.state(tid), Some(State::Runs));
    }
}

/// The same for a newborn that was killed before it ran: its end is reported first.
#[test]
fn without_entry_stops_a_newborn_that_only_dies_waits_for_its_creators_event() {
    let mut s = Story::with(Intercept::Event);
    s.edit(ROOT, |fake| fake.call = Some(fork()));
    s.makes(ROOT, 101, Process);
    s.killed(101);
    assert_eq!(s.lines(), [""; 0]);
    s.tells(ROOT, 101, FORK);
    s.exits(ROOT);
    assert_eq!(
        s.end()[..2],
        ["#1 fork: #2 101 process", "#2 ends: Signal SIGKILL last"]
    );
}

/// A newborn is told as nobody's because nothing shows whose it is; then an event names it.
#[test]
fn an_event_that_names_an_orphan_makes_no_second_task() {
    let strange = Syscall {
        arch: 0xffff_ffff,
        ..fork()
    };
    for known in [true, false] {
        let mut s = Story::new();
        s.creates(ROOT, 102, Process);
        // A call whose caller died inside makes every newborn suspicious.
        s.creates(ROOT, 103, Process);
        s.enters(103, fork());
        s.cut_off(103);
        let call = if known { fork() } else { strange };
        if known {
            s.enters(102, call);
        } else {
            s.entry(102, call);
        }
        s.makes(102, 101, Process);
        s.edit(101, |newborn| newborn.registers.saved = [7; 6]);
        s.first_stop(101);
        let orphan = "#4 101 process Orphan".to_owned();
        assert!(s.lines().contains(&orphan), "{:?}", s.lines());
        s.tells(102, 101, FORK);
        assert_eq!(s.state(101), Some(State::Runs));
        s.exits(101);
        s.exits(102);
        s.exits(ROOT);
        let lines = s.end();
        let ends = lines.iter().filter(|line| line.starts_with("#4 ends"));
        assert_eq!(ends.count(), 1, "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("#5")), "{lines:?}");
        let told = "#2 fork: #4 101 process".to_owned();
        assert_eq!(lines.contains(&told), known, "{lines:?}");
    }
}
