//! Taking tasks that run already.
//!
//! The trace runs in a thread of its own: the kernel lets everything go when that thread ends, in
//! one pass and without stopping anybody, which no sequence of requests can do (a task blocked in
//! vfork, for one, cannot be stopped to be detached).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::abi;
use crate::error::{Error, Result};
use crate::event::{Appeared, Event, How, Intercept, Kind, Tid};
use crate::sys::{self, What};

use super::calls::is_init;
use super::kernel::{Kernel, Live, Refused};
use super::sandbox::Whereabouts;
use super::table::Tracee;
use super::waiter::Style;
use super::{Launch, Tracer, facts, launch};

/// What is to be attached to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attach {
    /// Processes; a thread's tid stands for its process.
    pub pids: Vec<Tid>,
    /// Their descendants too.
    pub descendants: bool,
    /// How calls are caught: by the kernel's events, unless every system call is asked for.
    pub intercept: Option<Intercept>,
    /// Tell what tracing took.
    pub stats: bool,
    /// Let everything go after this time.
    pub timeout: Option<Duration>,
    /// clonespy's options, for the record.
    pub options: Vec<String>,
}

/// How often a process is asked again that refuses and has nobody new.
const RETRIES: u32 = 20;

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
            deadline: launch::deadline(wanted.timeout),
        };
        let abis = abi::arch::of_machine(std::env::consts::ARCH);
        let mut tracer = Tracer::new(Live::new(style), intercept, abis);
        tracer.tell_stats = wanted.stats;
        let start = launch::describe_attach(wanted, intercept);
        tracer.out.push_back(Event::Start(start));
        let refusals = tracer.seize_all(wanted);
        if tracer.table.len() == 0 {
            return Err(refusals.into_iter().next().unwrap_or_else(|| {
                Error::Usage("every task ended before it could be attached to".to_owned())
            }));
        }
        tracer.tell_refused(&refusals);
        Ok(tracer)
    }
}

impl<K: Kernel> Tracer<K> {
    /// The program has begun: now the tasks that are to be traced along with it.
    pub(super) fn attach_also(&mut self) {
        if self.start.is_none()
            && let Some(wanted) = self.also.take()
        {
            let refusals = self.seize_all(&wanted);
            self.tell_refused(&refusals);
        }
    }

    /// Seizes everything that is wanted and tells of it; says what could not be seized.
    fn seize_all(&mut self, wanted: &Attach) -> Vec<Error> {
        let reaper = Reaper::start();
        let full = wanted.intercept == Some(Intercept::Syscall);
        self.unseen_entries |= !full;
        let mut refusals = Vec::new();
        for tgid in processes(wanted, &mut refusals) {
            if let Err(refusal) = self.seize_process(tgid, full, &reaper) {
                refusals.push(refusal);
            }
        }
        for (tid, what) in reaper.stop() {
            self.ended_while_attaching(tid, what);
        }
        if full {
            self.interrupt_all();
        }
        refusals
    }

    /// Seizes every thread of a process, those included that it makes meanwhile: the list is read
    /// until a pass finds nobody new. (A thread made by one that is seized comes by itself.)
    fn seize_process(&mut self, tgid: Tid, full: bool, reaper: &Reaper) -> Result<()> {
        let mut tries = RETRIES;
        loop {
            let (mut news, mut refused) = (false, None);
            for tid in threads(tgid)? {
                if self.table.get(tid).is_some() || reaper.has_reaped(tid) {
                    continue;
                }
                match self.kernel.seize(tid, false) {
                    Ok(()) => {
                        reaper.watch(tid);
                        self.take_in(tid, tgid, full);
                        news = true;
                    }
                    // It has ended meanwhile.
                    Err(Refused::Gone) => {}
                    Err(Refused::Other(_, why)) => refused = refusal(tid, tgid, &why).or(refused),
                }
            }
            // Who was refused because it was ending may have been replaced by a thread that exec'd
            // before anybody could look at why.
            tries -= u32::from(!news && refused.is_some());
            match refused {
                _ if news => {}
                Some(_) if tries > 0 => thread::yield_now(),
                Some(refused) => return Err(refused),
                None => return Ok(()),
            }
        }
    }

