//! Taking tasks that run already.
//!
//! The trace runs in a thread of its own: the kernel lets everything go when that thread ends, in
//! one pass and without stopping anybody, which no sequence of requests can do (a task blocked in
//! vfork, for one, cannot be stopped to be detached).

mod in_flight;
mod reaper;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::abi;
use crate::error::{Error, Result, plain};
use crate::event::{
    Event, EventKind, Gap, How, Intercept, Kind, Obstacle, Refusal, SystemError, Tid,
};
use crate::peek::Errno;
use crate::sys;

use crate::proc;
use crate::tracer::Tracer;
use crate::tracer::attach::in_flight::Doubts;
use crate::tracer::attach::reaper::{Ended, Reaper};
use crate::tracer::attach::refusal::{Unattached, refusal, status_of, tgid_of};
use crate::tracer::kernel::live::{Live, proc_is_ours};
use crate::tracer::kernel::wait::{self, Stop};
use crate::tracer::kernel::waiter::{Style, deadline};
use crate::tracer::kernel::{Kernel, Refused};
use crate::tracer::start::first_line;
use crate::tracer::start::options::{Attach, Launch};
use crate::tracer::state::filters::Whereabouts;
use crate::tracer::state::table::Tracee;

/// How often a process is asked again that refuses and has nobody new.
const RETRIES: u32 = 100;

/// Events that may wait for a slow consumer before the tracing thread waits for it.
const AHEAD: usize = 65_536;

/// A trace of running tasks, and perhaps of a program along with them: an iterator of events.
/// Dropping it lets the tasks go.
pub struct Traced {
    events: Option<Receiver<Result<Event>>>,
    thread: Option<JoinHandle<()>>,
}

impl Iterator for Traced {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        self.events.as_ref()?.recv().ok()
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // Without a receiver the tracing thread ends at its next event.
        self.events = None;
        if let Some(thread) = self.thread.take()
            && thread.is_finished()
        {
            let _ = thread.join();
        }
    }
}

/// Who is traced from a thread of its own.
enum Wanted {
    Attach(Attach),
    Both(Box<Launch>),
}

/// Attaches to running processes, or, with `launch.attach`, does so along with a program that it
/// starts. SIGINT, SIGQUIT, SIGTERM and SIGHUP, which are blocked from here on, let them go.
///
/// # Errors
/// Nothing could be attached to: why, and what to do about it. The program could not be started.
pub fn trace(attach: Attach, launch: Option<Launch>) -> Result<Traced> {
    if !proc_is_ours() {
        let why = "the /proc that is mounted here, if any, is not that of clonespy's pid namespace";
        return Err(Error::Trace {
            what: "attach".into(),
            why: std::io::Error::other(why),
            hint: Some("mount -t proc proc /proc (unshare has --mount-proc)".into()),
        });
    }
    sys::block_ending_signals();
    let wanted = match launch {
        Some(launch) => Wanted::Both(Box::new(Launch {
            attach: Some(attach),
            ..launch
        })),
        None => Wanted::Attach(attach),
    };
    let (sender, events) = sync_channel(AHEAD);
    let (ready, outcome) = sync_channel(1);
    let thread = thread::Builder::new()
        .name("tracer".to_owned())
        .spawn(move || run(&wanted, &ready, &sender))
        .map_err(|why| Error::Trace {
            what: "a thread to trace from".into(),
            why,
            hint: None,
        })?;
    match outcome.recv() {
        Ok(Ok(())) => Ok(Traced {
            events: Some(events),
            thread: Some(thread),
        }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::Usage(
            "the tracing thread ended before it began".to_owned(),
        )),
    }
}

/// The tracing thread's whole life.
fn run(wanted: &Wanted, ready: &SyncSender<Result<()>>, events: &SyncSender<Result<Event>>) {
    let tracer = match wanted {
        Wanted::Attach(attach) => Tracer::attach(attach),
        Wanted::Both(launch) => Tracer::launch(launch),
    };
    let tracer = match tracer {
        Ok(tracer) => tracer,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(())).is_err() {
        return;
    }
    for event in tracer {
        if events.send(event).is_err() {
            return;
        }
    }
}

