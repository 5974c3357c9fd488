//! Stories: one method for each thing that a task does.

use std::cell::RefMut;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::abi::arch;
use crate::abi::flags::{self, CloneFlags};
use crate::event::{
    Event, EventKind, Extras, How, Intercept, Kind, Outcome, Status, TaskId, Tid, Totals,
};
use crate::peek::Syscall;
use crate::peek::testing::x86_64;
use crate::seccomp::filter::TRACE_DATA;
use crate::sys::{Op, Registers, Report, What};
use crate::tracer::Tracer;
use crate::tracer::state::table::Tracee;

use super::{Did, Fake, Scripted, State, World, event_stop};

/// The first process.
pub(in crate::tracer) const ROOT: Tid = 100;

const SIGTRAP: i32 = 5;
pub(in crate::tracer) const FORK: i32 = 1;
pub(in crate::tracer) const VFORK: i32 = 2;
pub(in crate::tracer) const CLONE: i32 = 3;

/// What pthread_create passes.
const THREAD: u64 = flags::CLONE_VM.0
    | flags::CLONE_FS.0
    | flags::CLONE_FILES.0
    | flags::CLONE_SIGHAND.0
    | flags::CLONE_THREAD.0;

/// fork(2).
pub(in crate::tracer) fn fork() -> Syscall {
    x86_64(57, [0; 6])
}

/// A vfork.
pub(in crate::tracer) fn vfork() -> Syscall {
    x86_64(58, [0; 6])
}

/// clone(2) with these flags.
pub(in crate::tracer) fn clone(flags: CloneFlags) -> Syscall {
    x86_64(56, [flags.0, 0, 0, 0, 0, 0])
}

/// What makes a thread.
pub(in crate::tracer) fn pthread() -> Syscall {
    clone(CloneFlags(THREAD))
}

/// clone3(2) with its block there.
pub(in crate::tracer) fn clone3(at: u64) -> Syscall {
    x86_64(435, [at, 88, 0, 0, 0, 0])
}

/// A traced program.
pub(in crate::tracer) struct Story {
    pub tracer: Tracer<Scripted>,
    pub told: Vec<Event>,
}

impl Story {
    /// One process with one task, traced by the filter.
    pub fn new() -> Self {
        Self::with(Intercept::Seccomp)
    }

    /// One process with one task.
    pub fn with(intercept: Intercept) -> Self {
        let mut world = World::default();
        world.memories.push(BTreeMap::new());
        world.tasks.insert(ROOT, fake(ROOT, ROOT, 1, 0));
        let kernel = Scripted(Rc::new(world.into()));
        let mut tracer = Tracer::new(
            kernel,
            intercept,
            arch::of_machine("x86_64"),
            &Extras::default(),
        );
        tracer.end.root = ROOT;
        let id = tracer.cx.ledger.new_task();
        tracer.cx.table.insert(
            ROOT,
            Tracee {
                born_ns: Some(0),
                full: intercept == Intercept::Syscall,
                started: intercept != Intercept::Event,
                ..Tracee::new(id, ROOT, Kind::Process)
            },
        );
        let told = Vec::new();
        Self { tracer, told }
    }

