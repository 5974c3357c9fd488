//! From the entry of a call to its outcome.

use crate::abi::{self, errno, flags, signals};
use crate::decode::{self, Decoded};
use crate::event::{
    Call, CloneCall, Created, Event, Kind, Outcome, Reason, Request as Asked, TaskId, Tid,
};
use crate::peek::Syscall;
use crate::sys::{Op, Request, SyscallInfo};

use super::filter::TRACE_DATA;
use super::kernel::{Kernel, Refused};
use super::table::{Pending, Tracee};
use super::tracee::Stopped;
use super::wait::Stop;
use super::{Handled, Tracer, facts};

/// Results of a call that will be made again: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and
/// ERESTART_RESTARTBLOCK (include/linux/errno.h). The program never sees them; we do.
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;

/// Restarted calls of one task that wait for its handlers; a program that jumps out of every
/// handler would leave one behind each time.
const MOST_SHELVED: usize = 16;

/// A newborn, as the kernel has it.
pub(super) struct Born {
    /// Its tid.
    pub tid: Tid,
    /// Thread or process, by tgid.
    pub kind: Kind,
    /// Its status file, where it was read.
    pub status: Option<facts::Status>,
    /// Its creator died before its event: the newborn itself told of the call.
    pub seen_by_child: bool,
    /// Its creator stopped at every system call, and so must it. (A creator that is in the table
    /// is asked itself.)
    pub full: bool,
    /// Its creator descends from the program that clonespy started.
    pub started: bool,
}

impl<K: Kernel> Tracer<K> {
    /// The filter stopped a task at the entry of a call.
    pub(super) fn filter_stop(&mut self, task: Stopped<K>) -> Handled {
        let info = self.kernel.syscall_info(task.tid())?;
        let Op::Seccomp(words, data) = info.op else {
            return self.go_on(task);
        };
        let call = syscall(&info, words);
        let known = abi::arch::find(call.arch, call.nr);
        if known.is_some_and(|abi| abi.call(call.nr).is_some()) {
            // In syscall mode the entry stop before this one has seen to it.
            if !self
                .table
                .get(task.tid())
                .is_some_and(|t| t.full && !restarting(t) && same_call(t, &call))
            {
                self.enter(&task, call)?;
            }
            if data != TRACE_DATA {
                self.answer_enosys(&task)?;
            }
            return task.resume(Request::Syscall, 0);
        }
        match known {
            Some(abi) if data == TRACE_DATA => self.sandbox_call(task, abi, &call),
            _ => {
                self.answer_enosys(&task)?;
                self.go_on(task)
            }
        }
    }

    /// A stop at the entry or exit of any system call.
    pub(super) fn syscall_stop(&mut self, task: Stopped<K>) -> Handled {
        let info = self.kernel.syscall_info(task.tid())?;
        match info.op {
            Op::Entry(words) => {
                let call = syscall(&info, words);
                let known = abi::arch::find(call.arch, call.nr);
                if known.is_some_and(|abi| abi.call(call.nr).is_some()) {
                    self.enter(&task, call)?;
                }
                task.resume(Request::Syscall, 0)
            }
            Op::Exit(result, is_error) => {
                self.leave(&task, result, is_error)?;
                self.go_on(task)
            }
            _ => self.go_on(task),
        }
    }

    /// A task enters one of the four calls.
    fn enter(&mut self, task: &Stopped<K>, call: Syscall) -> Handled {
        let tid = task.tid();
        let again = self.table.get(tid).is_some_and(|t| same_call(t, &call));
        if again || self.back_from_handler(tid, &call) {
            return self.enter_again(task, call);
        }
        let Some(mut pending) = self.pend(task, call)? else {
            return Ok(());
        };
        let asked = self.kernel.registers(tid).and_then(|registers| {
            pending.registers = registers;
            self.hide_untraced(task, &call, &mut pending)
        });
        pending.entered_ns = Some(self.kernel.now_ns());
        // Also of a caller that was killed here: it called.
        self.table.set_call(tid, pending);
        asked
    }