impl Tracer<Live> {
    fn attach(wanted: &Attach) -> Result<Self> {
        let intercept = match wanted.intercept {
            Some(Intercept::Syscall) => Intercept::Syscall,
            Some(Intercept::Seccomp) => {
                let why = "--intercept=seccomp needs a filter that the program itself installs \
                           before its exec: a running one can be watched by event or syscall";
                return Err(Error::Usage(why.to_owned()));
            }
            Some(Intercept::Event) | None => Intercept::Event,
        };
        let style = Style::Directed {
            deadline: deadline(wanted.timeout),
        };
        let abis = abi::arch::of_machine(std::env::consts::ARCH);
        let mut tracer = Tracer::new(Live::new(style).leaving(wanted.unreaped), intercept, abis);
        tracer.tell_stats = wanted.stats;
        tracer.look_at_inherited(wanted.inherited_fds);
        let start = first_line::of_attach(wanted, intercept);
        tracer.out.push_back(start.into());
        let refusals = tracer.seize_all(wanted);
        if tracer.table.len() == 0 {
            return Err(refusals.into_iter().next().map_or_else(
                || Error::Usage("every task ended before it could be attached to".to_owned()),
                Error::from,
            ));
        }
        tracer.tell_refused(refusals);
        Ok(tracer)
    }
}

impl<K: Kernel> Tracer<K> {
    /// The program has begun: now the tasks that are to be traced along with it.
    pub(in crate::tracer) fn attach_also(&mut self) {
        if self.start.is_none()
            && let Some(wanted) = self.also.take()
        {
            let refusals = self.seize_all(&wanted);
            self.tell_refused(refusals);
        }
    }

    /// Seizes everything that is wanted and tells of it; says what could not be seized.
    pub(in crate::tracer) fn seize_all(&mut self, wanted: &Attach) -> Vec<Unattached> {
        let reaper = Reaper::start();
        let full = wanted.intercept == Some(Intercept::Syscall);
        self.unseen_entries |= !full;
        let mut refusals = Vec::new();
        let mut known = BTreeSet::new();
        let mut next = named(&*self.kernel, wanted, &mut refusals);
        let asked_for = next.clone();
        while !next.is_empty() {
            for &tgid in &next {
                if !known.insert(tgid) {
                    continue;
                }
                let refused = self.seize_process(tgid, full, &reaper).err();
                // What has ended meanwhile is nobody's descendant any more.
                let there = || !has_ended(&*self.kernel, tgid);
                refusals.extend(refused.filter(|_| asked_for.contains(&tgid) || there()));
            }
            // The tree may have grown by those whose making had begun before their creator was
            // seized; the others come by themselves.
            next = match wanted.descendants {
                true => descendants(&*self.kernel, &known),
                false => Vec::new(),
            };
        }
        self.ended_while_attaching(reaper.stop());
        if full || wanted.unreaped {
            self.interrupt_all(wanted.unreaped);
        }
        refusals
    }

