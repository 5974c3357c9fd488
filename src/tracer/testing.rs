//! A kernel made of a story: tasks with registers, memory and files, that stop when the test says
//! so. It keeps the rules of ptrace(2) and fails the test when the tracer does not.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::abi::Abi;
use crate::event::Tid;
use crate::peek::{Errno, Peek, Syscall};
use crate::sys::{Instruction, Op, Registers, Report, Request, Siginfo, SyscallInfo, What};

use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::{Answer, AtStop, Refused};
use crate::tracer::kernel::waiter::Woke;

const ENOENT: Errno = Errno(2);
const EFAULT: Errno = Errno(14);
const X86_64: u32 = 0xc000_003e;

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It runs, or will.
    Runs,
    /// Its stop was reported; requests are answered.
    Stopped,
    /// In group stop, with PTRACE_LISTEN.
    Listens,
    /// Killed: requests fail with ESRCH until its end is reported.
    Doomed,
    /// Its end was reported; it is to be reaped before the next wait.
    Zombie,
}

/// A task.
#[derive(Clone, Debug)]
pub(super) struct Fake {
    pub tgid: Tid,
    pub ppid: Tid,
    pub state: State,
    /// The tid in each pid namespace; empty: there is only one.
    pub ns: Vec<Tid>,
    /// Caught signals.
    pub caught: u64,
    /// PF_… flags.
    pub flags: u64,
    /// The call that it is in, registers as they are now.
    pub call: Option<Syscall>,
    pub op: Op,
    pub message: u64,
    pub code: i32,
    pub registers: Registers,
    /// Which memory it has.
    pub mm: usize,
    /// What `/proc/TID/syscall` says, where that is not its call.
    pub place: Option<String>,
    /// It is killed after it has answered this many requests.
    pub dies_after: Option<u32>,
    /// PTRACE_DETACH with a signal kills it.
    pub dies_detached: bool,
    /// Somebody traces it.
    pub traced: bool,
    /// The letter of its state, where that is not the one that follows from the story.
    pub letter: Option<char>,
    /// More lines of its status file.
    pub status: String,
    /// Its time in user mode.
    pub user_ticks: u64,
    /// Why it cannot be seized.
    pub unseizable: Option<i32>,
}

/// What the tracer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Did {
    Resume(Tid, Request, i32),
    Argument(Tid, usize, u64),
    Result(Tid, i64),
    StepBack(Tid, Instruction),
    Write(Tid, u64),
    Interrupt(Tid),
    Seize(Tid),
    Detach(Tid, i32),
    Reap(Tid),
    Kill(Tid, i32),
}

/// Something that happens behind the tracer's back.
pub(super) type Happening = Box<dyn FnOnce(&mut World)>;

/// The state behind [`Scripted`].
#[derive(Default)]
pub(super) struct World {
    pub reports: VecDeque<Report>,
    pub tasks: BTreeMap<Tid, Fake>,
    pub memories: Vec<BTreeMap<u64, u8>>,
    /// Addresses that cannot be written.
    pub read_only: Vec<std::ops::Range<u64>>,
    pub did: Vec<Did>,
    /// What happens at each reading of a list of threads, before it is answered.
    pub at_lists: VecDeque<Happening>,
    /// How often the kernel has nothing to say for a while.
    pub silences: u32,
    /// Stops that were taken ahead of their turn.
    pub leftover: VecDeque<Report>,
    /// The system's files.
    pub files: BTreeMap<String, String>,
    /// The user as whom clonespy runs.
    pub uid: u32,
    /// The thread that traces.
    pub own_tid: Tid,
    /// How often it was asked in which call a task is.
    pub places_read: u32,
    clock: u64,
}

/// The kernel of a story.
#[derive(Default)]
pub(super) struct Scripted(pub Rc<RefCell<World>>);

/// A task of a story.
pub(super) struct ScriptedTask {
    world: Rc<RefCell<World>>,
    tid: Tid,
}