    pub fn world(&self) -> RefMut<'_, World> {
        self.tracer.cx.kernel.0.borrow_mut()
    }

    /// Changes a task.
    pub fn edit(&mut self, tid: Tid, change: impl FnOnce(&mut Fake)) {
        change(self.world().tasks.get_mut(&tid).expect("it is there"));
    }

    pub fn state(&self, tid: Tid) -> Option<State> {
        self.world().tasks.get(&tid).map(|fake| fake.state)
    }

    /// What the tracer did since this was last asked.
    pub fn did(&self) -> Vec<Did> {
        std::mem::take(&mut self.world().did)
    }

    /// The kernel reports, and the tracer handles it.
    pub fn report(&mut self, tid: Tid, what: What) {
        self.world().reports.push_back(Report { tid, what });
        let went = self.tracer.step();
        let goes_on = !self.tracer.ended;
        assert!(
            went.as_ref().is_ok_and(|&went| went == goes_on),
            "{tid} {what:?}: {went:?}"
        );
        self.told
            .extend(std::iter::from_fn(|| self.tracer.cx.ledger.take()));
    }

    /// Nobody has anything to say for a while.
    pub fn silence(&mut self) {
        self.world().silences = 1;
        assert!(matches!(self.tracer.step(), Ok(true)));
        self.told
            .extend(std::iter::from_fn(|| self.tracer.cx.ledger.take()));
    }

    /// A task stops.
    pub fn stops(&mut self, tid: Tid, what: What, op: Op) {
        self.edit(tid, |fake| {
            let free = matches!(fake.state, State::Runs | State::Listens);
            assert!(free, "{tid} cannot stop: {:?}", fake.state);
            fake.state = State::Stopped;
            fake.op = op;
        });
        self.report(tid, what);
    }

    /// SECCOMP stop.
    pub fn enters(&mut self, tid: Tid, call: Syscall) {
        self.filtered(tid, call, TRACE_DATA);
    }

    /// SECCOMP stop, with the data of the filter that asked for it.
    pub fn filtered(&mut self, tid: Tid, call: Syscall, data: u32) {
        self.edit(tid, |fake| fake.call = Some(call));
        let stop = event_stop(SIGTRAP, 7);
        self.stops(tid, stop, Op::Seccomp(words(&call), data));
    }

    /// Syscall-entry stop.
    pub fn entry(&mut self, tid: Tid, call: Syscall) {
        self.edit(tid, |fake| fake.call = Some(call));
        self.stops(tid, What::Stopped(0x85), Op::Entry(words(&call)));
    }

    /// Syscall-exit stop.
    pub fn returns(&mut self, tid: Tid, result: i64) {
        let error = (-4095..0).contains(&result);
        self.stops(tid, What::Stopped(0x85), Op::Exit(result, error));
    }

    /// The kernel makes a task, without telling anybody yet: it has copies of its creator's registers.
    pub fn makes(&mut self, caller: Tid, tid: Tid, kind: Kind) {
        let mut world = self.world();
        let mut child = world.tasks.get(&caller).expect("the caller").clone();
        let call = child.call.expect("only a call makes a task");
        assert!(matches!(child.state, State::Runs | State::Doomed));
        if kind == Kind::Process {
            (child.ppid, child.tgid) = (child.tgid, tid);
        }
        child.state = State::Runs;
        child.dies_after = None;
        let decoded_flags = match call.nr {
            56 => call.args[0],
            435 => {
                let memory = &world.memories[child.mm];
                let byte = |n: u64| memory.get(&(call.args[0] + n)).copied().unwrap_or(0);
                u64::from_ne_bytes(std::array::from_fn(|n| byte(n as u64)))
            }
            _ => 0,
        };
        if decoded_flags & flags::CLONE_VM.0 == 0 && kind == Kind::Process {
            let copy = world.memories[child.mm].clone();
            child.mm = world.memories.len();
            world.memories.push(copy);
        }
        let old = world.tasks.insert(tid, child);
        assert!(old.is_none(), "{tid} is not free");
    }

    /// A newborn's first stop.
    pub fn first_stop(&mut self, tid: Tid) {
        self.stops(tid, event_stop(SIGTRAP, 128), Op::None);
    }

    /// The event by which a task tells of what it made.
    pub fn tells(&mut self, caller: Tid, child: Tid, event: i32) {
        self.edit(caller, |fake| {
            fake.message = u64::from(child.unsigned_abs())
        });
        self.stops(caller, event_stop(SIGTRAP, event), Op::None);
        self.edit(caller, |fake| fake.call = None);
    }

    /// A whole call: entry, event, first stop.
    pub fn creates(&mut self, caller: Tid, tid: Tid, kind: Kind) {
        let (call, event) = match kind {
            Kind::Thread => (pthread(), CLONE),
            Kind::Process => (fork(), FORK),
        };
        self.enters(caller, call);
        self.makes(caller, tid, kind);
        self.tells(caller, tid, event);
        self.first_stop(tid);
        self.edit(tid, |fake| fake.call = None);
    }

    /// A task is killed; nothing is reported yet.
    pub fn dies(&mut self, tid: Tid) {
        self.edit(tid, |fake| fake.state = State::Doomed);
    }

    /// A task's end is reported.
    pub fn gone(&mut self, tid: Tid, what: What) {
        self.edit(tid, |fake| {
            let ends = matches!(fake.state, State::Runs | State::Doomed | State::Listens);
            assert!(ends, "{tid} cannot end: {:?}", fake.state);
            fake.state = State::Doomed;
        });
        self.report(tid, what);
    }

    /// It ends itself.
    pub fn exits(&mut self, tid: Tid) {
        self.gone(tid, What::Exited(0));
    }

    /// It is cut off, wherever it is.
    pub fn cut_off(&mut self, tid: Tid) {
        self.edit(tid, |fake| {
            fake.state = State::Doomed;
            fake.flags = 0x400;
        });
        self.gone(tid, What::Exited(0));
    }

    /// It is killed by SIGKILL, wherever it is.
    pub fn killed(&mut self, tid: Tid) {
        self.dies(tid);
        let (signal, core) = (9, false);
        self.gone(tid, What::Killed { signal, core });
    }

    /// A signal is about to be delivered.
    pub fn signal(&mut self, tid: Tid, signal: i32) {
        self.stops(tid, What::Stopped(signal), Op::None);
    }

    /// Inside an exec, before its report: a thread takes its leader's tid and gives up its own.
    pub fn takes_tid(&mut self, tgid: Tid, former: Tid) {
        let mut world = self.world();
        let mut fake = world.tasks.remove(&former).expect("the thread");
        fake.state = State::Runs;
        world.tasks.insert(tgid, fake);
    }

    /// EXEC.
    pub fn execs(&mut self, tid: Tid, former: Tid) {
        self.edit(tid, |fake| {
            fake.message = u64::from(former.unsigned_abs());
            fake.call = None;
            fake.code = SIGTRAP | 4 << 8;
        });
        self.stops(tid, event_stop(SIGTRAP, 4), Op::None);
        if let Some(fake) = self.world().tasks.get_mut(&tid) {
            fake.code = 0;
        }
    }

    /// Puts bytes into a task's memory.
    pub fn map(&mut self, tid: Tid, at: u64, bytes: &[u8]) {
        let mut world = self.world();
        let mm = world.tasks.get(&tid).expect("it is there").mm;
        world.memories[mm].extend((at..).zip(bytes.iter().copied()));
    }

    /// Reads a task's memory.
    pub fn memory(&self, tid: Tid, at: u64, length: usize) -> Vec<u8> {
        let world = self.world();
        let memory = &world.memories[world.tasks[&tid].mm];
        (at..).take(length).map(|at| memory[&at]).collect()
    }

    /// The end: nobody may be left, and the account must be even.
    pub fn end(mut self) -> Vec<String> {
        let left: Vec<Tid> = self.world().tasks.keys().copied().collect();
        assert!(left.is_empty(), "still there: {left:?}");
        assert!(matches!(self.tracer.step(), Ok(false)));
        self.tracer.finish();
        self.told
            .extend(std::iter::from_fn(|| self.tracer.cx.ledger.take()));
        assert_eq!(self.tracer.life.newborns.parked(), 0);
        assert_eq!(self.tracer.cx.table.len(), 0);
        assert!(self.tracer.filters.is_empty(), "somebody is still held");
        even(&self.told);
        lines(&self.told)
    }

    /// What was told until now, as short lines.
    pub fn lines(&self) -> Vec<String> {
        lines(&self.told)
    }

    pub fn totals(&self) -> &Totals {
        self.tracer.cx.ledger.totals()
    }
}

