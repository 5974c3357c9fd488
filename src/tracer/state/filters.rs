//! Filters that the program installs itself.
//!
//! A stricter answer than RET_TRACE hides a call from our filter (seccomp(2), "the highest
//! precedence wins"). So at seccomp(2) and prctl(PR_SET_SECCOMP) the program's filter is read and
//! explored: where it can only allow or log the calls that matter, nothing changes. Otherwise the
//! task, and all that it creates, stops at every system call from then on.

use std::collections::BTreeSet;

use crate::abi::Abi;
use crate::event::{Gap, Obstacle, Tid};
use crate::peek::{Peek, Syscall};
use crate::proc::Position;
use crate::seccomp::insn::{Insn, MAX_INSNS, PR_SET_SECCOMP};
use crate::sys::{self, Request};

use crate::seccomp::filter;
use crate::tracer::Handled;
use crate::tracer::Tracer;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::{Kernel, Refused};
use crate::tracer::state::table::Sandboxing;

/// include/uapi/linux/seccomp.h.
const SECCOMP_SET_MODE_FILTER: u64 = 1;
const SECCOMP_FILTER_FLAG_TSYNC: u64 = 1;
const SECCOMP_FILTER_FLAG_TSYNC_ESRCH: u64 = 1 << 4;
/// prctl's own numbering of modes.
const SECCOMP_MODE_FILTER: u64 = 2;
const ENOSYS: u64 = 38;

/// A thread that installs a filter for its whole group, held until the others have stopped once.
pub(in crate::tracer) struct Sync<K> {
    waiting: BTreeSet<Tid>,
    /// More than one, where several threads do so at once.
    callers: Vec<Stopped<K>>,
}

/// A filter about to be installed.
struct Install {
    program: u64,
    sandboxing: Sandboxing,
}

impl<K: Kernel> Tracer<K> {
    /// A task is about to install a filter of its own.
    pub(in crate::tracer) fn sandbox_call(
        &mut self,
        task: Stopped<K>,
        abi: &Abi,
        call: &Syscall,
    ) -> Handled {
        let Some(install) = install(abi, call) else {
            return self.go_on(task);
        };
        if self.is_harmless(&task, abi, install.program) {
            return self.go_on(task);
        }
        let tid = task.tid();
        if let Some(tracee) = self.table.get_mut(tid) {
            tracee.sandboxing = Some(install.sandboxing);
        }
        if install.sandboxing.whole_group {
            return self.sync(task);
        }
        task.resume(Request::Syscall, 0)
    }

    /// Whether the program's filter can only allow or log the calls that matter. What cannot be read
    /// is not harmless.
    fn is_harmless(&self, task: &Stopped<K>, abi: &Abi, program: u64) -> bool {
        // struct sock_fprog: a 16-bit length, then a pointer aligned to a word.
        let eye = task.eye();
        let mut length = [0; 2];
        let pointer = u64::try_from(abi.word)
            .ok()
            .and_then(|word| program.checked_add(word));
        let (Ok(()), Some(pointer)) = (eye.read(program, &mut length), pointer) else {
            return false;
        };
        let length = usize::from(u16::from_ne_bytes(length));
        let Ok(at) = eye.read_word(abi, pointer) else {
            return false;
        };
        if length > MAX_INSNS {
            return false;
        }
        let mut bytes = vec![0; length * 8];
        if eye.read(at, &mut bytes).is_err() {
            return false;
        }
        let program: Vec<Insn> = bytes
            .chunks_exact(8)
            .filter_map(|chunk| {
                let &[c0, c1, jt, jf, k0, k1, k2, k3] = chunk else {
                    return None;
                };
                let code = u16::from_ne_bytes([c0, c1]);
                Some(Insn {
                    code,
                    jt,
                    jf,
                    k: u32::from_ne_bytes([k0, k1, k2, k3]),
                })
            })
            .collect();
        filter::harmless(&program, &self.abis)
    }

