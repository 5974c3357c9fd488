//! From the entry of a call to its outcome.

use crate::abi::{self, errno, flags, signals};
use crate::decode;
use crate::event::{Call, CloneCall, EventKind, Observation, Outcome, Reason, Tid};
use crate::peek::Syscall;
use crate::sys::{Op, Request, SyscallInfo};

use crate::proc;
use crate::seccomp::filter::TRACE_DATA;
use crate::tracer::Handled;
use crate::tracer::Tracer;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::wait::Stop;
use crate::tracer::kernel::{Kernel, Refused};
use crate::tracer::state::restarts::{restarting, same_call, will_be_made_again};
use crate::tracer::state::table::Pending;

impl<K: Kernel> Tracer<K> {
    /// The filter stopped a task at the entry of a call.
    pub(in crate::tracer) fn filter_stop(&mut self, task: Stopped<K>) -> Handled {
        let info = self.kernel.syscall_info(task.tid())?;
        let Op::Seccomp(words, data) = info.op else {
            return self.go_on(task);
        };
        let call = syscall(&info, words);
        let known = abi::arch::find(call.arch, call.nr);
        if known.is_some_and(|abi| abi.call(call.nr).is_some()) {
            // In syscall mode the entry stop before this one has seen to it.
            if !self
                .table
                .get(task.tid())
                .is_some_and(|t| t.full && !restarting(t) && same_call(t, &call))
            {
                self.enter(&task, call)?;
            }
            if data != TRACE_DATA {
                self.answer_enosys(&task)?;
            }
            return task.resume(Request::Syscall, 0);
        }
        match known {
            Some(abi) if data == TRACE_DATA => self.sandbox_call(task, abi, &call),
            _ => {
                self.answer_enosys(&task)?;
                self.go_on(task)
            }
        }
    }

    /// A stop at the entry or exit of any system call.
    pub(in crate::tracer) fn syscall_stop(&mut self, task: Stopped<K>) -> Handled {
        let info = self.kernel.syscall_info(task.tid())?;
        match info.op {
            Op::Entry(words) => {
                let call = syscall(&info, words);
                let known = abi::arch::find(call.arch, call.nr);
                if known.is_some_and(|abi| abi.call(call.nr).is_some()) {
                    self.enter(&task, call)?;
                }
                task.resume(Request::Syscall, 0)
            }
            Op::Exit(result, is_error) => {
                self.leave(&task, result, is_error)?;
                self.go_on(task)
            }
            _ => self.go_on(task),
        }
    }

    /// A task enters one of the four calls.
    fn enter(&mut self, task: &Stopped<K>, call: Syscall) -> Handled {
        let tid = task.tid();
        let again = self.table.get(tid).is_some_and(|t| same_call(t, &call));
        if again || self.back_from_handler(tid, &call) {
            return self.enter_again(task, call);
        }
        let Some(mut pending) = self.pend(task, call)? else {
            return Ok(());
        };
        let asked = self.kernel.registers(tid).and_then(|registers| {
            pending.registers = registers;
            self.hide_untraced(task, &call, &mut pending)
        });
        pending.entered_ns = Some(self.kernel.now_ns());
        // Also of a caller that was killed here: it called.
        self.table.set_call(tid, pending);
        asked
    }

    /// Takes CLONE_UNTRACED off a call that is entered with it.
    pub(in crate::tracer) fn hide_untraced(
        &self,
        task: &Stopped<K>,
        call: &Syscall,
        pending: &mut Pending,
    ) -> Handled {
        if pending.decoded.flags.contains(flags::CLONE_UNTRACED) && pending.edit.is_none() {
            pending.edit = self.take_off_untraced(task, call, &pending.decoded)?;
            pending.escapes = pending.edit.is_none();
        }
        Ok(())
    }

    /// Decodes a call into an event without an outcome.
    pub(in crate::tracer) fn pend(
        &mut self,
        task: &Stopped<K>,
        call: Syscall,
    ) -> Result<Option<Pending>, Refused> {
        let tid = task.tid();
        let at_ns = self.kernel.now_ns();
        let Some(decoded) = decode::decode(task.eye(), &call) else {
            return Ok(None);
        };
        let (comm, comm_hex) = proc::comm(task.eye()).unwrap_or_default();
        let Some(tracee) = self.table.get(tid) else {
            return Ok(None);
        };
        let id = tracee.id;
        let mut event = Box::new(CloneCall {
            took_ns: None,
            tid,
            tgid: tracee.tgid,
            comm,
            comm_hex,
            request: decoded.request.clone(),
            wrote: None,
            outcome: Outcome::Unfinished {},
            libc: None,
            cgroup_path: None,
            origin: None,
            origin_certainty: None,
            caller: Vec::new(),
            runs: None,
            sharing: None,
            cost: None,
        });
        for observer in &mut self.observers {
            observer.entered(task.eye(), &mut event);
        }
        Ok(Some(Pending {
            at_ns,
            task: id,
            event,
            decoded,
            syscall: call,
            registers: None,
            entered_ns: None,
            restarting: false,
            edit: None,
            escapes: false,
            odd: None,
        }))
    }