/// A task that runs.
pub(in crate::tracer) fn fake(tid: Tid, tgid: Tid, ppid: Tid, mm: usize) -> Fake {
    Fake {
        tgid,
        ppid,
        state: State::Runs,
        ns: Vec::new(),
        caught: 0,
        flags: 0,
        call: None,
        op: Op::None,
        message: 0,
        code: 0,
        registers: Registers {
            saved: [u64::from(tid.unsigned_abs()); 6],
            tls: u64::from(tid.unsigned_abs()),
        },
        mm,
        place: None,
        dies_after: None,
        dies_detached: false,
        traced: false,
        letter: None,
        status: String::new(),
        user_ticks: 0,
        unseizable: None,
    }
}

fn words(call: &Syscall) -> [u64; 7] {
    let [a, b, c, d, e, f] = call.args;
    [call.nr, a, b, c, d, e, f]
}

/// Every task is introduced once, before it does anything, and ends once.
fn even(told: &[Event]) {
    let mut orphans = BTreeSet::new();
    let mut alive = BTreeSet::from([TaskId(1)]);
    let mut ended = BTreeSet::new();
    let mut next = 1;
    for event in told {
        if let Some(seq) = event.seq() {
            assert_eq!(seq, next, "numbers have no gaps");
            next += 1;
        }
        let task = event.header.task;
        let born = match &event.kind {
            EventKind::Task(appeared) => {
                if appeared.how == How::Orphan {
                    orphans.insert(task);
                }
                Some(task)
            }
            EventKind::Clone(call) => match &call.outcome {
                // An orphan's creator may be told later, once.
                Outcome::Created(created)
                    if alive.contains(&created.task) && orphans.remove(&created.task) =>
                {
                    None
                }
                Outcome::Created(created) => Some(created.task),
                _ => None,
            },
            EventKind::Exec(exec) => {
                assert!(alive.contains(&task), "{exec:?}");
                None
            }
            EventKind::Exit(exit) => {
                assert!(alive.remove(&task), "{exit:?}");
                ended.insert(task);
                None
            }
            _ => None,
        };
        if let Some(id) = born {
            assert!(!ended.contains(&id) && alive.insert(id), "{event:?}");
        }
    }
    assert!(alive.is_empty(), "never ended: {alive:?}");
}