    /// The call that installs a filter returned.
    pub(in crate::tracer) fn sandbox_returned(&mut self, tid: Tid, result: i64, is_error: bool) {
        let Some(tracee) = self.table.get_mut(tid) else {
            return;
        };
        let Some(sandboxing) = tracee.sandboxing.take() else {
            return;
        };
        if is_error || (sandboxing.positive_refuses && result > 0) {
            return;
        }
        tracee.full = true;
        let tgid = tracee.tgid;
        if sandboxing.whole_group
            && let Some(group) = self.table.group(tgid)
        {
            for member in group.members.clone() {
                if let Some(tracee) = self.table.get_mut(member) {
                    tracee.full = true;
                }
            }
        }
    }

    /// TSYNC: the other threads get the filter at the same instant, and must stop at every call
    /// from before then. Each is stopped once; the caller is held meanwhile.
    fn sync(&mut self, caller: Stopped<K>) -> Handled {
        let tid = caller.tid();
        let Some(tgid) = self.table.get(tid).map(|tracee| tracee.tgid) else {
            return caller.resume(Request::Syscall, 0);
        };
        let members: Vec<Tid> = self
            .table
            .group(tgid)
            .map(|group| {
                group
                    .members
                    .iter()
                    .copied()
                    .filter(|&member| member != tid)
                    .collect()
            })
            .unwrap_or_default();
        let (mut waiting, mut callers) = match self.syncs.remove(&tgid) {
            Some(other) => (other.waiting, other.callers),
            None => Default::default(),
        };
        for member in members {
            let held = callers.iter().any(|caller| caller.tid() == member);
            let Some(tracee) = self.table.get_mut(member) else {
                continue;
            };
            // It is stopped, or will be before it runs anything.
            if held || tracee.awaited {
                tracee.full = true;
            }
            if tracee.full || waiting.contains(&member) {
                continue;
            }
            let (id, place) = (tracee.id, self.whereabouts(member));
            match place {
                Whereabouts::Touchy => {
                    let what = vec![Gap::FailedCallsUntilStop];
                    self.tell_blind(id, member, what, Obstacle::SleepsBehindFilter);
                    if let Some(tracee) = self.table.get_mut(member) {
                        tracee.full = true;
                    }
                }
                // It sleeps until its child has exec'd or ended: the interrupt waits for it, and it
                // runs nothing before.
                Whereabouts::Vfork => {
                    let _ = self.kernel.interrupt(member);
                    if let Some(tracee) = self.table.get_mut(member) {
                        tracee.full = true;
                    }
                }
                Whereabouts::Elsewhere => {
                    if self.kernel.interrupt(member).is_ok() {
                        waiting.insert(member);
                    }
                }
            }
        }
        callers.push(caller);
        let sync = Sync { waiting, callers };
        if sync.waiting.is_empty() {
            return sync.release();
        }
        self.syncs.insert(tgid, sync);
        Ok(())
    }

    /// Where a running thread is, as far as an interrupt matters to it.
    pub(in crate::tracer) fn whereabouts(&self, tid: Tid) -> Whereabouts {
        let Ok(bytes) = self.kernel.proc_file(tid, "syscall") else {
            return Whereabouts::Elsewhere;
        };
        let Some(Position::Call(nr)) = Position::parse(&bytes) else {
            return Whereabouts::Elsewhere;
        };
        if self.abis.iter().any(|abi| abi.call(nr).is_some()) {
            Whereabouts::Vfork
        } else if INTERRUPTIBLE.contains(&nr) {
            Whereabouts::Touchy
        } else {
            Whereabouts::Elsewhere
        }
    }

    /// Whether the caller of a group-wide filter waits for this thread to stop.
    pub(in crate::tracer) fn sync_stop(&self, tid: Tid) -> bool {
        !self.syncs.is_empty()
            && self.table.get(tid).is_some_and(|tracee| {
                self.syncs
                    .get(&tracee.tgid)
                    .is_some_and(|sync| sync.waiting.contains(&tid))
            })
    }

