//! Newborns whose creator's event has not come.
//!
//! A newborn's first stop is often reported before its creator's event. Resumed at once, it can
//! run, end and be reaped before the event is read, and its tid be used again; so it is parked
//! until the event, or until its creator is known to have died inside the call. Then who made it
//! is worked out from what it inherited: the call's number, arguments and registers.

use std::collections::BTreeMap;

use crate::abi::flags;
use crate::event::{Appeared, Event, How, Intercept, Kind, Outcome, TaskId, Tid};
use crate::peek::Syscall;
use crate::sys::{Registers, Request};

use super::calls::{Born, is_init};
use super::kernel::Kernel;
use super::table::{Pending, Tracee};
use super::tracee::Stopped;
use super::wait::Stop;
use super::{Handled, Tracer, facts};

/// Calls of dead callers that are kept for a newborn that may yet come.
const MOST_DEAD_CALLS: usize = 256;

/// A newborn at its first stop.
struct Parked<K> {
    stopped: Stopped<K>,
    stop: Stop,
    facts: Option<Facts>,
}

/// What a newborn inherited.
#[derive(Clone, Debug, Default)]
struct Facts {
    call: Option<Syscall>,
    registers: Option<Registers>,
    status: facts::Status,
}

/// A task whose end was reported before anybody told of its creation.
struct Tombstone {
    tid: Tid,
    end: crate::event::Status,
    /// Its ids; the rest only where it was asked before it ended.
    facts: Facts,
    stat: Option<facts::Stat>,
    at_ns: u64,
}

/// A call whose caller died inside.
struct DeadCall {
    pending: Pending,
    ppid: Option<Tid>,
    full: bool,
    started: bool,
}

/// What a task hands down to those that it creates.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lineage {
    /// It stops at every system call.
    pub full: bool,
    /// It descends from the program that clonespy started.
    pub started: bool,
}

impl From<&Tracee> for Lineage {
    fn from(tracee: &Tracee) -> Self {
        Self {
            full: tracee.full,
            started: tracee.started,
        }
    }
}

/// All of them.
pub(super) struct Nursery<K> {
    parked: BTreeMap<Tid, Parked<K>>,
    tombstones: Vec<Tombstone>,
    dead_calls: Vec<DeadCall>,
}

impl<K> Default for Nursery<K> {
    fn default() -> Self {
        Self {
            parked: BTreeMap::new(),
            tombstones: Vec::new(),
            dead_calls: Vec::new(),
        }
    }
}

impl<K> Nursery<K> {
    /// How many tasks are parked.
    pub fn len(&self) -> usize {
        self.parked.len()
    }

    /// What was read of a task of this tid that has ended; the oldest, if the tid was used again.
    pub fn tombstone_status(&self, tid: Tid) -> Option<facts::Status> {
        let tombstone = self
            .tombstones
            .iter()
            .find(|tombstone| tombstone.tid == tid)?;
        Some(tombstone.facts.status.clone())
    }
}

impl<K: Kernel> Tracer<K> {
    /// A stop of a task that nobody has told of.
    pub(super) fn arrived(&mut self, stopped: Stopped<K>, stop: Stop) -> Handled {
        let tid = stopped.tid();
        self.nursery.parked.insert(
            tid,
            Parked {
                stopped,
                stop,
                facts: None,
            },
        );
        Ok(())
    }

    /// The end of a task that nobody has told of. It is still readable.
    pub(super) fn ended_unknown(&mut self, tid: Tid, end: crate::event::Status) {
        let known = self
            .nursery
            .parked
            .remove(&tid)
            .and_then(|parked| parked.facts);
        let facts = known.unwrap_or_else(|| Facts {
            status: facts::status(&self.eye(tid)).unwrap_or_default(),
            ..Facts::default()
        });
        let stat = facts::stat(&self.eye(tid));
        let at_ns = self.kernel.now_ns();
        self.nursery.tombstones.push(Tombstone {
            tid,
            end,
            facts,
            stat,
            at_ns,
        });
    }