    /// Tells of an attached task.
    fn take_in(&mut self, tid: Tid, tgid: Tid, full: bool) {
        let eye = self.eye(tid);
        let status = facts::status(&eye).unwrap_or_default();
        let stat = facts::stat(&eye);
        let (comm, comm_hex) = facts::comm(&eye);
        let task = self.new_id();
        let kind = if tid == tgid {
            Kind::Process
        } else {
            Kind::Thread
        };
        let ns_tids = (status.ns_tids.len() > 1).then(|| status.ns_tids.clone());
        let worker = stat.as_ref().is_some_and(|stat| stat.worker);
        let at_ns = self.kernel.now_ns();
        let (ppid, start_ticks) = (status.ppid, stat.map(|stat| stat.start_ticks));
        let new_group = self.table.group(tgid).is_none();
        self.table.insert(
            tid,
            Tracee {
                id: task,
                tgid,
                kind,
                born_ns: None,
                full,
                started: false,
                awaited: false,
                call: None,
                sandboxing: None,
                mend: None,
                nested: ns_tids.is_some(),
                init: is_init(Some(&status)),
                signal: None,
            },
        );
        self.totals.threads += 1;
        self.totals.leaders += u64::from(kind == Kind::Process);
        self.totals.processes += u64::from(new_group);
        let how = if worker { How::Worker } else { How::Attached };
        self.emit(|seq| {
            Event::Task(Appeared {
                seq,
                at_ns,
                task,
                tid,
                tgid,
                ppid,
                kind,
                comm,
                comm_hex,
                how,
                start_ticks,
                ns_tids,
            })
        });
    }

    fn ended_while_attaching(&mut self, tid: Tid, what: What) {
        let super::wait::Stop::Gone(status) = super::wait::classify(what) else {
            return;
        };
        let at_ns = self.kernel.now_ns();
        if let Some(tracee) = self.table.remove(tid) {
            self.tell_exit(tid, &tracee, Some(status), None, at_ns);
        }
    }

    /// Some of what was asked for is not traced: it is said.
    fn tell_refused(&mut self, refusals: &[Error]) {
        let first = self
            .table
            .tids()
            .first()
            .and_then(|&tid| Some((tid, self.table.get(tid)?.id)));
        let Some((tid, id)) = first else { return };
        for refusal in refusals {
            self.tell_blind(
                id,
                tid,
                &["a process that was asked for"],
                &refusal.to_string(),
            );
        }
    }

    /// A running task stops at system calls only after it was resumed so. One that would see the
    /// interrupt (its call would return EINTR) is left alone until it stops for another reason.
    fn interrupt_all(&mut self) {
        for tid in self.table.tids() {
            let id = match self.table.get(tid) {
                Some(tracee) if tracee.full && !tracee.started => tracee.id,
                _ => continue,
            };
            let why = match self.whereabouts(tid) {
                Whereabouts::Touchy => {
                    "it sleeps in a call that an interrupt would end (epoll_wait, recv and others)"
                }
                // Gone: its end will be reported.
                _ => match self.kernel.interrupt(tid) {
                    Err(Refused::Other(..)) => "it could not be interrupted",
                    _ => continue,
                },
            };
            self.tell_blind(id, tid, &["failed calls until its next stop"], why);
        }
    }
}

/// The processes to attach to.
fn processes(wanted: &Attach, refusals: &mut Vec<Error>) -> Vec<Tid> {
    let mut tgids = Vec::new();
    for &pid in &wanted.pids {
        match tgid_of(pid) {
            Some(tgid) => tgids.push(tgid),
            None => refusals.push(attach_error(pid, "there is no such process", None)),
        }
    }
    if wanted.descendants {
        let parents = parents();
        let mut known: BTreeSet<Tid> = tgids.iter().copied().collect();
        loop {
            let more: Vec<Tid> = parents
                .iter()
                .filter(|(tgid, ppid)| known.contains(ppid) && !known.contains(tgid))
                .map(|(&tgid, _)| tgid)
                .collect();
            if more.is_empty() {
                break;
            }
            known.extend(&more);
            tgids.extend(more);
        }
    }
    let mut seen = BTreeSet::new();
    tgids.retain(|&tgid| seen.insert(tgid));
    tgids
}

/// Every process with its parent.
fn parents() -> BTreeMap<Tid, Tid> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<Tid>().ok())
        .filter_map(|pid| {
            let bytes = std::fs::read(format!("/proc/{pid}/status")).ok()?;
            Some((pid, facts::parse_status(&bytes).ppid?))
        })
        .collect()
}

fn tgid_of(tid: Tid) -> Option<Tid> {
    facts::parse_status(&std::fs::read(format!("/proc/{tid}/status")).ok()?).tgid
}

fn threads(tgid: Tid) -> Result<Vec<Tid>> {
    let entries = std::fs::read_dir(format!("/proc/{tgid}/task"))
        .map_err(|why| attach_error(tgid, &why.to_string(), None))?;
    let mut tids: Vec<Tid> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    tids.sort_unstable();
    Ok(tids)
}

fn attach_error(pid: Tid, why: &str, hint: Option<String>) -> Error {
    Error::Trace {
        what: format!("attach to {pid}"),
        why: io::Error::other(why.to_owned()),
        hint,
    }
}

