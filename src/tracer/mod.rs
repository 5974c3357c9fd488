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
//!
//! This file joins them: which report goes to which part, and what its answer leads to. The parts do
//! not know it; what starts a trace stands on it.

pub mod attach;
mod kernel;
pub mod start;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::abi::{self, Abi};
use crate::error::{Error, Result};
use crate::event::{Event, Extras, Intercept, Stats, Status, Tid};
use crate::proc;
use crate::seccomp::filter::TRACE_DATA;
use crate::sys::{self, Op, Report, Request, What};

use attach::seize;
use kernel::Kernel;
use kernel::live::Live;
use kernel::request::{Handled, Refused};
use kernel::tracee::Stopped;
use kernel::wait::{self, Stop};
use kernel::waiter::Woke;
use start::options::Attach;
use start::starting::Starting;
use state::context::Context;
use state::filters::Filters;
use state::init::{self, Crash};
use state::lifecycle::{Lifecycle, first_stop};
use state::restarts::{restarting, same_call};
use state::trace_end::{self, TraceEnd};
use state::vforks::Vforks;
use state::{calls, execs};

/// ENOSYS, on every machine but a few old ones.
const ENOSYS: i64 = 38;
/// SIGKILL, on every architecture.
const SIGKILL: i32 = 9;

/// A trace under way: an iterator of events, which ends when the last task has ended.
///
/// ptrace binds a tracee to the thread that seized it, so a tracer cannot change threads. Dropping
/// one that has not ended kills what it started.
pub struct Tracer<K: Kernel = Live> {
    cx: Context<K>,
    life: Lifecycle<K>,
    filters: Filters<K>,
    vforks: Vforks<K>,
    end: TraceEnd,
    /// The program between its fork and its exec.
    start: Option<Starting>,
    /// Running tasks that are to be traced as soon as the program has begun.
    also: Option<Attach>,
    /// Some tasks enter calls without a stop: newborns can come whose creator stays silent.
    unseen_entries: bool,
    /// By kind of stop, if what tracing took is to be told.
    stops: BTreeMap<&'static str, u64>,
    tell_stats: bool,
    ended: bool,
    /// It broke: what is left is for [`Drop`].
    failed: bool,
}

impl<K: Kernel> Tracer<K> {
    fn new(kernel: K, intercept: Intercept, abis: Vec<&'static Abi>, record: &Extras) -> Self {
        Self {
            cx: Context::new(kernel, intercept, abis, record),
            life: Lifecycle::default(),
            filters: Filters::default(),
            vforks: Vforks::default(),
            end: TraceEnd::default(),
            start: None,
            also: None,
            unseen_entries: intercept == Intercept::Event,
            stops: BTreeMap::new(),
            tell_stats: false,
            ended: false,
            failed: false,
        }
    }

    /// Waits once and does what that asks for. `false`: nobody is left.
    fn step(&mut self) -> Result<bool> {
        // In a storm a wait never sleeps, and so is never interrupted.
        match sys::take_wish() {
            Some(sys::Wish::End) => self.end.interrupted_twice(&mut self.cx),
            Some(sys::Wish::Timeout) => self.time_is_over(),
            None => {}
        }
        let parked = self.life.newborns.parked();
        let restless = (self.unseen_entries && parked > 0) || self.vforks.holds();
        let live = self.cx.table.len() + parked;
        let woke = self.cx.kernel.next_report(live, restless);
        let handled = match woke.map_err(|why| broken("wait", why))? {
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
            Woke::Idle => self.life.settle(&mut self.cx).and_then(|()| self.silence()),
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
            stop => self.stopped(Stopped::new(&self.cx.kernel, report.tid), stop),
        };
        // A task that was killed at its stop leaves work for the others all the same.
        if let Err(Refused::Other(..)) = handled {
            return Ok(handled);
        }
        let settled = self.life.settle(&mut self.cx);
        if self.start.is_none()
            && let Some(wanted) = self.also.take()
        {
            self.seize_also(&wanted);
        }
        self.let_go_if_ready();
        Ok(settled)
    }

