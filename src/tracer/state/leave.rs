//! Letting go, or ending, before the last task has ended.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::event::{Cut, Detach, EventKind, Intercept, Kill, KillReason, Tid};
use crate::sys::{self, Request, What, Wish};

use crate::tracer::SIGKILL;
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::wait::{Stop, classify};
use crate::tracer::state::table::Tracee;

/// SIGTERM, on every architecture.
const SIGTERM: i32 = 15;
/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

impl<K: Kernel> Tracer<K> {
    /// Does what a handler wants, if one ran.
    pub(in crate::tracer) fn grant_wish(&mut self) {
        match sys::take_wish() {
            Some(Wish::End) => {
                self.cut = Some(Cut::Interrupt);
                self.kill_all(&KillReason::SecondInterrupt);
            }
            Some(Wish::Timeout) => self.time_is_over(),
            None => {}
        }
    }

    /// A signal asks clonespy to end. Attached tasks are let go. What was started decides itself
    /// what the signal means to it (the terminal has sent it there too, if it was the terminal):
    /// when it has ended, the others are let go.
    pub(in crate::tracer) fn asked_to_end(&mut self, signal: i32) {
        if self.cut.replace(Cut::Interrupt).is_some() {
            self.kill_all(&KillReason::AskedTwice);
        } else if signal != SIGINT {
            for tgid in self.addressed() {
                self.kernel.kill(tgid, signal);
            }
        }
        self.leaving = true;
        self.leave_if_ready();
    }

    /// To whom a signal goes that is meant for what was started: the program, and once that has
    /// ended (its pid may be a stranger's by now) every process that it has left behind.
    fn addressed(&self) -> BTreeSet<Tid> {
        let mut tgids = self.table.started_tgids();
        if self.status.is_none() {
            tgids.retain(|&tgid| tgid == self.root);
        }
        tgids
    }

    /// `--timeout`: what was started is asked to end, and made to a little later; attached tasks are
    /// let go.
    pub(in crate::tracer) fn time_is_over(&mut self) {
        if self.table.started() > 0 {
            if self.cut.replace(Cut::Timeout).is_some() {
                self.kill_all(&KillReason::TermIgnored);
            } else {
                let why = KillReason::TimeOver {
                    grace: format!("{GRACE:?}"),
                };
                for tgid in self.addressed() {
                    self.tell_kill(tgid, "SIGTERM", &why);
                    self.kernel.kill(tgid, SIGTERM);
                }
            }
            self.kernel.wake_after(GRACE);
        }
        self.cut = Some(Cut::Timeout);
        self.leaving = true;
        self.leave_if_ready();
    }

    /// Whether a task cannot be let go alive: without a tracer its calls would fail with ENOSYS.
    pub(in crate::tracer) fn carries_filter(&self, tracee: &Tracee) -> bool {
        tracee.started && self.intercept == Intercept::Seccomp
    }

    /// Ends every process that was started, and says why.
    fn kill_all(&mut self, why: &KillReason) {
        for tgid in self.table.started_tgids() {
            self.tell_kill(tgid, "SIGKILL", why);
        }
        self.kill_started();
    }

    pub(in crate::tracer) fn kill_started(&self) {
        for tgid in self.table.started_tgids() {
            self.kernel.kill(tgid, SIGKILL);
        }
    }

    fn tell_kill(&mut self, tgid: Tid, signal: &str, why: &KillReason) {
        let Some(task) = self.table.group(tgid).map(|group| group.main) else {
            return;
        };
        let at_ns = self.kernel.now_ns();
        let (signal, why) = (signal.to_owned(), why.clone());
        self.emit(at_ns, task, EventKind::Kill(Kill { tgid, signal, why }));
    }

    /// After each report: is it time to go?
    pub(in crate::tracer) fn leave_if_ready(&mut self) {
        // Where nothing is left behind the trace ends by itself.
        if self.until_main && std::mem::take(&mut self.main_ended) && self.table.len() > 0 {
            self.cut.get_or_insert(Cut::MainEnded);
            self.leaving = true;
            if self.intercept == Intercept::Seccomp {
                self.kill_all(&KillReason::MainEnded);
            }
        }
        // A program that was asked to end by its timeout is waited for.
        let held = self.cut != Some(Cut::MainEnded) && self.table.started() > 0;
        let filtered = self.intercept == Intercept::Seccomp && self.table.started() > 0;
        if self.leaving && !self.ended && !held && !filtered && !self.edits_open() {
            self.let_go();
        }
    }

    /// Whether a register is changed for the length of a call: a moment later it is put back.
    fn edits_open(&self) -> bool {
        self.table.tids().into_iter().any(|tid| {
            self.table.get(tid).is_some_and(|tracee| {
                // A newborn has a copy of the change until its first stop.
                tracee.mend.is_some() || tracee.call.as_ref().is_some_and(|c| c.edit.is_some())
            })
        })
    }

    /// Lets all tasks go on as if nobody had watched. The kernel itself detaches them when the
    /// tracing thread ends (kernel/ptrace.c, exit_ptrace), even those blocked in vfork, and leaves
    /// stopped ones stopped; only what was already taken from it must be given back before.
    fn let_go(&mut self) {
        self.resume_taken();
        let at_ns = self.kernel.now_ns();
        for tid in self.table.tids() {
            if let Some(tracee) = self.table.remove(tid) {
                self.emit(at_ns, tracee.id, EventKind::Detach(Detach { tid }));
            }
        }
        self.finish();
    }

    /// Resumes what was taken and not yet resumed, each with its signal, which would be lost.
    pub(in crate::tracer) fn resume_taken(&mut self) {
        self.release_held();
        while let Some(report) = self.kernel.leftover() {
            let stop = match report.what {
                What::Stopped(_) => classify(report.what),
                What::Exited(_) | What::Killed { .. } => {
                    self.kernel.reap(report.tid);
                    continue;
                }
            };
            let (how, signal) = match stop {
                Stop::Signal(signal) => (Request::Cont, signal),
                Stop::Group(_) => (Request::Listen, 0),
                _ => (Request::Cont, 0),
            };
            // Killed meanwhile: nothing to give back.
            let _ = self.kernel.resume(report.tid, how, signal);
        }
    }
}

/// SIGINT, on every architecture: the terminal has sent it to the program as well.
const SIGINT: i32 = 2;
