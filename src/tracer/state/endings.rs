//! exec and death: how tasks change and end.

use crate::abi::signals;
use crate::error::Result;
use crate::event::{Ending, EventKind, Exec, Exit, Kind, Status, Tid, lossy};
use crate::sys;

use crate::proc;
use crate::tracer::Handled;
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;
use crate::tracer::state::table::{Lineage, Tracee};

impl<K: Kernel> Tracer<K> {
    /// The end of a task. It is a zombie, still readable, until it is reaped here; it must be
    /// reaped before the next wait, because an exec in its group waits for that, and because a
    /// zombie that was only looked at is reported again in front of everything else.
    pub(in crate::tracer) fn gone(&mut self, tid: Tid, status: Status) -> Result<Handled> {
        if tid == self.root {
            // The pid is free once it is reaped: no signal may go there any more.
            sys::forward_signals_to(0);
            if let Some(starting) = &self.start {
                if starting.hosted {
                    // std's spawn waits for it, and panics where nothing is left to wait for.
                    self.ended = true;
                } else {
                    self.kernel.reap(tid);
                }
                return Err(self.failed_start(&status));
            }
            self.status = Some(status.clone());
            self.main_ended = true;
        }
        if self.changed_hands(tid) {
            self.retire(tid);
        }
        self.sync_gone(tid);
        if self.table.get(tid).is_none() {
            self.ended_unknown(tid, status);
            self.kernel.reap(tid);
            return Ok(Ok(()));
        }
        let stat = proc::stat(&self.eye(tid));
        let refused = ended_by_filter(&status, stat.as_ref());
        let call = self.table.get(tid).and_then(|t| t.call.as_ref());
        if call.is_some_and(|call| call.odd.is_some() || (refused && !call.restarting)) {
            self.odd_result(tid, &Stop::Gone(status.clone()));
        }
        let handled = self.call_of_the_dead(tid);
        let at_ns = self.kernel.now_ns();
        let Some(tracee) = self.table.remove(tid) else {
            return Ok(handled);
        };
        if tid == tracee.tgid {
            self.close_thread_calls(tid);
            self.close_retired(tid);
        }
        self.tell_exit(tid, &tracee, Some(status), stat.as_ref(), at_ns);
        self.kernel.reap(tid);
        self.vfork_caller_gone(tid);
        let waiting = self.vfork_ends(tid);
        Ok(handled.and(waiting))
    }

    /// A task ended inside a call: its newborn, if there is one, tells of it; at best at once, so
    /// that the creation is told before the creator's end.
    fn call_of_the_dead(&mut self, tid: Tid) -> Handled {
        self.close_shelved(tid);
        let lineage = self.table.get(tid).map(Lineage::from).unwrap_or_default();
        let Some(pending) = self.table.take_call(tid) else {
            return Ok(());
        };
        let ppid = proc::status(&self.eye(tid)).and_then(|status| status.ppid);
        self.call_died(pending, ppid, lineage);
        self.settle()
    }

    /// Tasks whose tid was given away before their exec was reported, and whose process has ended.
    fn close_retired(&mut self, tgid: Tid) {
        let at_ns = self.kernel.now_ns();
        let (over, open) = std::mem::take(&mut self.table.retired)
            .into_iter()
            .partition(|(_, tracee)| tracee.tgid == tgid);
        self.table.retired = open;
        let over: std::collections::BTreeMap<Tid, Tracee> = over;
        for (tid, tracee) in over {
            self.tell_exit(tid, &tracee, None, None, at_ns);
        }
    }

    /// Tells of an end.
    pub(in crate::tracer) fn tell_exit(
        &mut self,
        tid: Tid,
        tracee: &Tracee,
        status: Option<Status>,
        stat: Option<&proc::Stat>,
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
        let mut exit = Exit {
            tid,
            tgid: tracee.tgid,
            comm,
            comm_hex,
            how: ending(tracee, leader, status.as_ref(), stat),
            last: leader && status.is_some(),
            status,
            lived_ns: tracee.born_ns.map(|born| at_ns.saturating_sub(born)),
            usage: None,
            unreaped: None,
        };
        exit.unreaped = self.leaving_tasks.ended(tid, exit.tgid, exit.last);
        let eye = self.eye(tid);
        for observer in &mut self.observers {
            observer.exit(&eye, &mut exit);
        }
        self.emit(at_ns, tracee.id, EventKind::Exit(exit));
    }

