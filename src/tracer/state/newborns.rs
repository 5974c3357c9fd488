//! Newborns whose creator's event has not come.
//!
//! A newborn's first stop is often reported before its creator's event. Resumed at once, it can
//! run, end and be reaped before the event is read, and its tid be used again; so it is parked
//! until the event, or until its creator is known to have died inside the call. Then who made it
//! is worked out from what it inherited: the call's number, arguments and registers.

pub mod inherited;
mod match_score;
mod unseen;

use std::collections::BTreeMap;

use crate::abi::flags::{self, CloneFlags};
use crate::decode;
use crate::event::{How, Kind, Outcome, Status, Tid};
use crate::proc::{self, Stat};
use crate::sys::Request;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::{Answer, Handled, Refused};
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;

use super::births::Born;
use super::context::Context;
use super::pending::Pending;
use super::table::Lineage;
use inherited::{DeadCall, Inherited};
use match_score::{came_by_itself, contradicts, fits, match_score, may_be_group, related};

/// Calls of dead callers that are kept for a newborn that may yet come.
const MOST_DEAD_CALLS: usize = 256;

/// A newborn at its first stop.
struct Parked<K: Kernel> {
    stopped: Stopped<K>,
    stop: Stop,
    inherited: Option<Inherited>,
}

/// A task whose end was reported before anybody told of its creation.
pub struct Tombstone {
    tid: Tid,
    /// How it ended.
    pub end: Status,
    /// Its ids; the rest only where it was asked before it ended.
    inherited: Inherited,
    /// What it was while it was a zombie.
    pub stat: Option<Stat>,
    /// When its end was reported.
    pub at_ns: u64,
}

/// Who made a newborn that no event will tell of.
pub enum Maker {
    /// A call whose caller died inside.
    Dead(Box<Pending>, Born),
    /// It cannot be told.
    Unknown(Tid, proc::Status, How),
}

/// A newborn whose creation was told: what is to be done with it now.
pub enum Released<K: Kernel> {
    /// It waits at its first stop.
    FirstStop(Stopped<K>, Stop),
    /// It has ended meanwhile.
    Ended(Box<Tombstone>),
    /// It has not stopped yet.
    NotYet,
}

/// How far a look at all newborns has come.
#[derive(Default)]
pub struct Progress {
    /// The parked ones that are still to be looked at, the next one last.
    parked: Option<Vec<Tid>>,
    /// How many tombstones stay.
    tombstones: usize,
}

/// All of them.
pub struct Newborns<K: Kernel> {
    parked: BTreeMap<Tid, Parked<K>>,
    tombstones: Vec<Tombstone>,
    dead_calls: Vec<DeadCall>,
}

impl<K: Kernel> Default for Newborns<K> {
    fn default() -> Self {
        Self {
            parked: BTreeMap::new(),
            tombstones: Vec::new(),
            dead_calls: Vec::new(),
        }
    }
}

impl<K: Kernel> Newborns<K> {
    /// How many tasks are parked.
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// What was read of a task of this tid that has ended; the oldest, if the tid was used again.
    pub fn tombstone_status(&self, tid: Tid) -> Option<proc::Status> {
        let tombstone = self.tombstones.iter().find(|one| one.tid == tid)?;
        Some(tombstone.inherited.status.clone())
    }

    /// A stop of a task that nobody has told of.
    pub fn arrived(&mut self, stopped: Stopped<K>, stop: Stop) {
        let parked = Parked {
            stop,
            inherited: None,
            stopped,
        };
        self.parked.insert(parked.stopped.tid(), parked);
    }

    /// The end of a task that nobody has told of. It is still readable.
    pub fn ended(&mut self, cx: &Context<K>, tid: Tid, end: Status) {
        let known = self.parked.remove(&tid).and_then(|one| one.inherited);
        let inherited = known.unwrap_or_else(|| Inherited {
            status: proc::status(&cx.task(tid)).unwrap_or_default(),
            ..Inherited::default()
        });
        let own = cx.kernel.own_tid();
        if inherited.status.tracer.is_some_and(|tracer| tracer != own) {
            // A child of ours that nobody traces: as the init of a pid namespace (a container's first
            // program) clonespy is given orphans of strangers. It is reaped, and nobody's news.
            return;
        }
        let stat = proc::stat(&cx.task(tid));
        self.bury(cx, tid, end, inherited, stat);
    }

