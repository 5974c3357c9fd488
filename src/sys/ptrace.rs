//! ptrace requests.

use std::{io, mem, ptr};

use super::check;

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

fn ptrace(request: libc::c_uint, tid: i32, addr: usize, data: usize) -> io::Result<i64> {
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
struct RawInfo {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    ip: u64,
    sp: u64,
    words: [u64; 8],
}

/// Which system call a stopped task is in, in whose ABI, with which arguments.
///
/// # Errors
/// ESRCH: it was killed. EIO: a kernel before 5.3.
pub fn syscall_info(tid: i32) -> io::Result<SyscallInfo> {
    // SAFETY: RawInfo is plain integers, for which all zeroes is valid.
    let mut raw: RawInfo = unsafe { mem::zeroed() };
    let size = size_of::<RawInfo>();
    ptrace(
        libc::PTRACE_GET_SYSCALL_INFO,
        tid,
        size,
        &raw mut raw as usize,
    )?;
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

/// The registers that a newborn has in common with the caller that made it, whatever stack and
/// thread pointer it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// The callee-saved general registers.
    pub saved: [u64; 6],
    /// The thread pointer.
    pub tls: u64,
}

/// Reads those registers.
///
/// # Errors
/// ESRCH: the task was killed. Unsupported: no row for this architecture yet.
#[cfg(target_arch = "x86_64")]
pub fn registers(tid: i32) -> io::Result<Registers> {
    // SAFETY: user_regs_struct is plain integers, for which all zeroes is valid.
    let mut regs: libc::user_regs_struct = unsafe { mem::zeroed() };
    ptrace(libc::PTRACE_GETREGS, tid, 0, &raw mut regs as usize)?;
    Ok(Registers {
        saved: [regs.rbx, regs.rbp, regs.r12, regs.r13, regs.r14, regs.r15],
        tls: regs.fs_base,
    })
}

/// Reads those registers.
///
/// # Errors
/// ESRCH: the task was killed. Unsupported: no row for this architecture yet.
#[cfg(not(target_arch = "x86_64"))]
pub fn registers(_: i32) -> io::Result<Registers> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Where in `struct user` an argument register of an ABI lies: in the 64-bit layout for i386 tasks
/// too, since the tracer is a 64-bit program (arch/x86/kernel/ptrace.c, putreg).
#[cfg(target_arch = "x86_64")]
pub fn argument_slot(abi: &str, index: usize) -> Option<usize> {
    use std::mem::offset_of;
    type Regs = libc::user_regs_struct;
    let slots: [usize; 6] = match abi {
        "x86_64" | "x32" => [
            offset_of!(Regs, rdi),
            offset_of!(Regs, rsi),
            offset_of!(Regs, rdx),
            offset_of!(Regs, r10),
            offset_of!(Regs, r8),
            offset_of!(Regs, r9),
        ],
        "i386" => [
            offset_of!(Regs, rbx),
            offset_of!(Regs, rcx),
            offset_of!(Regs, rdx),
            offset_of!(Regs, rsi),
            offset_of!(Regs, rdi),
            offset_of!(Regs, rbp),
        ],
        _ => return None,
    };
    slots.get(index).copied()
}

/// Where an argument register lies: no rows for this architecture yet.
#[cfg(not(target_arch = "x86_64"))]
pub fn argument_slot(_: &str, _: usize) -> Option<usize> {
    None
}

/// Where in `struct user` the system call's number, its result and the instruction pointer lie.
#[cfg(target_arch = "x86_64")]
pub fn return_slots() -> Option<(usize, usize, usize)> {
    use std::mem::offset_of;
    type Regs = libc::user_regs_struct;
    Some((
        offset_of!(Regs, orig_rax),
        offset_of!(Regs, rax),
        offset_of!(Regs, rip),
    ))
}

/// Where number, result and instruction pointer lie: no rows for this architecture yet.
#[cfg(not(target_arch = "x86_64"))]
pub fn return_slots() -> Option<(usize, usize, usize)> {
    None
}

/// Sets one register of a stopped task, by its place in `struct user`.
///
/// # Errors
/// ESRCH: it was killed. EIO: no such place.
pub fn poke_user(tid: i32, slot: usize, value: u64) -> io::Result<()> {
    ptrace(libc::PTRACE_POKEUSER, tid, slot, value as usize).map(drop)
}
