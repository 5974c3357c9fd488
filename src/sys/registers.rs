//! Registers of stopped tasks, by what they are for: one part of this file a machine.

use std::io;

#[cfg(target_arch = "x86_64")]
use std::mem;

use super::ptrace::ptrace;
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
use super::ptrace::raw_info;

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

/// What becomes of an argument register that was changed at the entry of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is until it is put back, in the caller and in what the call creates.
    Stays,
    /// It ends with the call, whose result takes the register's place: nothing is to be put back.
    Ends {
        /// /proc/TID/syscall shows the change, in the newborn too; otherwise what was passed.
        shown: bool,
    },
}

/// An instruction that a task can go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// A breakpoint, reported by SIGTRAP.
    Breakpoint,
    /// A system call of this number, which a filter answered with SIGSYS.
    SystemCall(Option<u64>),
}

pub use machine::{WRITES, change_of, set_argument, skip_call, step_back};

#[cfg(target_arch = "x86_64")]
mod machine {
    //! x86-64: each register has a place in `struct user` (arch/x86/kernel/ptrace.c, putreg). A call
    //! leaves all argument registers as they are.

    use std::mem::offset_of;

    use super::{Change, Instruction, io, ptrace};

    /// The request that writes registers, for statistics.
    pub const WRITES: &str = "PTRACE_POKEUSER";

    type Regs = libc::user_regs_struct;

    /// What becomes of an argument register; `None`: it cannot be changed.
    pub fn change_of(abi: &str, index: usize) -> Option<Change> {
        argument(abi, index).map(|_| Change::Stays)
    }

    /// Changes an argument of the call that a task is about to make, or puts it back; how many
    /// requests that took, as of the functions below.
    ///
    /// # Errors
    /// ESRCH: it was killed. Unsupported: the ABI has no such argument.
    pub fn set_argument(tid: i32, abi: &str, index: usize, value: u64) -> io::Result<u64> {
        let slot = argument(abi, index).ok_or(io::ErrorKind::Unsupported)?;
        poke(tid, slot, value).map(|()| 1)
    }

    /// Has a task that stopped at a call's entry not make it, and return this result.
    ///
    /// # Errors
    /// ESRCH: it was killed.
    pub fn skip_call(tid: i32, result: i64) -> io::Result<u64> {
        poke(tid, offset_of!(Regs, orig_rax), u64::MAX)?;
        poke(tid, offset_of!(Regs, rax), result.cast_unsigned()).map(|()| 2)
    }

    /// Goes back to an instruction that the processor has left already, and stands at `ip` now: a
    /// breakpoint is reported behind its one byte, a refused system call behind its two.
    ///
    /// # Errors
    /// ESRCH: it was killed.
    pub fn step_back(tid: i32, ip: u64, instruction: Instruction) -> io::Result<u64> {
        let (length, number) = match instruction {
            Instruction::Breakpoint => (1, None),
            Instruction::SystemCall(number) => (2, number),
        };
        if let Some(number) = number {
            poke(tid, offset_of!(Regs, rax), number)?;
        }
        poke(tid, offset_of!(Regs, rip), ip.wrapping_sub(length))?;
        Ok(1 + u64::from(number.is_some()))
    }

    /// Where an argument register lies: in the 64-bit layout for i386 tasks too, since the tracer
    /// is a 64-bit program.
    fn argument(abi: &str, index: usize) -> Option<usize> {
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

    fn poke(tid: i32, slot: usize, value: u64) -> io::Result<()> {
        ptrace(libc::PTRACE_POKEUSER, tid, slot, value as usize).map(drop)
    }
}

#[cfg(target_arch = "aarch64")]
mod machine {
    //! aarch64: registers are read and written as a set. x0 is the first argument and the result;
    //! what was passed is kept in `orig_x0`, which no set has and /proc/TID/syscall shows
    //! (arch/arm64/kernel/syscall.c). A call that is made again was seen to get the change, on 7.2.

    use std::mem;

    use super::{Change, Instruction, io, ptrace};

    /// The request that writes registers, for statistics.
    pub const WRITES: &str = "PTRACE_SETREGSET";

    /// include/uapi/linux/elf.h.
    const NT_PRSTATUS: usize = 1;
    const NT_ARM_SYSTEM_CALL: usize = 0x404;
    /// Every instruction has four bytes.
    const INSTRUCTION: u64 = 4;

