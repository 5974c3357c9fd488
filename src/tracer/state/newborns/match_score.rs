//! Whether a newborn can have come from a call, and how well it fits.

use crate::abi::flags;
use crate::event::Tid;
use crate::proc::Status;
use crate::tracer::state::pending::Pending;

use super::inherited::{DeadCall, Inherited};

/// CLONE_UNTRACED with CLONE_PTRACE attaches a newborn without any event.
pub fn came_by_itself(flags: flags::CloneFlags) -> bool {
    flags.contains(flags::CLONE_UNTRACED) && flags.contains(flags::CLONE_PTRACE)
}

/// Whether a newborn can have come from a call: it has copies of the caller's registers. What could
/// not be read excludes nothing.
pub fn fits(pending: &Pending, inherited: &Inherited) -> bool {
    let Some(call) = &inherited.call else {
        return true;
    };
    let saved = match (&pending.registers, &inherited.registers) {
        (Some(caller), Some(newborn)) => caller.saved == newborn.saved,
        _ => true,
    };
    call.nr == pending.syscall.nr
        && call.args == pending.args_now()
        && call.ip == pending.syscall.ip
        && saved
}

/// A thread is of its creator's group.
pub fn may_be_group(tid: Tid, pending: &Pending, inherited: &Inherited) -> bool {
    let tgid = inherited.status.tgid;
    tgid.is_none_or(|tgid| tgid == tid || tgid == pending.event.tgid)
}

/// Whether a newborn's ids contradict the call's flags: a thread has its creator's tgid, and a
/// process has not. (Flags that could not be read, or that another thread changed, contradict
/// nothing.)
pub fn contradicts(tid: Tid, pending: &Pending, status: &Status) -> bool {
    let Some(tgid) = status.tgid else {
        return false;
    };
    let thread = pending.decoded.flags.contains(flags::CLONE_THREAD);
    let readable = pending.decoded.request.flags_raw.is_some();
    readable && thread != (tgid != tid)
}

/// How well a newborn's ids fit a dead call, and whether that asked for such a one; then the same
/// stack pointer and thread pointer.
pub fn match_score(tid: Tid, dead: &DeadCall, inherited: &Inherited) -> (u8, bool, bool, bool) {
    let status = &inherited.status;
    let caller = &dead.pending.event;
    let ids = if status.tgid == Some(caller.tgid) && tid != caller.tgid {
        3
    } else if status.ppid == Some(caller.tgid) {
        2
    } else if status.ppid.is_some() && status.ppid == dead.ppid {
        1
    } else {
        0
    };
    let sp = inherited
        .call
        .as_ref()
        .is_some_and(|call| call.sp == dead.pending.syscall.sp);
    let tls = match (&inherited.registers, &dead.pending.registers) {
        (Some(newborn), Some(caller)) => newborn.tls == caller.tls,
        _ => false,
    };
    let consistent = !contradicts(tid, &dead.pending, status);
    (ids, consistent, sp, tls)
}

/// Whether a task of which only its ids are known can have come from a call.
pub fn related(tid: Tid, pending: &Pending, status: &Status) -> bool {
    let caller = pending.event.tgid;
    let flags = pending.decoded.flags;
    let Some(tgid) = status.tgid else {
        // Nothing could be read: anybody.
        return true;
    };
    if tgid != tid {
        return tgid == caller;
    }
    status.ppid == Some(caller) || flags.contains(flags::CLONE_PARENT)
}
