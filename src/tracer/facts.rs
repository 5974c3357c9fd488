//! What /proc says of a task, parsed. Pure but for the reading.

use crate::event::{Tid, lossy};
use crate::peek::{Peek, Syscall};

use crate::tracer::kernel::Kernel;

/// Set in a task that a fatal signal of its group, exit_group or a sibling's exec cut off, and clear
/// in one that ended itself (include/linux/sched.h). The wait status alone does not tell.
const PF_SIGNALED: u64 = 0x400;
/// Threads that the kernel made for io_uring and vhost (include/linux/sched.h).
const PF_USER_WORKER: u64 = 0x4000;

/// From `/proc/TID/task/TID/stat`, which, unlike `/proc/TID/stat`, does not add up all threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The name's bytes.
    pub comm: Vec<u8>,
    /// PF_SIGNALED.
    pub cut_off: bool,
    /// PF_USER_WORKER.
    pub worker: bool,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
}

/// Parses `stat`: the name stands in parentheses and may hold any byte, so it ends at the last one
/// (proc(5)).
pub fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    let open = bytes.iter().position(|&b| b == b'(')?;
    let close = bytes.iter().rposition(|&b| b == b')')?;
    let comm = bytes.get(open + 1..close)?.to_vec();
    let rest = std::str::from_utf8(bytes.get(close + 1..)?).ok()?;
    // Field 3 is the first after the name.
    let field = |number: usize| {
        rest.split_ascii_whitespace()
            .nth(number - 3)?
            .parse::<u64>()
            .ok()
    };
    let flags = field(9)?;
    Some(Stat {
        comm,
        cut_off: flags & PF_SIGNALED != 0,
        worker: flags & PF_USER_WORKER != 0,
        start_ticks: field(22)?,
    })
}

/// Reads and parses it.
pub fn stat(task: &dyn Peek) -> Option<Stat> {
    let tid = task.tid();
    let bytes = task
        .proc_file(&format!("task/{tid}/stat"))
        .or_else(|_| task.proc_file("stat"))
        .ok()?;
    parse_stat(&bytes)
}

/// From `/proc/TID/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The thread group.
    pub tgid: Option<Tid>,
    /// The parent's thread group.
    pub ppid: Option<Tid>,
    /// The tid in each pid namespace, outermost first.
    pub ns_tids: Vec<Tid>,
    /// The tgid in each pid namespace.
    pub ns_tgids: Vec<Tid>,
    /// Caught signals, bit `n - 1` for signal `n`.
    pub caught: u64,
    /// The thread that traces it; 0: none.
    pub tracer: Option<Tid>,
}

/// Parses `status`.
pub fn parse_status(bytes: &[u8]) -> Status {
    let mut status = Status::default();
    let list = |text: &str| {
        text.split_ascii_whitespace()
            .filter_map(|n| n.parse().ok())
            .collect()
    };
    for line in bytes.split(|&b| b == b'\n') {
        // The name's line may hold any byte, escaped; the others are plain.
        let Some((key, value)) = std::str::from_utf8(line)
            .ok()
            .and_then(|l| l.split_once(':'))
        else {
            continue;
        };
        let value = value.trim();
        match key {
            "Tgid" => status.tgid = value.parse().ok(),
            "PPid" => status.ppid = value.parse().ok(),
            "TracerPid" => status.tracer = value.parse().ok(),
            "NSpid" => status.ns_tids = list(value),
            "NStgid" => status.ns_tgids = list(value),
            "SigCgt" => status.caught = u64::from_str_radix(value, 16).unwrap_or(0),
            _ => {}
        }
    }
    status
}

/// Reads and parses it.
pub fn status(task: &dyn Peek) -> Option<Status> {
    task.proc_file("status")
        .ok()
        .map(|bytes| parse_status(&bytes))
}

/// The status of a task that need not be stopped.
pub(super) fn status_of(kernel: &impl Kernel, tid: Tid) -> Option<Status> {
    Some(parse_status(&kernel.proc_file(tid, "status").ok()?))
}

/// The process of a task; `None`: it is not there.
pub(super) fn tgid_of(kernel: &impl Kernel, tid: Tid) -> Option<Tid> {
    status_of(kernel, tid)?.tgid
}