    /// Takes CLONE_UNTRACED off a call that is entered with it.
    fn hide_untraced(&self, task: &Stopped<K>, call: &Syscall, pending: &mut Pending) -> Handled {
        if pending.decoded.flags.contains(flags::CLONE_UNTRACED) && pending.edit.is_none() {
            pending.edit = self.take_off_untraced(task, call, &pending.decoded)?;
            pending.escapes = pending.edit.is_none();
        }
        Ok(())
    }

    /// A restarted call waits while a handler runs, which may call too. Says whether the task is back
    /// at such a call, and makes that its present one.
    fn back_from_handler(&mut self, tid: Tid, call: &Syscall) -> bool {
        let mut shelf = self.table.take_shelved(tid);
        if let Some(pending) = self.table.take_call(tid) {
            if pending.restarting {
                shelf.push(pending);
            } else {
                self.conclude(pending, Outcome::Unfinished {});
            }
        }
        let found = shelf.iter().rposition(|pending| same(pending, call));
        // Those further in were left by a jump out of their handlers.
        let kept = found.map_or(shelf.len(), |index| index + 1);
        for left in shelf.split_off(kept) {
            self.conclude(left, Outcome::Unfinished {});
        }
        if found.is_some()
            && let Some(pending) = shelf.pop()
        {
            self.table.set_call(tid, pending);
        }
        let most = shelf.len().saturating_sub(MOST_SHELVED);
        for oldest in shelf.drain(..most) {
            self.conclude(oldest, Outcome::Unfinished {});
        }
        for pending in shelf {
            self.table.shelve(tid, pending);
        }
        found.is_some()
    }

    /// Calls that will not be made again: the task has ended, or runs another program.
    pub(super) fn close_shelved(&mut self, tid: Tid) {
        for pending in self.table.take_shelved(tid) {
            self.conclude(pending, Outcome::Unfinished {});
        }
    }

    /// A restarted call is one call: it keeps its first entry.
    fn enter_again(&mut self, task: &Stopped<K>, call: Syscall) -> Handled {
        let tid = task.tid();
        let Some(mut pending) = self.table.take_call(tid) else {
            return Ok(());
        };
        pending.restarting = false;
        // A handler may have written something else where the arguments point.
        if let Some(decoded) = decode::decode(task.eye(), &call) {
            pending.event.request = decoded.request.clone();
            pending.decoded = decoded;
        }
        let hidden = self.hide_untraced(task, &call, &mut pending);
        self.table.set_call(tid, pending);
        hidden
    }