impl World {
    /// A task that answers requests, because it is in ptrace-stop.
    fn stopped(&mut self, tid: Tid) -> Answer<&mut Fake> {
        let fake = self.tasks.get_mut(&tid).ok_or(Refused::Gone)?;
        if fake.state != State::Stopped {
            return Err(Refused::Gone);
        }
        if let Some(left) = &mut fake.dies_after {
            match left.checked_sub(1) {
                Some(less) => *left = less,
                None => {
                    fake.state = State::Doomed;
                    return Err(Refused::Gone);
                }
            }
        }
        Ok(fake)
    }

    fn status(&self, tid: Tid, fake: &Fake) -> String {
        let list = |tids: Vec<Tid>| {
            let tids: Vec<String> = tids.iter().map(Tid::to_string).collect();
            tids.join("\t")
        };
        let nspid = [vec![tid], fake.ns.clone()].concat();
        let nstgid = if tid == fake.tgid {
            nspid.clone()
        } else {
            let leader = self.tasks.get(&fake.tgid).map(|leader| leader.ns.clone());
            [vec![fake.tgid], leader.unwrap_or_default()].concat()
        };
        let extra = &fake.status;
        format!(
            "Name:\tt\nTgid:\t{}\nPPid:\t{}\nTracerPid:\t{}\n{extra}NStgid:\t{}\nNSpid:\t{}\nSigCgt:\t{:016x}\n",
            fake.tgid,
            fake.ppid,
            u8::from(fake.traced),
            list(nstgid),
            list(nspid),
            fake.caught
        )
    }
}

/// `/proc/TID/syscall`.
fn syscall_line(fake: &Fake) -> String {
    if let Some(place) = &fake.place {
        return place.clone();
    }
    match (&fake.call, fake.state) {
        (Some(call), _) => {
            let args: Vec<String> = call.args.iter().map(|arg| format!("{arg:#x}")).collect();
            let (nr, args) = (call.nr, args.join(" "));
            format!("{nr} {args} {:#x} {:#x}\n", call.sp, call.ip)
        }
        (None, State::Runs) => "running\n".to_owned(),
        (None, _) => "-1 0x7ffe 0x7fff\n".to_owned(),
    }
}

impl Kernel for Scripted {
    type Task = ScriptedTask;

    fn task(&self, tid: Tid) -> ScriptedTask {
        ScriptedTask {
            world: Rc::clone(&self.0),
            tid,
        }
    }

    fn now_ns(&self) -> u64 {
        let mut world = self.0.borrow_mut();
        world.clock += 1;
        world.clock
    }

    fn next_report(&self, _: usize, _: bool) -> io::Result<Woke> {
        if std::thread::panicking() {
            return Ok(Woke::Nobody);
        }
        let mut world = self.0.borrow_mut();
        for (tid, fake) in &world.tasks {
            assert_ne!(
                fake.state,
                State::Zombie,
                "{tid} must be reaped before the next wait"
            );
        }
        if world.reports.is_empty() && world.silences > 0 {
            world.silences -= 1;
            return Ok(Woke::Idle);
        }
        let report = world.reports.pop_front();
        if let Some(Report { tid, what }) = report
            && !matches!(what, What::Stopped(_))
            && let Some(fake) = world.tasks.get_mut(&tid)
        {
            fake.state = State::Zombie;
        }
        Ok(report.map_or(Woke::Nobody, Woke::Report))
    }

    fn leftover(&self) -> Option<Report> {
        self.0.borrow_mut().leftover.pop_front()
    }

    fn reap(&self, tid: Tid) {
        let mut world = self.0.borrow_mut();
        let fake = world.tasks.remove(&tid).expect("it is there to be reaped");
        assert_eq!(fake.state, State::Zombie, "{tid} has not ended");
        world.did.push(Did::Reap(tid));
    }

    fn wake_after(&self, _: Duration) {}

    fn kill(&self, tid: Tid, signal: i32) {
        self.0.borrow_mut().did.push(Did::Kill(tid, signal));
    }

    fn expect(&self, _: Tid) {}

    fn resume(&self, task: AtStop, how: Request, signal: i32) -> Answer<()> {
        let tid = task.tid();
        let mut world = self.0.borrow_mut();
        if let Some(fake) = world.tasks.get(&tid) {
            let runs = matches!(fake.state, State::Runs | State::Listens | State::Zombie);
            assert!(!runs, "{tid} is resumed but not stopped ({:?})", fake.state);
        }
        let fake = world.stopped(tid)?;
        if how == Request::Listen {
            fake.state = State::Listens;
        } else {
            fake.state = State::Runs;
            // Its result was told: the call is over.
            if matches!(fake.op, Op::Exit(..)) {
                fake.call = None;
            }
        }
        world.did.push(Did::Resume(tid, how, signal));
        Ok(())
    }

