//! A caller that CLONE_VFORK pauses goes on when its child execs or ends; but the kernel lets it go
//! before it reports that exec (fs/exec.c, exec_mmap comes before PTRACE_EVENT_EXEC) or that end
//! (kernel/exit.c, mm_release before exit_notify). What the caller does next can so be reported
//! first, and a trace in that order would show a paused caller at work. So the caller's next call
//! is held for the moment that its child still needs to be heard.
//!
//! The child is past the point where it could depend on its caller, so the wait is short, with one
//! exception: a child that leads a group of threads and ends before them is reported only after
//! the last of them. It is a zombie then, and a zombie is not waited for.

use std::collections::BTreeMap;

use crate::event::Tid;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;

use super::table::Table;

/// A stop of a task that has its turn later.
pub type Held<K> = (Stopped<K>, Stop);

/// Who waits for whom.
pub struct Vforks<K: Kernel> {
    /// The paused caller, by its child.
    callers: BTreeMap<Tid, Tid>,
    /// A caller's stop that came too early, by its child.
    held: BTreeMap<Tid, Held<K>>,
}

impl<K: Kernel> Default for Vforks<K> {
    fn default() -> Self {
        Self {
            callers: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }
}

impl<K: Kernel> Vforks<K> {
    /// Whether somebody is held, so that silence is news.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// A call with CLONE_VFORK made a child.
    pub fn begin(&mut self, caller: Tid, child: Tid) {
        self.callers.insert(child, caller);
    }

    /// Holds a stop that came before the end of the caller's pause was reported; any other is given
    /// back.
    pub fn hold(
        &mut self,
        kernel: &K,
        table: &Table,
        task: Stopped<K>,
        stop: Stop,
    ) -> Option<Held<K>> {
        let early = matches!(stop, Stop::Filter | Stop::Syscall | Stop::Exec);
        let tid = task.tid();
        let child = self.callers.iter().find(|&(_, &caller)| caller == tid);
        let Some((&child, _)) = child.filter(|_| early) else {
            return Some((task, stop));
        };
        if table.get(child).is_some() && kernel.lives(child) {
            self.held.insert(child, (task, stop));
            return None;
        }
        self.callers.remove(&child);
        Some((task, stop))
    }

    /// A task exec'd or ended: the stop of a caller that waited for it, whose turn it is.
    pub fn end(&mut self, child: Tid) -> Option<Held<K>> {
        self.callers.remove(&child);
        self.held.remove(&child)
    }

    /// A task ended: it waits for nobody any more.
    pub fn caller_gone(&mut self, tid: Tid) {
        self.callers.retain(|_, caller| *caller != tid);
        self.held.retain(|_, (task, _)| task.tid() != tid);
    }

    /// Silence: the children that are zombies, for whom nobody is to be held any more.
    pub fn over(&self, kernel: &K) -> Vec<Tid> {
        let children = self.held.keys().copied();
        children.filter(|&child| !kernel.lives(child)).collect()
    }

    /// Everybody who is held, where nothing more is waited for.
    pub fn release(&mut self) -> impl Iterator<Item = Stopped<K>> + use<K> {
        let held = std::mem::take(&mut self.held);
        held.into_values().map(|(task, _)| task)
    }
}
