//! Seizing: every task of the processes that are wanted, those included that are made meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use crate::error::plain;
use crate::event::{Extra, Gap, How, Intercept, Obstacle, Refusal, SystemError, Tid};
use crate::peek::{Errno, Peek};
use crate::proc;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::Refused;
use crate::tracer::kernel::wait::{self, Stop};
use crate::tracer::start::options::Attach;
use crate::tracer::state::births;
use crate::tracer::state::context::Context;
use crate::tracer::state::interrupts::{Whereabouts, whereabouts};
use crate::tracer::state::newborns::Newborns;
use crate::tracer::state::table::Tracee;

use super::in_flight::InFlight;
use super::reaper::{Ended, Reaper};
use super::refusal::{Unattached, refusal, status_of, tgid_of};

/// How often a process is asked again that refuses and has nobody new.
const RETRIES: u32 = 100;

/// Whether attached tasks stop at every system call.
pub fn is_full(wanted: &Attach) -> bool {
    wanted.intercept == Some(Intercept::Syscall)
}

/// Seizes everything that is wanted and tells of it; says what could not be seized.
pub fn all<K: Kernel>(
    cx: &mut Context<K>,
    newborns: &mut Newborns<K>,
    wanted: &Attach,
) -> Vec<Unattached> {
    let full = is_full(wanted);
    let mut seizing = Seizing { cx, newborns, full };
    let refusals = seizing.all(wanted);
    let unreaped = wanted.record.has(Extra::Unreaped);
    if full || unreaped {
        interrupt_all(cx, unreaped);
    }
    refusals
}

/// What is needed for it.
struct Seizing<'a, K: Kernel> {
    cx: &'a mut Context<K>,
    newborns: &'a mut Newborns<K>,
    full: bool,
}

impl<K: Kernel> Seizing<'_, K> {
    fn all(&mut self, wanted: &Attach) -> Vec<Unattached> {
        let reaper = Reaper::start();
        let mut refusals = Vec::new();
        let mut known = BTreeSet::new();
        let mut next = named(&*self.cx.kernel, wanted, &mut refusals);
        let asked_for = next.clone();
        while !next.is_empty() {
            for &tgid in &next {
                if !known.insert(tgid) {
                    continue;
                }
                let refused = self.process(tgid, &reaper).err();
                // What has ended meanwhile is nobody's descendant any more.
                let there = || !has_ended(&*self.cx.kernel, tgid);
                refusals.extend(refused.filter(|_| asked_for.contains(&tgid) || there()));
            }
            // The tree may have grown by those whose making had begun before their creator was
            // seized; the others come by themselves.
            next = match wanted.descendants {
                true => descendants(&*self.cx.kernel, &known),
                false => Vec::new(),
            };
        }
        self.ended_meanwhile(reaper.stop());
        refusals
    }

    /// Seizes every thread of a process, those included that it makes meanwhile: the list is read
    /// until a pass finds nobody new. A thread made by one that is seized comes by itself; not so
    /// one whose making had begun when its creator was seized (kernel/fork.c, kernel_clone: whether
    /// a newborn is traced is decided first). So there is one more pass when all are known to be
    /// out of what they were in.
    fn process(&mut self, tgid: Tid, reaper: &Reaper) -> Result<(), Unattached> {
        let mut tries = RETRIES;
        let mut in_flight = InFlight::default();
        reaper.watch(tgid);
        loop {
            let (mut more, mut refused) = (in_flight.waiting(&*self.cx.kernel), None);
            self.ended_meanwhile(reaper.take());
            self.forget_replaced(tgid);
            for tid in self.threads(tgid)? {
                if self.cx.table.get(tid).is_some() {
                    continue;
                }
                match self.cx.kernel.seize(tid, false) {
                    Ok(()) => {
                        in_flight.add(&*self.cx.kernel, tid);
                        self.take_in(tid, tgid);
                        more = true;
                    }
                    // It has ended meanwhile.
                    Err(Refused::Gone) => {}
                    Err(Refused::Other(_, why)) => {
                        refused = refusal(&*self.cx.kernel, tid, tgid, &why).or(refused);
                    }
                }
            }
            if more {
                continue;
            }
            // Who was refused because it was ending may have been replaced by a thread that exec'd
            // before anybody could look at why; and so may all others.
            let nobody =
                self.cx.table.group(tgid).is_none() && tgid_of(&*self.cx.kernel, tgid).is_some();
            match refused {
                Some(_) if tries > 0 => {}
                Some(refused) => return Err(refused),
                None if tries > 0 && nobody => {}
                None => return Ok(()),
            }
            tries -= 1;
            thread::yield_now();
        }
    }

    fn threads(&self, tgid: Tid) -> Result<Vec<Tid>, Unattached> {
        self.cx.kernel.threads(tgid).map_err(|Errno(errno)| {
            let error = SystemError(plain(&std::io::Error::from_raw_os_error(errno)));
            Unattached {
                pid: tgid,
                why: Refusal::Failed { error },
            }
        })
    }

    /// A leader that was seized and is not traced any more was replaced by a thread that was not
    /// seized yet and exec'd: the tid is that one's now.
    fn forget_replaced(&mut self, tgid: Tid) {
        let stale = self
            .cx
            .table
            .get(tgid)
            .is_some_and(|tracee| !tracee.started)
            && proc::status(&self.cx.task(tgid)).is_some_and(|status| status.tracer == Some(0));
        if stale && let Some(leader) = self.cx.table.remove(tgid) {
            let at_ns = self.cx.kernel.now_ns();
            self.cx.ended(tgid, &leader, None, None, at_ns);
        }
    }

    /// Tells of an attached task.
    fn take_in(&mut self, tid: Tid, tgid: Tid) {
        let status = proc::status(&self.cx.task(tid)).unwrap_or_default();
        let tracee = Tracee {
            full: self.full,
            ..births::unseen_birth(self.cx, tid, tgid, &status, How::Attached)
        };
        self.cx.table.insert(tid, tracee);
    }

    /// Who was reaped meanwhile: a task that was seized, or one that such a task had made, of which
    /// nobody has told yet.
    fn ended_meanwhile(&mut self, all: Vec<Ended>) {
        for Ended {
            report,
            status,
            stat,
        } in all
        {
            let Stop::Gone(end) = wait::classify(report.what) else {
                continue;
            };
            let tid = report.tid;
            match self.cx.table.remove(tid) {
                Some(tracee) => {
                    let at_ns = self.cx.kernel.now_ns();
                    self.cx.ended(tid, &tracee, Some(end), stat.as_ref(), at_ns);
                }
                None => {
                    let (cx, newborns) = (&mut *self.cx, &mut *self.newborns);
                    newborns.ended_and_reaped(cx, tid, end, status, stat);
                }
            }
        }
    }
}

