//! Filters that the program installs itself.
//!
//! A stricter answer than RET_TRACE hides a call from our filter (seccomp(2), "the highest
//! precedence wins"). So at seccomp(2) and prctl(PR_SET_SECCOMP) the program's filter is read and
//! explored: where it can only allow or log the calls that matter, nothing changes. Otherwise the
//! task, and all that it creates, stops at every system call from then on.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi::Abi;
use crate::event::{Gap, Obstacle, Tid};
use crate::peek::{Peek, Syscall};
use crate::seccomp::filter;
use crate::seccomp::insn::{Insn, MAX_INSNS, PR_SET_SECCOMP};
use crate::sys::Request;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::{Handled, Refused};
use crate::tracer::kernel::tracee::Stopped;

use super::context::Context;
use super::interrupts::{Whereabouts, whereabouts};
use super::table::Sandboxing;

/// include/uapi/linux/seccomp.h.
const SECCOMP_SET_MODE_FILTER: u64 = 1;
const SECCOMP_FILTER_FLAG_TSYNC: u64 = 1;
const SECCOMP_FILTER_FLAG_TSYNC_ESRCH: u64 = 1 << 4;
/// prctl's own numbering of modes.
const SECCOMP_MODE_FILTER: u64 = 2;

/// Filters that are being installed for a whole thread group, by its tgid.
pub struct Filters<K: Kernel>(BTreeMap<Tid, Sync<K>>);

impl<K: Kernel> Default for Filters<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// A thread that installs a filter for its whole group, held until the others have stopped once.
struct Sync<K: Kernel> {
    waiting: BTreeSet<Tid>,
    /// More than one, where several threads do so at once.
    callers: Vec<Stopped<K>>,
}

impl<K: Kernel> Default for Sync<K> {
    fn default() -> Self {
        Self {
            waiting: BTreeSet::new(),
            callers: Vec::new(),
        }
    }
}

/// A filter about to be installed.
struct Install {
    program: u64,
    sandboxing: Sandboxing,
}

impl<K: Kernel> Filters<K> {
    /// A task is about to make a call that may install a filter.
    pub fn enter(
        &mut self,
        cx: &mut Context<K>,
        task: Stopped<K>,
        abi: &Abi,
        call: &Syscall,
    ) -> Handled {
        let Some(install) = install(abi, call) else {
            return cx.go_on(task);
        };
        if is_harmless(task.peek(), abi, install.program, &cx.abis) {
            return cx.go_on(task);
        }
        let tid = task.tid();
        if let Some(tracee) = cx.table.get_mut(tid) {
            tracee.sandboxing = Some(install.sandboxing);
        }
        if install.sandboxing.whole_group {
            return self.sync(cx, task);
        }
        task.resume(Request::Syscall, 0)
    }

