//! Newborns whose creator's event has not come.
//!
//! A newborn's first stop is often reported before its creator's event. Resumed at once, it can
//! run, end and be reaped before the event is read, and its tid be used again; so it is parked
//! until the event, or until its creator is known to have died inside the call. Then who made it
//! is worked out from what it inherited: the call's number, arguments and registers.

mod match_score;
mod unseen;

use std::collections::BTreeMap;

use crate::abi::flags;
use crate::event::{How, Kind, Outcome, Tid};
use crate::peek::Syscall;
use crate::sys::{Registers, Request};

use crate::proc;
use crate::tracer::Handled;
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;
use crate::tracer::state::created::Born;
use crate::tracer::state::table::{Lineage, Pending};
use match_score::{contradicts, fits, kinship, may_be_group, related};

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
    status: proc::Status,
}

/// A task whose end was reported before anybody told of its creation.
struct Tombstone {
    tid: Tid,
    end: crate::event::Status,
    /// Its ids; the rest only where it was asked before it ended.
    facts: Facts,
    stat: Option<proc::Stat>,
    at_ns: u64,
}

/// A call whose caller died inside.
struct DeadCall {
    pending: Pending,
    ppid: Option<Tid>,
    caller: Lineage,
}

/// All of them.
pub(in crate::tracer) struct Nursery<K> {
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
    pub fn tombstone_status(&self, tid: Tid) -> Option<proc::Status> {
        let tombstone = self
            .tombstones
            .iter()
            .find(|tombstone| tombstone.tid == tid)?;
        Some(tombstone.facts.status.clone())
    }
}

impl<K: Kernel> Tracer<K> {
    /// A stop of a task that nobody has told of.
    pub(in crate::tracer) fn arrived(&mut self, stopped: Stopped<K>, stop: Stop) -> Handled {
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
    pub(in crate::tracer) fn ended_unknown(&mut self, tid: Tid, end: crate::event::Status) {
        let known = self
            .nursery
            .parked
            .remove(&tid)
            .and_then(|parked| parked.facts);
        let facts = known.unwrap_or_else(|| Facts {
            status: proc::status(&self.eye(tid)).unwrap_or_default(),
            ..Facts::default()
        });
        let own = self.kernel.own_tid();
        if facts.status.tracer.is_some_and(|tracer| tracer != own) {
            // A child of ours that nobody traces: as the init of a pid namespace (a container's first
            // program) clonespy is given orphans of strangers. It is reaped, and nobody's news.
            return;
        }
        let stat = proc::stat(&self.eye(tid));
        let at_ns = self.kernel.now_ns();
        self.nursery.tombstones.push(Tombstone {
            tid,
            end,
            facts,
            stat,
            at_ns,
        });
    }

    /// The same of one that is reaped already.
    pub(in crate::tracer) fn bury(
        &mut self,
        tid: Tid,
        end: crate::event::Status,
        status: proc::Status,
        stat: Option<proc::Stat>,
    ) {
        let facts = Facts {
            status,
            ..Facts::default()
        };
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
    pub(in crate::tracer) fn release_newborn(&mut self, tid: Tid) -> Handled {
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
    pub(in crate::tracer) fn first_stop(&mut self, task: Stopped<K>, stop: &Stop) -> Handled {
        let tid = task.tid();
        self.ask_before_end(&task)?;
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
    pub(in crate::tracer) fn call_died(
        &mut self,
        pending: Pending,
        ppid: Option<Tid>,
        caller: Lineage,
    ) {
        if pending.restarting {
            // It was not inside, but about to call again.
            self.conclude(pending, Outcome::Unfinished {});
            return;
        }
        self.nursery.dead_calls.push(DeadCall {
            pending,
            ppid,
            caller,
        });
        if self.nursery.dead_calls.len() > MOST_DEAD_CALLS {
            let oldest = self.nursery.dead_calls.remove(0);
            self.conclude(oldest.pending, Outcome::Unfinished {});
        }
    }

    /// The last task of a group was reaped (or its exec was reported): its threads' calls for
    /// threads can have made nobody that has not been seen.
    pub(in crate::tracer) fn close_thread_calls(&mut self, tgid: Tid) {
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
    pub(in crate::tracer) fn settle(&mut self) -> Handled {
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
                Err(crate::tracer::kernel::Refused::Gone) | Ok(()) => {}
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
                call: proc::syscall(parked.stopped.eye(), info.arch),
                registers: self.kernel.registers(tid)?,
                status: proc::status(parked.stopped.eye()).unwrap_or_default(),
            });
        }
        Ok(())
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

    fn made_by_dead(&mut self, tid: Tid, dead: DeadCall, status: proc::Status) {
        let thread = status.tgid.is_some_and(|tgid| tgid != tid);
        let born = Born {
            tid,
            kind: if thread { Kind::Thread } else { Kind::Process },
            status: Some(status),
            of_dead: Some(dead.caller),
        };
        self.created(dead.pending, &born);
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
    pub(in crate::tracer) fn release_all_parked(&mut self) {
        for (_, parked) in std::mem::take(&mut self.nursery.parked) {
            let how = match parked.stop {
                Stop::Group(_) => Request::Listen,
                _ => Request::Cont,
            };
            let _ = parked.stopped.resume(how, 0);
        }
    }

    /// The end of the trace: what is still open stays without an answer, and is told so.
    pub(in crate::tracer) fn close_open(&mut self) {
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
