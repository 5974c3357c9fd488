//! From birth to end, as far as several parts have a share in it: newborns that are told and taken in,
//! tids that change hands, calls whose callers die.

use crate::event::{How, Outcome, Tid};
use crate::proc;
use crate::sys::Request;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::{Handled, Refused};
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;

use super::births::{self, Born, Newcomer};
use super::calls;
use super::context::Context;
use super::newborns::{Maker, Newborns, Progress, Released};
use super::pending::Pending;
use super::restarts::Restarts;
use super::table::Tracee;
use super::untraced;

/// Newborns that are not told yet, and calls that will be made again.
pub struct Lifecycle<K: Kernel> {
    pub newborns: Newborns<K>,
    pub restarts: Restarts,
}

impl<K: Kernel> Default for Lifecycle<K> {
    fn default() -> Self {
        Self {
            newborns: Newborns::default(),
            restarts: Restarts::default(),
        }
    }
}

impl<K: Kernel> Lifecycle<K> {
    /// The event FORK, VFORK or CLONE: the call has made a task. The answer is the pair of a caller
    /// that the call pauses and the newborn that it waits for.
    ///
    /// # Errors
    /// The caller was killed meanwhile.
    pub fn new_task(
        &mut self,
        cx: &mut Context<K>,
        task: &Stopped<K>,
    ) -> Result<Option<(Tid, Tid)>, Refused> {
        let tid = task.tid();
        let child = Tid::try_from(task.event_message()?).unwrap_or(0);
        let Some(mut pending) = calls::behind_event(cx, task)? else {
            self.born_without_call(cx, child);
            return Ok(None);
        };
        // Killed here, it goes by what it made all the same.
        let mended = calls::made_a_task(task, &mut pending);
        if child <= 0 {
            // Not visible in our pid namespace: it cannot be followed.
            cx.conclude(pending, Outcome::Untraced { tid: None });
            return mended.map(|()| None);
        }
        let ended = self.newborns.tombstone_status(child);
        let born = births::look(cx, pending.event.tgid, child, ended);
        let paused = self.created(cx, pending, &born);
        cx.table.has_created(tid);
        cx.kernel.expect(child);
        cx.kernel.expect(tid);
        match self.release(cx, child) {
            // Killed while it was parked: its end will be reported. Its creator goes on.
            Ok(()) | Err(Refused::Gone) => {}
            Err(refused) => return Err(refused),
        }
        mended.map(|()| paused.map(|caller| (caller, child)))
    }

    /// Tells of a created task and takes it in; the caller, if the call pauses it.
    fn created(&mut self, cx: &mut Context<K>, pending: Pending, born: &Born) -> Option<Tid> {
        let Newcomer { tracee, pauses } = births::created(cx, pending, born)?;
        self.adopt(cx, born.tid, tracee);
        pauses
    }

    /// Tells of a task whose creator cannot be told, and takes it in.
    fn orphan(&mut self, cx: &mut Context<K>, tid: Tid, status: &proc::Status, how: How) {
        let tracee = births::orphan(cx, tid, status, how);
        self.adopt(cx, tid, tracee);
    }

    /// An event named a newborn, and its call cannot be told: it is taken in all the same.
    fn born_without_call(&mut self, cx: &mut Context<K>, tid: Tid) {
        if tid <= 0 || cx.known_orphan(tid).is_some() {
            return;
        }
        let ended = self.newborns.tombstone_status(tid);
        let status = ended
            .or_else(|| proc::status(&cx.task(tid)))
            .unwrap_or_default();
        self.orphan(cx, tid, &status, How::Orphan);
        // Killed while it was parked: its end will be reported.
        let _ = self.release(cx, tid);
    }

    /// Tells of the newborns that no live call can have made.
    ///
    /// # Errors
    /// A request that this kernel does not have.
    pub fn settle(&mut self, cx: &mut Context<K>) -> Handled {
        let mut progress = Progress::default();
        while let Some(maker) = self.newborns.settle(cx, &mut progress)? {
            let tid = match maker {
                Maker::Dead(pending, born) => {
                    self.created(cx, *pending, &born);
                    born.tid
                }
                Maker::Unknown(tid, status, how) => {
                    self.orphan(cx, tid, &status, how);
                    tid
                }
            };
            match self.release(cx, tid) {
                // It was killed: its end will be reported.
                Ok(()) | Err(Refused::Gone) => {}
                refused => return refused,
            }
        }
        Ok(())
    }

