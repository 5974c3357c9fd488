//! SIGKILL between any two requests: a task in ptrace-stop can vanish at every one of them.

use super::*;
use crate::abi::flags::CLONE_UNTRACED;
use crate::event::Kind::{Process, Thread};
use crate::event::Tid;

/// More requests than any stop takes.
const MOST: u32 = 12;

/// Plays a story in which `tid` is killed after `requests` requests, and ends it.
fn play(tid: Tid, requests: u32, untraced: bool, parked: bool) -> Vec<String> {
    let mut s = Story::new();
    s.map(ROOT, 0, &[]);
    s.creates(ROOT, 101, Process);
    s.creates(101, 102, Thread);
    let call = if untraced {
        clone(CLONE_UNTRACED)
    } else {
        fork()
    };
    if tid == 102 {
        s.edit(102, |fake| fake.dies_after = Some(requests));
    }
    s.enters(102, call);
    if s.state(102) == Some(State::Runs) {
        s.makes(102, 103, Process);
        if tid == 103 {
            s.edit(103, |fake| fake.dies_after = Some(requests));
        }
        if parked {
            s.first_stop(103);
        }
        if s.state(102) == Some(State::Runs) {
            s.tells(102, 103, FORK);
        }
        if s.state(103) == Some(State::Runs) && !parked {
            s.first_stop(103);
        }
    }
    // Whoever was not killed was let go, unless it waits for somebody who is dying.
    let dying = s.state(tid) == Some(State::Doomed);
    for other in [ROOT, 101, 102] {
        if other != tid {
            assert_eq!(s.state(other), Some(State::Runs), "{other}");
        }
    }
    assert!(dying || s.state(tid) == Some(State::Runs), "{tid}");
    s.cut_off(102);
    let last_held = s.state(103) == Some(State::Stopped);
    assert!(!last_held, "nobody is left who could tell of 103");
    if s.state(103).is_some() {
        s.killed(103);
    }
    s.killed(101);
    s.exits(ROOT);
    s.end()
}

#[test]
fn a_kill_at_any_request_loses_no_call_and_holds_nobody() {
    for untraced in [false, true] {
        for parked in [false, true] {
            for tid in [102, 103] {
                for requests in 0..MOST {
                    let lines = play(tid, requests, untraced, parked);
                    let calls = lines.iter().filter(|line| {
                        line.starts_with("#3 fork:") || line.starts_with("#3 clone:")
                    });
                    // Killed before it could be asked anything, nobody knows that it called.
                    let known = usize::from(tid == 103 || requests > 0);
                    assert_eq!(calls.count(), known, "{tid} {requests} {lines:?}");
                }
            }
        }
    }
}

/// The result was seen, whatever becomes of the caller at that stop.
#[test]
fn a_kill_at_the_exit_stop_loses_no_result() {
    for requests in 0..MOST {
        let mut s = Story::new();
        s.enters(ROOT, clone(CLONE_UNTRACED));
        s.edit(ROOT, |fake| fake.dies_after = Some(requests));
        s.returns(ROOT, -11);
        s.cut_off(ROOT);
        let outcome = if requests == 0 {
            "unfinished"
        } else {
            "EAGAIN"
        };
        let line = format!("#1 clone: {outcome}");
        assert!(s.end().contains(&line), "{requests}");
    }
}
