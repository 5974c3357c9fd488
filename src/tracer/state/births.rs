//! Tasks that come into view: what the kernel made, how that is told, and what is noted of it.

use crate::abi::flags;
use crate::decode::Decoded;
use crate::event::{Appeared, Created, How, Kind, Outcome, TaskId, Tid};
use crate::proc::{self, Status};
use crate::tracer::kernel::Kernel;

use super::context::Context;
use super::pending::Pending;
use super::table::{Lineage, Tracee};

/// A newborn, as the kernel has it.
pub struct Born {
    /// Its tid.
    pub tid: Tid,
    /// Thread or process, by tgid.
    pub kind: Kind,
    /// Its status file, where it was read.
    pub status: Option<Status>,
    /// Its creator died before its event, and this is what it handed down: the newborn itself told
    /// of the call. `None`: the creator told, and is asked itself.
    pub of_dead: Option<Lineage>,
}

/// A created task that was told, and is to be taken in.
pub struct Newcomer {
    pub tracee: Tracee,
    /// The call pauses its caller until the newborn has exec'd or ended: the caller.
    pub pauses: Option<Tid>,
}

/// Asks the kernel what a newborn is. `ended`: what was read of it, where its end has been reported.
pub fn look<K: Kernel>(cx: &Context<K>, caller_tgid: Tid, tid: Tid, ended: Option<Status>) -> Born {
    let (thread, status) = match ended {
        Some(status) => {
            let thread = status.tgid == Some(caller_tgid) && tid != caller_tgid;
            (thread, Some(status))
        }
        None => {
            let thread = cx.kernel.same_group(caller_tgid, tid);
            // A thread lies where its process does; a process may lie in a namespace of its own.
            let plain = thread && !is_nested(cx, caller_tgid);
            let status = (!plain).then(|| proc::status(&cx.task(tid))).flatten();
            (thread, status)
        }
    };
    Born {
        tid,
        kind: if thread { Kind::Thread } else { Kind::Process },
        status,
        of_dead: None,
    }
}

/// Whether a process lies in a pid namespace below ours.
fn is_nested<K: Kernel>(cx: &Context<K>, tgid: Tid) -> bool {
    let first = cx.table.group(tgid).and_then(|g| g.members.first());
    let tracee = first.and_then(|&tid| cx.table.get(tid));
    tracee.is_some_and(|tracee| tracee.nested)
}

/// Tells of a created task. `None`: it was told before, without its creator, and is there already.
pub fn created<K: Kernel>(
    cx: &mut Context<K>,
    mut pending: Pending,
    born: &Born,
) -> Option<Newcomer> {
    let known = cx.known_orphan(born.tid);
    let id = known.unwrap_or_else(|| cx.ledger.new_task());
    let created = describe(cx, &pending, born, id);
    let (tgid, nested) = (created.tgid, created.ns_tids.is_some());
    pending.event.outcome = Outcome::Created(created);
    let (creator, child) = (cx.task(pending.event.tid), cx.task(born.tid));
    for observer in &mut cx.observers {
        observer.born(&creator, &child, &mut pending.event);
    }
    let outcome = pending.event.outcome.clone();
    if known.is_some() {
        cx.conclude_known(pending, outcome, true);
        if let Some(tracee) = cx.table.get_mut(born.tid) {
            tracee.orphan = false;
        }
        return None;
    }
    let caller = pending.event.tid;
    let lineage = cx.table.lineage(caller) | born.of_dead.unwrap_or_default();
    let tracee = Tracee {
        born_ns: Some(cx.now_ns()),
        full: lineage.full,
        started: lineage.started,
        awaited: true,
        mend: pending.edit.take(),
        nested,
        init: is_init(born.status.as_ref()),
        ..Tracee::new(id, tgid, born.kind)
    };
    let pauses = pending.decoded.flags.contains(flags::CLONE_VFORK) && born.of_dead.is_none();
    cx.conclude(pending, outcome);
    let pauses = pauses.then_some(caller);
    Some(Newcomer { tracee, pauses })
}

