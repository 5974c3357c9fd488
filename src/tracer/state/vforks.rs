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

use crate::tracer::Handled;
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;

/// Who waits for whom.
pub(in crate::tracer) struct Vforks<K> {
    /// The paused caller, by its child.
    callers: BTreeMap<Tid, Tid>,
    /// A caller's stop that came too early, by its child.
    held: BTreeMap<Tid, (Stopped<K>, Stop)>,
}

impl<K> Default for Vforks<K> {
    fn default() -> Self {
        Self {
            callers: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }
}

impl<K> Vforks<K> {
    /// Somebody is held, so that silence is news.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }
}

impl<K: Kernel> Tracer<K> {
    /// A call with CLONE_VFORK made a child.
    pub(in crate::tracer) fn vfork_begins(&mut self, caller: Tid, child: Tid) {
        self.vforks.callers.insert(child, caller);
    }

    /// Holds a stop that came before the end of the caller's pause was reported; any other is given
    /// back.
    pub(in crate::tracer) fn hold_vfork(
        &mut self,
        task: Stopped<K>,
        stop: Stop,
    ) -> Option<(Stopped<K>, Stop)> {
        let early = matches!(stop, Stop::Filter | Stop::Syscall | Stop::Exec);
        let tid = task.tid();
        let child = self
            .vforks
            .callers
            .iter()
            .find(|&(_, &caller)| caller == tid);
        let Some((&child, _)) = child.filter(|_| early) else {
            return Some((task, stop));
        };
        if self.table.get(child).is_some() && self.kernel.lives(child) {
            self.vforks.held.insert(child, (task, stop));
            return None;
        }
        self.vforks.callers.remove(&child);
        Some((task, stop))
    }

    /// A task exec'd or ended: a caller that waited for it has its turn.
    pub(in crate::tracer) fn vfork_ends(&mut self, child: Tid) -> Handled {
        self.vforks.callers.remove(&child);
        match self.vforks.held.remove(&child) {
            Some((task, stop)) => self.stopped(task, stop),
            None => Ok(()),
        }
    }

    /// A task ended: it waits for nobody any more.
    pub(in crate::tracer) fn vfork_caller_gone(&mut self, tid: Tid) {
        self.vforks.callers.retain(|_, caller| *caller != tid);
        self.vforks.held.retain(|_, (task, _)| task.tid() != tid);
    }

    /// Silence: whoever is held for a child that is a zombie has its turn.
    pub(in crate::tracer) fn vfork_idle(&mut self) -> Handled {
        let over: Vec<Tid> = self
            .vforks
            .held
            .keys()
            .copied()
            .filter(|&child| !self.kernel.lives(child))
            .collect();
        for child in over {
            self.vfork_ends(child)?;
        }
        Ok(())
    }

    /// Lets everybody go on, where nothing more is waited for.
    pub(in crate::tracer) fn release_vforks(&mut self) {
        for (_, (task, _)) in std::mem::take(&mut self.vforks.held) {
            // Killed meanwhile: nothing to give back.
            let _ = self.go_on(task);
        }
    }
}
