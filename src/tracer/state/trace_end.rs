//! The end of a trace before its last task has ended: who is asked to end, and when the others are let
//! go.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::event::{Cut, EventKind, Intercept, Kill, KillReason, Status, Tid};
use crate::tracer::kernel::Kernel;

use super::context::Context;

/// SIGTERM, on every architecture.
const SIGTERM: i32 = 15;
/// SIGKILL, on every architecture.
const SIGKILL: i32 = 9;
/// SIGINT, on every architecture: the terminal has sent it to the program as well.
const SIGINT: i32 = 2;
/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// When and why the trace ends.
#[derive(Debug, Default)]
pub struct TraceEnd {
    /// The program that was started; 0: none was.
    pub root: Tid,
    /// How it ended.
    pub status: Option<Status>,
    /// The trace ends when it does.
    pub until_main: bool,
    /// It has ended just now.
    pub main_ended: bool,
    /// Why the trace ends before its tasks do.
    pub cut: Option<Cut>,
    /// Tasks are to be let go as soon as all changes are put back.
    letting_go: bool,
}

impl TraceEnd {
    /// A second Ctrl-C within a second.
    pub fn interrupted_twice<K: Kernel>(&mut self, cx: &mut Context<K>) {
        self.cut = Some(Cut::Interrupt);
        kill_all(cx, &KillReason::SecondInterrupt);
    }

    /// A signal asks clonespy to end. Attached tasks are let go. What was started decides itself
    /// what the signal means to it (the terminal has sent it there too, if it was the terminal):
    /// when it has ended, the others are let go.
    pub fn request<K: Kernel>(&mut self, cx: &mut Context<K>, signal: i32) {
        if self.cut.replace(Cut::Interrupt).is_some() {
            kill_all(cx, &KillReason::AskedTwice);
        } else if signal != SIGINT {
            for tgid in self.addressed(cx) {
                cx.kernel.kill(tgid, signal);
            }
        }
        self.letting_go = true;
    }

    /// `--timeout`: what was started is asked to end, and made to a little later; attached tasks are
    /// let go.
    pub fn timeout<K: Kernel>(&mut self, cx: &mut Context<K>) {
        if cx.table.started() > 0 {
            if self.cut.replace(Cut::Timeout).is_some() {
                kill_all(cx, &KillReason::TermIgnored);
            } else {
                let why = KillReason::TimeOver {
                    grace: format!("{GRACE:?}"),
                };
                for tgid in self.addressed(cx) {
                    tell_kill(cx, tgid, "SIGTERM", &why);
                    cx.kernel.kill(tgid, SIGTERM);
                }
            }
            cx.kernel.wake_after(GRACE);
        }
        self.cut = Some(Cut::Timeout);
        self.letting_go = true;
    }

    /// To whom a signal goes that is meant for what was started: the program, and once that has
    /// ended (its pid may be a stranger's by now) every process that it has left behind.
    fn addressed<K: Kernel>(&self, cx: &Context<K>) -> BTreeSet<Tid> {
        let mut tgids = cx.table.started_tgids();
        if self.status.is_none() {
            tgids.retain(|&tgid| tgid == self.root);
        }
        tgids
    }

    /// Asked after each report: whether it is time to let everybody go.
    pub fn is_now<K: Kernel>(&mut self, cx: &mut Context<K>) -> bool {
        // Where nothing is left behind the trace ends by itself.
        if self.until_main && std::mem::take(&mut self.main_ended) && cx.table.len() > 0 {
            self.cut.get_or_insert(Cut::MainEnded);
            self.letting_go = true;
            if cx.intercept == Intercept::Seccomp {
                kill_all(cx, &KillReason::MainEnded);
            }
        }
        // A program that was asked to end by its timeout is waited for.
        let held = self.cut != Some(Cut::MainEnded) && cx.table.started() > 0;
        let filtered = cx.intercept == Intercept::Seccomp && cx.table.started() > 0;
        self.letting_go && !held && !filtered && !edits_open(cx)
    }
}

/// Ends every process that was started.
pub fn kill_started<K: Kernel>(cx: &Context<K>) {
    for tgid in cx.table.started_tgids() {
        cx.kernel.kill(tgid, SIGKILL);
    }
}

/// The same, and says why.
fn kill_all<K: Kernel>(cx: &mut Context<K>, why: &KillReason) {
    for tgid in cx.table.started_tgids() {
        tell_kill(cx, tgid, "SIGKILL", why);
    }
    kill_started(cx);
}

fn tell_kill<K: Kernel>(cx: &mut Context<K>, tgid: Tid, signal: &str, why: &KillReason) {
    let Some(task) = cx.table.group(tgid).map(|group| group.main) else {
        return;
    };
    let at_ns = cx.now_ns();
    let kill = Kill {
        tgid,
        signal: signal.to_owned(),
        why: why.clone(),
    };
    cx.ledger.tell(at_ns, task, EventKind::Kill(kill));
}

/// Whether something is changed for the length of a call: a moment later it is put back.
fn edits_open<K: Kernel>(cx: &Context<K>) -> bool {
    cx.table.tids().into_iter().any(|tid| {
        cx.table.get(tid).is_some_and(|tracee| {
            // A newborn has a copy of the change until its first stop.
            tracee.mend.is_some() || tracee.call.as_ref().is_some_and(|c| c.edit.is_some())
        })
    })
}
