//! A call has made a task: what the kernel made, how that is told, and its place in the table.

use crate::abi::flags;
use crate::decode::{self, Decoded};
use crate::event::{Created, Kind, Outcome, TaskId, Tid};

use crate::proc;
use crate::tracer::Handled;
use crate::tracer::Tracer;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::{Kernel, Refused};
use crate::tracer::state::table::{Lineage, Pending, Tracee};

/// A newborn, as the kernel has it.
pub(in crate::tracer) struct Born {
    /// Its tid.
    pub tid: Tid,
    /// Thread or process, by tgid.
    pub kind: Kind,
    /// Its status file, where it was read.
    pub status: Option<proc::Status>,
    /// Its creator died before its event, and this is what it handed down: the newborn itself told
    /// of the call. `None`: the creator told, and is asked itself.
    pub of_dead: Option<Lineage>,
}

impl<K: Kernel> Tracer<K> {
    /// The event FORK, VFORK or CLONE: the call has made a task.
    pub(in crate::tracer) fn new_task(&mut self, task: Stopped<K>) -> Handled {
        let tid = task.tid();
        let child = self.kernel.event_message(tid)?;
        let Some(mut pending) = self.call_behind(&task)? else {
            self.told_without_call(Tid::try_from(child).unwrap_or(0));
            return self.go_on(task);
        };
        let mut mended = Ok(());
        if let Some(edit) = &mut pending.edit {
            // Killed here, it goes by what it made all the same.
            mended = self.put_back(&task, edit);
            if pending.decoded.flags.contains(flags::CLONE_VM) {
                // The memory is one. Mended again at the newborn's first stop it would undo what
                // the caller has written there since.
                edit.memory = None;
            }
        }
        pending.event.wrote = decode::wrote(task.eye(), &pending.decoded);
        match Tid::try_from(child) {
            Ok(child) if child > 0 => {
                let born = self.look_at_newborn(pending.event.tgid, child);
                self.created(pending, &born);
                self.table.has_created(tid);
                self.kernel.expect(child);
                self.kernel.expect(tid);
                match self.release_newborn(child) {
                    // Killed while it was parked: its end will be reported. Its creator goes on.
                    Ok(()) | Err(Refused::Gone) => {}
                    refused => return refused,
                }
            }
            // Not visible in our pid namespace: it cannot be followed.
            _ => self.conclude(pending, Outcome::Untraced { tid: None }),
        }
        mended?;
        self.go_on(task)
    }

    /// The call that an event belongs to: noted at its entry, or, where there was no entry stop,
    /// read now.
    fn call_behind(&mut self, task: &Stopped<K>) -> Result<Option<Pending>, Refused> {
        if let Some(pending) = self.table.take_call(task.tid()) {
            return Ok(Some(pending));
        }
        let info = self.kernel.syscall_info(task.tid())?;
        match proc::syscall(task.eye(), info.arch) {
            Some(call) => self.pend(task, call),
            None => Ok(None),
        }
    }

    /// Asks the kernel what a newborn is.
    fn look_at_newborn(&self, caller_tgid: Tid, tid: Tid) -> Born {
        let (thread, status) = match self.nursery.tombstone_status(tid) {
            Some(status) => {
                let thread = status.tgid == Some(caller_tgid) && tid != caller_tgid;
                (thread, Some(status))
            }
            None => {
                let thread = self.kernel.same_group(caller_tgid, tid);
                // A thread lies where its process does; a process may lie in a namespace of its own.
                let plain = thread && !self.is_nested(caller_tgid);
                let status = (!plain).then(|| proc::status(&self.eye(tid))).flatten();
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
    fn is_nested(&self, tgid: Tid) -> bool {
        let first = self.table.group(tgid).and_then(|g| g.members.first());
        first
            .and_then(|&tid| self.table.get(tid))
            .is_some_and(|tracee| tracee.nested)
    }

    /// Tells of a created task and takes it in.
    pub(in crate::tracer) fn created(&mut self, mut pending: Pending, born: &Born) {
        let told = self.told_as_orphan(born.tid);
        let id = told.unwrap_or_else(|| self.new_id());
        let created = self.describe_created(&pending, born, id);
        let (tgid, nested) = (created.tgid, created.ns_tids.is_some());
        pending.event.outcome = Outcome::Created(created);
        let (creator, child) = (self.eye(pending.event.tid), self.eye(born.tid));
        for observer in &mut self.observers {
            observer.born(&creator, &child, &mut pending.event);
        }
        let outcome = pending.event.outcome.clone();
        if told.is_some() {
            self.conclude(pending, outcome);
            if let Some(tracee) = self.table.get_mut(born.tid) {
                tracee.orphan = false;
            }
            return;
        }
        let caller = pending.event.tid;
        let of_caller = self.table.get(caller).map(Lineage::from);
        let lineage = of_caller.unwrap_or_default() | born.of_dead.unwrap_or_default();
        let tracee = Tracee {
            born_ns: Some(self.kernel.now_ns()),
            full: lineage.full,
            started: lineage.started,
            awaited: true,
            mend: pending.edit.take(),
            nested,
            init: is_init(born.status.as_ref()),
            ..Tracee::new(id, tgid, born.kind)
        };
        let pauses = pending.decoded.flags.contains(flags::CLONE_VFORK) && born.of_dead.is_none();
        self.count_task(born.kind);
        self.conclude(pending, outcome);
        self.adopt(born.tid, tracee);
        if pauses {
            self.vfork_begins(caller, born.tid);
        }
    }

    /// What the event says of a created task.
    fn describe_created(&self, pending: &Pending, born: &Born, id: TaskId) -> Created {
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
            parent: self.other_parent(&pending.decoded, born, caller_tgid),
            untraced: untraced.then(|| "cleared".to_owned()),
            seen_by: born.of_dead.is_some().then(|| "child".to_owned()),
            flags_contradicted: contradicted(&pending.decoded, born.kind),
        }
    }

    /// The parent of a newborn, where that is not the caller's process: CLONE_PARENT makes it a
    /// sibling (kernel/fork.c, copy_process).
    fn other_parent(
        &self,
        decoded: &Decoded,
        born: &Born,
        caller_tgid: Tid,
    ) -> Option<Option<TaskId>> {
        let asked = decoded.flags.contains(flags::CLONE_PARENT);
        let ppid = born.status.as_ref().and_then(|status| status.ppid)?;
        if !asked || born.kind == Kind::Thread || ppid == caller_tgid {
            return None;
        }
        Some(self.table.group(ppid).map(|group| group.main))
    }
}

/// Whether a task belongs to the init of a pid namespace below ours.
pub(in crate::tracer) fn is_init(status: Option<&proc::Status>) -> bool {
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