    /// Decodes a call into an event without an outcome.
    fn pend(&mut self, task: &Stopped<K>, call: Syscall) -> Result<Option<Pending>, Refused> {
        let tid = task.tid();
        let at_ns = self.kernel.now_ns();
        let Some(decoded) = decode::decode(task.eye(), &call) else {
            return Ok(None);
        };
        let (comm, comm_hex) = facts::comm(task.eye());
        let Some(tracee) = self.table.get(tid) else {
            return Ok(None);
        };
        let mut event = Box::new(CloneCall {
            seq: 0,
            at_ns,
            took_ns: None,
            task: tracee.id,
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
        for observer in &mut self.observers {
            observer.entered(task.eye(), &mut event);
        }
        Ok(Some(Pending {
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

    /// A system call returned.
    fn leave(&mut self, task: &Stopped<K>, result: i64, is_error: bool) -> Handled {
        let tid = task.tid();
        self.sandbox_returned(tid, result, is_error);
        let Some(mut pending) = self.table.take_call(tid) else {
            return Ok(());
        };
        // Killed here, its result is known all the same.
        let mended = match pending.edit.take() {
            Some(edit) => self.put_back(task, &edit),
            None => Ok(()),
        };
        if is_error && RESTARTS.contains(&result) {
            pending.restarting = true;
            self.table.set_call(tid, pending);
        } else if is_error {
            self.failed(task, pending, result);
        } else if result == 0 {
            // RET_ERRNO with 0. A caller never gets 0 from the kernel: no task has that tid.
            let text = "a seccomp filter of the program answered with 0, as if the call had \
                        succeeded: the kernel never saw it";
            self.conclude(pending, refused_by_filter("errno 0", text));
        } else if pending.escapes {
            let untraced = Tid::try_from(result).ok();
            self.conclude(pending, Outcome::Untraced { tid: untraced });
        } else {
            // Under RET_TRAP and RET_KILL the result is the call's number (kernel/seccomp.c,
            // syscall_rollback); what happened shows at the next report.
            pending.odd = Some(result);
            self.table.set_call(tid, pending);
        }
        mended
    }

    fn failed(&mut self, task: &Stopped<K>, mut pending: Pending, result: i64) {
        let code = i32::try_from(-result).unwrap_or(i32::MAX);
        let errno = errno::name(code).map_or_else(|| format!("errno {code}"), str::to_owned);
        pending.event.outcome = Outcome::Failed {
            errno,
            code,
            reasons: Vec::new(),
        };
        for observer in &mut self.observers {
            observer.failed(task.eye(), &mut pending.event);
        }
        let outcome = pending.event.outcome.clone();
        self.conclude(pending, outcome);
    }

    /// What a positive result without an event meant.
    pub(super) fn odd_result(&mut self, tid: Tid, stop: &Stop) {
        let Some(pending) = self.table.take_call(tid) else {
            return;
        };
        let sigsys = signals::number("SIGSYS");
        let outcome = match stop {
            Stop::Signal(signal) if Some(*signal) == sigsys => refused_by_filter(
                "SIGSYS",
                "a seccomp filter of the program answered with SIGSYS (RET_TRAP): the kernel never \
                 saw the call",
            ),
            Stop::Gone(_) => refused_by_filter(
                "SIGSYS",
                "a seccomp filter of the program killed the caller (RET_KILL): the kernel never \
                 saw the call",
            ),
            _ => Outcome::Untraced {
                tid: pending.odd.and_then(|tid| Tid::try_from(tid).ok()),
            },
        };
        self.conclude(pending, outcome);
    }

    /// The event FORK, VFORK or CLONE: the call has made a task.
    pub(super) fn new_task(&mut self, task: Stopped<K>) -> Handled {
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
                self.created(pending, born);
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
        match facts::syscall(task.eye(), info.arch) {
            Some(call) => self.pend(task, call),
            None => Ok(None),
        }
    }

    /// Asks the kernel what a newborn is.
    fn look_at_newborn(&self, caller_tgid: Tid, tid: Tid) -> Born {
        if let Some(status) = self.nursery.tombstone_status(tid) {
            let thread = status.tgid == Some(caller_tgid) && tid != caller_tgid;
            let kind = if thread { Kind::Thread } else { Kind::Process };
            return Born {
                tid,
                kind,
                status: Some(status),
                seen_by_child: false,
                full: false,
                started: false,
            };
        }
        let thread = self.kernel.same_group(caller_tgid, tid);
        let nested = self.table.group(caller_tgid).is_some_and(|group| {
            group
                .members
                .first()
                .and_then(|&t| self.table.get(t))
                .is_some_and(|t| t.nested)
        });
        // A thread lies where its process does; a process may lie in a namespace of its own.
        let status = if thread && !nested {
            None
        } else {
            facts::status(&self.eye(tid))
        };
        let kind = if thread { Kind::Thread } else { Kind::Process };
        Born {
            tid,
            kind,
            status,
            seen_by_child: false,
            full: false,
            started: false,
        }
    }

    /// Tells of a created task and takes it in.
    pub(super) fn created(&mut self, mut pending: Pending, born: Born) {
        let told = self.told_as_orphan(born.tid);
        let id = told.unwrap_or_else(|| self.new_id());
        let caller = self.table.get(pending.event.tid);
        let full = born.full || caller.is_some_and(|t| t.full);
        let started = born.started || caller.is_some_and(|t| t.started);
        let caller_tgid = pending.event.tgid;
        let tgid = match born.kind {
            Kind::Thread => caller_tgid,
            Kind::Process => born
                .status
                .as_ref()
                .and_then(|s| s.tgid)
                .unwrap_or(born.tid),
        };
        let ns_tids = born
            .status
            .as_ref()
            .map(|s| s.ns_tids.clone())
            .filter(|l| l.len() > 1);
        let untraced = pending.decoded.flags.contains(flags::CLONE_UNTRACED);
        let created = Created {
            task: id,
            tid: born.tid,
            tgid,
            kind: born.kind,
            ns_tids: ns_tids.clone(),
            parent: self.other_parent(&pending.decoded, &born, caller_tgid),
            untraced: untraced.then(|| "cleared".to_owned()),
            seen_by: born.seen_by_child.then(|| "child".to_owned()),
            flags_contradicted: contradicted(&pending.decoded, born.kind),
        };
        pending.event.outcome = Outcome::Created(created);
        let (creator, child) = (self.eye(pending.event.tid), self.eye(born.tid));
        for observer in &mut self.observers {
            observer.born(&creator, &child, &mut pending.event);
        }
        if told.is_some() {
            let outcome = pending.event.outcome.clone();
            self.conclude(pending, outcome);
            if let Some(tracee) = self.table.get_mut(born.tid) {
                tracee.orphan = false;
            }
            return;
        }
        let now = self.kernel.now_ns();
        let tracee = Tracee {
            born_ns: Some(now),
            full,
            started,
            awaited: true,
            mend: pending.edit.take(),
            nested: ns_tids.is_some(),
            init: is_init(born.status.as_ref()),
            ..Tracee::new(id, tgid, born.kind)
        };
        self.count_task(born.kind);
        let outcome = pending.event.outcome.clone();
        let paused = pending.decoded.flags.contains(flags::CLONE_VFORK) && !born.seen_by_child;
        let caller = pending.event.tid;
        self.conclude(pending, outcome);
        self.adopt(born.tid, tracee);
        if paused {
            self.vfork_begins(caller, born.tid);
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

    /// Tells of a call with its outcome.
    pub(super) fn conclude(&mut self, mut pending: Pending, outcome: Outcome) {
        let call: Call = pending.event.request.call;
        *self.totals.calls.entry(call.name().to_owned()).or_default() += 1;
        match &outcome {
            Outcome::Created(_) => self.totals.created += 1,
            Outcome::Failed { .. } => self.totals.failed += 1,
            Outcome::Untraced { .. } => self.totals.untraced += 1,
            Outcome::Unfinished {} | Outcome::Other(_) => self.totals.unfinished += 1,
        }
        if !matches!(outcome, Outcome::Unfinished {})
            && let Some(entered) = pending.entered_ns
        {
            pending.event.took_ns = Some(self.kernel.now_ns().saturating_sub(entered));
        }
        pending.event.outcome = outcome;
        self.emit(|seq| {
            pending.event.seq = seq;
            Event::Clone(pending.event)
        });
    }
}

/// Whether a task belongs to the init of a pid namespace below ours.
pub(super) fn is_init(status: Option<&facts::Status>) -> bool {
    status.is_some_and(|s| s.ns_tgids.len() > 1 && s.ns_tgids.last() == Some(&1))
}

fn syscall(info: &SyscallInfo, words: [u64; 7]) -> Syscall {
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

/// Whether a task enters a call that it is known to be in: restarted, or seen at two stops.
fn same_call(tracee: &Tracee, call: &Syscall) -> bool {
    tracee.call.as_ref().is_some_and(|known| same(known, call))
}

fn same(pending: &Pending, call: &Syscall) -> bool {
    let was = &pending.syscall;
    pending.odd.is_none()
        && was.nr == call.nr
        && (was.args == call.args || pending.args_now() == call.args)
        && was.sp == call.sp
}

fn restarting(tracee: &Tracee) -> bool {
    tracee.call.as_ref().is_some_and(|call| call.restarting)
}

/// The flag whose effect is not what the kernel did.
fn contradicted(decoded: &Decoded, kind: Kind) -> Vec<String> {
    let asked: &Asked = &decoded.request;
    let readable = asked.flags_raw.is_some();
    let thread = decoded.flags.contains(flags::CLONE_THREAD);
    if readable && thread != (kind == Kind::Thread) {
        return vec!["CLONE_THREAD".to_owned()];
    }
    Vec::new()
}

fn refused_by_filter(name: &str, text: &str) -> Outcome {
    Outcome::Failed {
        errno: name.to_owned(),
        code: 0,
        reasons: vec![Reason {
            rule: "program-filter".to_owned(),
            certainty: crate::event::Certainty::Certain,
            text: text.to_owned(),
            evidence: std::collections::BTreeMap::new(),
        }],
    }
}