    /// What becomes of an argument register; `None`: it cannot be changed.
    pub fn change_of(abi: &str, index: usize) -> Option<Change> {
        match (abi, index) {
            ("aarch64", 0) => Some(Change::Ends { shown: false }),
            ("aarch64", 1..=5) => Some(Change::Stays),
            _ => None,
        }
    }

    /// Changes an argument of the call that a task is about to make, or puts it back; how many
    /// requests that took, as of the functions below.
    ///
    /// # Errors
    /// ESRCH: it was killed. Unsupported: the ABI has no such argument.
    pub fn set_argument(tid: i32, abi: &str, index: usize, value: u64) -> io::Result<u64> {
        let mut registers = get(tid)?;
        let argument = registers.regs.get_mut(index).filter(|_| abi == "aarch64");
        *argument.ok_or(io::ErrorKind::Unsupported)? = value;
        set(tid, registers).map(|()| 2)
    }

    /// Has a task that stopped at a call's entry not make it, and return this result.
    ///
    /// # Errors
    /// ESRCH: it was killed. Unsupported: a 32-bit task.
    pub fn skip_call(tid: i32, result: i64) -> io::Result<u64> {
        let mut registers = get(tid)?;
        let mut number: libc::c_int = -1;
        let mut part = libc::iovec {
            iov_base: (&raw mut number).cast(),
            iov_len: size_of_val(&number),
        };
        let data = &raw mut part as usize;
        ptrace(libc::PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, data)?;
        registers.regs[0] = result.cast_unsigned();
        set(tid, registers).map(|()| 3)
    }

    /// Goes back to an instruction that the processor has left already: a refused system call. (A
    /// breakpoint is reported at its own address, and x8 still has the number.)
    ///
    /// # Errors
    /// ESRCH: it was killed. Unsupported: a 32-bit task.
    pub fn step_back(tid: i32, _: u64, instruction: Instruction) -> io::Result<u64> {
        if instruction == Instruction::Breakpoint {
            return Ok(0);
        }
        let mut registers = get(tid)?;
        registers.pc = registers.pc.wrapping_sub(INSTRUCTION);
        set(tid, registers).map(|()| 2)
    }

    fn get(tid: i32) -> io::Result<libc::user_regs_struct> {
        // SAFETY: user_regs_struct is plain integers, for which all zeroes is valid.
        let mut registers: libc::user_regs_struct = unsafe { mem::zeroed() };
        let size = request(libc::PTRACE_GETREGSET, tid, &mut registers)?;
        // That of a 32-bit task is another one, and shorter.
        if size < size_of_val(&registers) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(registers)
    }

    fn set(tid: i32, mut registers: libc::user_regs_struct) -> io::Result<()> {
        request(libc::PTRACE_SETREGSET, tid, &mut registers).map(drop)
    }

