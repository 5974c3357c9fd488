//! The running kernel, asked for real: every request is counted, and /proc is read only where it tells of
//! the tasks that the kernel names.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::event::Tid;
use crate::peek::Errno;
use crate::proc::stat::Line;
use crate::sys::{self, Registers, Report, Request, Siginfo, SyscallInfo};

use crate::tracer::kernel::waiter::{Style, Waiter, Woke};
use crate::tracer::kernel::{Answer, Kernel, Refused};

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
    pub(in crate::tracer) leaving: bool,
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
pub(in crate::tracer) fn proc_is_ours() -> bool {
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
        stat.and_then(|path| slurp(&path))
            .is_ok_and(|stat| !Line::of(&stat).is_some_and(|line| line.has_ended()))
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
