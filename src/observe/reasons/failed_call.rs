//! One failed call, and what can be asked about it.

use std::cell::OnceCell;

use crate::abi::flags::CloneFlags;
use crate::abi::rules::{Arguments, Kernel};
use crate::peek::{Errno, Peek};
use crate::proc;

use super::user_tasks::{self, Count, LastCount};

/// What was read, as text; `None` where it could not be.
fn text(read: Result<Vec<u8>, Errno>) -> Option<String> {
    let bytes = read.ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A failed call, its caller, and the kernel that refused it.
pub(super) struct FailedCall<'a> {
    pub task: &'a dyn Peek,
    pub arguments: &'a Arguments,
    pub kernel: &'a Kernel,
    /// The errno's name.
    pub errno: &'a str,
    /// The seccomp filters that are ours.
    pub filters: u64,
    last_count: Option<&'a LastCount>,
    /// When it was made, in nanoseconds since the trace began.
    at_ns: u64,
    status: OnceCell<Option<Vec<u8>>>,
}

impl<'a> FailedCall<'a> {
    pub fn new(
        task: &'a dyn Peek,
        arguments: &'a Arguments,
        kernel: &'a Kernel,
        errno: &'a str,
    ) -> Self {
        FailedCall {
            task,
            arguments,
            kernel,
            errno,
            filters: 0,
            last_count: None,
            at_ns: 0,
            status: OnceCell::new(),
        }
    }

    pub fn with_filters(mut self, filters: u64) -> Self {
        self.filters = filters;
        self
    }

    pub fn with_counted(mut self, last: &'a LastCount, at_ns: u64) -> Self {
        self.last_count = Some(last);
        self.at_ns = at_ns;
        self
    }

    /// All of these flags were passed.
    pub fn has(&self, flags: CloneFlags) -> bool {
        self.arguments.flags().contains(flags)
    }

    /// A field of the caller's status.
    pub fn status(&self, key: &str) -> Option<&str> {
        let read = || self.task.proc_file("status").ok();
        proc::field(self.status.get_or_init(read).as_deref()?, key)
    }

    /// A field of the caller's status that is a list of numbers.
    pub fn numbers(&self, key: &str) -> Vec<u64> {
        proc::text::numbers(self.status(key).unwrap_or_default()).collect()
    }

    /// Whether the caller has a capability in its own user namespace; `None` where that is not known.
    pub fn capable(&self, bit: u32) -> Option<bool> {
        let set = u64::from_str_radix(self.status("CapEff")?, 16).ok()?;
        Some(set & (1 << bit) != 0)
    }

    /// How many tasks a user has.
    pub fn count_tasks(&self, uid: u64) -> Option<Count> {
        user_tasks::count(self.task, self.last_count, self.at_ns, uid)
    }

    /// A soft limit of the caller's, by its name in `/proc/TID/limits`.
    pub fn soft_limit(&self, name: &str) -> Option<u64> {
        proc::limits::soft(&self.file("limits")?, name)
    }

    /// A file of the caller's, as text.
    pub fn file(&self, name: &str) -> Option<String> {
        text(self.task.proc_file(name))
    }

    /// A link of the caller's.
    pub fn link(&self, name: &str) -> Option<String> {
        text(self.task.proc_link(name))
    }

    /// A file of the system's, as text.
    pub fn system(&self, path: &str) -> Option<String> {
        text(self.task.system_file(path))
    }

    /// A file of the system's that holds one number.
    pub fn system_number(&self, path: &str) -> Option<u64> {
        self.system(path)?.trim().parse().ok()
    }

    /// Whether clonespy itself is in the first namespace of this kind: then everything is in view.
    pub fn sees_all(&self, namespace: &str) -> bool {
        let first = match namespace {
            "cgroup" => "cgroup:[4026531835]",
            "pid" => "pid:[4026531836]",
            "user" => "user:[4026531837]",
            _ => return false,
        };
        let own = self.task.system_link(&format!("/proc/self/ns/{namespace}"));
        own.is_ok_and(|own| own == first.as_bytes())
    }

    /// Whether the caller is in the first user namespace (include/linux/proc_ns.h,
    /// PROC_USER_INIT_INO).
    pub fn in_first_userns(&self) -> bool {
        self.link("ns/user").as_deref() == Some("user:[4026531837]")
    }
}
