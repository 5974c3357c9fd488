//! What every part of the state may use: the kernel, the table of tasks, the ledger, the observers.

use std::rc::Rc;

use crate::abi::Abi;
use crate::event::{
    Blind, Detach, Ending, EventKind, Exit, Extras, Gap, Intercept, Obstacle, Outcome, Status,
    TaskId, Tid, lossy,
};
use crate::ledger::Ledger;
use crate::observe::{self, Observer};
use crate::proc::Stat;
use crate::sys::Request;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::Handled;
use crate::tracer::kernel::tracee::Stopped;

use super::exit_stops::ExitStops;
use super::pending::Pending;
use super::table::{Table, Tracee};

/// What is used by all.
pub struct Context<K: Kernel> {
    pub kernel: Rc<K>,
    pub table: Table,
    pub ledger: Ledger,
    pub observers: Vec<Box<dyn Observer>>,
    pub exit_stops: ExitStops,
    /// The ABIs that this machine runs.
    pub abis: Vec<&'static Abi>,
    /// How calls are caught.
    pub intercept: Intercept,
}

impl<K: Kernel> Context<K> {
    /// Nobody is traced yet.
    pub fn new(kernel: K, intercept: Intercept, abis: Vec<&'static Abi>, record: &Extras) -> Self {
        Self {
            kernel: Rc::new(kernel),
            table: Table::default(),
            ledger: Ledger::default(),
            observers: observe::observers(record),
            exit_stops: ExitStops::default(),
            abis,
            intercept,
        }
    }

    /// A view of a task.
    pub fn task(&self, tid: Tid) -> K::Task {
        self.kernel.task(tid)
    }

    /// Nanoseconds since the trace began.
    pub fn now_ns(&self) -> u64 {
        self.kernel.now_ns()
    }

    /// How a task goes on outside of the calls that matter.
    fn pace(&self, tid: Tid) -> Request {
        match self.table.get(tid) {
            Some(tracee) if tracee.full => Request::Syscall,
            _ => Request::Cont,
        }
    }

    /// Lets a task go on.
    pub fn go_on(&self, task: Stopped<K>) -> Handled {
        let how = self.pace(task.tid());
        task.resume(how, 0)
    }

    /// Lets a task go on with the signal that it was stopped for.
    pub fn deliver(&mut self, task: Stopped<K>, signal: i32) -> Handled {
        let how = self.pace(task.tid());
        if let Some(tracee) = self.table.get_mut(task.tid()) {
            tracee.signal = Some(signal);
        }
        task.resume(how, signal)
    }

    /// Asks a stopped task, once, to stop before its end too, where that is wanted.
    pub fn ask_for_exit_stop(&mut self, task: &Stopped<K>) -> Handled {
        let Some(options) = self.exit_stops.options else {
            return Ok(());
        };
        let Some(tracee) = self.table.get_mut(task.tid()) else {
            return Ok(());
        };
        if std::mem::replace(&mut tracee.stops_before_end, true) {
            return Ok(());
        }
        let started = tracee.started;
        let filtered = started && self.intercept == Intercept::Seccomp;
        let exit_kill = filtered || (started && !options.until_main);
        task.stop_before_end(exit_kill, filtered)
    }

    /// Whether a task cannot be let go alive: without a tracer its calls would fail with ENOSYS.
    pub fn carries_filter(&self, tracee: &Tracee) -> bool {
        tracee.started && self.intercept == Intercept::Seccomp
    }

    /// Whether a task's calls are seen only by the kernel's events.
    pub fn enters_unseen(&self, tid: Tid) -> bool {
        let tracee = self.table.get(tid);
        tracee.is_some_and(|tracee| !tracee.full && !self.carries_filter(tracee))
    }

    /// Whether a tid that is known now belongs to somebody else: only an exec by a thread that is
    /// not the leader frees a tid that we have not reaped.
    pub fn changed_hands(&self, tid: Tid) -> bool {
        self.table.get(tid).is_some_and(|tracee| {
            tracee.tgid != tid && !tracee.awaited && !self.kernel.same_group(tracee.tgid, tid)
        })
    }

    /// The number of a task that was told without a creator, and is still there under its tid.
    pub fn known_orphan(&self, tid: Tid) -> Option<TaskId> {
        let tracee = self.table.get(tid).filter(|tracee| tracee.orphan)?;
        (!self.changed_hands(tid)).then_some(tracee.id)
    }

    /// Tells of a call with its outcome.
    pub fn conclude(&mut self, pending: Pending, outcome: Outcome) {
        self.conclude_known(pending, outcome, false);
    }

    /// The same, where what the call made may have been told already.
    pub fn conclude_known(&mut self, mut pending: Pending, outcome: Outcome, known: bool) {
        if !matches!(outcome, Outcome::Unfinished {})
            && let Some(entered) = pending.entered_ns
        {
            pending.event.took_ns = Some(self.now_ns().saturating_sub(entered));
        }
        pending.event.outcome = outcome;
        let (at_ns, task) = (pending.at_ns, pending.task);
        self.ledger.call(at_ns, task, pending.event, known);
    }

    /// Tells of calls of which nothing more will be heard.
    pub fn unfinished(&mut self, calls: impl IntoIterator<Item = Pending>) {
        for pending in calls {
            self.conclude(pending, Outcome::Unfinished {});
        }
    }

    /// Tells of something that cannot be seen.
    pub fn blind(&mut self, task: TaskId, tid: Tid, what: Vec<Gap>, why: Obstacle) {
        let at_ns = self.now_ns();
        let kind = EventKind::Blind(Blind { tid, what, why });
        self.ledger.tell(at_ns, task, kind);
    }

    /// Tells of the end of a task that has left the table.
    pub fn ended(
        &mut self,
        tid: Tid,
        tracee: &Tracee,
        status: Option<Status>,
        stat: Option<&Stat>,
        at_ns: u64,
    ) {
        let (comm, comm_hex) = match stat {
            Some(stat) => {
                let (comm, hex) = lossy(&stat.comm);
                (Some(comm), hex)
            }
            None => (None, None),
        };
        let leader = tid == tracee.tgid;
        let how = super::endings::how(tracee, leader, status.as_ref(), stat);
        let last = leader && status.is_some();
        let mut exit = Exit {
            tid,
            tgid: tracee.tgid,
            comm,
            comm_hex,
            how,
            last,
            status,
            lived_ns: tracee.born_ns.map(|born| at_ns.saturating_sub(born)),
            usage: None,
            unreaped: self.exit_stops.ended(tid, tracee.tgid, last),
        };
        let task = self.task(tid);
        for observer in &mut self.observers {
            observer.exit(&task, &mut exit);
        }
        self.ledger.tell(at_ns, tracee.id, EventKind::Exit(exit));
    }

    /// Everybody is let go.
    pub fn detached(&mut self) {
        let at_ns = self.now_ns();
        for tid in self.table.tids() {
            if let Some(tracee) = self.table.remove(tid) {
                let kind = EventKind::Detach(Detach { tid });
                self.ledger.tell(at_ns, tracee.id, kind);
            }
        }
    }

    /// Tells of the end of a leader whom a thread has replaced by its exec.
    pub fn replaced(&mut self, tgid: Tid, leader: &Tracee, at_ns: u64) {
        let exit = Exit {
            tid: tgid,
            tgid,
            comm: None,
            comm_hex: None,
            how: Ending::Replaced,
            status: None,
            last: false,
            lived_ns: leader.born_ns.map(|born| at_ns.saturating_sub(born)),
            usage: None,
            unreaped: None,
        };
        self.ledger.tell(at_ns, leader.id, EventKind::Exit(exit));
    }
}