/// Some of what was asked for is not traced: the trace's first line says so, which is about nobody
/// in particular.
pub fn tell_refused<K: Kernel>(cx: &mut Context<K>, refusals: Vec<Unattached>) {
    let gaps = refusals.into_iter().map(Gap::from);
    if let Some(start) = cx.ledger.start_mut() {
        start.blind.extend(gaps);
        return;
    }
    let tids = cx.table.tids();
    let first = tids
        .first()
        .and_then(|&tid| Some((tid, cx.table.get(tid)?.id)));
    let Some((tid, id)) = first else { return };
    for gap in gaps {
        cx.blind(id, tid, vec![gap], Obstacle::NotAttached);
    }
}

/// A running task stops at system calls only after it was resumed so, and once more before its
/// end only after that was asked of it in a stop. (Asked when it is seized, it could stop on its
/// way out while a sibling in exec waits for it, and the seizing of that one for the exec.) One
/// that would see the interrupt (its call would return EINTR) is left alone until it stops for
/// another reason.
fn interrupt_all<K: Kernel>(cx: &mut Context<K>, unreaped: bool) {
    for tid in cx.table.tids() {
        let (id, full) = match cx.table.get(tid) {
            Some(tracee) if !tracee.started => (tracee.id, tracee.full),
            _ => continue,
        };
        let failed = full.then_some(Gap::FailedCallsUntilStop);
        let left = unreaped.then_some(Gap::UnreapedUntilStop);
        let what = failed.into_iter().chain(left).collect();
        let why = match whereabouts(cx, tid) {
            Whereabouts::Interruptible => Obstacle::Sleeps,
            // Gone: its end will be reported.
            _ => match cx.kernel.interrupt(tid) {
                Err(Refused::Other(..)) => Obstacle::NotInterrupted,
                _ => continue,
            },
        };
        cx.blind(id, tid, what, why);
    }
}

/// The processes that were named.
fn named(kernel: &impl Kernel, wanted: &Attach, refusals: &mut Vec<Unattached>) -> Vec<Tid> {
    let mut tgids = Vec::new();
    for &pid in &wanted.pids {
        match tgid_of(kernel, pid) {
            Some(tgid) => tgids.push(tgid),
            None => refusals.push(Unattached {
                pid,
                why: Refusal::Absent,
            }),
        }
    }
    tgids
}

/// The living processes that descend from these, and are not traced by this thread yet.
fn descendants(kernel: &impl Kernel, of: &BTreeSet<Tid>) -> Vec<Tid> {
    let pids = kernel
        .task(kernel.own_tid())
        .system_list("/proc")
        .unwrap_or_default();
    let pids = pids.iter().filter_map(|name| name.parse::<Tid>().ok());
    let statuses: BTreeMap<Tid, proc::Status> = pids
        .filter_map(|pid| Some((pid, status_of(kernel, pid)?)))
        .collect();
    let mut known = of.clone();
    loop {
        let more: Vec<Tid> = statuses
            .iter()
            .filter(|(pid, status)| {
                !known.contains(pid) && status.ppid.is_some_and(|ppid| known.contains(&ppid))
            })
            .map(|(&pid, _)| pid)
            .collect();
        if more.is_empty() {
            break;
        }
        known.extend(more);
    }
    let own = Some(kernel.own_tid());
    let is_new = |pid: &Tid| {
        let traced = statuses.get(pid).and_then(|status| status.tracer) == own;
        !traced && !of.contains(pid) && !has_ended(kernel, *pid)
    };
    known.into_iter().filter(is_new).collect()
}

/// Whether a process is a zombie without threads, or not there.
fn has_ended(kernel: &impl Kernel, tgid: Tid) -> bool {
    !kernel.lives(tgid) && kernel.threads(tgid).map_or(0, |tids| tids.len()) < 2
}