/// Why a task could not be seized, from what /proc says of it. `None`: it has ended, or is a leader
/// that has ended before its threads, which is nothing to complain about.
fn refusal(tid: Tid, tgid: Tid, why: &io::Error) -> Option<Error> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{tid}/{name}")).ok();
    let status = read("status")?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    let say =
        |why: String, hint: Option<&str>| Some(attach_error(tid, &why, hint.map(str::to_owned)));
    if field("State").is_some_and(|state| state.starts_with(['Z', 'X'])) {
        let others = threads(tgid).map(|tids| tids.len() > 1).unwrap_or(false);
        if others {
            return None;
        }
        return say(
            "it is a zombie: it has ended and waits for its parent".into(),
            None,
        );
    }
    if let Some(tracer) = field("TracerPid").filter(|&pid| pid != "0") {
        // What is named is a thread, perhaps one of several and with a name of its own.
        let process = tracer.parse().ok().and_then(tgid_of);
        let tracer = process.map_or_else(|| tracer.to_owned(), |pid| pid.to_string());
        let name = std::fs::read_to_string(format!("/proc/{tracer}/comm")).unwrap_or_default();
        let name = name.trim().escape_debug();
        return say(
            format!("it is traced already, by {name} ({tracer})"),
            Some("a task has one tracer at a time; end that one first"),
        );
    }
    if field("VmSize").is_none() && field("Kthread").is_none_or(|kthread| kthread == "1") {
        return say("it is a kernel thread: nobody can trace those".into(), None);
    }
    let uid = field("Uid")
        .and_then(|uids| uids.split_whitespace().next())
        .unwrap_or("?");
    if !nix::unistd::Uid::effective().is_root() && uid != nix::unistd::Uid::effective().to_string()
    {
        let owner = uid
            .parse()
            .ok()
            .and_then(|uid| nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok()?)
            .map_or_else(|| format!("uid {uid}"), |user| user.name);
        return say(
            format!("it belongs to {owner}"),
            Some("run clonespy as that user, or as root"),
        );
    }
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok();
    match scope.as_deref().map(str::trim) {
        Some("1") => say(
            "Yama (ptrace_scope 1) lets a process trace only its own descendants".into(),
            Some("start it under clonespy, run as root, or: sysctl kernel.yama.ptrace_scope=0"),
        ),
        Some("2") => say(
            "Yama (ptrace_scope 2) lets only administrators trace".into(),
            Some("run as root (CAP_SYS_PTRACE)"),
        ),
        Some("3") => say(
            "Yama (ptrace_scope 3) forbids all tracing until the next boot".into(),
            Some("no process can be attached to on this system"),
        ),
        _ => say(
            why.to_string(),
            Some("it may be set-uid or not dumpable, or a container may lack CAP_SYS_PTRACE"),
        ),
    }
}

/// A thread that reaps, one by one, tasks that end while others are being seized. A task in exec
/// holds the lock that PTRACE_SEIZE takes until its siblings have been reaped (fs/exec.c,
/// de_thread, under cred_guard_mutex): if those are ours, seizing and reaping would wait for each
/// other.
struct Reaper {
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    watched: BTreeSet<Tid>,
    reaped: Vec<(Tid, What)>,
    over: bool,
}

impl Reaper {
    fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let theirs = Arc::clone(&shared);
        // Without the thread only that rare deadlock is not resolved.
        let thread = thread::Builder::new().name("reaper".into()).spawn(move || {
            loop {
                {
                    let Ok(mut shared) = theirs.lock() else {
                        return;
                    };
                    if shared.over {
                        return;
                    }
                    let watched: Vec<Tid> = shared.watched.iter().copied().collect();
                    for tid in watched {
                        if let Ok(Some(report)) = sys::reap_of_any_thread(tid) {
                            shared.watched.remove(&tid);
                            shared.reaped.push((tid, report.what));
                        }
                    }
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        Self {
            shared,
            thread: thread.ok(),
        }
    }

    fn watch(&self, tid: Tid) {
        if let Ok(mut shared) = self.shared.lock() {
            shared.watched.insert(tid);
        }
    }

    fn has_reaped(&self, tid: Tid) -> bool {
        self.shared
            .lock()
            .is_ok_and(|shared| shared.reaped.iter().any(|&(t, _)| t == tid))
    }

    fn stop(self) -> Vec<(Tid, What)> {
        if let Ok(mut shared) = self.shared.lock() {
            shared.over = true;
        }
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
        self.shared
            .lock()
            .map(|mut shared| std::mem::take(&mut shared.reaped))
            .unwrap_or_default()
    }
}
