//! A recorded task: its memory and its files under /proc, and what it sees of the system, without any process.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Errno, Peek, Syscall};
use crate::event::Tid;
use crate::sys::Question;

const ENOENT: Errno = Errno(2);
const EFAULT: Errno = Errno(14);

/// A task that never ran. What was not put there is not there: memory gives EFAULT, files ENOENT.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    /// Its thread id.
    pub tid: Tid,
    /// Start addresses and bytes. Ranges may touch; a later one wins where they overlap.
    pub memory: Vec<(u64, Vec<u8>)>,
    /// `/proc/TID/NAME`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Links under `/proc/TID`.
    pub links: BTreeMap<String, Vec<u8>>,
    /// The errno of every read, for a task that is gone or may not be read.
    pub fails: Option<Errno>,
    /// What the kernel answers to questions.
    pub answers: Vec<(Question, u64)>,
    /// Files of the system's, by path.
    pub system_files: BTreeMap<String, Vec<u8>>,
    /// Links of the system's.
    pub system_links: BTreeMap<String, Vec<u8>>,
    /// Directories of the system's.
    pub system_lists: BTreeMap<String, Vec<String>>,
    /// What was read, in order: names of files under `/proc/TID`, and paths of directories.
    asked: RefCell<Vec<String>>,
}

impl Recorded {
    /// A task without memory or files.
    pub fn new() -> Self {
        Recorded {
            tid: 100,
            ..Recorded::default()
        }
    }

    /// Puts bytes at an address.
    pub fn with(mut self, address: u64, bytes: impl Into<Vec<u8>>) -> Self {
        self.memory.push((address, bytes.into()));
        self
    }

    /// Puts native-endian 64-bit words at an address.
    pub fn with_words(self, address: u64, words: &[u64]) -> Self {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.with(address, bytes)
    }

    /// Puts a file under `/proc/TID`.
    pub fn with_file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.to_owned(), content.into());
        self
    }

    /// Puts a link under `/proc/TID`.
    pub fn with_link(mut self, name: &str, target: impl Into<Vec<u8>>) -> Self {
        self.links.insert(name.to_owned(), target.into());
        self
    }

    /// The kernel's answer to a question.
    pub fn with_answer(mut self, question: Question, answer: u64) -> Self {
        self.answers.push((question, answer));
        self
    }

    /// Puts a file of the system's at a path.
    pub fn with_system_file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.system_files.insert(path.to_owned(), content.into());
        self
    }

    /// Puts a link of the system's at a path.
    pub fn with_system_link(mut self, path: &str, target: impl Into<Vec<u8>>) -> Self {
        self.system_links.insert(path.to_owned(), target.into());
        self
    }

    /// Puts a directory of the system's at a path.
    pub fn with_system_list(mut self, path: &str, names: &[&str]) -> Self {
        let names = names.iter().map(ToString::to_string).collect();
        self.system_lists.insert(path.to_owned(), names);
        self
    }

    /// How often a file under `/proc/TID`, or a directory of the system's, was read.
    pub fn times_asked(&self, name: &str) -> usize {
        let asked = self.asked.borrow();
        asked.iter().filter(|one| *one == name).count()
    }

    /// Every read fails with this errno; what is the system's stays.
    pub fn failing(mut self, errno: i32) -> Self {
        self.fails = Some(Errno(errno));
        self
    }

    fn byte(&self, address: u64) -> Option<u8> {
        self.memory.iter().rev().find_map(|(start, bytes)| {
            let index = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(index).copied()
        })
    }
}

impl Peek for Recorded {
    fn tid(&self) -> Tid {
        self.tid
    }

    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        if let Some(errno) = self.fails {
            return Err(errno);
        }
        for (offset, byte) in (0u64..).zip(buf) {
            *byte = addr
                .checked_add(offset)
                .and_then(|address| self.byte(address))
                .ok_or(EFAULT)?;
        }
        Ok(())
    }

    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.asked.borrow_mut().push(name.to_owned());
        self.fails.map_or(Ok(()), Err)?;
        self.files.get(name).cloned().ok_or(ENOENT)
    }

    fn proc_link(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.fails.map_or(Ok(()), Err)?;
        self.links.get(name).cloned().ok_or(ENOENT)
    }

    fn ask(&self, question: Question) -> Result<u64, Errno> {
        let found = self.answers.iter().find(|(one, _)| *one == question);
        found.map(|(_, answer)| *answer).ok_or(ENOENT)
    }

    fn system_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        self.system_files.get(path).cloned().ok_or(ENOENT)
    }

    fn system_link(&self, path: &str) -> Result<Vec<u8>, Errno> {
        self.system_links.get(path).cloned().ok_or(ENOENT)
    }

    fn system_list(&self, path: &str) -> Result<Vec<String>, Errno> {
        self.asked.borrow_mut().push(path.to_owned());
        self.system_lists.get(path).cloned().ok_or(ENOENT)
    }
}

/// A call on x86-64 with these registers.
pub(crate) fn x86_64(nr: u64, args: [u64; 6]) -> Syscall {
    Syscall {
        arch: 0xc000_003e,
        nr,
        args,
        ip: 0x40_1000,
        sp: 0x7ffd_0000_0000,
    }
}

/// A call on i386 with these registers.
pub(crate) fn i386(nr: u64, args: [u64; 6]) -> Syscall {
    Syscall {
        arch: 0x4000_0003,
        ..x86_64(nr, args)
    }
}