    fn stopped(&mut self, task: Stopped<K>, stop: Stop) -> Handled {
        let tid = task.tid();
        if self.replaced(&task, &stop) {
            return Ok(());
        }
        if stop == Stop::Exiting {
            let cx = &mut self.cx;
            return cx.exit_stops.stop(&*cx.kernel, &cx.table, task);
        }
        // A newborn's first stop is one of these two.
        if matches!(stop, Stop::Trap | Stop::Group(_)) && self.cx.changed_hands(tid) {
            self.life.retire(&mut self.cx, tid);
        }
        self.filters.stopped(&mut self.cx, tid)?;
        let Some(tracee) = self.cx.table.get_mut(tid) else {
            self.life.newborns.arrived(task, stop);
            return Ok(());
        };
        if tracee.awaited {
            tracee.awaited = false;
            return first_stop(&mut self.cx, task, &stop);
        }
        self.cx.ask_for_exit_stop(&task)?;
        let call = self.cx.table.call(tid);
        if call.is_some_and(|call| call.odd.is_some()) {
            calls::odd_result(&mut self.cx, tid, &stop);
        }
        let cx = &self.cx;
        match self.vforks.hold(&*cx.kernel, &cx.table, task, stop) {
            Some((task, stop)) => self.dispatch(task, stop),
            None => Ok(()),
        }
    }

    fn dispatch(&mut self, task: Stopped<K>, stop: Stop) -> Handled {
        match stop {
            Stop::Filter => self.filter_stop(task),
            Stop::Syscall => self.syscall_stop(task),
            Stop::NewTask => {
                if let Some((caller, child)) = self.life.new_task(&mut self.cx, &task)? {
                    self.vforks.begin(caller, child);
                }
                self.cx.go_on(task)
            }
            Stop::Exec => self.exec(task),
            Stop::Signal(signal) => self.signal(task, signal),
            Stop::Group(_) => task.resume(Request::Listen, 0),
            Stop::Trap | Stop::Exiting | Stop::Unknown(_) => self.cx.go_on(task),
            Stop::Gone(_) => Ok(()),
        }
    }

    /// The filter stopped a task at the entry of a call.
    fn filter_stop(&mut self, task: Stopped<K>) -> Handled {
        let info = task.syscall_info()?;
        let Op::Seccomp(words, data) = info.op else {
            return self.cx.go_on(task);
        };
        let call = calls::at_stop(&info, words);
        let known = abi::arch::find(call.arch, call.nr);
        if known.is_some_and(|abi| abi.call(call.nr).is_some()) {
            // In syscall mode the entry stop before this one has seen to it.
            let tracee = self.cx.table.get(task.tid());
            if !tracee.is_some_and(|t| t.full && !restarting(t) && same_call(t, &call)) {
                calls::enter(&mut self.cx, &mut self.life.restarts, &task, call)?;
            }
            if data != TRACE_DATA {
                answer_enosys(&task)?;
            }
            return task.resume(Request::Syscall, 0);
        }
        match known {
            Some(abi) if data == TRACE_DATA => self.filters.enter(&mut self.cx, task, abi, &call),
            _ => {
                answer_enosys(&task)?;
                self.cx.go_on(task)
            }
        }
    }

    /// A stop at the entry or exit of any system call.
    fn syscall_stop(&mut self, task: Stopped<K>) -> Handled {
        let info = task.syscall_info()?;
        match info.op {
            Op::Entry(words) => {
                let call = calls::at_stop(&info, words);
                let known = abi::arch::find(call.arch, call.nr);
                if known.is_some_and(|abi| abi.call(call.nr).is_some()) {
                    calls::enter(&mut self.cx, &mut self.life.restarts, &task, call)?;
                }
                task.resume(Request::Syscall, 0)
            }
            Op::Exit(result, is_error) => {
                let cx = &mut self.cx;
                self.filters.returned(cx, task.tid(), result, is_error);
                calls::returned(cx, &task, result, is_error)?;
                cx.go_on(task)
            }
            _ => self.cx.go_on(task),
        }
    }

    fn signal(&mut self, task: Stopped<K>, signal: i32) -> Handled {
        let tid = task.tid();
        if !self.cx.table.get(tid).is_some_and(|tracee| tracee.init) {
            return self.cx.deliver(task, signal);
        }
        match init::crash(&mut self.cx, task, signal)? {
            Crash::None(task) => self.cx.deliver(task, signal),
            Crash::Lives => Ok(()),
            Crash::Died(status, stat) => {
                let at_ns = self.cx.now_ns();
                if let Some(tracee) = self.cx.table.remove(tid) {
                    self.cx
                        .ended(tid, &tracee, Some(status), stat.as_ref(), at_ns);
                    self.vfork_ends(tid)?;
                }
                Ok(())
            }
        }
    }

