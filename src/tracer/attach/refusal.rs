//! Why a running task could not be attached to, and what to do about it.

use std::io;

use crate::error::Error;
use crate::event::Tid;

use crate::proc;
use crate::tracer::kernel::Kernel;

/// A task that cannot be attached to.
pub(in crate::tracer) fn attach_error(pid: Tid, why: &str, hint: Option<String>) -> Error {
    Error::Trace {
        what: format!("attach to {pid}"),
        why: io::Error::other(why.to_owned()),
        hint,
    }
}

/// The status of a task that need not be stopped.
pub(in crate::tracer) fn status_of(kernel: &impl Kernel, tid: Tid) -> Option<proc::Status> {
    Some(proc::Status::parse(&kernel.proc_file(tid, "status").ok()?))
}

/// The process of a task; `None`: it is not there.
pub(in crate::tracer) fn tgid_of(kernel: &impl Kernel, tid: Tid) -> Option<Tid> {
    status_of(kernel, tid)?.tgid
}

/// Why a task could not be seized, from what /proc says of it. `None`: it has ended, or is a leader
/// that has ended before its threads, or was made by one that is seized and came by itself, which is
/// nothing to complain about.
pub(in crate::tracer) fn refusal(
    kernel: &impl Kernel,
    tid: Tid,
    tgid: Tid,
    why: &io::Error,
) -> Option<Error> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let status = kernel.proc_file(tid, "status").ok()?;
    let field = |name: &str| proc::field(&status, name);
    let say =
        |why: String, hint: Option<&str>| Some(attach_error(tid, &why, hint.map(str::to_owned)));
    if field("State").is_some_and(|state| state.starts_with(['Z', 'X'])) {
        let others = kernel.threads(tgid).is_ok_and(|tids| tids.len() > 1);
        if others {
            return None;
        }
        return say(
            "it is a zombie: it has ended and waits for its parent".into(),
            None,
        );
    }
    if tgid_of(kernel, kernel.own_tid()) == Some(tgid) {
        return say("it is clonespy itself".into(), None);
    }
    if let Some(tracer) = field("TracerPid").filter(|&pid| pid != "0") {
        if tracer == kernel.own_tid().to_string() {
            return None;
        }
        // What is named is a thread, perhaps one of several and with a name of its own.
        let thread: Option<Tid> = tracer.parse().ok();
        let process = thread.and_then(|thread| tgid_of(kernel, thread)).or(thread);
        let name = process.and_then(|pid| kernel.proc_file(pid, "comm").ok());
        let name = text(name.unwrap_or_default());
        let name = name.trim().escape_debug();
        let tracer = process.map_or_else(|| tracer.to_owned(), |pid| pid.to_string());
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
    let own = kernel.own_uid();
    if own != 0 && uid != own.to_string() {
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
    let scope = kernel.system_file("/proc/sys/kernel/yama/ptrace_scope");
    match scope.ok().map(text).as_deref().map(str::trim) {
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
