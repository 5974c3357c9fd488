//! The ptrace loop: reports of stopped and ended tasks in, events out.
//!
//! One call, with the filter, is three stops: SECCOMP (the caller enters: decode), the event FORK,
//! VFORK or CLONE (the newborn has a tid: sort it by tgid, tell), and the newborn's own first stop.
//! A failed call is SECCOMP and the syscall-exit stop with its errno.
//!
//! | folder | answers |
//! |---|---|
//! | `start/` | how a program is started, how its calls are caught, what the trace says of itself |
//! | `attach/` | how running tasks are taken, or why not |
//! | `kernel/` | what is asked of the kernel, of whom, whose report comes next and what it means |
//! | `state/` | what is known of the tracees, one part each |

mod attach;
pub mod kernel;
mod start;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::abi::Abi;
use crate::error::{Error, Result};
use crate::event::{
    Blind, Cut, End, Event, EventKind, Gap, Header, Intercept, Kind, Obstacle, Stats, Status,
    TaskId, Tid, Totals,
};
use crate::observe::{self, Extra, Observer};
use crate::sys::{self, Report, Request, Spawned, What};

use self::kernel::wait;
use self::kernel::waiter::Woke;
use self::kernel::{Kernel, Refused};
use crate::tracer::kernel::live::Live;
use crate::tracer::kernel::tracee::{Eye, Stopped};
use crate::tracer::kernel::wait::Stop;
use crate::tracer::state::filters::Sync;
use crate::tracer::state::newborns::Nursery;
use crate::tracer::state::table::Lineage;
use crate::tracer::state::table::{Table, Tracee};
use crate::tracer::state::unreaped::Leaving;
use crate::tracer::state::vforks::Vforks;

pub use self::start::options::{Attach, Launch};
pub use crate::tracer::attach::{Traced, trace};
pub use crate::tracer::start::command::{Hook, hook, spawn_failure};

/// SIGKILL, on every architecture.
const SIGKILL: i32 = 9;

/// A request that failed in a way that leaves nothing to do.
fn broken(what: &str, why: std::io::Error) -> Error {
    Error::Trace {
        what: what.to_owned(),
        why,
        hint: None,
    }
}

/// What ends the handling of one stop early: [`Refused`], which is mostly "the task was killed".
type Handled = std::result::Result<(), Refused>;

/// A trace under way: an iterator of events, which ends when the last task has ended.
///
/// ptrace binds a tracee to the thread that seized it, so a tracer cannot change threads. Dropping
/// one that has not ended kills what it started.
pub struct Tracer<K: Kernel = Live> {
    kernel: Rc<K>,
    table: Table,
    nursery: Nursery<K>,
    syncs: BTreeMap<Tid, Sync<K>>,
    vforks: Vforks<K>,
    observers: Vec<Box<dyn Observer>>,
    /// The ABIs that this machine runs.
    abis: Vec<&'static Abi>,
    intercept: Intercept,
    /// Some tasks enter calls without a stop: newborns can come whose creator stays silent.
    unseen_entries: bool,
    start: Option<Starting>,
    root: Tid,
    status: Option<Status>,
    stops: BTreeMap<&'static str, u64>,
    tell_stats: bool,
    out: VecDeque<Event>,
    next_seq: u64,
    next_task: u64,
    totals: Totals,
    /// Running tasks that are to be traced as soon as the program has begun.
    also: Option<Attach>,
    until_main: bool,
    main_ended: bool,
    /// Why the trace ends before its tasks do: `timeout`, `interrupt`, `main ended`.
    cut: Option<Cut>,
    /// Tasks are to be let go as soon as all changes are put back.
    leaving: bool,
    leaving_tasks: Leaving,
    ended: bool,
    /// It broke: what is left is for [`Drop`].
    failed: bool,
}

/// The program between its fork and its exec.
struct Starting {
    child: Spawned,
    line: crate::event::Start,
    program: std::ffi::OsString,
    /// The host program spawned it and takes its status itself, should it end before its exec.
    hosted: bool,
}

impl<K: Kernel> Tracer<K> {
    fn new(kernel: K, intercept: Intercept, abis: Vec<&'static Abi>) -> Self {
        Self {
            kernel: Rc::new(kernel),
            table: Table::default(),
            nursery: Nursery::default(),
            syncs: BTreeMap::new(),
            vforks: Vforks::default(),
            observers: observe::standard(),
            abis,
            intercept,
            unseen_entries: intercept == Intercept::Event,
            start: None,
            root: 0,
            status: None,
            stops: BTreeMap::new(),
            tell_stats: false,
            out: VecDeque::new(),
            next_seq: 1,
            next_task: 1,
            totals: Totals::default(),
            also: None,
            until_main: false,
            main_ended: false,
            cut: None,
            leaving: false,
            leaving_tasks: Leaving::default(),
            ended: false,
            failed: false,
        }
    }