/// A task's name, and its bytes where they are not UTF-8.
pub fn comm(task: &dyn Peek) -> (String, Option<String>) {
    let bytes = task.proc_file("comm").unwrap_or_default();
    lossy(bytes.strip_suffix(b"\n").unwrap_or(&bytes))
}

/// The system call that a stopped task is in, from `/proc/TID/syscall`, which works at stops that
/// PTRACE_GET_SYSCALL_INFO says nothing about, on every architecture. `None`: it is in none, or it
/// runs.
pub fn syscall(task: &dyn Peek, arch: u32) -> Option<Syscall> {
    let bytes = task.proc_file("syscall").ok()?;
    parse_syscall(std::str::from_utf8(&bytes).ok()?, arch)
}

/// Parses `NR 0xARG×6 0xSP 0xIP`.
pub fn parse_syscall(text: &str, arch: u32) -> Option<Syscall> {
    let mut words = text.split_ascii_whitespace();
    let nr: i64 = words.next()?.parse().ok()?;
    let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let args = [hex()?, hex()?, hex()?, hex()?, hex()?, hex()?];
    let (sp, ip) = (hex()?, hex()?);
    Some(Syscall {
        arch,
        nr: u64::try_from(nr).ok()?,
        args,
        ip,
        sp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_parentheses_and_spaces() {
        let line = b"7 (a) (b c) Z 1 2 3 4 5 1028 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0\n";
        let stat = parse_stat(line).expect("parses");
        assert_eq!(stat.comm, b"a) (b c");
        assert!(stat.cut_off && !stat.worker);
        assert_eq!(stat.start_ticks, 4711);
        assert_eq!(parse_stat(b""), None);
        assert_eq!(parse_stat(b")("), None);
        assert_eq!(parse_stat(b"7 (x) Z"), None);
    }

    #[test]
    fn status_gives_ids_in_every_namespace() {
        let text = b"Name:\tx\nTgid:\t12\nPPid:\t3\nNStgid:\t12\t1\nNSpid:\t13\t2\nSigCgt:\t0000000000000400\n";
        let status = parse_status(text);
        assert_eq!(status.tgid, Some(12));
        assert_eq!(status.ppid, Some(3));
        assert_eq!(status.ns_tids, [13, 2]);
        assert_eq!(status.ns_tgids, [12, 1]);
        assert_eq!(status.caught, 0x400);
    }

    #[test]
    fn a_syscall_line_is_read_whole_or_not_at_all() {
        let line = "435 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffe 0x7fff\n";
        let call = parse_syscall(line, 9).expect("parses");
        assert_eq!(
            (call.nr, call.args[5], call.sp, call.ip),
            (435, 6, 0x7ffe, 0x7fff)
        );
        assert_eq!(parse_syscall("running\n", 9), None);
        assert_eq!(parse_syscall("-1 0x7ffe 0x7fff\n", 9), None);
    }

    #[test]
    fn this_task_is_readable() {
        struct Own;
        impl Peek for Own {
            fn tid(&self) -> Tid {
                std::process::id().cast_signed()
            }
            fn read(&self, _: u64, _: &mut [u8]) -> Result<(), crate::peek::Errno> {
                Err(crate::peek::Errno(14))
            }
            fn proc_file(&self, name: &str) -> Result<Vec<u8>, crate::peek::Errno> {
                std::fs::read(format!("/proc/{}/{name}", self.tid()))
                    .map_err(|_| crate::peek::Errno(2))
            }
            fn proc_link(&self, _: &str) -> Result<Vec<u8>, crate::peek::Errno> {
                Err(crate::peek::Errno(2))
            }
            fn proc_read_at(
                &self,
                _: &str,
                _: u64,
                _: &mut [u8],
            ) -> Result<usize, crate::peek::Errno> {
                Err(crate::peek::Errno(2))
            }
        }
        let stat = stat(&Own).expect("stat parses");
        assert!(stat.start_ticks > 0 && !stat.cut_off);
        let status = status(&Own).expect("status parses");
        assert_eq!(status.tgid, Some(Own.tid()));
        assert_eq!(status.ns_tids.first(), Some(&Own.tid()));
    }
}