    /// A thread that was waited for has stopped: from now on it stops at every call.
    pub(in crate::tracer) fn release_synced(&mut self, tid: Tid) -> Handled {
        let Some(tracee) = self.table.get_mut(tid) else {
            return Ok(());
        };
        tracee.full = true;
        let tgid = tracee.tgid;
        let Some(sync) = self.syncs.get_mut(&tgid) else {
            return Ok(());
        };
        sync.waiting.remove(&tid);
        if !sync.waiting.is_empty() {
            return Ok(());
        }
        self.syncs.remove(&tgid).map_or(Ok(()), Sync::release)
    }

    /// A thread ended that may have been waited for, or held.
    pub(in crate::tracer) fn sync_gone(&mut self, tid: Tid) {
        if self.sync_stop(tid) {
            let _ = self.release_synced(tid);
        }
        self.syncs.retain(|_, sync| {
            sync.callers.retain(|caller| caller.tid() != tid);
            !sync.callers.is_empty()
        });
    }

    /// Lets held callers go on, where nothing more is waited for.
    pub(in crate::tracer) fn release_held(&mut self) {
        for (_, sync) in std::mem::take(&mut self.syncs) {
            for caller in sync.callers {
                let _ = caller.resume(Request::Cont, 0);
            }
        }
        self.release_all_parked();
        self.release_vforks();
    }

    /// RET_TRACE from a filter of the program's own: alone, without a tracer, it would see ENOSYS
    /// (seccomp(2)), so the call is skipped with that.
    pub(in crate::tracer) fn answer_enosys(&self, task: &Stopped<K>) -> Handled {
        if let Some((number, result, _)) = sys::return_slots() {
            self.kernel.poke_user(task.tid(), number, u64::MAX)?;
            self.kernel
                .poke_user(task.tid(), result, 0u64.wrapping_sub(ENOSYS))?;
        }
        Ok(())
    }
}

impl<K: Kernel> Sync<K> {
    /// Lets the callers go on. One that was killed meanwhile does not hold up the others, nor the
    /// task at hand: its end will be reported.
    fn release(self) -> Handled {
        for caller in self.callers {
            match caller.resume(Request::Syscall, 0) {
                Ok(()) | Err(Refused::Gone) => {}
                refused => return refused,
            }
        }
        Ok(())
    }
}

/// What an interrupt does to a running thread.
pub(in crate::tracer) enum Whereabouts {
    /// It would see EINTR.
    Touchy,
    /// It sleeps in vfork.
    Vfork,
    /// It would not notice.
    Elsewhere,
}

/// x86-64's calls in which PTRACE_INTERRUPT shows as EINTR (signal(7), "Interruption of system calls
/// by stop signals"): recvfrom, recvmsg, semop, semtimedop, rt_sigtimedwait, epoll_wait,
/// epoll_pwait, recvmmsg, epoll_pwait2. Other machines have other numbers; there nobody is spared.
#[cfg(target_arch = "x86_64")]
const INTERRUPTIBLE: &[u64] = &[45, 47, 65, 220, 128, 232, 281, 299, 441];
#[cfg(not(target_arch = "x86_64"))]
const INTERRUPTIBLE: &[u64] = &[];

/// Whether a call installs a filter, and which.
fn install(abi: &Abi, call: &Syscall) -> Option<Install> {
    let [a0, a1, a2, ..] = call.args.map(|word| abi.register(word));
    let low = |word: u64| word & 0xffff_ffff;
    if abi.seccomp == Some(call.nr) && low(a0) == SECCOMP_SET_MODE_FILTER {
        let whole_group = a1 & SECCOMP_FILTER_FLAG_TSYNC != 0;
        // Otherwise a positive result is the descriptor of a listener (seccomp(2)).
        let positive_refuses = whole_group && a1 & SECCOMP_FILTER_FLAG_TSYNC_ESRCH == 0;
        return Some(Install {
            program: a2,
            sandboxing: Sandboxing {
                whole_group,
                positive_refuses,
            },
        });
    }
    if abi.prctl == Some(call.nr)
        && low(a0) == u64::from(PR_SET_SECCOMP)
        && a1 == SECCOMP_MODE_FILTER
    {
        return Some(Install {
            program: a2,
            sandboxing: Sandboxing {
                whole_group: false,
                positive_refuses: false,
            },
        });
    }
    None
}