    /// Seizes every thread of a process, those included that it makes meanwhile: the list is read
    /// until a pass finds nobody new. A thread made by one that is seized comes by itself; not so
    /// one whose making had begun when its creator was seized (kernel/fork.c, kernel_clone: whether
    /// a newborn is traced is decided first). So there is one more pass when all are known to be
    /// out of what they were in.
    fn seize_process(
        &mut self,
        tgid: Tid,
        full: bool,
        reaper: &Reaper,
    ) -> std::result::Result<(), Unattached> {
        let mut tries = RETRIES;
        let mut doubts = Doubts::default();
        reaper.watch(tgid);
        loop {
            let (mut news, mut refused) = (doubts.waiting(&*self.kernel), None);
            self.ended_while_attaching(reaper.take());
            self.forget_replaced(tgid);
            for tid in self.threads(tgid)? {
                if self.table.get(tid).is_some() {
                    continue;
                }
                match self.kernel.seize(tid, false) {
                    Ok(()) => {
                        doubts.add(&*self.kernel, tid);
                        self.take_in(tid, tgid, full);
                        news = true;
                    }
                    // It has ended meanwhile.
                    Err(Refused::Gone) => {}
                    Err(Refused::Other(_, why)) => {
                        refused = refusal(&*self.kernel, tid, tgid, &why).or(refused);
                    }
                }
            }
            if news {
                continue;
            }
            // Who was refused because it was ending may have been replaced by a thread that exec'd
            // before anybody could look at why; and so may all others.
            let nobody = self.table.group(tgid).is_none() && tgid_of(&*self.kernel, tgid).is_some();
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

    fn threads(&self, tgid: Tid) -> std::result::Result<Vec<Tid>, Unattached> {
        self.kernel.threads(tgid).map_err(|Errno(errno)| {
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
        let stale = self.table.get(tgid).is_some_and(|tracee| !tracee.started)
            && proc::status(&self.eye(tgid)).is_some_and(|status| status.tracer == Some(0));
        if stale && let Some(leader) = self.table.remove(tgid) {
            let at_ns = self.kernel.now_ns();
            self.tell_exit(tgid, &leader, None, None, at_ns);
        }
    }

    /// Tells of an attached task.
    fn take_in(&mut self, tid: Tid, tgid: Tid, full: bool) {
        let status = proc::status(&self.eye(tid)).unwrap_or_default();
        let new_group = self.table.group(tgid).is_none();
        let tracee = Tracee {
            full,
            ..self.tell_appeared(tid, tgid, &status, How::Attached)
        };
        self.totals.threads += 1;
        self.totals.leaders += u64::from(tracee.kind == Kind::Process);
        self.totals.processes += u64::from(new_group);
        self.table.insert(tid, tracee);
    }

    /// Who was reaped meanwhile: a task that was seized, or one that such a task had made, of which
    /// nobody has told yet.
    fn ended_while_attaching(&mut self, all: Vec<Ended>) {
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
            match self.table.remove(tid) {
                Some(tracee) => {
                    let at_ns = self.kernel.now_ns();
                    self.tell_exit(tid, &tracee, Some(end), stat.as_ref(), at_ns);
                }
                None => self.bury(tid, end, status, stat),
            }
        }
    }

    /// Some of what was asked for is not traced: the trace's first line says so, which is about nobody
    /// in particular.
    fn tell_refused(&mut self, refusals: Vec<Unattached>) {
        let start = self.out.iter_mut().find_map(|event| match &mut event.kind {
            EventKind::Start(start) => Some(start),
            _ => None,
        });
        if let Some(start) = start {
            start.blind.extend(refusals.into_iter().map(Gap::from));
            return;
        }
        let first = self
            .table
            .tids()
            .first()
            .and_then(|&tid| Some((tid, self.table.get(tid)?.id)));
        let Some((tid, id)) = first else { return };
        for refusal in refusals {
            self.tell_blind(id, tid, vec![refusal.into()], Obstacle::NotAttached);
        }
    }

    /// A running task stops at system calls only after it was resumed so, and once more before its
    /// end only after that was asked of it in a stop. (Asked when it is seized, it could stop on its
    /// way out while a sibling in exec waits for it, and the seizing of that one for the exec.) One
    /// that would see the interrupt (its call would return EINTR) is left alone until it stops for
    /// another reason.
    fn interrupt_all(&mut self, unreaped: bool) {
        for tid in self.table.tids() {
            let (id, full) = match self.table.get(tid) {
                Some(tracee) if !tracee.started => (tracee.id, tracee.full),
                _ => continue,
            };
            let failed = full.then_some(Gap::FailedCallsUntilStop);
            let left = unreaped.then_some(Gap::UnreapedUntilStop);
            let what = failed.into_iter().chain(left).collect();
            let why = match self.whereabouts(tid) {
                Whereabouts::Touchy => Obstacle::Sleeps,
                // Gone: its end will be reported.
                _ => match self.kernel.interrupt(tid) {
                    Err(Refused::Other(..)) => Obstacle::NotInterrupted,
                    _ => continue,
                },
            };
            self.tell_blind(id, tid, what, why);
        }
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
    let pids = kernel.system_list("/proc").unwrap_or_default();
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
    let news = |pid: &Tid| {
        let traced = statuses.get(pid).and_then(|status| status.tracer) == own;
        !traced && !of.contains(pid) && !has_ended(kernel, *pid)
    };
    known.into_iter().filter(news).collect()
}

/// Whether a process is a zombie without threads, or not there.
fn has_ended(kernel: &impl Kernel, tgid: Tid) -> bool {
    !kernel.lives(tgid) && kernel.threads(tgid).map_or(0, |tids| tids.len()) < 2
}