    /// A system call returned.
    fn leave(&mut self, task: &Stopped<K>, result: i64, is_error: bool) -> Handled {
        let tid = task.tid();
        self.sandbox_returned(tid, result, is_error);
        let Some(mut pending) = self.table.take_call(tid) else {
            return Ok(());
        };
        // Killed here, its result is known all the same.
        let mended = match pending.edit.take() {
            Some(edit) => self.put_back(task, &edit),
            None => Ok(()),
        };
        if is_error && will_be_made_again(result) {
            pending.restarting = true;
            self.table.set_call(tid, pending);
        } else if is_error {
            self.failed(task, pending, result);
        } else if result == 0 {
            // RET_ERRNO with 0. A caller never gets 0 from the kernel: no task has that tid.
            let outcome = refused_by_filter("errno 0", Observation::FilterZero);
            self.conclude(pending, outcome);
        } else if pending.escapes {
            let untraced = Tid::try_from(result).ok();
            self.conclude(pending, Outcome::Untraced { tid: untraced });
        } else {
            // Under RET_TRAP and RET_KILL the result is the call's number (kernel/seccomp.c,
            // syscall_rollback); what happened shows at the next report.
            pending.odd = Some(result);
            self.table.set_call(tid, pending);
        }
        mended
    }

    fn failed(&mut self, task: &Stopped<K>, mut pending: Pending, result: i64) {
        let code = i32::try_from(-result).unwrap_or(i32::MAX);
        let errno = errno::name(code).map_or_else(|| format!("errno {code}"), str::to_owned);
        pending.event.outcome = Outcome::Failed {
            errno,
            code,
            reasons: Vec::new(),
        };
        for observer in &mut self.observers {
            observer.failed(task.eye(), pending.at_ns, &mut pending.event);
        }
        let outcome = pending.event.outcome.clone();
        self.conclude(pending, outcome);
    }

    /// What a positive result without an event meant.
    pub(in crate::tracer) fn odd_result(&mut self, tid: Tid, stop: &Stop) {
        let Some(pending) = self.table.take_call(tid) else {
            return;
        };
        let sigsys = signals::number("SIGSYS");
        let outcome = match stop {
            Stop::Signal(signal) if Some(*signal) == sigsys => {
                refused_by_filter("SIGSYS", Observation::FilterTrap)
            }
            Stop::Gone(_) => refused_by_filter("SIGSYS", Observation::FilterKill),
            _ => Outcome::Untraced {
                tid: pending.odd.and_then(|tid| Tid::try_from(tid).ok()),
            },
        };
        self.conclude(pending, outcome);
    }

    /// Tells of a call with its outcome.
    pub(in crate::tracer) fn conclude(&mut self, mut pending: Pending, outcome: Outcome) {
        let call: Call = pending.event.request.call;
        *self.totals.calls.entry(call.name().to_owned()).or_default() += 1;
        match &outcome {
            Outcome::Created(_) => self.totals.created += 1,
            Outcome::Failed { .. } => self.totals.failed += 1,
            Outcome::Untraced { .. } => self.totals.untraced += 1,
            Outcome::Unfinished {} | Outcome::Other(_) => self.totals.unfinished += 1,
        }
        if !matches!(outcome, Outcome::Unfinished {})
            && let Some(entered) = pending.entered_ns
        {
            pending.event.took_ns = Some(self.kernel.now_ns().saturating_sub(entered));
        }
        pending.event.outcome = outcome;
        self.emit(pending.at_ns, pending.task, EventKind::Clone(pending.event));
    }
}

fn syscall(info: &SyscallInfo, words: [u64; 7]) -> Syscall {
    let [nr, a0, a1, a2, a3, a4, a5] = words;
    let args = [a0, a1, a2, a3, a4, a5];
    Syscall {
        arch: info.arch,
        nr,
        args,
        ip: info.ip,
        sp: info.sp,
    }
}

fn refused_by_filter(name: &str, what: Observation) -> Outcome {
    Outcome::Failed {
        errno: name.to_owned(),
        code: 0,
        reasons: vec![Reason {
            rule: "program-filter".to_owned(),
            certainty: crate::event::Certainty::Certain,
            text: what.into(),
            evidence: std::collections::BTreeMap::new(),
        }],
    }
}