    /// The same of one that is reaped already.
    pub fn ended_and_reaped(
        &mut self,
        cx: &Context<K>,
        tid: Tid,
        end: Status,
        status: proc::Status,
        stat: Option<Stat>,
    ) {
        let inherited = Inherited {
            status,
            ..Inherited::default()
        };
        self.bury(cx, tid, end, inherited, stat);
    }

    fn bury(
        &mut self,
        cx: &Context<K>,
        tid: Tid,
        end: Status,
        inherited: Inherited,
        stat: Option<Stat>,
    ) {
        self.tombstones.push(Tombstone {
            tid,
            end,
            inherited,
            stat,
            at_ns: cx.now_ns(),
        });
    }

    /// A task's creation was told: what is known of it leaves here.
    pub fn release(&mut self, tid: Tid) -> Released<K> {
        if let Some(index) = self.tombstones.iter().position(|one| one.tid == tid) {
            return Released::Ended(Box::new(self.tombstones.remove(index)));
        }
        match self.parked.remove(&tid) {
            Some(parked) => Released::FirstStop(parked.stopped, parked.stop),
            None => Released::NotYet,
        }
    }

    /// A caller died inside its call: a newborn may yet tell of it.
    pub fn call_died(
        &mut self,
        cx: &mut Context<K>,
        pending: Pending,
        ppid: Option<Tid>,
        caller: Lineage,
    ) {
        if pending.restarting {
            // It was not inside, but about to call again.
            cx.conclude(pending, Outcome::Unfinished {});
            return;
        }
        self.dead_calls.push(DeadCall {
            pending,
            ppid,
            caller,
        });
        if self.dead_calls.len() > MOST_DEAD_CALLS {
            let oldest = self.dead_calls.remove(0);
            cx.conclude(oldest.pending, Outcome::Unfinished {});
        }
    }

    /// The last task of a group was reaped (or its exec was reported): its threads' calls for
    /// threads can have made nobody that has not been seen.
    pub fn close_thread_calls(&mut self, cx: &mut Context<K>, tgid: Tid) {
        let thread = flags::CLONE_THREAD;
        let (over, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.dead_calls)
            .into_iter()
            .partition(|dead| {
                dead.pending.event.tgid == tgid && dead.pending.decoded.flags.contains(thread)
            });
        self.dead_calls = open;
        cx.unfinished(over.into_iter().map(|dead| dead.pending));
    }

    /// The end of the trace: calls that nobody will tell of any more.
    pub fn close_calls(&mut self, cx: &mut Context<K>) {
        let open = std::mem::take(&mut self.dead_calls);
        cx.unfinished(open.into_iter().map(|dead| dead.pending));
    }

    /// Works out who made the newborns that no live call can have made: the next one of them, until
    /// there is none. What it answers is to be told before it is asked again.
    ///
    /// # Errors
    /// A request that this kernel does not have.
    pub fn settle(
        &mut self,
        cx: &mut Context<K>,
        progress: &mut Progress,
    ) -> Answer<Option<Maker>> {
        if progress.parked.is_none() && !self.is_due(cx) {
            return Ok(None);
        }
        let mut parked = progress
            .parked
            .take()
            .unwrap_or_else(|| self.parked.keys().rev().copied().collect());
        let settled = self.settle_parked(cx, &mut parked);
        progress.parked = Some(parked);
        match settled? {
            None => Ok(self.settle_tombstone(cx, &mut progress.tombstones)),
            maker => Ok(maker),
        }
    }

    /// Whether there is anybody whose event may never come.
    fn is_due(&self, cx: &Context<K>) -> bool {
        let any = !self.parked.is_empty() || !self.tombstones.is_empty();
        any && (!self.dead_calls.is_empty()
            || !self.tombstones.is_empty()
            || cx.table.calling.is_empty())
    }