    /// Whether a stop was a leader's that a thread has replaced since by an exec (fs/exec.c,
    /// de_thread). Who has that tid now stands at its own EXEC stop, which is reported by itself;
    /// resumed for the sake of the old one, it never would be. (A SIGTRAP is not asked: a program
    /// can send itself one that looks like that.)
    fn replaced(&self, task: &Stopped<K>, stop: &Stop) -> bool {
        let group = self.cx.table.group(task.tid());
        let leads_others = group.is_some_and(|group| group.members.len() > 1);
        leads_others
            && !matches!(stop, Stop::Exec | Stop::Signal(wait::SIGTRAP))
            && task
                .siginfo()
                .is_ok_and(|info| info.signo == wait::SIGTRAP && info.code == wait::EXEC_CODE)
    }

    /// EVENT_EXEC, reported under the tgid whoever exec'd; the message is the tid that it had.
    fn exec(&mut self, task: Stopped<K>) -> Handled {
        let tid = task.tid();
        let former = Tid::try_from(task.event_message()?).unwrap_or(tid);
        if let Some(starting) = self.start.take() {
            starting.begin(&mut self.cx, &task);
        }
        let cx = &mut self.cx;
        cx.unfinished(self.life.restarts.close(tid));
        if former != tid {
            // An old leader that was held ends unreported.
            self.vforks.caller_gone(tid);
            let (restarts, newborns) = (&mut self.life.restarts, &mut self.life.newborns);
            if let Some(tracee) = execs::take_over(cx, restarts, newborns, tid, former) {
                self.life.adopt(cx, tid, tracee);
            }
        }
        execs::close_calls(&mut self.cx, &mut self.life.newborns, tid);
        self.filters.exec(tid);
        let known = execs::tell(&mut self.cx, &task, former);
        let resumed = self.cx.go_on(task);
        if known {
            self.vfork_ends(tid)?;
        }
        resumed
    }

    /// The end of a task. It is a zombie, still readable, until it is reaped here; it must be
    /// reaped before the next wait, because an exec in its group waits for that, and because a
    /// zombie that was only looked at is reported again in front of everything else.
    fn gone(&mut self, tid: Tid, status: Status) -> Result<Handled> {
        if tid == self.end.root {
            // The pid is free once it is reaped: no signal may go there any more.
            sys::forward_signals_to(0);
            if let Some(starting) = self.start.take() {
                if starting.hosted {
                    // std's spawn waits for it, and panics where nothing is left to wait for.
                    self.ended = true;
                } else {
                    self.cx.kernel.reap(tid);
                }
                return Err(starting.failed(&status));
            }
            self.end.status = Some(status.clone());
            self.end.main_ended = true;
        }
        if self.cx.changed_hands(tid) {
            self.life.retire(&mut self.cx, tid);
        }
        self.filters.gone(&mut self.cx, tid);
        if self.cx.table.get(tid).is_none() {
            self.life.newborns.ended(&self.cx, tid, status);
            self.cx.kernel.reap(tid);
            return Ok(Ok(()));
        }
        let stat = proc::stat(&self.cx.task(tid));
        calls::caller_ended(&mut self.cx, tid, &status, stat.as_ref());
        let handled = self.life.caller_died(&mut self.cx, tid);
        let at_ns = self.cx.now_ns();
        let Some(tracee) = self.cx.table.remove(tid) else {
            return Ok(handled);
        };
        if tid == tracee.tgid {
            self.life.newborns.close_thread_calls(&mut self.cx, tid);
            execs::close_retired(&mut self.cx, tid);
        }
        self.cx
            .ended(tid, &tracee, Some(status), stat.as_ref(), at_ns);
        self.cx.kernel.reap(tid);
        self.vforks.caller_gone(tid);
        let waiting = self.vfork_ends(tid);
        Ok(handled.and(waiting))
    }

    /// A task exec'd or ended: a caller that waited for it has its turn.
    fn vfork_ends(&mut self, child: Tid) -> Handled {
        match self.vforks.end(child) {
            Some((task, stop)) => self.stopped(task, stop),
            None => Ok(()),
        }
    }