    /// A task's creation was told: if it waits at its first stop it may go on, and if it has ended
    /// already its end is told.
    fn release(&mut self, cx: &mut Context<K>, tid: Tid) -> Handled {
        match self.newborns.release(tid) {
            Released::NotYet => Ok(()),
            Released::Ended(dead) => {
                if let Some(tracee) = cx.table.remove(tid) {
                    let (end, stat) = (Some(dead.end), dead.stat.as_ref());
                    cx.ended(tid, &tracee, end, stat, dead.at_ns);
                }
                Ok(())
            }
            Released::FirstStop(task, stop) => {
                if let Some(tracee) = cx.table.get_mut(tid) {
                    tracee.awaited = false;
                }
                first_stop(cx, task, &stop)
            }
        }
    }

    /// Takes in a task. One that is believed alive under the same tid must have ended unseen: an
    /// exec by a thread that is not the leader frees that thread's tid before the exec is reported
    /// (fs/exec.c, de_thread), so it is kept for the exec that will name it.
    pub fn adopt(&mut self, cx: &mut Context<K>, tid: Tid, tracee: Tracee) {
        self.retire(cx, tid);
        cx.table.insert(tid, tracee);
    }

    /// Keeps the task of this tid for the exec that will name it.
    pub fn retire(&mut self, cx: &mut Context<K>, tid: Tid) {
        cx.unfinished(self.restarts.close(tid));
        let lineage = cx.table.lineage(tid);
        let Some(mut old) = cx.table.remove(tid) else {
            return;
        };
        if let Some(call) = old.call.take() {
            self.newborns.call_died(cx, *call, None, lineage);
        }
        if let Some(lost) = cx.table.retired.insert(tid, old) {
            let at_ns = cx.now_ns();
            cx.ended(tid, &lost, None, None, at_ns);
        }
    }

    /// A task ended inside a call: its newborn, if there is one, tells of it; at best at once, so
    /// that the creation is told before the creator's end.
    ///
    /// # Errors
    /// A request that this kernel does not have.
    pub fn caller_died(&mut self, cx: &mut Context<K>, tid: Tid) -> Handled {
        cx.unfinished(self.restarts.close(tid));
        let lineage = cx.table.lineage(tid);
        let Some(pending) = cx.table.take_call(tid) else {
            return Ok(());
        };
        let ppid = proc::status(&cx.task(tid)).and_then(|status| status.ppid);
        self.newborns.call_died(cx, pending, ppid, lineage);
        self.settle(cx)
    }

    /// The end of the trace: what is still open stays without an answer, and is told so.
    pub fn close(&mut self, cx: &mut Context<K>) {
        self.newborns.close_calls(cx);
        while let Some((tid, status)) = self.newborns.unsettled() {
            self.orphan(cx, tid, &status, How::Orphan);
            // A tombstone leaves nothing to resume.
            let _ = self.release(cx, tid);
        }
        self.newborns.forget_parked();
        let at_ns = cx.now_ns();
        for (tid, tracee) in std::mem::take(&mut cx.table.retired) {
            cx.ended(tid, &tracee, None, None, at_ns);
        }
        for tid in cx.table.tids() {
            cx.unfinished(self.restarts.close(tid));
            let call = cx.table.take_call(tid);
            cx.unfinished(call);
            if let Some(tracee) = cx.table.remove(tid) {
                cx.ended(tid, &tracee, None, None, at_ns);
            }
        }
    }
}

/// A known newborn at its first stop: nothing of it has run yet.
///
/// # Errors
/// It was killed meanwhile.
pub fn first_stop<K: Kernel>(cx: &mut Context<K>, task: Stopped<K>, stop: &Stop) -> Handled {
    cx.ask_for_exit_stop(&task)?;
    let tracee = cx.table.get_mut(task.tid());
    if let Some(edit) = tracee.and_then(|tracee| tracee.mend.take()) {
        untraced::put_back(&task, &edit)?;
    }
    match stop {
        // It joined a group that is stopped (kernel/fork.c, task_join_group_stop).
        Stop::Group(_) => task.resume(Request::Listen, 0),
        Stop::Signal(signal) => cx.deliver(task, *signal),
        _ => cx.go_on(task),
    }
}
