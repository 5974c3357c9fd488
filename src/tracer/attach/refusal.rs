//! Why a running task could not be attached to, and what to do about it.

use std::io;

use crate::error::{Error, plain};
use crate::event::{Gap, Refusal, SystemError, Tid};

use crate::peek::Peek;
use crate::proc;
use crate::tracer::kernel::Kernel;

/// A task that cannot be attached to, and why.
#[derive(Debug)]
pub struct Unattached {
    pub pid: Tid,
    pub why: Refusal,
}

impl From<Unattached> for Gap {
    fn from(Unattached { pid, why }: Unattached) -> Self {
        Gap::Process { pid, why }
    }
}

impl From<Unattached> for Error {
    fn from(Unattached { pid, why }: Unattached) -> Self {
        Error::Trace {
            what: format!("attach to {pid}"),
            why: io::Error::other(why.to_string()),
            hint: None,
        }
    }
}

/// The status of a task that need not be stopped.
pub fn status_of(kernel: &impl Kernel, tid: Tid) -> Option<proc::Status> {
    proc::status(&kernel.task(tid))
}

/// The process of a task; `None`: it is not there.
pub fn tgid_of(kernel: &impl Kernel, tid: Tid) -> Option<Tid> {
    status_of(kernel, tid)?.tgid
}

/// Why a task could not be seized, from what /proc says of it. `None`: it has ended, or is a leader
/// that has ended before its threads, or was made by one that is seized and came by itself, which is
/// nothing to complain about.
pub fn refusal(kernel: &impl Kernel, tid: Tid, tgid: Tid, why: &io::Error) -> Option<Unattached> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let status = kernel.task(tid).proc_file("status").ok()?;
    let field = |name: &str| proc::field(&status, name);
    let say = |why: Refusal| Some(Unattached { pid: tid, why });
    if field("State").is_some_and(|state| state.starts_with(['Z', 'X'])) {
        let others = kernel.threads(tgid).is_ok_and(|tids| tids.len() > 1);
        if others {
            return None;
        }
        return say(Refusal::Zombie);
    }
    if tgid_of(kernel, kernel.own_tid()) == Some(tgid) {
        return say(Refusal::Itself);
    }
    if let Some(tracer) = field("TracerPid").filter(|&pid| pid != "0") {
        if tracer == kernel.own_tid().to_string() {
            return None;
        }
        // What is named is a thread, perhaps one of several and with a name of its own.
        let thread: Option<Tid> = tracer.parse().ok();
        let process = thread.and_then(|thread| tgid_of(kernel, thread)).or(thread);
        let name = process.and_then(|pid| kernel.task(pid).proc_file("comm").ok());
        let name = text(name.unwrap_or_default());
        let name = name.trim().escape_debug().to_string();
        let by = process.map_or_else(|| tracer.to_owned(), |pid| pid.to_string());
        return say(Refusal::Traced { name, by });
    }
    if field("VmSize").is_none() && field("Kthread").is_none_or(|kthread| kthread == "1") {
        return say(Refusal::KernelThread);
    }
    let uid = field("Uid")
        .and_then(|uids| uids.split_whitespace().next())
        .unwrap_or("?");
    let own = kernel.own_uid();
    if own != 0 && uid != own.to_string() {
        let owner = uid
            .parse()
            .ok()
            .and_then(|uid| nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok()?)
            .map_or_else(|| format!("uid {uid}"), |user| user.name);
        return say(Refusal::OtherUser { owner });
    }
    let scope = kernel
        .task(tid)
        .system_file("/proc/sys/kernel/yama/ptrace_scope");
    match scope.ok().map(text).as_deref().map(str::trim) {
        Some("1") => say(Refusal::Descendants),
        Some("2") => say(Refusal::Administrators),
        Some("3") => say(Refusal::Nobody),
        _ => say(Refusal::Denied {
            error: SystemError(plain(why)),
        }),
    }
}