    /// Silence: whoever is held for a child that is a zombie has its turn.
    fn silence(&mut self) -> Handled {
        for child in self.vforks.over(&*self.cx.kernel) {
            self.vfork_ends(child)?;
        }
        Ok(())
    }

    /// Running tasks are to be traced along with the program, which has begun.
    fn seize_also(&mut self, wanted: &Attach) {
        self.unseen_entries |= !seize::is_full(wanted);
        let refusals = seize::all(&mut self.cx, &mut self.life.newborns, wanted);
        seize::tell_refused(&mut self.cx, refusals);
    }

    fn asked_to_end(&mut self, signal: i32) {
        self.end.request(&mut self.cx, signal);
        self.let_go_if_ready();
    }

    fn time_is_over(&mut self) {
        self.end.timeout(&mut self.cx);
        self.let_go_if_ready();
    }

    /// Lets all tasks go on as if nobody had watched, if it is time. The kernel itself detaches them
    /// when the tracing thread ends (kernel/ptrace.c, exit_ptrace), even those blocked in vfork, and
    /// leaves stopped ones stopped; only what was already taken from it must be given back before.
    fn let_go_if_ready(&mut self) {
        if !self.end.is_now(&mut self.cx) || self.ended {
            return;
        }
        self.resume_taken();
        self.cx.detached();
        self.finish();
    }

    /// Resumes what was taken and not yet resumed, each with its signal, which would be lost. Who was
    /// killed meanwhile has nothing to be given back.
    fn resume_taken(&mut self) {
        for caller in self.filters.release() {
            let _ = caller.resume(Request::Cont, 0);
        }
        self.life.newborns.release_all();
        for caller in self.vforks.release() {
            let _ = self.cx.go_on(caller);
        }
        while let Some(report) = self.cx.kernel.leftover() {
            let (how, signal) = match wait::classify(report.what) {
                Stop::Gone(_) => {
                    self.cx.kernel.reap(report.tid);
                    continue;
                }
                Stop::Signal(signal) => (Request::Cont, signal),
                Stop::Group(_) => (Request::Listen, 0),
                _ => (Request::Cont, 0),
            };
            let _ = Stopped::new(&self.cx.kernel, report.tid).resume(how, signal);
        }
    }

    /// Nobody is left, or all were let go: what was open is closed, and the end is told, once.
    fn finish(&mut self) {
        if self.ended {
            return;
        }
        self.life.close(&mut self.cx);
        let at_ns = self.cx.now_ns();
        if self.tell_stats {
            let (requests, reads) = self.cx.kernel.counts();
            let stops = self.stops.iter().map(|(&name, &n)| (name.to_owned(), n));
            let stats = Stats {
                created: 0,
                stops: stops.collect(),
                requests,
                reads,
            };
            self.cx.ledger.stats(at_ns, stats);
        }
        let cut = self.end.cut.clone();
        self.cx.ledger.end(at_ns, self.end.status.take(), cut);
        self.ended = true;
    }
}

/// A request that failed in a way that leaves nothing to do.
fn broken(what: &str, why: std::io::Error) -> Error {
    Error::Trace {
        what: what.to_owned(),
        why,
        hint: None,
    }
}

/// RET_TRACE from a filter of the program's own: alone, without a tracer, it would see ENOSYS
/// (seccomp(2)), so the call is skipped with that.
fn answer_enosys<K: Kernel>(task: &Stopped<K>) -> Handled {
    task.set_result(-ENOSYS).map(drop)
}

impl<K: Kernel> Drop for Tracer<K> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        sys::forward_signals_to(0);
        trace_end::kill_started(&self.cx);
        if self.cx.table.started() == 0 {
            // The end of the tracing thread lets the others go.
            self.resume_taken();
            return;
        }
        // A newborn that is parked, or not yet reported, is killed when it is reported.
        loop {
            match self.cx.kernel.next_report(self.cx.table.len(), false) {
                Ok(Woke::Report(report)) => match report.what {
                    What::Stopped(_) => self.cx.kernel.kill(report.tid, SIGKILL),
                    What::Exited(_) | What::Killed { .. } => self.cx.kernel.reap(report.tid),
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
            if let Some(event) = self.cx.ledger.take() {
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