    /// A system call returned, perhaps one that installs a filter.
    pub fn returned(&self, cx: &mut Context<K>, tid: Tid, result: i64, is_error: bool) {
        let Some(tracee) = cx.table.get_mut(tid) else {
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
            && let Some(group) = cx.table.group(tgid)
        {
            for member in group.members.clone() {
                if let Some(tracee) = cx.table.get_mut(member) {
                    tracee.full = true;
                }
            }
        }
    }

    /// TSYNC: the other threads get the filter at the same instant, and must stop at every call
    /// from before then. Each is stopped once; the caller is held meanwhile.
    fn sync(&mut self, cx: &mut Context<K>, caller: Stopped<K>) -> Handled {
        let tid = caller.tid();
        let Some(tgid) = cx.table.get(tid).map(|tracee| tracee.tgid) else {
            return caller.resume(Request::Syscall, 0);
        };
        let members = cx.table.group(tgid).map(|group| group.members.clone());
        let mut sync = self.0.remove(&tgid).unwrap_or_default();
        for member in members.unwrap_or_default() {
            if member != tid {
                sync.include(cx, member);
            }
        }
        sync.callers.push(caller);
        if sync.waiting.is_empty() {
            return sync.release();
        }
        self.0.insert(tgid, sync);
        Ok(())
    }

    /// Whether the caller of a group-wide filter waits for this thread to stop.
    fn waits_for(&self, cx: &Context<K>, tid: Tid) -> bool {
        !self.0.is_empty()
            && cx.table.get(tid).is_some_and(|tracee| {
                let sync = self.0.get(&tracee.tgid);
                sync.is_some_and(|sync| sync.waiting.contains(&tid))
            })
    }

    /// A thread has stopped: if it was waited for, it stops at every call from now on.
    pub fn stopped(&mut self, cx: &mut Context<K>, tid: Tid) -> Handled {
        if !self.waits_for(cx, tid) {
            return Ok(());
        }
        let Some(tracee) = cx.table.get_mut(tid) else {
            return Ok(());
        };
        tracee.full = true;
        let tgid = tracee.tgid;
        let Some(sync) = self.0.get_mut(&tgid) else {
            return Ok(());
        };
        sync.waiting.remove(&tid);
        if !sync.waiting.is_empty() {
            return Ok(());
        }
        self.0.remove(&tgid).map_or(Ok(()), Sync::release)
    }

    /// A thread ended that may have been waited for, or held.
    pub fn gone(&mut self, cx: &mut Context<K>, tid: Tid) {
        // Whoever is let go by that and was killed meanwhile reports its end.
        let _ = self.stopped(cx, tid);
        self.0.retain(|_, sync| {
            sync.callers.retain(|caller| caller.tid() != tid);
            !sync.callers.is_empty()
        });
    }

    /// A process has exec'd: nobody else is left to be waited for, and an old leader that was held
    /// is gone unreported.
    pub fn exec(&mut self, tgid: Tid) {
        self.0.remove(&tgid);
    }

    /// Everybody who is held, where nothing more is waited for.
    pub fn release(&mut self) -> impl Iterator<Item = Stopped<K>> + use<K> {
        let syncs = std::mem::take(&mut self.0);
        syncs.into_values().flat_map(|sync| sync.callers)
    }

    /// Whether nobody is held.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Kernel> Sync<K> {
    /// Has a thread of the group stop at every call, at once or from its next stop on.
    fn include(&mut self, cx: &mut Context<K>, member: Tid) {
        let held = self.callers.iter().any(|caller| caller.tid() == member);
        let Some(tracee) = cx.table.get_mut(member) else {
            return;
        };
        // It is stopped, or will be before it runs anything.
        if held || tracee.awaited {
            tracee.full = true;
        }
        if tracee.full || self.waiting.contains(&member) {
            return;
        }
        let (id, place) = (tracee.id, whereabouts(cx, member));
        match place {
            Whereabouts::Interruptible => {
                let what = vec![Gap::FailedCallsUntilStop];
                cx.blind(id, member, what, Obstacle::SleepsBehindFilter);
            }
            // The interrupt waits until it is out of vfork, and it runs nothing before.
            Whereabouts::Vfork => {
                let _ = cx.kernel.interrupt(member);
            }
            Whereabouts::Elsewhere => {
                if cx.kernel.interrupt(member).is_ok() {
                    self.waiting.insert(member);
                }
                return;
            }
        }
        if let Some(tracee) = cx.table.get_mut(member) {
            tracee.full = true;
        }
    }

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

/// Whether a program's filter can only allow or log the calls that matter. What cannot be read is not
/// harmless.
fn is_harmless(task: &dyn Peek, abi: &Abi, program: u64, abis: &[&'static Abi]) -> bool {
    // struct sock_fprog: a 16-bit length, then a pointer aligned to a word.
    let mut length = [0; 2];
    let pointer = u64::try_from(abi.word)
        .ok()
        .and_then(|word| program.checked_add(word));
    let (Ok(()), Some(pointer)) = (task.read(program, &mut length), pointer) else {
        return false;
    };
    let length = usize::from(u16::from_ne_bytes(length));
    let Ok(at) = task.read_word(abi, pointer) else {
        return false;
    };
    if length > MAX_INSNS {
        return false;
    }
    let mut bytes = vec![0; length * 8];
    if task.read(at, &mut bytes).is_err() {
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
    filter::harmless(&program, abis)
}

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