    /// The next of them whose maker can be worked out; they are taken off as they are looked at.
    fn settle_parked(&mut self, cx: &Context<K>, tids: &mut Vec<Tid>) -> Answer<Option<Maker>> {
        while let Some(tid) = tids.pop() {
            match self.look_at_parked(tid) {
                Ok(()) => {}
                // It was killed: its end will be reported.
                Err(Refused::Gone) => continue,
                Err(refused) => return Err(refused),
            }
            let parked = self.parked.get(&tid);
            let Some(inherited) = parked.and_then(|one| one.inherited.clone()) else {
                continue;
            };
            let flags = || self.inherited_flags(&inherited);
            if unseen::may_be_told(cx, tid, &inherited, flags) {
                continue;
            }
            let how = match flags() {
                Some(flags) if came_by_itself(flags) => How::Ptrace,
                _ => How::Orphan,
            };
            return Ok(Some(self.maker(tid, &inherited, how)));
        }
        Ok(None)
    }

    fn look_at_parked(&mut self, tid: Tid) -> Handled {
        let Some(parked) = self.parked.get_mut(&tid) else {
            return Ok(());
        };
        if parked.inherited.is_none() {
            let task = &parked.stopped;
            let info = task.syscall_info()?;
            parked.inherited = Some(Inherited {
                call: proc::syscall(task.peek(), info.arch),
                registers: task.registers()?,
                status: proc::status(task.peek()).unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// The flags of the call that a parked newborn came from, as far as it shows them.
    fn inherited_flags(&self, inherited: &Inherited) -> Option<CloneFlags> {
        let call = inherited.call.as_ref()?;
        let parked = self
            .parked
            .values()
            .find(|one| one.inherited.as_ref().and_then(|i| i.call.as_ref()) == Some(call))?;
        let decoded = decode::decode(parked.stopped.peek(), call)?;
        Some(decoded.flags)
    }

    /// The next ended task that no live call can have made, and after how many that stay.
    fn settle_tombstone(&mut self, cx: &Context<K>, index: &mut usize) -> Option<Maker> {
        while let Some(tombstone) = self.tombstones.get(*index) {
            let (tid, inherited) = (tombstone.tid, tombstone.inherited.clone());
            let waiting = unseen::may_be_told_of_ended(cx, tid, &inherited, || {
                self.inherited_flags(&inherited)
            });
            if waiting || cx.table.get(tid).is_some() {
                *index += 1;
                continue;
            }
            return Some(self.maker(tid, &inherited, How::Orphan));
        }
        None
    }

    /// A tombstone of which nothing will be told any more, at the end of the trace.
    pub fn unsettled(&self) -> Option<(Tid, proc::Status)> {
        let tombstone = self.tombstones.first()?;
        Some((tombstone.tid, tombstone.inherited.status.clone()))
    }

    fn maker(&mut self, tid: Tid, inherited: &Inherited, how: How) -> Maker {
        let status = inherited.status.clone();
        let Some(dead) = self.best_dead_call(tid, inherited) else {
            return Maker::Unknown(tid, status, how);
        };
        let thread = status.tgid.is_some_and(|tgid| tgid != tid);
        let born = Born {
            tid,
            kind: if thread { Kind::Thread } else { Kind::Process },
            status: Some(status),
            of_dead: Some(dead.caller),
        };
        Maker::Dead(Box::new(dead.pending), born)
    }

    fn best_dead_call(&mut self, tid: Tid, inherited: &Inherited) -> Option<DeadCall> {
        let calls = self.dead_calls.iter().enumerate();
        let may_be = |dead: &DeadCall| {
            let (call, status) = (&dead.pending, &inherited.status);
            match inherited.call {
                Some(_) => fits(call, inherited) && may_be_group(tid, call, inherited),
                None => related(tid, call, status) && !contradicts(tid, call, status),
            }
        };
        let ranks = calls
            .filter(|(_, dead)| may_be(dead))
            .map(|(index, dead)| (match_score(tid, dead, inherited), index));
        let (best, index) = ranks.clone().max()?;
        if inherited.call.is_none() && ranks.filter(|(rank, _)| *rank == best).count() > 1 {
            // Nothing but ids, and they fit several: a guess would take another newborn's call.
            return None;
        }
        Some(self.dead_calls.remove(index))
    }

    /// Lets parked newborns go on, where nothing more is waited for.
    pub fn release_all(&mut self) {
        for (_, parked) in std::mem::take(&mut self.parked) {
            let how = match parked.stop {
                Stop::Group(_) => Request::Listen,
                _ => Request::Cont,
            };
            let _ = parked.stopped.resume(how, 0);
        }
    }

    /// Forgets the parked ones: the trace has ended.
    pub fn forget_parked(&mut self) {
        self.parked.clear();
    }
}