    /// Records which descriptors new programs inherit, if that is asked for.
    fn look_at_inherited(&mut self, asked: bool) {
        if asked {
            self.observers.extend(observe::extra(Extra::InheritedFds));
        }
    }

    /// Waits once and does what that asks for. `false`: nobody is left.
    fn step(&mut self) -> Result<bool> {
        // In a storm a wait never sleeps, and so is never interrupted.
        self.grant_wish();
        let restless = (self.unseen_entries && self.nursery.len() > 0) || self.vforks.holds();
        let woke = self
            .kernel
            .next_report(self.table.len() + self.nursery.len(), restless)
            .map_err(|why| broken("wait", why))?;
        let handled = match woke {
            Woke::Report(report) => self.report(report)?,
            Woke::Nobody => return Ok(false),
            Woke::Ending(signal) => {
                self.asked_to_end(signal);
                Ok(())
            }
            Woke::Deadline => {
                self.time_is_over();
                Ok(())
            }
            Woke::Handler => Ok(()),
            Woke::Idle => self.settle().and_then(|()| self.vfork_idle()),
        };
        match handled {
            Ok(()) | Err(Refused::Gone) => Ok(!self.ended),
            Err(Refused::Other(what, why)) => Err(broken(what, why)),
        }
    }

    /// Does what a report asks for.
    fn report(&mut self, report: Report) -> Result<Handled> {
        let stop = wait::classify(report.what);
        *self.stops.entry(stop.name()).or_default() += 1;
        let handled = match stop {
            Stop::Gone(status) => self.gone(report.tid, status)?,
            stop => self.stopped(Stopped::new(Rc::clone(&self.kernel), report.tid), stop),
        };
        // A task that was killed at its stop leaves work for the others all the same.
        if let Err(Refused::Other(..)) = handled {
            return Ok(handled);
        }
        let settled = self.settle();
        self.attach_also();
        self.leave_if_ready();
        Ok(settled)
    }

    fn stopped(&mut self, task: Stopped<K>, stop: Stop) -> Handled {
        let tid = task.tid();
        if self.replaced(tid, &stop) {
            return Ok(());
        }
        if stop == Stop::Leaving {
            return self.leaves(task);
        }
        // A newborn's first stop is one of these two.
        if matches!(stop, Stop::Trap | Stop::Group(_)) && self.changed_hands(tid) {
            self.retire(tid);
        }
        if self.sync_stop(tid) {
            self.release_synced(tid)?;
        }
        let Some(tracee) = self.table.get_mut(tid) else {
            return self.arrived(task, stop);
        };
        if tracee.awaited {
            tracee.awaited = false;
            return self.first_stop(task, &stop);
        }
        self.ask_before_end(&task)?;
        let Some(tracee) = self.table.get_mut(tid) else {
            return Ok(());
        };
        if tracee.call.as_ref().is_some_and(|call| call.odd.is_some()) {
            self.odd_result(tid, &stop);
        }
        let Some((task, stop)) = self.hold_vfork(task, stop) else {
            return Ok(());
        };
        match stop {
            Stop::Filter => self.filter_stop(task),
            Stop::Syscall => self.syscall_stop(task),
            Stop::NewTask => self.new_task(task),
            Stop::Exec => self.exec(task),
            Stop::Signal(signal) => self.signal_stop(task, signal),
            Stop::Group(_) => task.resume(Request::Listen, 0),
            Stop::Trap | Stop::Leaving | Stop::Unknown(_) => self.go_on(task),
            Stop::Gone(_) => Ok(()),
        }
    }

    fn signal_stop(&mut self, task: Stopped<K>, signal: i32) -> Handled {
        let tid = task.tid();
        if self.table.get(tid).is_some_and(|tracee| tracee.init) {
            match self.crashing_init(task, signal)? {
                Some(task) => return self.deliver(task, signal),
                None => return Ok(()),
            }
        }
        self.deliver(task, signal)
    }

    fn deliver(&mut self, task: Stopped<K>, signal: i32) -> Handled {
        let how = self.pace(task.tid());
        if let Some(tracee) = self.table.get_mut(task.tid()) {
            tracee.signal = Some(signal);
        }
        task.resume(how, signal)
    }

    /// How a task goes on outside of the calls that matter.
    fn pace(&self, tid: Tid) -> Request {
        match self.table.get(tid) {
            Some(tracee) if tracee.full => Request::Syscall,
            _ => Request::Cont,
        }
    }

    fn go_on(&self, task: Stopped<K>) -> Handled {
        let how = self.pace(task.tid());
        task.resume(how, 0)
    }