    /// A task's creation was told: if it waits at its first stop it may go on, and if it has ended
    /// already its end is told.
    pub(super) fn release_newborn(&mut self, tid: Tid) -> Handled {
        let grave = self
            .nursery
            .tombstones
            .iter()
            .position(|tombstone| tombstone.tid == tid);
        if let Some(index) = grave {
            let dead = self.nursery.tombstones.remove(index);
            if let Some(tracee) = self.table.remove(tid) {
                self.tell_exit(tid, &tracee, Some(dead.end), dead.stat.as_ref(), dead.at_ns);
            }
            return Ok(());
        }
        let Some(parked) = self.nursery.parked.remove(&tid) else {
            return Ok(());
        };
        if let Some(tracee) = self.table.get_mut(tid) {
            tracee.awaited = false;
        }
        self.first_stop(parked.stopped, &parked.stop)
    }

    /// A known newborn at its first stop: nothing of it has run yet.
    pub(super) fn first_stop(&mut self, task: Stopped<K>, stop: &Stop) -> Handled {
        let tid = task.tid();
        if let Some(edit) = self
            .table
            .get_mut(tid)
            .and_then(|tracee| tracee.mend.take())
        {
            self.put_back(&task, &edit)?;
        }
        match stop {
            // It joined a group that is stopped (kernel/fork.c, task_join_group_stop).
            Stop::Group(_) => task.resume(Request::Listen, 0),
            Stop::Signal(signal) => self.deliver(task, *signal),
            _ => self.go_on(task),
        }
    }

    /// A caller died inside its call: a newborn may yet tell of it.
    pub(super) fn call_died(&mut self, pending: Pending, ppid: Option<Tid>, caller: Lineage) {
        if pending.restarting {
            // It was not inside, but about to call again.
            self.conclude(pending, Outcome::Unfinished {});
            return;
        }
        let Lineage { full, started } = caller;
        self.nursery.dead_calls.push(DeadCall {
            pending,
            ppid,
            full,
            started,
        });
        if self.nursery.dead_calls.len() > MOST_DEAD_CALLS {
            let oldest = self.nursery.dead_calls.remove(0);
            self.conclude(oldest.pending, Outcome::Unfinished {});
        }
    }

    /// The last task of a group was reaped (or its exec was reported): its threads' calls for
    /// threads can have made nobody that has not been seen.
    pub(super) fn close_thread_calls(&mut self, tgid: Tid) {
        let thread = flags::CLONE_THREAD;
        let (over, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.nursery.dead_calls)
            .into_iter()
            .partition(|dead| {
                dead.pending.event.tgid == tgid && dead.pending.decoded.flags.contains(thread)
            });
        self.nursery.dead_calls = open;
        for dead in over {
            self.conclude(dead.pending, Outcome::Unfinished {});
        }
    }

    /// Works out who made the newborns that no live call can have made.
    pub(super) fn settle(&mut self) -> Handled {
        let nursery = &self.nursery;
        if nursery.parked.is_empty() && nursery.tombstones.is_empty() {
            return Ok(());
        }
        let suspicious = !nursery.dead_calls.is_empty()
            || !nursery.tombstones.is_empty()
            || self.table.calling.is_empty();
        if !suspicious {
            return Ok(());
        }
        let tids: Vec<Tid> = nursery.parked.keys().copied().collect();
        for tid in tids {
            match self.settle_parked(tid) {
                // It was killed: its end will be reported.
                Err(super::Refused::Gone) | Ok(()) => {}
                other => return other,
            }
        }
        self.settle_tombstones()
    }

    fn settle_parked(&mut self, tid: Tid) -> Handled {
        self.look_at_parked(tid)?;
        let Some(parked) = self.nursery.parked.get(&tid) else {
            return Ok(());
        };
        let Some(facts) = parked.facts.clone() else {
            return Ok(());
        };
        if self.may_still_be_told(tid, &facts) {
            return Ok(());
        }
        match self.best_dead_call(tid, &facts) {
            Some(dead) => self.made_by_dead(tid, dead, facts.status),
            None => self.orphan(tid, &facts.status, self.how_unseen(&facts)),
        }
        self.release_newborn(tid)
    }

