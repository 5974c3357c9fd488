//! The running kernel, asked for real: every request is counted.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::abi::Abi;
use crate::event::Tid;
use crate::peek::Errno;
use crate::proc::stat::Line;
use crate::sys::{self, Instruction, Registers, Report, Request, Siginfo, SyscallInfo};

use super::Kernel;
use super::request::{Answer, AtStop, Refused};
use super::task::{LiveTask, Reads, Tally, errno, slurp};
use super::waiter::{Style, Waiter, Woke};

pub(in crate::tracer) use super::task::proc_is_ours;

/// The running kernel.
pub struct Live {
    began: Instant,
    waiter: RefCell<Waiter>,
    requests: Tally,
    reads: Rc<Reads>,
    waits: Cell<u64>,
}

impl Live {
    /// The clock starts now.
    pub fn new(style: Style) -> Self {
        Self {
            began: Instant::now(),
            waiter: RefCell::new(Waiter::new(style)),
            requests: Tally::default(),
            reads: Rc::new(Reads::new()),
            waits: Cell::new(0),
        }
    }

    fn ask<T>(&self, name: &'static str, answer: io::Result<T>) -> Answer<T> {
        self.requests.add(name);
        answer.map_err(|why| match why.raw_os_error() {
            Some(libc::ESRCH) => Refused::Gone,
            _ => Refused::Other(name, why),
        })
    }

    /// A request that this machine may not have.
    fn ask_machine<T>(&self, name: &'static str, answer: io::Result<T>) -> Answer<Option<T>> {
        match self.ask(name, answer) {
            Ok(value) => Ok(Some(value)),
            Err(Refused::Other(_, why)) if why.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Registers were written, in so many requests, unless this machine cannot.
    fn wrote(&self, requests: io::Result<u64>) -> Answer<bool> {
        let requests = self.ask_machine(sys::WRITES, requests)?;
        for _ in 1..requests.unwrap_or_default() {
            self.requests.add(sys::WRITES);
        }
        Ok(requests.is_some())
    }
}

impl Kernel for Live {
    type Task = LiveTask;

    fn task(&self, tid: Tid) -> LiveTask {
        LiveTask {
            tid,
            reads: Rc::clone(&self.reads),
        }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn next_report(&self, live: usize, restless: bool) -> io::Result<Woke> {
        let mut waiter = self.waiter.borrow_mut();
        let woke = waiter.next(live, restless);
        self.waits.set(waiter.waits());
        woke
    }

    fn leftover(&self) -> Option<Report> {
        self.waiter.borrow_mut().take_taken()
    }

    fn reap(&self, tid: Tid) {
        self.requests.add("waitid (reap)");
        // ECHILD: its parent was not us and the kernel has let it go to that one already.
        let _ = sys::reap(tid);
    }

    fn wake_after(&self, time: Duration) {
        if !self.waiter.borrow_mut().set_deadline(time) {
            sys::alarm_after(time);
        }
    }

    fn kill(&self, tid: Tid, signal: i32) {
        sys::kill(tid, signal);
    }

    fn expect(&self, tid: Tid) {
        self.waiter.borrow_mut().expect(tid);
    }

    fn resume(&self, task: AtStop, how: Request, signal: i32) -> Answer<()> {
        let name = match how {
            Request::Cont => "PTRACE_CONT",
            Request::Syscall => "PTRACE_SYSCALL",
            Request::Listen => "PTRACE_LISTEN",
        };
        self.ask(name, sys::resume(task.tid(), how, signal))
    }

    fn interrupt(&self, tid: Tid) -> Answer<()> {
        self.ask("PTRACE_INTERRUPT", sys::interrupt(tid))
    }

    fn seize(&self, tid: Tid, filtered: bool) -> Answer<()> {
        self.ask("PTRACE_SEIZE", sys::seize(tid, filtered, filtered))
    }

    fn stop_before_end(&self, task: &AtStop, exit_kill: bool, filtered: bool) -> Answer<()> {
        let set = sys::set_options(task.tid(), exit_kill, filtered, true);
        self.ask("PTRACE_SETOPTIONS", set)
    }

    fn detach_until_dead(&self, task: AtStop, signal: i32, time: Duration) -> Answer<bool> {
        let tid = task.tid();
        let watch = sys::Watch::open(tid);
        self.ask("PTRACE_DETACH", sys::detach(tid, signal))?;
        let ended = watch.is_ok_and(|watch| watch.ended(time));
        Ok(ended || !self.lives(tid))
    }

    fn syscall_info(&self, task: &AtStop) -> Answer<SyscallInfo> {
        self.ask("PTRACE_GET_SYSCALL_INFO", sys::syscall_info(task.tid()))
    }

    fn event_message(&self, task: &AtStop) -> Answer<u64> {
        self.ask("PTRACE_GETEVENTMSG", sys::event_message(task.tid()))
    }

    fn siginfo(&self, task: &AtStop) -> Answer<Siginfo> {
        self.ask("PTRACE_GETSIGINFO", sys::siginfo(task.tid()))
    }

    fn registers(&self, task: &AtStop) -> Answer<Option<Registers>> {
        self.ask_machine("PTRACE_GETREGS", sys::registers(task.tid()))
    }

    fn set_argument(&self, task: &AtStop, abi: &Abi, index: usize, value: u64) -> Answer<bool> {
        self.wrote(sys::set_argument(task.tid(), abi.name, index, value))
    }

    fn set_result(&self, task: &AtStop, result: i64) -> Answer<bool> {
        self.wrote(sys::skip_call(task.tid(), result))
    }

    fn step_back(&self, task: &AtStop, ip: u64, instruction: Instruction) -> Answer<bool> {
        self.wrote(sys::step_back(task.tid(), ip, instruction))
    }

    fn same_group(&self, tgid: Tid, tid: Tid) -> bool {
        self.requests.add("tgkill (0)");
        sys::same_group(tgid, tid)
    }

    fn lives(&self, tid: Tid) -> bool {
        // The process's own stat is added up over all threads.
        let stat = self.reads.at(format!("/proc/{tid}/task/{tid}/stat"));
        let stat = stat.and_then(|path| slurp(&path));
        let stat = self.reads.counted("/proc/TID/task/TID/stat", stat);
        stat.is_ok_and(|stat| !Line::of(&stat).is_some_and(|line| line.has_ended()))
    }

    fn threads(&self, tgid: Tid) -> Result<Vec<Tid>, Errno> {
        self.task(tgid).threads()
    }

    fn write_memory(&self, task: &AtStop, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        let tid = task.tid();
        self.requests.add("memory written");
        let wrote = sys::write_memory(tid, addr, bytes);
        // Where the page is read-only the write goes through /proc/TID/mem, which a tracer may use as
        // PTRACE_POKEDATA: a private page is then copied first, a shared read-only one is refused
        // (mm/gup.c, FOLL_FORCE).
        let forced = |_| {
            let path = self.reads.at(format!("/proc/{tid}/mem"))?;
            File::options()
                .write(true)
                .open(path)?
                .write_all_at(bytes, addr)
        };
        wrote.or_else(forced).map_err(errno)
    }

    fn counts(&self) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
        let mut requests = self.requests.counts();
        requests.insert("waitid (wait)".to_owned(), self.waits.get());
        (requests, self.reads.counts())
    }
}
