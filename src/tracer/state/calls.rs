//! From the entry of a call to its outcome.

use std::collections::BTreeMap;

use crate::abi::{errno, flags, signals};
use crate::decode;
use crate::event::{Certainty, CloneCall, Observation, Outcome, Reason, Status, Tid};
use crate::peek::Syscall;
use crate::proc::{self, Stat};
use crate::sys::SyscallInfo;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::{Answer, Handled};
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;

use super::context::Context;
use super::endings;
use super::pending::{Edit, Pending};
use super::restarts::{Restarts, same_call, will_be_made_again};
use super::untraced;

/// A call as the registers had it at a stop.
pub fn at_stop(info: &SyscallInfo, words: [u64; 7]) -> Syscall {
    let [nr, a0, a1, a2, a3, a4, a5] = words;
    let args = [a0, a1, a2, a3, a4, a5];
    Syscall {
        arch: info.arch,
        nr,
        args,
        ip: info.ip,
        sp: info.sp,
    }
}

/// A task enters one of the four calls.
///
/// # Errors
/// It was killed meanwhile.
pub fn enter<K: Kernel>(
    cx: &mut Context<K>,
    restarts: &mut Restarts,
    task: &Stopped<K>,
    call: Syscall,
) -> Handled {
    let tid = task.tid();
    let mut again = cx.table.get(tid).is_some_and(|t| same_call(t, &call));
    if !again {
        let entry = restarts.enters(&mut cx.table, tid, &call);
        cx.unfinished(entry.abandoned);
        again = entry.again;
    }
    if again {
        return enter_again(cx, task, call);
    }
    let Some(mut pending) = read(cx, task, call)? else {
        return Ok(());
    };
    let prepared = task.registers().and_then(|registers| {
        pending.registers = registers;
        untraced::hide(task, &call, &mut pending)
    });
    pending.entered_ns = Some(cx.now_ns());
    // Also of a caller that was killed here: it called.
    cx.table.set_call(tid, pending);
    prepared
}

/// A restarted call is one call: it keeps its first entry.
fn enter_again<K: Kernel>(cx: &mut Context<K>, task: &Stopped<K>, mut call: Syscall) -> Handled {
    let tid = task.tid();
    let Some(mut pending) = cx.table.take_call(tid) else {
        return Ok(());
    };
    if pending.restarting
        && let Some(edit) = pending.edit.take()
    {
        call.args = edit.undo(call.args);
    }
    pending.restarting = false;
    // A handler may have written something else where the arguments point.
    if let Some(decoded) = decode::decode(task.peek(), &call) {
        pending.event.request = decoded.request.clone();
        pending.decoded = decoded;
    }
    let hidden = untraced::hide(task, &call, &mut pending);
    cx.table.set_call(tid, pending);
    hidden
}

/// Decodes a call into an event without an outcome; `None`: it is none of the four.
fn read<K: Kernel>(
    cx: &mut Context<K>,
    task: &Stopped<K>,
    call: Syscall,
) -> Answer<Option<Pending>> {
    let tid = task.tid();
    let at_ns = cx.now_ns();
    let Some(decoded) = decode::decode(task.peek(), &call) else {
        return Ok(None);
    };
    let (comm, comm_hex) = proc::comm(task.peek()).unwrap_or_default();
    let Some(tracee) = cx.table.get(tid) else {
        return Ok(None);
    };
    let id = tracee.id;
    let mut event = Box::new(CloneCall {
        took_ns: None,
        tid,
        tgid: tracee.tgid,
        comm,
        comm_hex,
        request: decoded.request.clone(),
        wrote: None,
        outcome: Outcome::Unfinished {},
        libc: None,
        cgroup_path: None,
        origin: None,
        origin_certainty: None,
        caller: Vec::new(),
        runs: None,
        sharing: None,
        cost: None,
    });
    for observer in &mut cx.observers {
        observer.entered(task.peek(), &mut event);
    }
    Ok(Some(Pending {
        at_ns,
        task: id,
        event,
        decoded,
        syscall: call,
        registers: None,
        entered_ns: None,
        restarting: false,
        edit: None,
        escapes: false,
        odd: None,
    }))
}

/// The call that an event belongs to: noted at its entry, or, where there was no entry stop, read
/// now.
///
/// # Errors
/// The caller was killed meanwhile.
pub fn behind_event<K: Kernel>(cx: &mut Context<K>, task: &Stopped<K>) -> Answer<Option<Pending>> {
    if let Some(pending) = cx.table.take_call(task.tid()) {
        return Ok(Some(pending));
    }
    let info = task.syscall_info()?;
    match proc::syscall(task.peek(), info.arch) {
        Some(call) => read(cx, task, call),
        None => Ok(None),
    }
}