    fn look_at_parked(&mut self, tid: Tid) -> Handled {
        let Some(parked) = self.nursery.parked.get_mut(&tid) else {
            return Ok(());
        };
        if parked.facts.is_none() {
            let info = self.kernel.syscall_info(tid)?;
            parked.facts = Some(Facts {
                call: facts::syscall(parked.stopped.eye(), info.arch),
                registers: self.kernel.registers(tid)?,
                status: facts::status(parked.stopped.eye()).unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Whether a live task can be the creator, whose event is then still to come: one that was seen
    /// to enter a call that fits, or one that cannot be seen to enter calls.
    fn may_still_be_told(&self, tid: Tid, facts: &Facts) -> bool {
        self.table.calling.iter().any(|&caller| {
            let call = self
                .table
                .get(caller)
                .and_then(|tracee| tracee.call.as_ref());
            call.is_some_and(|p| !p.restarting && fits(p, facts) && may_be_group(tid, p, facts))
        }) || self.creator_may_live(tid, facts)
    }

    /// Without entry stops: a live task of the creator's group that is in one of the calls, or
    /// runs. (CLONE_UNTRACED with CLONE_PTRACE attaches a newborn without any event.)
    fn creator_may_live(&self, tid: Tid, facts: &Facts) -> bool {
        let flags = self.inherited_flags(facts);
        if flags.is_some_and(came_by_itself) {
            return false;
        }
        let status = &facts.status;
        let thread = status.tgid != Some(tid);
        let Some(group) = (if thread { status.tgid } else { status.ppid }) else {
            return false;
        };
        if self.group_may_be_in_call(group, tid) {
            return true;
        }
        // CLONE_PARENT makes a sibling of the caller's process.
        let sibling = !thread && flags.is_none_or(|flags| flags.contains(flags::CLONE_PARENT));
        sibling
            && self.table.tgids().any(|tgid| {
                let of_same_parent =
                    || facts::status(&self.eye(tgid)).is_some_and(|s| s.ppid == Some(group));
                tgid != group && self.group_may_be_in_call(tgid, tid) && of_same_parent()
            })
    }

    fn group_may_be_in_call(&self, tgid: Tid, newborn: Tid) -> bool {
        self.table.group(tgid).is_some_and(|group| {
            group.members.iter().any(|&member| {
                member != newborn && self.enters_unseen(member) && self.may_be_in_call(member)
            })
        })
    }

    /// Whether a task's calls are seen only by the kernel's events.
    fn enters_unseen(&self, tid: Tid) -> bool {
        self.table.get(tid).is_some_and(|tracee| {
            let filtered = tracee.started && self.intercept == Intercept::Seccomp;
            !tracee.full && !filtered
        })
    }

    fn may_be_in_call(&self, tid: Tid) -> bool {
        let Ok(bytes) = self.kernel.proc_file(tid, "syscall") else {
            return false;
        };
        let text = String::from_utf8_lossy(&bytes);
        let number = text
            .split_ascii_whitespace()
            .next()
            .and_then(|nr| nr.parse::<u64>().ok());
        match number {
            Some(nr) => self.abis.iter().any(|abi| abi.call(nr).is_some()),
            None => text.starts_with("running"),
        }
    }

    /// How a task came about that no event told of.
    fn how_unseen(&self, facts: &Facts) -> How {
        match self.inherited_flags(facts) {
            Some(flags) if came_by_itself(flags) => How::Ptrace,
            _ => How::Orphan,
        }
    }

    /// The flags of the call that a parked newborn came from, as far as it shows them.
    fn inherited_flags(&self, facts: &Facts) -> Option<flags::CloneFlags> {
        let call = facts.call.as_ref()?;
        let parked = self
            .nursery
            .parked
            .values()
            .find(|parked| parked.facts.as_ref().and_then(|f| f.call.as_ref()) == Some(call))?;
        let decoded = crate::decode::decode(parked.stopped.eye(), call)?;
        Some(decoded.flags)
    }

    fn best_dead_call(&mut self, tid: Tid, facts: &Facts) -> Option<DeadCall> {
        let calls = &self.nursery.dead_calls;
        let ranks = calls
            .iter()
            .enumerate()
            .filter(|(_, dead)| match facts.call {
                Some(_) => fits(&dead.pending, facts) && may_be_group(tid, &dead.pending, facts),
                None => {
                    related(tid, &dead.pending, &facts.status)
                        && !contradicts(tid, &dead.pending, &facts.status)
                }
            })
            .map(|(index, dead)| (kinship(tid, dead, facts), index));
        let (best, index) = ranks.clone().max()?;
        if facts.call.is_none() && ranks.filter(|(rank, _)| *rank == best).count() > 1 {
            // Nothing but ids, and they fit several: a guess would take another newborn's call.
            return None;
        }
        Some(self.nursery.dead_calls.remove(index))
    }

    fn made_by_dead(&mut self, tid: Tid, dead: DeadCall, status: facts::Status) {
        let thread = status.tgid.is_some_and(|tgid| tgid != tid);
        let born = Born {
            tid,
            kind: if thread { Kind::Thread } else { Kind::Process },
            status: Some(status),
            seen_by_child: true,
            full: dead.full,
            started: dead.started,
        };
        self.created(dead.pending, born);
    }

    /// A task whose creator cannot be told: its process is known, the thread is not.
    fn orphan(&mut self, tid: Tid, status: &facts::Status, how: How) {
        let tgid = status.tgid.unwrap_or(tid);
        let kind = if tgid == tid {
            Kind::Process
        } else {
            Kind::Thread
        };
        let eye = self.eye(tid);
        let stat = facts::stat(&eye);
        let (comm, comm_hex) = facts::comm(&eye);
        let how = if stat.as_ref().is_some_and(|stat| stat.worker) {
            How::Worker
        } else {
            how
        };
        let task = self.new_id();
        let ns_tids = (status.ns_tids.len() > 1).then(|| status.ns_tids.clone());
        let at_ns = self.kernel.now_ns();
        // Whatever its creator was, it was of one of these.
        let groups = [Some(tgid), status.ppid];
        let relatives: Vec<&Tracee> = groups
            .iter()
            .filter_map(|&group| self.table.group(group?))
            .flat_map(|group| &group.members)
            .filter_map(|&tid| self.table.get(tid))
            .collect();
        let full = relatives.iter().any(|tracee| tracee.full);
        let started = relatives.iter().any(|tracee| tracee.started);
        let tracee = Tracee {
            full,
            started,
            awaited: true,
            nested: ns_tids.is_some(),
            init: is_init(Some(status)),
            orphan: true,
            ..Tracee::new(task, tgid, kind)
        };
        let (ppid, start_ticks) = (status.ppid, stat.map(|stat| stat.start_ticks));
        self.count_task(kind);
        self.emit(|seq| {
            Event::Task(Appeared {
                seq,
                at_ns,
                task,
                tid,
                tgid,
                ppid,
                kind,
                comm,
                comm_hex,
                how,
                start_ticks,
                ns_tids,
            })
        });
        self.adopt(tid, tracee);
    }

    /// The number of a task that was told without a creator, and is still there under its tid.
    pub(super) fn told_as_orphan(&self, tid: Tid) -> Option<TaskId> {
        let tracee = self.table.get(tid).filter(|tracee| tracee.orphan)?;
        (!self.changed_hands(tid)).then_some(tracee.id)
    }

    /// An event named a newborn, and its call cannot be told: it is taken in all the same.
    pub(super) fn told_without_call(&mut self, tid: Tid) {
        if tid <= 0 || self.told_as_orphan(tid).is_some() {
            return;
        }
        let status = self
            .nursery
            .tombstone_status(tid)
            .or_else(|| facts::status(&self.eye(tid)))
            .unwrap_or_default();
        self.orphan(tid, &status, How::Orphan);
        // Killed while it was parked: its end will be reported.
        let _ = self.release_newborn(tid);
    }

    /// Ended tasks that no live call can have made.
    fn settle_tombstones(&mut self) -> Handled {
        let mut index = 0;
        while let Some(tombstone) = self.nursery.tombstones.get(index) {
            let (tid, facts) = (tombstone.tid, tombstone.facts.clone());
            let status = facts.status.clone();
            let waiting = self.table.calling.iter().any(|&caller| {
                let call = self
                    .table
                    .get(caller)
                    .and_then(|tracee| tracee.call.as_ref());
                call.is_some_and(|call| !call.restarting && related(tid, call, &status))
            });
            let waiting = waiting || self.creator_may_live(tid, &facts);
            if waiting || self.table.get(tid).is_some() {
                index += 1;
                continue;
            }
            match self.best_dead_call(tid, &facts) {
                Some(dead) => self.made_by_dead(tid, dead, status),
                None => self.orphan(tid, &status, How::Orphan),
            }
            self.release_newborn(tid)?;
        }
        Ok(())
    }

    /// Lets parked newborns go on, where nothing more is waited for.
    pub(super) fn release_all_parked(&mut self) {
        for (_, parked) in std::mem::take(&mut self.nursery.parked) {
            let how = match parked.stop {
                Stop::Group(_) => Request::Listen,
                _ => Request::Cont,
            };
            let _ = parked.stopped.resume(how, 0);
        }
    }

    /// The end of the trace: what is still open stays without an answer, and is told so.
    pub(super) fn close_open(&mut self) {
        for dead in std::mem::take(&mut self.nursery.dead_calls) {
            self.conclude(dead.pending, Outcome::Unfinished {});
        }
        while let Some(tombstone) = self.nursery.tombstones.first() {
            let (tid, status) = (tombstone.tid, tombstone.facts.status.clone());
            self.orphan(tid, &status, How::Orphan);
            // A tombstone leaves nothing to resume.
            let _ = self.release_newborn(tid);
        }
        self.nursery.parked.clear();
        let at_ns = self.kernel.now_ns();
        for (tid, tracee) in std::mem::take(&mut self.table.retired) {
            self.tell_exit(tid, &tracee, None, None, at_ns);
        }
        for tid in self.table.tids() {
            self.close_shelved(tid);
            if let Some(pending) = self.table.take_call(tid) {
                self.conclude(pending, Outcome::Unfinished {});
            }
            if let Some(tracee) = self.table.remove(tid) {
                self.tell_exit(tid, &tracee, None, None, at_ns);
            }
        }
    }
}

/// CLONE_UNTRACED with CLONE_PTRACE attaches a newborn without any event.
fn came_by_itself(flags: flags::CloneFlags) -> bool {
    flags.contains(flags::CLONE_UNTRACED) && flags.contains(flags::CLONE_PTRACE)
}

/// Whether a newborn can have come from a call: it has copies of the caller's registers. What could
/// not be read excludes nothing.
fn fits(pending: &Pending, facts: &Facts) -> bool {
    let Some(call) = &facts.call else { return true };
    let saved = match (&pending.registers, &facts.registers) {
        (Some(caller), Some(newborn)) => caller.saved == newborn.saved,
        _ => true,
    };
    call.nr == pending.syscall.nr
        && call.args == pending.args_now()
        && call.ip == pending.syscall.ip
        && saved
}

/// A thread is of its creator's group.
fn may_be_group(tid: Tid, pending: &Pending, facts: &Facts) -> bool {
    let tgid = facts.status.tgid;
    tgid.is_none_or(|tgid| tgid == tid || tgid == pending.event.tgid)
}

/// Whether a newborn's ids contradict the call's flags: a thread has its creator's tgid, and a
/// process has not. (Flags that could not be read, or that another thread changed, contradict
/// nothing.)
fn contradicts(tid: Tid, pending: &Pending, status: &facts::Status) -> bool {
    let Some(tgid) = status.tgid else {
        return false;
    };
    let asked = pending.decoded.flags.contains(flags::CLONE_THREAD);
    let readable = pending.decoded.request.flags_raw.is_some();
    readable && asked != (tgid != tid)
}

/// How well a newborn's ids fit a dead call, and whether that asked for such a one; then the same
/// stack pointer and thread pointer.
fn kinship(tid: Tid, dead: &DeadCall, facts: &Facts) -> (u8, bool, bool, bool) {
    let status = &facts.status;
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
    let sp = facts
        .call
        .as_ref()
        .is_some_and(|call| call.sp == dead.pending.syscall.sp);
    let tls = match (&facts.registers, &dead.pending.registers) {
        (Some(newborn), Some(caller)) => newborn.tls == caller.tls,
        _ => false,
    };
    let asked = !contradicts(tid, &dead.pending, status);
    (ids, asked, sp, tls)
}

/// Whether a task of which only its ids are known can have come from a call.
fn related(tid: Tid, pending: &Pending, status: &facts::Status) -> bool {
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
