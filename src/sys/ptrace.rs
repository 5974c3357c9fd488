//! ptrace requests.

use std::{io, mem, ptr};

use super::answer::check;

/// How a stopped task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Until the next event.
    Cont,
    /// Until the next event, or the entry or exit of a system call.
    Syscall,
    /// Stay in group stop, and report when it ends.
    Listen,
}

pub(super) fn ptrace(request: libc::c_uint, tid: i32, addr: usize, data: usize) -> io::Result<i64> {
    // SAFETY: the requests used here take integers in addr and data, or pointers to live buffers of
    // this module whose size goes along. PEEK requests, whose results glibc returns differently, are
    // not used.
    check(unsafe {
        libc::ptrace(
            request,
            tid,
            ptr::without_provenance_mut::<u8>(addr),
            data as *mut u8,
        )
    })
}

/// The calling thread: what it seizes is its own.
pub fn own_tid() -> i32 {
    // SAFETY: gettid(2) takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// Begins to trace a task, without stopping it. `exit_kill`: it ends when the tracing thread does.
/// `filtered`: it carries our filter.
///
/// # Errors
/// EPERM: not permitted, traced already, a kernel thread or dead; ESRCH: not there; EIO: an option
/// that this kernel does not know.
pub fn seize(tid: i32, exit_kill: bool, filtered: bool) -> io::Result<()> {
    let options = options(exit_kill, filtered, false);
    ptrace(libc::PTRACE_SEIZE, tid, 0, options).map(drop)
}

/// Changes what a stopped task was seized with. `leaving`: it stops once more before it ends.
///
/// # Errors
/// ESRCH: it was killed.
pub fn set_options(tid: i32, exit_kill: bool, filtered: bool, leaving: bool) -> io::Result<()> {
    let options = options(exit_kill, filtered, leaving);
    ptrace(libc::PTRACE_SETOPTIONS, tid, 0, options).map(drop)
}

fn options(exit_kill: bool, filtered: bool, leaving: bool) -> usize {
    let mut options = libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_TRACESYSGOOD;
    if exit_kill {
        options |= libc::PTRACE_O_EXITKILL;
    }
    if filtered {
        options |= libc::PTRACE_O_TRACESECCOMP;
    }
    if leaving {
        options |= libc::PTRACE_O_TRACEEXIT;
    }
    options as usize
}

/// Lets a stopped task go on, with a signal or 0.
///
/// # Errors
/// ESRCH: it was killed.
pub fn resume(tid: i32, how: Request, signal: i32) -> io::Result<()> {
    let request = match how {
        Request::Cont => libc::PTRACE_CONT,
        Request::Syscall => libc::PTRACE_SYSCALL,
        Request::Listen => libc::PTRACE_LISTEN,
    };
    ptrace(request, tid, 0, signal as usize).map(drop)
}

/// Stops a running tracee soon.
///
/// # Errors
/// ESRCH: it is gone.
pub fn interrupt(tid: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_INTERRUPT, tid, 0, 0).map(drop)
}

/// Lets a stopped task go for good, with a signal or 0.
///
/// # Errors
/// ESRCH: it was killed.
pub fn detach(tid: i32, signal: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_DETACH, tid, 0, signal as usize).map(drop)
}

/// The message of the event that a task is stopped at.
///
/// # Errors
/// ESRCH: it was killed.
pub fn event_message(tid: i32) -> io::Result<u64> {
    let mut message: libc::c_ulong = 0;
    ptrace(libc::PTRACE_GETEVENTMSG, tid, 0, &raw mut message as usize)?;
    Ok(message)
}

/// What PTRACE_GET_SYSCALL_INFO says a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Not at a system call's entry or exit.
    None,
    /// At the entry: number and arguments.
    Entry([u64; 7]),
    /// At the exit: the result, and whether it is an error.
    Exit(i64, bool),
    /// At a seccomp stop: number, arguments, and the filter's data.
    Seccomp([u64; 7], u32),
    /// Something that a later kernel has added.
    Unknown(u8),
}

/// The answer of PTRACE_GET_SYSCALL_INFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyscallInfo {
    /// The audit architecture of the call.
    pub arch: u32,
    /// The instruction pointer.
    pub ip: u64,
    /// The stack pointer.
    pub sp: u64,
    /// Where the task is.
    pub op: Op,
}

/// `struct ptrace_syscall_info` of linux/ptrace.h, with the union as words.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RawInfo {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    ip: u64,
    sp: u64,
    pub words: [u64; 8],
}

/// Which system call a stopped task is in, in whose ABI, with which arguments.
///
/// # Errors
/// ESRCH: it was killed. EIO: a kernel before 5.3.
pub fn syscall_info(tid: i32) -> io::Result<SyscallInfo> {
    let raw = raw_info(tid)?;
    let [nr, a0, a1, a2, a3, a4, a5, last] = raw.words;
    let call = [nr, a0, a1, a2, a3, a4, a5];
    let op = match raw.op {
        0 => Op::None,
        1 => Op::Entry(call),
        // `is_error` is one byte after the eight of rval.
        2 => Op::Exit(nr.cast_signed(), a0.to_ne_bytes()[0] != 0),
        3 => {
            let [b0, b1, b2, b3, ..] = last.to_ne_bytes();
            Op::Seccomp(call, u32::from_ne_bytes([b0, b1, b2, b3]))
        }
        other => Op::Unknown(other),
    };
    Ok(SyscallInfo {
        arch: raw.arch,
        ip: raw.ip,
        sp: raw.sp,
        op,
    })
}

/// The same as the kernel has it.
pub(super) fn raw_info(tid: i32) -> io::Result<RawInfo> {
    // SAFETY: RawInfo is plain integers, for which all zeroes is valid.
    let mut raw: RawInfo = unsafe { mem::zeroed() };
    let size = size_of::<RawInfo>();
    ptrace(
        libc::PTRACE_GET_SYSCALL_INFO,
        tid,
        size,
        &raw mut raw as usize,
    )?;
    Ok(raw)
}

/// The part of a siginfo that decides where a signal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Siginfo {
    /// The signal.
    pub signo: i32,
    /// Where it came from: positive, from the kernel.
    pub code: i32,
}

/// The signal that a task is stopped for.
///
/// # Errors
/// EINVAL: a group stop. ESRCH: it was killed.
pub fn siginfo(tid: i32) -> io::Result<Siginfo> {
    // SAFETY: siginfo_t is plain data for which all zeroes is valid.
    let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
    ptrace(libc::PTRACE_GETSIGINFO, tid, 0, &raw mut info as usize)?;
    Ok(Siginfo {
        signo: info.si_signo,
        code: info.si_code,
    })
}