    fn interrupt(&self, tid: Tid) -> Answer<()> {
        let mut world = self.0.borrow_mut();
        match world.tasks.get(&tid).map(|fake| fake.state) {
            Some(State::Runs | State::Stopped | State::Listens) => {
                world.did.push(Did::Interrupt(tid));
                Ok(())
            }
            _ => Err(Refused::Gone),
        }
    }

    fn seize(&self, tid: Tid, _: bool) -> Answer<()> {
        let mut world = self.0.borrow_mut();
        world.did.push(Did::Seize(tid));
        // A story may let go of a task that it does not keep on the stage.
        let Some(fake) = world.tasks.get_mut(&tid) else {
            return Ok(());
        };
        if let Some(errno) = fake.unseizable {
            let why = io::Error::from_raw_os_error(errno);
            return Err(Refused::Other("PTRACE_SEIZE", why));
        }
        fake.traced = true;
        Ok(())
    }

    fn detach_until_dead(&self, task: AtStop, signal: i32, _: Duration) -> Answer<bool> {
        let tid = task.tid();
        let mut world = self.0.borrow_mut();
        let fake = world.stopped(tid)?;
        let dies = fake.dies_detached;
        fake.state = State::Runs;
        if dies {
            world.tasks.remove(&tid);
        }
        world.did.push(Did::Detach(tid, signal));
        Ok(dies)
    }

    fn syscall_info(&self, task: &AtStop) -> Answer<SyscallInfo> {
        let mut world = self.0.borrow_mut();
        let fake = world.stopped(task.tid())?;
        Ok(SyscallInfo {
            arch: fake.call.map_or(X86_64, |call| call.arch),
            ip: fake.call.map_or(0, |call| call.ip),
            sp: fake.call.map_or(0, |call| call.sp),
            op: fake.op,
        })
    }

    fn event_message(&self, task: &AtStop) -> Answer<u64> {
        Ok(self.0.borrow_mut().stopped(task.tid())?.message)
    }

    fn siginfo(&self, task: &AtStop) -> Answer<Siginfo> {
        let code = self.0.borrow_mut().stopped(task.tid())?.code;
        // A stop for an event has the event above its signal.
        let signo = if code >> 8 == 0 { 0 } else { code & 0xff };
        Ok(Siginfo { signo, code })
    }

    fn registers(&self, task: &AtStop) -> Answer<Option<Registers>> {
        Ok(Some(self.0.borrow_mut().stopped(task.tid())?.registers))
    }

    fn set_argument(&self, task: &AtStop, _: &Abi, index: usize, value: u64) -> Answer<bool> {
        let (mut world, tid) = (self.0.borrow_mut(), task.tid());
        if let Some(call) = &mut world.stopped(tid)?.call {
            call.args[index] = value;
        }
        world.did.push(Did::Argument(tid, index, value));
        Ok(true)
    }

    fn set_result(&self, task: &AtStop, result: i64) -> Answer<bool> {
        let (mut world, tid) = (self.0.borrow_mut(), task.tid());
        world.stopped(tid)?;
        world.did.push(Did::Result(tid, result));
        Ok(true)
    }

    fn step_back(&self, task: &AtStop, _: u64, instruction: Instruction) -> Answer<bool> {
        let (mut world, tid) = (self.0.borrow_mut(), task.tid());
        world.stopped(tid)?;
        world.did.push(Did::StepBack(tid, instruction));
        Ok(true)
    }

    fn same_group(&self, tgid: Tid, tid: Tid) -> bool {
        let world = self.0.borrow();
        world.tasks.get(&tid).is_some_and(|fake| fake.tgid == tgid)
    }

    fn lives(&self, tid: Tid) -> bool {
        let world = self.0.borrow();
        let fake = world.tasks.get(&tid);
        fake.is_some_and(|fake| fake.state != State::Zombie && fake.letter != Some('Z'))
    }

