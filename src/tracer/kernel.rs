//! What the tracer may ask of the kernel, as a trait: [`Live`] asks for real; tests script the
//! answers, and with them the orders of events that cannot be forced.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::event::Tid;
use crate::peek::Errno;
use crate::sys::{self, Registers, Report, Request, Siginfo, SyscallInfo};

use super::waiter::{Style, Waiter, Woke};

/// Why a request on a tracee was refused.
#[derive(Debug)]
pub enum Refused {
    /// ESRCH. A tracee in ptrace-stop can vanish only by SIGKILL (or a sibling's exec): its end
    /// will be reported, and nothing is left to do at this stop (ptrace(2), "Death under ptrace").
    Gone,
    /// Anything else: a request that this kernel does not have, or a mistake of ours.
    Other(&'static str, io::Error),
}

/// An answer about a tracee.
pub type Answer<T> = Result<T, Refused>;

/// The kernel, as the tracer sees it.
pub trait Kernel {
    /// Monotonic nanoseconds since the trace began.
    fn now_ns(&self) -> u64;
    /// The next report, of which `live` tracees can be the object, or what else ended the wait;
    /// `restless`: [`Woke::Idle`] after a short silence. A stop is taken; an end is only seen, and stays readable until [`Kernel::reap`].
    ///
    /// # Errors
    /// What wait(2) says beyond ECHILD and EINTR.
    fn next_report(&self, live: usize, restless: bool) -> io::Result<Woke>;
    /// A stop that was taken ahead of its turn, where nothing more is to be waited for.
    fn leftover(&self) -> Option<Report>;
    /// Reaps a task whose end was reported. Its tid is free from then on.
    fn reap(&self, tid: Tid);
    /// Wakes the wait after this time as a timeout does.
    fn wake_after(&self, time: Duration);
    /// Sends a signal to the process of a task; SIGKILL ends stopped ones too.
    fn kill(&self, tid: Tid, signal: i32);
    /// This task is likely to report soon.
    fn expect(&self, tid: Tid);
    /// Lets a stopped task go on.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn resume(&self, tid: Tid, how: Request, signal: i32) -> Answer<()>;
    /// Stops a running task soon.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn interrupt(&self, tid: Tid) -> Answer<()>;
    /// Begins to trace a task that was let go.
    ///
    /// # Errors
    /// [`Refused::Gone`] and those of PTRACE_SEIZE.
    fn seize(&self, tid: Tid, exit_kill: bool) -> Answer<()>;
    /// Has a stopped task, and what it will create, stop once more before it ends, if that is asked
    /// for; with what it was seized with otherwise.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn stop_before_end(&self, _tid: Tid, _exit_kill: bool, _filtered: bool) -> Answer<()> {
        Ok(())
    }
    /// Lets a task go with a signal that should end it, and says whether it has ended before the
    /// time was over.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn detach_until_dead(&self, tid: Tid, signal: i32, time: Duration) -> Answer<bool>;
    /// Which system call it is in.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn syscall_info(&self, tid: Tid) -> Answer<SyscallInfo>;
    /// The message of the event that it is stopped at.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn event_message(&self, tid: Tid) -> Answer<u64>;
    /// The signal that it is stopped for.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn siginfo(&self, tid: Tid) -> Answer<Siginfo>;
    /// The registers that a newborn has in common with its creator; `None` where the architecture
    /// has no row for them.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn registers(&self, tid: Tid) -> Answer<Option<Registers>>;
    /// Sets one register, by its place in `struct user`.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn poke_user(&self, tid: Tid, slot: usize, value: u64) -> Answer<()>;
    /// Whether a task belongs to a thread group.
    fn same_group(&self, tgid: Tid, tid: Tid) -> bool;
    /// Whether a task of this tid is there and has not ended.
    fn lives(&self, tid: Tid) -> bool;
    /// Reads memory.
    ///
    /// # Errors
    /// The errno of the read.
    fn read_memory(&self, tid: Tid, addr: u64, buf: &mut [u8]) -> Result<(), Errno>;
    /// Writes memory, into private read-only pages too.
    ///
    /// # Errors
    /// The errno of the write.
    fn write_memory(&self, tid: Tid, addr: u64, bytes: &[u8]) -> Result<(), Errno>;
    /// Reads `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn proc_file(&self, tid: Tid, name: &str) -> Result<Vec<u8>, Errno>;
    /// The tids of a thread group, in order.
    ///
    /// # Errors
    /// The errno of reading `/proc/TGID/task`.
    fn threads(&self, tgid: Tid) -> Result<Vec<Tid>, Errno>;
    /// Reads the link `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the readlink.
    fn proc_link(&self, tid: Tid, name: &str) -> Result<Vec<u8>, Errno>;
    /// Reads a part of the file behind `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn proc_read_at(
        &self,
        tid: Tid,
        name: &str,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, Errno>;
    /// Reads a file of the system's.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn system_file(&self, _path: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// Reads a link of the system's.
    ///
    /// # Errors
    /// The errno of the readlink.
    fn system_link(&self, _path: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// The names in a directory of the system's.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn system_list(&self, _path: &str) -> Result<Vec<String>, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// The effective user of clonespy itself.
    fn own_uid(&self) -> u32 {
        nix::unistd::Uid::effective().as_raw()
    }
    /// The thread that traces, as /proc names it.
    fn own_tid(&self) -> Tid {
        sys::own_tid()
    }
    /// How many user namespaces lie around a task's own.
    ///
    /// # Errors
    /// The errno of the open, or of the first question.
    fn user_namespaces_around(&self, _tid: Tid) -> Result<usize, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// How often what was asked: requests, and reads.
    fn counts(&self) -> (BTreeMap<String, u64>, BTreeMap<String, u64>);
}

/// Counters by name; a handful of names, so a scan is cheaper than hashing.
#[derive(Default)]
struct Tally(RefCell<Vec<(&'static str, u64)>>);

impl Tally {
    fn add(&self, name: &'static str) {
        let mut rows = self.0.borrow_mut();
        match rows
            .iter_mut()
            .find(|(known, _)| std::ptr::eq(*known, name) || *known == name)
        {
            Some((_, count)) => *count += 1,
            None => rows.push((name, 1)),
        }
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        self.0
            .borrow()
            .iter()
            .map(|&(name, count)| (name.to_owned(), count))
            .collect()
    }
}

/// The running kernel.
pub struct Live {
    began: Instant,
    waiter: RefCell<Waiter>,
    requests: Tally,
    reads: Tally,
    waits: Cell<u64>,
    /// Tasks are asked to stop once more before they end.
    pub(super) leaving: bool,
    /// /proc has tasks under the tids that the kernel tells us.
    proc: bool,
}

impl Live {
    /// The clock starts now.
    pub fn new(style: Style) -> Self {
        Self {
            began: Instant::now(),
            waiter: RefCell::new(Waiter::new(style)),
            requests: Tally::default(),
            reads: Tally::default(),
            waits: Cell::new(0),
            leaving: false,
            proc: proc_is_ours(),
        }
    }

    /// Whether tasks are asked to stop once more before they end.
    pub fn leaving(self, asked: bool) -> Self {
        Live {
            leaving: asked,
            ..self
        }
    }

    /// A path that may be read: one that names a task by its tid only where that means the same task
    /// there.
    fn at(&self, path: String) -> io::Result<String> {
        match self.proc || !is_about_tasks(&path) {
            true => Ok(path),
            false => Err(io::Error::from_raw_os_error(libc::ENOENT)),
        }
    }

    fn ask<T>(&self, name: &'static str, answer: io::Result<T>) -> Answer<T> {
        self.requests.add(name);
        answer.map_err(|why| match why.raw_os_error() {
            Some(libc::ESRCH) => Refused::Gone,
            _ => Refused::Other(name, why),
        })
    }

    fn read<T>(&self, name: &'static str, answer: io::Result<T>) -> Result<T, Errno> {
        self.reads.add(name);
        answer.map_err(errno)
    }
}

fn errno(why: io::Error) -> Errno {
    Errno(why.raw_os_error().unwrap_or(libc::EIO))
}

/// Whether the /proc that is mounted here is that of our own pid namespace. Mounted before unshare(1)
/// made a new one, say, it has strangers under the tids that the kernel tells us.
pub(super) fn proc_is_ours() -> bool {
    let own = std::fs::read_link("/proc/self");
    own.is_ok_and(|own| own.as_os_str() == std::process::id().to_string().as_str())
}

/// Whether what a path leads to depends on who has which tid.
fn is_about_tasks(path: &str) -> bool {
    let of_proc = path.strip_prefix("/proc");
    let first = of_proc.map(|rest| rest.trim_start_matches('/'));
    first.is_some_and(|first| first.is_empty() || first.starts_with(|c: char| c.is_ascii_digit()))
}

/// The whole of a file under /proc, whose size is not known before.
fn slurp(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Kernel for Live {
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

    fn resume(&self, tid: Tid, how: Request, signal: i32) -> Answer<()> {
        let name = match how {
            Request::Cont => "PTRACE_CONT",
            Request::Syscall => "PTRACE_SYSCALL",
            Request::Listen => "PTRACE_LISTEN",
        };
        self.ask(name, sys::resume(tid, how, signal))
    }

    fn interrupt(&self, tid: Tid) -> Answer<()> {
        self.ask("PTRACE_INTERRUPT", sys::interrupt(tid))
    }

    fn seize(&self, tid: Tid, exit_kill: bool) -> Answer<()> {
        self.ask("PTRACE_SEIZE", sys::seize(tid, exit_kill, exit_kill))
    }

    fn stop_before_end(&self, tid: Tid, exit_kill: bool, filtered: bool) -> Answer<()> {
        if !self.leaving {
            return Ok(());
        }
        let set = sys::set_options(tid, exit_kill, filtered, true);
        self.ask("PTRACE_SETOPTIONS", set)
    }

    fn detach_until_dead(&self, tid: Tid, signal: i32, time: Duration) -> Answer<bool> {
        let watch = sys::Watch::open(tid);
        self.ask("PTRACE_DETACH", sys::detach(tid, signal))?;
        let ended = watch.is_ok_and(|watch| watch.ended(time));
        Ok(ended || !self.lives(tid))
    }

    fn syscall_info(&self, tid: Tid) -> Answer<SyscallInfo> {
        self.ask("PTRACE_GET_SYSCALL_INFO", sys::syscall_info(tid))
    }

    fn event_message(&self, tid: Tid) -> Answer<u64> {
        self.ask("PTRACE_GETEVENTMSG", sys::event_message(tid))
    }

    fn siginfo(&self, tid: Tid) -> Answer<Siginfo> {
        self.ask("PTRACE_GETSIGINFO", sys::siginfo(tid))
    }

    fn registers(&self, tid: Tid) -> Answer<Option<Registers>> {
        match self.ask("PTRACE_GETREGS", sys::registers(tid)) {
            Ok(registers) => Ok(Some(registers)),
            Err(Refused::Other(_, why)) if why.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    fn poke_user(&self, tid: Tid, slot: usize, value: u64) -> Answer<()> {
        self.ask("PTRACE_POKEUSER", sys::poke_user(tid, slot, value))
    }

    fn same_group(&self, tgid: Tid, tid: Tid) -> bool {
        self.requests.add("tgkill (0)");
        sys::same_group(tgid, tid)
    }

    fn lives(&self, tid: Tid) -> bool {
        self.reads.add("/proc/TID/task/TID/stat");
        // The process's own stat is added up over all threads.
        let stat = self.at(format!("/proc/{tid}/task/{tid}/stat"));
        stat.and_then(|path| slurp(&path)).is_ok_and(|stat| {
            let state = stat
                .rsplitn(2, |&b| b == b')')
                .next()
                .and_then(|rest| rest.get(1));
            !matches!(state, Some(b'Z' | b'X'))
        })
    }

    fn read_memory(&self, tid: Tid, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.read("memory", sys::read_memory(tid, addr, buf))
    }

    fn write_memory(&self, tid: Tid, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.requests.add("memory written");
        let wrote = sys::write_memory(tid, addr, bytes);
        // Where the page is read-only the write goes through /proc/TID/mem, which a tracer may use as
        // PTRACE_POKEDATA: a private page is then copied first, a shared read-only one is refused
        // (mm/gup.c, FOLL_FORCE).
        let forced = |_| {
            let path = self.at(format!("/proc/{tid}/mem"))?;
            File::options()
                .write(true)
                .open(path)?
                .write_all_at(bytes, addr)
        };
        wrote.or_else(forced).map_err(errno)
    }

    fn proc_file(&self, tid: Tid, name: &str) -> Result<Vec<u8>, Errno> {
        let path = self.at(format!("/proc/{tid}/{name}"));
        self.read(proc_name(name), path.and_then(|path| slurp(&path)))
    }

    fn threads(&self, tgid: Tid) -> Result<Vec<Tid>, Errno> {
        let path = self.at(format!("/proc/{tgid}/task"));
        let tids = path.and_then(std::fs::read_dir).map(|entries| {
            let mut tids: Vec<Tid> = entries
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
                .collect();
            tids.sort_unstable();
            tids
        });
        self.read("/proc/TID/task", tids)
    }

    fn proc_link(&self, tid: Tid, name: &str) -> Result<Vec<u8>, Errno> {
        let path = self.at(format!("/proc/{tid}/{name}"));
        let target = path.and_then(std::fs::read_link);
        self.read(
            proc_name(name),
            target.map(|path| path.into_os_string().into_vec()),
        )
    }

    fn proc_read_at(
        &self,
        tid: Tid,
        name: &str,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, Errno> {
        let path = self.at(format!("/proc/{tid}/{name}"));
        let got = path
            .and_then(File::open)
            .and_then(|file| file.read_at(buf, offset));
        self.read(proc_name(name), got)
    }

    fn system_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let path = self.at(path.to_owned());
        self.read("system", path.and_then(|path| slurp(&path)))
    }

    fn system_link(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let target = self.at(path.to_owned()).and_then(std::fs::read_link);
        self.read(
            "system",
            target.map(|path| path.into_os_string().into_vec()),
        )
    }

    fn system_list(&self, path: &str) -> Result<Vec<String>, Errno> {
        let path = self.at(path.to_owned());
        let names = path.and_then(std::fs::read_dir).map(|entries| {
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            names.collect()
        });
        self.read("system", names)
    }

    fn user_namespaces_around(&self, tid: Tid) -> Result<usize, Errno> {
        let around = match self.proc {
            true => sys::user_namespaces_around(tid),
            false => Err(io::Error::from_raw_os_error(libc::ENOENT)),
        };
        self.read("/proc/TID/ns/user", around)
    }

    fn counts(&self) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
        let mut requests = self.requests.counts();
        requests.insert("waitid (wait)".to_owned(), self.waits.get());
        (requests, self.reads.counts())
    }
}

/// The name under which a read of `/proc/TID/NAME` is counted.
fn proc_name(name: &str) -> &'static str {
    match name {
        "comm" => "/proc/TID/comm",
        "stat" => "/proc/TID/stat",
        "status" => "/proc/TID/status",
        "syscall" => "/proc/TID/syscall",
        "maps" => "/proc/TID/maps",
        "cmdline" => "/proc/TID/cmdline",
        "exe" => "/proc/TID/exe",
        name if name.starts_with("task/") => "/proc/TID/task/TID/stat",
        _ => "/proc/TID/other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_name_a_task_by_its_tid() {
        for path in ["/proc", "/proc/", "/proc/1/stat", "/proc/77"] {
            assert!(is_about_tasks(path), "{path}");
        }
        for path in [
            "/proc/self/status",
            "/proc/sys/kernel/pid_max",
            "/sys/fs/cgroup",
            "/proc/meminfo",
        ] {
            assert!(!is_about_tasks(path), "{path}");
        }
    }

    #[test]
    fn here_proc_is_ours() {
        assert!(proc_is_ours());
    }
}
