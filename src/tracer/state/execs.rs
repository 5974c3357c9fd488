//! What an exec ends: the calls of its process, and, where a thread exec'd, its leader.

use std::collections::BTreeMap;

use crate::event::{EventKind, Exec, Kind, Tid};
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::tracee::Stopped;

use super::context::Context;
use super::newborns::Newborns;
use super::restarts::Restarts;
use super::table::{Lineage, Tracee};

/// A thread that is not the leader exec'd: it takes the leader's tid. Neither the old leader's end
/// nor the former tid's is ever reported (fs/exec.c, de_thread). The answer is the thread, which is
/// to be taken in under the leader's tid; `None`: it was not known.
pub fn take_over<K: Kernel>(
    cx: &mut Context<K>,
    restarts: &mut Restarts,
    newborns: &mut Newborns<K>,
    tgid: Tid,
    former: Tid,
) -> Option<Tracee> {
    let at_ns = cx.now_ns();
    let of_group = |tracee: &Tracee| tracee.tgid == tgid;
    let retired = cx.table.retired.get(&former).is_some_and(of_group);
    // The former tid may belong to another process by now; that one stays.
    let known = cx.table.get(former).is_some_and(of_group);
    let mut tracee = if retired {
        cx.table.retired.remove(&former)
    } else if known {
        cx.unfinished(restarts.close(former));
        cx.table.remove(former)
    } else {
        None
    }?;
    let call = cx.table.take_call(tgid);
    if let Some(leader) = cx.table.remove(tgid) {
        if let Some(call) = call {
            newborns.call_died(cx, call, None, Lineage::from(&tracee));
        }
        cx.replaced(tgid, &leader, at_ns);
    }
    tracee.kind = Kind::Process;
    if let Some(call) = tracee.call.take() {
        newborns.call_died(cx, *call, None, Lineage::from(&tracee));
    }
    Some(tracee)
}

/// At an exec all calls of the process are over, the old leader's included.
pub fn close_calls<K: Kernel>(cx: &mut Context<K>, newborns: &mut Newborns<K>, tgid: Tid) {
    let Some(group) = cx.table.group(tgid) else {
        return;
    };
    let members = group.members.iter().copied();
    let callers: Vec<Tid> = members
        .filter(|tid| cx.table.calling.contains(tid))
        .collect();
    for tid in callers {
        let lineage = cx.table.lineage(tid);
        if let Some(call) = cx.table.take_call(tid) {
            newborns.call_died(cx, call, None, lineage);
        }
    }
    newborns.close_thread_calls(cx, tgid);
}

/// Tells of an exec; `false`: the task is not known.
pub fn tell<K: Kernel>(cx: &mut Context<K>, task: &Stopped<K>, former: Tid) -> bool {
    let tid = task.tid();
    let at_ns = cx.now_ns();
    let Some(tracee) = cx.table.get_mut(tid) else {
        return false;
    };
    // An interrupted sandboxing or call cannot go on in the new program.
    tracee.sandboxing = None;
    let id = tracee.id;
    let mut event = Exec {
        former_tid: (former != tid).then_some(former),
        ..Exec::unread(tid, tid)
    };
    for observer in &mut cx.observers {
        observer.exec(task.peek(), &mut event);
    }
    cx.ledger.tell(at_ns, id, EventKind::Exec(event));
    true
}

/// Tasks whose tid was given away before their exec was reported, and whose process has ended.
pub fn close_retired<K: Kernel>(cx: &mut Context<K>, tgid: Tid) {
    let at_ns = cx.now_ns();
    let (over, open): (BTreeMap<_, _>, _) = std::mem::take(&mut cx.table.retired)
        .into_iter()
        .partition(|(_, tracee)| tracee.tgid == tgid);
    cx.table.retired = open;
    for (tid, tracee) in over {
        cx.ended(tid, &tracee, None, None, at_ns);
    }
}
