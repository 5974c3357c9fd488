//! Letting go, or ending, before the last task has ended.

use std::time::Duration;

use crate::event::{Detach, Event, Mode};
use crate::sys::{self, Request, What, Wish};

use super::kernel::Kernel;
use super::wait::{Stop, classify};
use super::{Handled, SIGKILL, Tracer};

/// SIGTERM, on every architecture.
const SIGTERM: i32 = 15;
/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

impl<K: Kernel> Tracer<K> {
    /// A handler ran: what does it want?
    pub(super) fn grant_wish(&mut self) -> Handled {
        match sys::take_wish() {
            Some(Wish::End) => {
                self.cut = Some("interrupt");
                self.kill_all();
                Ok(())
            }
            Some(Wish::Timeout) => self.leave_or_end("timeout"),
            None => Ok(()),
        }
    }

    /// Tasks that were attached are let go. A program that was started carries the filter, which
    /// without a tracer would make its calls fail with ENOSYS: it is asked to end, then made to.
    pub(super) fn leave_or_end(&mut self, why: &'static str) -> Handled {
        if self.mode == Mode::Attach {
            self.cut = Some(why);
            self.let_go();
            return Ok(());
        }
        if self.cut.replace(why).is_some() {
            self.kill_all();
        } else {
            self.kernel.kill(self.root, SIGTERM);
            sys::alarm_after(GRACE);
        }
        Ok(())
    }

    /// Ends every traced process.
    pub(super) fn kill_all(&self) {
        for tgid in self.table.tgids() {
            self.kernel.kill(tgid, SIGKILL);
        }
    }

    /// Lets all tasks go on as if nobody had watched. The kernel itself detaches them when the
    /// tracing thread ends (kernel/ptrace.c, exit_ptrace), even those blocked in vfork, and leaves
    /// stopped ones stopped; only what was already taken from it must be given back before.
    fn let_go(&mut self) {
        if self.table.calling.iter().any(|&tid| {
            self.table
                .get(tid)
                .and_then(|t| t.call.as_ref())
                .is_some_and(|c| c.edit.is_some())
        }) {
            // A register is changed for the length of one call: a moment later it is put back.
            self.leaving = true;
            return;
        }
        self.resume_taken();
        let at_ns = self.kernel.now_ns();
        for tid in self.table.tids() {
            if let Some(tracee) = self.table.remove(tid) {
                self.emit(|seq| {
                    Event::Detach(Detach {
                        seq,
                        at_ns,
                        task: tracee.id,
                        tid,
                    })
                });
            }
        }
        self.finish();
    }

    /// After each report: is everything put back that [`Tracer::leave`] waits for?
    pub(super) fn leave_if_ready(&mut self) {
        if std::mem::take(&mut self.leaving) {
            self.let_go();
        }
    }

    /// Resumes what was taken and not yet resumed, each with its signal, which would be lost.
    pub(super) fn resume_taken(&mut self) {
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