/// Events in short.
pub(in crate::tracer) fn lines(told: &[Event]) -> Vec<String> {
    told.iter().filter_map(line).collect()
}

fn line(event: &Event) -> Option<String> {
    let id = event.header.task.0;
    Some(match &event.kind {
        EventKind::Task(t) => format!("#{id} {} {} {:?}", t.tid, t.kind, t.how),
        EventKind::Clone(c) => {
            let call = c.request.call.name();
            match &c.outcome {
                Outcome::Created(child) => {
                    let mut line = format!(
                        "#{id} {call}: #{} {} {}",
                        child.task.0, child.tid, child.kind
                    );
                    if let Some(who) = &child.seen_by {
                        line = format!("{line}, told by {who}");
                    }
                    if child.untraced.is_some() {
                        line.push_str(", untraced cleared");
                    }
                    if let Some(parent) = &child.parent {
                        let parent = parent.map_or("outside".to_owned(), |id| format!("#{}", id.0));
                        line = format!("{line}, parent {parent}");
                    }
                    if let Some(flag) = child.flags_contradicted.first() {
                        line = format!("{line}, against {flag}");
                    }
                    line
                }
                Outcome::Failed { errno, .. } => format!("#{id} {call}: {errno}"),
                Outcome::Untraced { tid } => format!("#{id} {call}: untraced {tid:?}"),
                _ => format!("#{id} {call}: unfinished"),
            }
        }
        EventKind::Exec(e) => match e.former_tid {
            Some(former) => format!("#{id} exec, was {former}"),
            None => format!("#{id} exec"),
        },
        EventKind::Blind(_) => format!("#{id} blind"),
        EventKind::Exit(e) => {
            let status = match &e.status {
                Some(Status::Exited { exited }) => format!(" {exited}"),
                Some(Status::Signaled { signaled, .. }) => format!(" {signaled}"),
                None => String::new(),
            };
            let last = if e.last { " last" } else { "" };
            format!("#{id} ends: {:?}{status}{last}", e.how)
        }
        _ => return None,
    })
}