    fn write_memory(&self, task: &AtStop, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        let tid = task.tid();
        let mut world = self.0.borrow_mut();
        let mm = world.tasks.get(&tid).ok_or(Errno(3))?.mm;
        for offset in 0..bytes.len() as u64 {
            let at = addr.checked_add(offset).ok_or(EFAULT)?;
            let fixed = world.read_only.iter().any(|range| range.contains(&at));
            if fixed || !world.memories[mm].contains_key(&at) {
                return Err(EFAULT);
            }
        }
        world.memories[mm].extend((addr..).zip(bytes.iter().copied()));
        world.did.push(Did::Write(tid, addr));
        Ok(())
    }

    fn threads(&self, tgid: Tid) -> Result<Vec<Tid>, Errno> {
        let mut world = self.0.borrow_mut();
        if let Some(happens) = world.at_lists.pop_front() {
            happens(&mut world);
        }
        let of_group = |(&tid, fake): (&Tid, &Fake)| (fake.tgid == tgid).then_some(tid);
        let tids: Vec<Tid> = world.tasks.iter().filter_map(of_group).collect();
        if tids.is_empty() {
            return Err(ENOENT);
        }
        Ok(tids)
    }

    fn own_uid(&self) -> u32 {
        self.0.borrow().uid
    }

    fn own_tid(&self) -> Tid {
        self.0.borrow().own_tid
    }

    fn counts(&self) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
        Default::default()
    }
}

impl Peek for ScriptedTask {
    fn tid(&self) -> Tid {
        self.tid
    }

    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        let world = self.world.borrow();
        let fake = world.tasks.get(&self.tid).ok_or(Errno(3))?;
        let memory = &world.memories[fake.mm];
        for (offset, byte) in (0u64..).zip(buf) {
            let at = addr.checked_add(offset).ok_or(EFAULT)?;
            *byte = *memory.get(&at).ok_or(EFAULT)?;
        }
        Ok(())
    }

    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        let (mut world, tid) = (self.world.borrow_mut(), self.tid);
        world.places_read += u32::from(name == "syscall");
        let fake = world.tasks.get(&tid).ok_or(ENOENT)?;
        let stat = format!("task/{tid}/stat");
        match name {
            "comm" => Ok(format!("t{tid}\n").into_bytes()),
            "status" => Ok(world.status(tid, fake).into_bytes()),
            "syscall" => Ok(syscall_line(fake).into_bytes()),
            _ if name == "stat" || name == stat => {
                let letter = fake.letter.unwrap_or('R');
                let flags = fake.flags;
                // That of the process adds up the times of all threads.
                let of_group = world.tasks.values().filter(|other| other.tgid == fake.tgid);
                let ticks = match name {
                    "stat" => of_group.map(|other| other.user_ticks).sum(),
                    _ => fake.user_ticks,
                };
                let line = format!(
                    "{tid} (t{tid}) {letter} 1 2 3 4 5 {flags} 0 0 0 0 {ticks} 0 0 0 20 0 1 0 {tid}\n"
                );
                Ok(line.into_bytes())
            }
            _ => Err(ENOENT),
        }
    }

    fn proc_link(&self, _: &str) -> Result<Vec<u8>, Errno> {
        Err(ENOENT)
    }

    fn proc_read_at(&self, _: &str, _: u64, _: &mut [u8]) -> Result<usize, Errno> {
        Err(ENOENT)
    }

    fn system_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let world = self.world.borrow();
        let text = world.files.get(path).ok_or(ENOENT)?;
        Ok(text.clone().into_bytes())
    }

    fn system_list(&self, path: &str) -> Result<Vec<String>, Errno> {
        let mut world = self.world.borrow_mut();
        if let Some(happens) = world.at_lists.pop_front() {
            happens(&mut world);
        }
        let leaders = |(&tid, fake): (&Tid, &Fake)| (fake.tgid == tid).then(|| tid.to_string());
        match path {
            "/proc" => Ok(world.tasks.iter().filter_map(leaders).collect()),
            _ => Err(ENOENT),
        }
    }
}

mod story;

pub(super) use story::*;

/// A stop with this ptrace event (ptrace(2)).
pub(super) fn event_stop(signal: i32, event: i32) -> What {
    What::Stopped(signal | event << 8)
}