/// What the event says of a created task.
fn describe<K: Kernel>(cx: &Context<K>, pending: &Pending, born: &Born, id: TaskId) -> Created {
    let caller_tgid = pending.event.tgid;
    let status = born.status.as_ref();
    let untraced = pending.decoded.flags.contains(flags::CLONE_UNTRACED);
    Created {
        task: id,
        tid: born.tid,
        tgid: match born.kind {
            Kind::Thread => caller_tgid,
            Kind::Process => status.and_then(|s| s.tgid).unwrap_or(born.tid),
        },
        kind: born.kind,
        ns_tids: status
            .map(|s| s.ns_tids.clone())
            .filter(|tids| tids.len() > 1),
        parent: other_parent(cx, &pending.decoded, born, caller_tgid),
        untraced: untraced.then(|| "cleared".to_owned()),
        seen_by: born.of_dead.is_some().then(|| "child".to_owned()),
        flags_contradicted: contradicted(&pending.decoded, born.kind),
    }
}

/// The parent of a newborn, where that is not the caller's process: CLONE_PARENT makes it a
/// sibling (kernel/fork.c, copy_process).
fn other_parent<K: Kernel>(
    cx: &Context<K>,
    decoded: &Decoded,
    born: &Born,
    caller_tgid: Tid,
) -> Option<Option<TaskId>> {
    let sibling = decoded.flags.contains(flags::CLONE_PARENT);
    let ppid = born.status.as_ref().and_then(|status| status.ppid)?;
    if !sibling || born.kind == Kind::Thread || ppid == caller_tgid {
        return None;
    }
    Some(cx.table.group(ppid).map(|group| group.main))
}

/// Tells of a task that no seen call made, with what /proc says of it; the answer is to be completed
/// and taken in. (A thread that the kernel made for io_uring or vhost is told as that, however it was
/// found.)
pub fn unseen_birth<K: Kernel>(
    cx: &mut Context<K>,
    tid: Tid,
    tgid: Tid,
    status: &Status,
    how: How,
) -> Tracee {
    let task = cx.task(tid);
    let stat = proc::stat(&task);
    let (comm, comm_hex) = proc::comm(&task).unwrap_or_default();
    let worker = stat.as_ref().is_some_and(|stat| stat.worker);
    let kind = if tid == tgid {
        Kind::Process
    } else {
        Kind::Thread
    };
    let ns_tids = (status.ns_tids.len() > 1).then(|| status.ns_tids.clone());
    let id = cx.ledger.new_task();
    let tracee = Tracee {
        nested: ns_tids.is_some(),
        init: is_init(Some(status)),
        ..Tracee::new(id, tgid, kind)
    };
    // Of an attached process any thread can be the first that is seen.
    let new_process = match how {
        How::Attached => cx.table.group(tgid).is_none(),
        _ => kind == Kind::Process,
    };
    let line = Appeared {
        tid,
        tgid,
        ppid: status.ppid,
        kind,
        comm,
        comm_hex,
        how: if worker { How::Worker } else { how },
        start_ticks: stat.map(|stat| stat.start_ticks),
        ns_tids,
    };
    let at_ns = cx.now_ns();
    cx.ledger.unseen_birth(at_ns, id, line, new_process);
    tracee
}

/// Tells of a task whose creator cannot be told: its process is known, the thread is not. The answer
/// is to be taken in.
pub fn orphan<K: Kernel>(cx: &mut Context<K>, tid: Tid, status: &Status, how: How) -> Tracee {
    let tgid = status.tgid.unwrap_or(tid);
    // Whatever its creator was, it was of one of these.
    let groups = [Some(tgid), status.ppid];
    let lineage = groups
        .iter()
        .filter_map(|&group| cx.table.group(group?))
        .flat_map(|group| &group.members)
        .map(|&tid| cx.table.lineage(tid))
        .fold(Lineage::default(), |all, one| all | one);
    Tracee {
        full: lineage.full,
        started: lineage.started,
        awaited: true,
        orphan: true,
        ..unseen_birth(cx, tid, tgid, status, how)
    }
}

/// Whether a task belongs to the init of a pid namespace below ours.
fn is_init(status: Option<&Status>) -> bool {
    status.is_some_and(|s| s.ns_tgids.len() > 1 && s.ns_tgids.last() == Some(&1))
}

/// The flag whose effect is not what the kernel did.
fn contradicted(decoded: &Decoded, kind: Kind) -> Vec<String> {
    let readable = decoded.request.flags_raw.is_some();
    let thread = decoded.flags.contains(flags::CLONE_THREAD);
    if readable && thread != (kind == Kind::Thread) {
        return vec![flags::CLONE_THREAD.to_string()];
    }
    Vec::new()
}