/// The event came: the call has made a task, and what was changed for the call is put back.
///
/// # Errors
/// The caller was killed meanwhile.
pub fn made_a_task<K: Kernel>(task: &Stopped<K>, pending: &mut Pending) -> Handled {
    let mut mended = Ok(());
    if let Some(edit) = &mut pending.edit {
        mended = untraced::put_back(task, edit);
        if pending.decoded.flags.contains(flags::CLONE_VM) {
            // The memory is one. Mended again at the newborn's first stop it would undo what
            // the caller has written there since.
            edit.memory = None;
        }
    }
    pending.event.wrote = decode::wrote(task.peek(), &pending.decoded);
    mended
}

/// A system call returned: the outcome of the task's call, if it was in one of the four.
///
/// # Errors
/// It was killed meanwhile; its result is known all the same.
pub fn returned<K: Kernel>(
    cx: &mut Context<K>,
    task: &Stopped<K>,
    result: i64,
    is_error: bool,
) -> Handled {
    let tid = task.tid();
    let Some(mut pending) = cx.table.take_call(tid) else {
        return Ok(());
    };
    if pending.restarting {
        // It is a handler's sigreturn that returns; the call comes back by its entry.
        cx.table.set_call(tid, pending);
        return Ok(());
    }
    let edit = pending.edit.take();
    let mended = match &edit {
        Some(edit) => untraced::put_back(task, edit),
        None => Ok(()),
    };
    if is_error && will_be_made_again(result) {
        pending.edit = edit.and_then(Edit::kept);
        pending.restarting = true;
        cx.table.set_call(tid, pending);
    } else if is_error {
        failed(cx, task, pending, result);
    } else if result == 0 {
        // RET_ERRNO with 0. A caller never gets 0 from the kernel: no task has that tid.
        let outcome = refused_by_filter("errno 0", Observation::FilterZero);
        cx.conclude(pending, outcome);
    } else if pending.escapes {
        let untraced = Tid::try_from(result).ok();
        cx.conclude(pending, Outcome::Untraced { tid: untraced });
    } else {
        // Under RET_TRAP and RET_KILL the result is the call's number (kernel/seccomp.c,
        // syscall_rollback); what happened shows at the next report.
        pending.odd = Some(result);
        cx.table.set_call(tid, pending);
    }
    mended
}

fn failed<K: Kernel>(cx: &mut Context<K>, task: &Stopped<K>, mut pending: Pending, result: i64) {
    let code = i32::try_from(-result).unwrap_or(i32::MAX);
    let errno = errno::name(code).map_or_else(|| format!("errno {code}"), str::to_owned);
    pending.event.outcome = Outcome::Failed {
        errno,
        code,
        reasons: Vec::new(),
    };
    for observer in &mut cx.observers {
        observer.failed(task.peek(), pending.at_ns, &mut pending.event);
    }
    let outcome = pending.event.outcome.clone();
    cx.conclude(pending, outcome);
}

/// What a positive result without an event meant, by the report that came next.
pub fn odd_result<K: Kernel>(cx: &mut Context<K>, tid: Tid, stop: &Stop) {
    let Some(pending) = cx.table.take_call(tid) else {
        return;
    };
    let sigsys = signals::number("SIGSYS");
    let outcome = match stop {
        Stop::Signal(signal) if Some(*signal) == sigsys => {
            refused_by_filter("SIGSYS", Observation::FilterTrap)
        }
        Stop::Gone(_) => refused_by_filter("SIGSYS", Observation::FilterKill),
        _ => Outcome::Untraced {
            tid: pending.odd.and_then(|tid| Tid::try_from(tid).ok()),
        },
    };
    cx.conclude(pending, outcome);
}

/// A task has ended, perhaps because of how its call was answered.
pub fn caller_ended<K: Kernel>(
    cx: &mut Context<K>,
    tid: Tid,
    status: &Status,
    stat: Option<&Stat>,
) {
    let refused = endings::by_filter(status, stat);
    let call = cx.table.call(tid);
    if call.is_some_and(|call| call.odd.is_some() || (refused && !call.restarting)) {
        odd_result(cx, tid, &Stop::Gone(status.clone()));
    }
}

fn refused_by_filter(name: &str, what: Observation) -> Outcome {
    Outcome::Failed {
        errno: name.to_owned(),
        code: 0,
        reasons: vec![Reason {
            rule: "program-filter".to_owned(),
            certainty: Certainty::Certain,
            text: what.into(),
            evidence: BTreeMap::new(),
        }],
    }
}