    /// EVENT_EXEC, reported under the tgid whoever exec'd; the message is the tid that it had.
    pub(in crate::tracer) fn exec(&mut self, task: Stopped<K>) -> Handled {
        let tid = task.tid();
        let former = Tid::try_from(self.kernel.event_message(tid)?).unwrap_or(tid);
        if self.start.is_some() {
            self.begin(&task);
        }
        self.close_shelved(tid);
        if former != tid {
            // An old leader that was held ends unreported.
            self.vfork_caller_gone(tid);
            self.take_over(tid, former);
        }
        self.close_calls_at_exec(tid);
        // Nobody else is left to be waited for, and an old leader that was held is gone unreported.
        self.syncs.remove(&tid);
        let at_ns = self.kernel.now_ns();
        let Some(tracee) = self.table.get_mut(tid) else {
            return self.go_on(task);
        };
        // An interrupted sandboxing or call cannot go on in the new program.
        tracee.sandboxing = None;
        let mut event = Exec {
            former_tid: (former != tid).then_some(former),
            ..Exec::unread(tid, tid)
        };
        let id = tracee.id;
        for observer in &mut self.observers {
            observer.exec(task.eye(), &mut event);
        }
        self.emit(at_ns, id, EventKind::Exec(event));
        let resumed = self.go_on(task);
        self.vfork_ends(tid)?;
        resumed
    }

    /// A thread that is not the leader exec'd: it takes the leader's tid. Neither the old leader's
    /// end nor the former tid's is ever reported (fs/exec.c, de_thread).
    fn take_over(&mut self, tgid: Tid, former: Tid) {
        let at_ns = self.kernel.now_ns();
        let of_group = |tracee: &Tracee| tracee.tgid == tgid;
        let retired = self.table.retired.get(&former).is_some_and(of_group);
        // The former tid may belong to another process by now; that one stays.
        let known = self.table.get(former).is_some_and(of_group);
        let Some(mut tracee) = (if retired {
            self.table.retired.remove(&former)
        } else if known {
            self.close_shelved(former);
            self.table.remove(former)
        } else {
            None
        }) else {
            return;
        };
        if let Some(leader) = self.table.get_mut(tgid) {
            let (id, comm) = (leader.id, None);
            let born_ns = leader.born_ns;
            let call = self.table.take_call(tgid);
            self.table.remove(tgid);
            if let Some(call) = call {
                self.call_died(call, None, Lineage::from(&tracee));
            }
            self.emit(
                at_ns,
                id,
                EventKind::Exit(Exit {
                    tid: tgid,
                    tgid,
                    comm,
                    comm_hex: None,
                    how: Ending::Replaced,
                    status: None,
                    last: false,
                    lived_ns: born_ns.map(|born| at_ns.saturating_sub(born)),
                    usage: None,
                    unreaped: None,
                }),
            );
        }
        tracee.kind = Kind::Process;
        if let Some(call) = tracee.call.take() {
            self.call_died(*call, None, Lineage::from(&tracee));
        }
        self.adopt(tgid, tracee);
    }

    /// At an exec all calls of the process are over, the old leader's included.
    fn close_calls_at_exec(&mut self, tgid: Tid) {
        let Some(group) = self.table.group(tgid) else {
            return;
        };
        let callers: Vec<Tid> = group
            .members
            .iter()
            .copied()
            .filter(|tid| self.table.calling.contains(tid))
            .collect();
        for tid in callers {
            let lineage = self.table.get(tid).map(Lineage::from).unwrap_or_default();
            if let Some(call) = self.table.take_call(tid) {
                self.call_died(call, None, lineage);
            }
        }
        self.close_thread_calls(tgid);
    }
}

/// Whether a seccomp filter ended a task, and nobody else of its process (kernel/seccomp.c,
/// SECCOMP_RET_KILL_THREAD): a signal would have been one for the whole group.
fn ended_by_filter(status: &Status, stat: Option<&proc::Stat>) -> bool {
    let by_sigsys = matches!(status, Status::Signaled { signaled, .. } if signaled == "SIGSYS");
    by_sigsys && stat.is_some_and(|stat| !stat.cut_off)
}

/// How a task ended. The wait status alone does not tell a thread that ended itself from one that
/// was cut off; PF_SIGNALED does.
fn ending(
    tracee: &Tracee,
    leader: bool,
    status: Option<&Status>,
    stat: Option<&proc::Stat>,
) -> Ending {
    let taken = tracee.signal.and_then(signals::name);
    match (status, stat) {
        (None, _) => Ending::Unknown,
        (Some(Status::Signaled { .. }), _) if leader => Ending::Signal,
        (Some(Status::Signaled { signaled, .. }), _) if taken == Some(signaled) => Ending::Signal,
        (Some(Status::Signaled { .. }), _) => Ending::CutOff,
        (Some(Status::Exited { .. }), Some(stat)) if stat.cut_off => Ending::CutOff,
        (Some(Status::Exited { .. }), Some(_)) => Ending::Itself,
        (Some(Status::Exited { .. }), None) => Ending::Unknown,
    }
}
