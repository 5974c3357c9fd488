//! CLONE_UNTRACED, taken off unseen: whatever happens, the program finds what it left there.

use super::*;
use crate::abi::flags::{CLONE_UNTRACED, CLONE_VM, CloneFlags};
use crate::event::Kind::Process;
use crate::event::Tid;
use crate::peek::Syscall;
use crate::peek::testing::i386;

const BLOCK: u64 = 0x50_0000;
const RED_ZONE: u64 = 128;

/// The flags of the call, wherever they are, as the kernel would read them now.
fn shown(s: &Story, tid: Tid) -> u64 {
    let call = s.world().tasks[&tid].call.expect("in a call");
    match call.nr {
        56 => call.args[0],
        _ => word(s, tid, call.args[0]),
    }
}

fn word(s: &Story, tid: Tid, at: u64) -> u64 {
    let bytes = s.memory(tid, at, 8);
    u64::from_ne_bytes(bytes.try_into().expect("eight"))
}

fn arg(s: &Story, tid: Tid) -> u64 {
    s.world().tasks[&tid].call.expect("in a call").args[0]
}

/// A program with a stack full of 0xaa, and a read-only block for clone3.
fn program(flags: CloneFlags) -> Story {
    let mut s = Story::new();
    let sp = fork().sp;
    s.map(ROOT, sp - 0x1000, &[0xaa; 0x1000]);
    let mut block = [0; 88];
    block[..8].copy_from_slice(&flags.0.to_ne_bytes());
    block[32] = 17;
    s.map(ROOT, BLOCK, &block);
    s.world().read_only.push(BLOCK..BLOCK + 88);
    s
}

fn stack_is_whole(s: &Story, tid: Tid) {
    let sp = fork().sp;
    assert!(
        s.memory(tid, sp - 0x1000, 0x1000)
            .iter()
            .all(|&byte| byte == 0xaa)
    );
}

fn calls(flags: CloneFlags) -> [Syscall; 2] {
    [clone(flags), clone3(BLOCK)]
}

#[test]
fn the_kernel_sees_no_flag_and_parent_and_child_see_no_change() {
    for call in calls(CLONE_UNTRACED) {
        for parked in [true, false] {
            let mut s = program(CLONE_UNTRACED);
            s.enters(ROOT, call);
            assert_eq!(shown(&s, ROOT), 0);
            s.makes(ROOT, 101, Process);
            let given = call.args[0];
            let check = |s: &Story, tid| {
                assert_eq!(arg(s, tid), given);
                stack_is_whole(s, tid);
            };
            s.edit(ROOT, |fake| fake.message = 101);
            if parked {
                s.first_stop(101);
            }
            s.stops(ROOT, event_stop(5, CLONE), crate::sys::Op::None);
            check(&s, ROOT);
            if !parked {
                s.first_stop(101);
            }
            check(&s, 101);
            assert_eq!(s.state(101), Some(State::Runs));
            s.exits(101);
            s.exits(ROOT);
            let name = if call.nr == 56 { "clone" } else { "clone3" };
            assert_eq!(
                s.end()[0],
                format!("#1 {name}: #2 101 process, untraced cleared")
            );
        }
    }
}

#[test]
fn the_copy_lies_below_the_red_zone() {
    let mut s = program(CLONE_UNTRACED);
    s.enters(ROOT, clone3(BLOCK));
    let at = arg(&s, ROOT);
    assert!(
        at + 88 <= fork().sp - RED_ZONE && at.is_multiple_of(16),
        "{at:#x}"
    );
    s.returns(ROOT, -22);
    s.exits(ROOT);
    s.end();
}

#[test]
fn a_failed_call_leaves_no_change() {
    for call in calls(CLONE_UNTRACED) {
        let mut s = program(CLONE_UNTRACED);
        s.enters(ROOT, call);
        s.returns(ROOT, -11);
        stack_is_whole(&s, ROOT);
        let restored = s
            .did()
            .iter()
            .any(|did| matches!(did, Did::Argument(_, _, value) if *value == call.args[0]));
        assert!(restored);
        s.exits(ROOT);
        assert!(s.end()[0].ends_with("EAGAIN"));
    }
}

#[test]
fn a_restarted_call_is_changed_again() {
    for call in calls(CLONE_UNTRACED) {
        let mut s = program(CLONE_UNTRACED);
        s.enters(ROOT, call);
        s.returns(ROOT, -513);
        stack_is_whole(&s, ROOT);
        s.signal(ROOT, 14);
        s.enters(ROOT, call);
        assert_eq!(shown(&s, ROOT), 0);
        s.makes(ROOT, 101, Process);
        s.tells(ROOT, 101, CLONE);
        s.first_stop(101);
        assert_eq!(arg(&s, 101), call.args[0]);
        stack_is_whole(&s, 101);
        s.exits(101);
        s.exits(ROOT);
        assert_eq!(s.end().len(), 3);
    }
}

/// The caller has gone on, and used the stack where the copy was, before the child's first stop.
#[test]
fn memory_that_is_shared_is_mended_once() {
    let flags = CLONE_UNTRACED.union(CLONE_VM);
    let mut s = program(flags);
    s.enters(ROOT, clone3(BLOCK));
    let at = arg(&s, ROOT);
    s.makes(ROOT, 101, Process);
    s.edit(101, |fake| fake.mm = 0);
    s.tells(ROOT, 101, CLONE);
    stack_is_whole(&s, ROOT);
    s.map(ROOT, at, &[0xbb; 88]);
    s.first_stop(101);
    assert_eq!(s.memory(ROOT, at, 88), [0xbb; 88]);
    assert_eq!(arg(&s, 101), BLOCK);
    s.exits(101);
    s.exits(ROOT);
    s.end();
}

#[test]
fn a_newborn_of_a_dead_caller_is_mended() {
    for call in calls(CLONE_UNTRACED) {
        let mut s = program(CLONE_UNTRACED);
        s.creates(ROOT, 101, Process);
        s.enters(101, call);
        s.makes(101, 102, Process);
        s.killed(101);
        s.first_stop(102);
        assert_eq!(arg(&s, 102), call.args[0]);
        stack_is_whole(&s, 102);
        s.exits(102);
        s.exits(ROOT);
        assert!(
            s.end()
                .iter()
                .any(|line| line.contains("told by child, untraced cleared"))
        );
    }
}

#[test]
fn a_32_bit_call_with_its_stack_out_of_reach_is_changed_in_place() {
    let mut s = program(CLONE_UNTRACED);
    s.world().read_only.clear();
    s.enters(ROOT, i386(435, [BLOCK, 88, 0, 0, 0, 0]));
    assert_eq!((arg(&s, ROOT), word(&s, ROOT, BLOCK)), (BLOCK, 0));
    s.makes(ROOT, 101, Process);
    s.tells(ROOT, 101, CLONE);
    s.first_stop(101);
    for tid in [ROOT, 101] {
        assert_eq!(word(&s, tid, BLOCK), CLONE_UNTRACED.0);
    }
    s.exits(101);
    s.exits(ROOT);
    s.end();
}

#[test]
fn a_child_that_cannot_be_kept_is_told_as_untraced() {
    let mut s = program(CLONE_UNTRACED);
    s.world().read_only.push(0..u64::MAX);
    s.enters(ROOT, clone3(BLOCK));
    assert_eq!(shown(&s, ROOT), CLONE_UNTRACED.0);
    s.returns(ROOT, 4711);
    s.exits(ROOT);
    assert_eq!(s.end()[0], "#1 clone3: untraced Some(4711)");
}
