//! What the running kernel says of a task, through its memory and /proc: every read is counted, and
//! /proc is read only where it tells of the tasks that the kernel names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use crate::event::Tid;
use crate::peek::{Errno, Peek};
use crate::sys::{self, Question};

/// Counters by name; a handful of names, so a scan is cheaper than hashing.
#[derive(Default)]
pub(super) struct Tally(RefCell<Vec<(&'static str, u64)>>);

impl Tally {
    pub fn add(&self, name: &'static str) {
        let mut rows = self.0.borrow_mut();
        match rows
            .iter_mut()
            .find(|(known, _)| std::ptr::eq(*known, name) || *known == name)
        {
            Some((_, count)) => *count += 1,
            None => rows.push((name, 1)),
        }
    }

    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0
            .borrow()
            .iter()
            .map(|&(name, count)| (name.to_owned(), count))
            .collect()
    }
}

/// What is read of all tasks.
pub(super) struct Reads {
    /// /proc has tasks under the tids that the kernel tells us.
    proc: bool,
    tally: Tally,
}

impl Reads {
    /// Of the /proc that is mounted here.
    pub fn new() -> Self {
        Self {
            proc: proc_is_ours(),
            tally: Tally::default(),
        }
    }

    /// How often what was read.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.tally.counts()
    }

    /// A path that may be read: one that names a task by its tid only where that means the same task
    /// there.
    pub fn at(&self, path: String) -> io::Result<String> {
        match self.proc || !is_about_tasks(&path) {
            true => Ok(path),
            false => Err(io::Error::from_raw_os_error(libc::ENOENT)),
        }
    }

    /// Counts a read, and says how it failed.
    pub fn counted<T>(&self, name: &'static str, answer: io::Result<T>) -> Result<T, Errno> {
        self.tally.add(name);
        answer.map_err(errno)
    }
}

/// The number of an error.
pub(super) fn errno(why: io::Error) -> Errno {
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
pub(super) fn slurp(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The names in a directory, as far as they are read.
fn names(path: String) -> io::Result<impl Iterator<Item = String>> {
    let entries = std::fs::read_dir(path)?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()))
}

/// A task of the running kernel.
pub struct LiveTask {
    pub(super) tid: Tid,
    pub(super) reads: Rc<Reads>,
}

impl LiveTask {
    fn at(&self, name: &str) -> io::Result<String> {
        self.reads.at(format!("/proc/{}/{name}", self.tid))
    }

    /// The tids of its thread group, in order, if it leads one.
    pub(super) fn threads(&self) -> Result<Vec<Tid>, Errno> {
        let tids = self.at("task").and_then(names).map(|names| {
            let mut tids: Vec<Tid> = names.filter_map(|name| name.parse().ok()).collect();
            tids.sort_unstable();
            tids
        });
        self.reads.counted("/proc/TID/task", tids)
    }
}

impl Peek for LiveTask {
    fn tid(&self) -> Tid {
        self.tid
    }

    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        let read = sys::read_memory(self.tid, addr, buf);
        self.reads.counted("memory", read)
    }

    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        let bytes = self.at(name).and_then(|path| slurp(&path));
        self.reads.counted(proc_name(name), bytes)
    }

    fn proc_link(&self, name: &str) -> Result<Vec<u8>, Errno> {
        let target = self.at(name).and_then(std::fs::read_link);
        let bytes = target.map(|path| path.into_os_string().into_vec());
        self.reads.counted(proc_name(name), bytes)
    }

    fn proc_read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let file = self.at(name).and_then(File::open);
        let got = file.and_then(|file| file.read_at(buf, offset));
        self.reads.counted(proc_name(name), got)
    }

    fn system_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let path = self.reads.at(path.to_owned());
        let bytes = path.and_then(|path| slurp(&path));
        self.reads.counted("system", bytes)
    }

    fn system_link(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let path = self.reads.at(path.to_owned());
        let target = path.and_then(std::fs::read_link);
        let bytes = target.map(|path| path.into_os_string().into_vec());
        self.reads.counted("system", bytes)
    }

    fn system_list(&self, path: &str) -> Result<Vec<String>, Errno> {
        let path = self.reads.at(path.to_owned());
        let names = path.and_then(names).map(Iterator::collect);
        self.reads.counted("system", names)
    }

    fn ask(&self, question: Question) -> Result<u64, Errno> {
        let answer = match self.reads.proc {
            true => sys::ask(self.tid, question),
            false => Err(io::Error::from_raw_os_error(libc::ENOENT)),
        };
        self.reads.counted(question.name(), answer)
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