    fn eye(&self, tid: Tid) -> Eye<K> {
        Eye {
            kernel: Rc::clone(&self.kernel),
            tid,
        }
    }

    fn emit(&mut self, at_ns: u64, task: TaskId, kind: EventKind) {
        let seq = self.next_seq;
        self.next_seq += 1;
        let header = Header { seq, at_ns, task };
        self.out.push_back(Event { header, kind });
    }

    fn new_id(&mut self) -> TaskId {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        id
    }

    /// Counts a task that came into view.
    fn count_task(&mut self, kind: Kind) {
        self.totals.threads += 1;
        if kind == Kind::Process {
            self.totals.leaders += 1;
            self.totals.processes += 1;
        }
    }

    /// Takes in a task. One that is believed alive under the same tid must have ended unseen: an
    /// exec by a thread that is not the leader frees that thread's tid before the exec is reported
    /// (fs/exec.c, de_thread), so it is kept for the exec that will name it.
    fn adopt(&mut self, tid: Tid, tracee: Tracee) {
        self.retire(tid);
        self.table.insert(tid, tracee);
    }

    /// Keeps the task of this tid for the exec that will name it.
    fn retire(&mut self, tid: Tid) {
        self.close_shelved(tid);
        let Some(mut old) = self.table.remove(tid) else {
            return;
        };
        if let Some(call) = old.call.take() {
            self.call_died(*call, None, Lineage::from(&old));
        }
        if let Some(lost) = self.table.retired.insert(tid, old) {
            let at_ns = self.kernel.now_ns();
            self.tell_exit(tid, &lost, None, None, at_ns);
        }
    }

    /// Whether a tid that is known now belongs to somebody else: only an exec by a thread that is
    /// not the leader frees a tid that we have not reaped.
    fn changed_hands(&self, tid: Tid) -> bool {
        self.table.get(tid).is_some_and(|tracee| {
            tracee.tgid != tid && !tracee.awaited && !self.kernel.same_group(tracee.tgid, tid)
        })
    }

    /// Whether a stop was a leader's that a thread has replaced since by an exec (fs/exec.c,
    /// de_thread). Who has that tid now stands at its own EXEC stop, which is reported by itself;
    /// resumed for the sake of the old one, it never would be. (A SIGTRAP is not asked: a program
    /// can send itself one that looks like that.)
    fn replaced(&self, tid: Tid, stop: &Stop) -> bool {
        let leads_others = self
            .table
            .group(tid)
            .is_some_and(|group| group.members.len() > 1);
        leads_others
            && !matches!(stop, Stop::Exec | Stop::Signal(wait::SIGTRAP))
            && self
                .kernel
                .siginfo(tid)
                .is_ok_and(|info| info.signo == wait::SIGTRAP && info.code == wait::EXEC_CODE)
    }

    fn tell_blind(&mut self, task: TaskId, tid: Tid, what: Vec<Gap>, why: Obstacle) {
        let at_ns = self.kernel.now_ns();
        self.emit(at_ns, task, EventKind::Blind(Blind { tid, what, why }));
    }

    /// Nobody is left, or all were let go: what was open is closed, and the end is told, once.
    fn finish(&mut self) {
        if self.ended {
            return;
        }
        self.close_open();
        let at_ns = self.kernel.now_ns();
        if self.tell_stats {
            let (requests, reads) = self.kernel.counts();
            let stops = self
                .stops
                .iter()
                .map(|(&name, &n)| (name.to_owned(), n))
                .collect();
            let created = self.totals.created;
            self.emit(
                at_ns,
                Header::NONE.task,
                EventKind::Stats(Stats {
                    created,
                    stops,
                    requests,
                    reads,
                }),
            );
        }
        let (status, totals) = (self.status.take(), self.totals.clone());
        let cut = self.cut.clone();
        self.emit(
            at_ns,
            Header::NONE.task,
            EventKind::End(End {
                status,
                cut,
                totals,
            }),
        );
        self.ended = true;
    }
}

impl<K: Kernel> Drop for Tracer<K> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        sys::forward_signals_to(0);
        self.kill_started();
        if self.table.started() == 0 {
            // The end of the tracing thread lets the others go.
            self.resume_taken();
            return;
        }
        // A newborn that is parked, or not yet reported, is killed when it is reported.
        loop {
            match self.kernel.next_report(self.table.len(), false) {
                Ok(Woke::Report(report)) => match report.what {
                    What::Stopped(_) => self.kernel.kill(report.tid, SIGKILL),
                    What::Exited(_) | What::Killed { .. } => self.kernel.reap(report.tid),
                },
                Ok(Woke::Nobody) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

impl<K: Kernel> Iterator for Tracer<K> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(event) = self.out.pop_front() {
                return Some(Ok(event));
            }
            if self.ended || self.failed {
                return None;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => self.finish(),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