    /// How many bytes there were.
    fn request(
        request: libc::c_uint,
        tid: i32,
        registers: &mut libc::user_regs_struct,
    ) -> io::Result<usize> {
        let mut part = libc::iovec {
            iov_base: std::ptr::from_mut(registers).cast(),
            iov_len: size_of_val(registers),
        };
        ptrace(request, tid, NT_PRSTATUS, &raw mut part as usize)?;
        Ok(part.iov_len)
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod machine {
    //! Other machines, riscv64 among them, by what kernels since 6.16 offer for all of them:
    //! PTRACE_SET_SYSCALL_INFO. (On riscv64 nothing else can change the first argument: the call
    //! takes it from `orig_a0`, which no set of registers has; a call that is made again does too.)

    use super::{Change, Instruction, io, ptrace, set_argument_by_info};

    /// The request that writes registers, for statistics.
    pub const WRITES: &str = "PTRACE_SET_SYSCALL_INFO";

    /// EIO.
    const EIO: i32 = 5;

    /// What becomes of an argument register; `None`: it cannot be changed.
    pub fn change_of(_: &str, index: usize) -> Option<Change> {
        match (std::env::consts::ARCH, index) {
            ("riscv64" | "loongarch64", 0) => Some(Change::Ends { shown: true }),
            _ => None,
        }
    }

    /// Changes an argument of the call that a task is about to make; how many requests that took, as
    /// of the functions below.
    ///
    /// # Errors
    /// ESRCH: it was killed. Unsupported: a kernel before 6.16, which answers with EIO.
    pub fn set_argument(tid: i32, _: &str, index: usize, value: u64) -> io::Result<u64> {
        let set = set_argument_by_info(tid, index, value);
        set.map(|()| 2).map_err(|why| match why.raw_os_error() {
            Some(EIO) => io::ErrorKind::Unsupported.into(),
            _ => why,
        })
    }

    /// Has a task that stopped at a call's entry not make it: not known for this machine.
    ///
    /// # Errors
    /// Unsupported.
    pub fn skip_call(_: i32, _: i64) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Goes back to an instruction that the processor has left already: on riscv64 a refused system
    /// call. (A breakpoint is reported at its own address, and a7 still has the number.)
    ///
    /// # Errors
    /// ESRCH: it was killed. Unsupported: not known for this machine.
    pub fn step_back(tid: i32, _: u64, instruction: Instruction) -> io::Result<u64> {
        if cfg!(not(target_arch = "riscv64")) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if instruction == Instruction::Breakpoint {
            return Ok(0);
        }
        // arch/riscv/include/uapi/asm/ptrace.h, struct user_regs_struct: pc comes first.
        let mut registers = [0_u64; 32];
        request(libc::PTRACE_GETREGSET, tid, &mut registers)?;
        registers[0] = registers[0].wrapping_sub(ECALL);
        request(libc::PTRACE_SETREGSET, tid, &mut registers).map(|()| 2)
    }

    /// include/uapi/linux/elf.h.
    const NT_PRSTATUS: usize = 1;
    /// The length of riscv64's instruction for a system call.
    const ECALL: u64 = 4;

    fn request(request: libc::c_uint, tid: i32, registers: &mut [u64; 32]) -> io::Result<()> {
        let mut part = libc::iovec {
            iov_base: registers.as_mut_ptr().cast(),
            iov_len: size_of_val(registers),
        };
        ptrace(request, tid, NT_PRSTATUS, &raw mut part as usize).map(drop)
    }
}

/// include/uapi/linux/ptrace.h.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
const PTRACE_SET_SYSCALL_INFO: libc::c_uint = 0x4212;

/// Changes an argument of the call that a task is about to make, on any machine, since Linux 6.16.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn set_argument_by_info(tid: i32, index: usize, value: u64) -> io::Result<()> {
    let mut info = raw_info(tid)?;
    // The number comes first.
    let argument = info
        .words
        .get_mut(1..7)
        .and_then(|args| args.get_mut(index));
    *argument.ok_or(io::ErrorKind::Unsupported)? = value;
    let (size, data) = (size_of_val(&info), &raw mut info as usize);
    ptrace(PTRACE_SET_SYSCALL_INFO, tid, size, data).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::ptrace::{Op, Request, resume, set_options, syscall_info};
    use super::*;

    /// How a child ends that calls `exit_group(7)`, where the argument is changed at its entry.
    fn exits_with(change: impl Fn(i32) -> io::Result<()>) -> Option<i32> {
        // SAFETY: the child makes nothing but the three system calls below.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: none of them touches memory.
            unsafe {
                libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                libc::raise(libc::SIGSTOP);
                libc::syscall(libc::SYS_exit_group, 7);
            }
        }
        let mut status = 0;
        let mut wait = || {
            // SAFETY: `status` lives as long as the call.
            unsafe { libc::waitpid(child, &raw mut status, libc::__WALL) };
            status
        };
        wait();
        set_options(child, true, false, false).expect("it is stopped");
        let mut changed = Ok(());
        loop {
            resume(child, Request::Syscall, 0).expect("it is stopped");
            let status = wait();
            if libc::WIFEXITED(status) {
                changed.ok()?;
                return Some(libc::WEXITSTATUS(status));
            }
            let info = syscall_info(child).expect("it is stopped");
            if let Op::Entry([nr, ..]) = info.op
                && nr == libc::SYS_exit_group.cast_unsigned()
            {
                changed = change(child);
            }
        }
    }

    #[test]
    fn an_argument_is_changed_as_the_machine_has_it() {
        let abi = std::env::consts::ARCH;
        let status = exits_with(|tid| set_argument(tid, abi, 0, 42).map(drop));
        assert_eq!(status, Some(42));
    }

    #[test]
    fn an_argument_is_changed_as_newer_kernels_have_it() {
        match exits_with(|tid| set_argument_by_info(tid, 0, 43)) {
            Some(status) => assert_eq!(status, 43),
            None => eprintln!("skipped: PTRACE_SET_SYSCALL_INFO wants Linux 6.16"),
        }
    }
}
