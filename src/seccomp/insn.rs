//! Classic BPF as seccomp takes it: the instruction, its codes, and what a filter may answer.

/// One instruction, laid out as the kernel's `struct sock_filter` (linux/filter.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    /// What to do: class, size, mode, operation and source, or'ed.
    pub code: u16,
    /// A conditional jump's distance when the test holds, from the next instruction.
    pub jt: u8,
    /// Its distance when the test does not hold.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

impl Insn {
    /// An instruction that is no conditional jump.
    pub const fn new(code: u16, k: u32) -> Insn {
        Insn {
            code,
            jt: 0,
            jf: 0,
            k,
        }
    }

    /// A conditional jump.
    pub const fn jump(code: u16, k: u32, jt: u8, jf: u8) -> Insn {
        Insn { code, jt, jf, k }
    }
}

/// Class, load into A (linux/bpf_common.h, as all codes here).
pub const LD: u16 = 0x00;
/// Class, load into X.
pub const LDX: u16 = 0x01;
/// Class, store A into scratch memory.
pub const ST: u16 = 0x02;
/// Class, store X into scratch memory.
pub const STX: u16 = 0x03;
/// Class, arithmetic on A.
pub const ALU: u16 = 0x04;
/// Class, jump.
pub const JMP: u16 = 0x05;
/// Class, end with an answer.
pub const RET: u16 = 0x06;
/// Class, moves between A and X.
pub const MISC: u16 = 0x07;
/// Size of a load, 32 bits: the only one that seccomp takes.
pub const W: u16 = 0x00;
/// Mode of a load, the operand itself.
pub const IMM: u16 = 0x00;
/// Mode of a load, the word at that offset of [`SeccompData`].
pub const ABS: u16 = 0x20;
/// Mode of a load, a word of scratch memory.
pub const MEM: u16 = 0x60;
/// Mode of a load, the length of the data: 64.
pub const LEN: u16 = 0x80;
/// Operation, `A += source`.
pub const ADD: u16 = 0x00;
/// Operation, `A -= source`.
pub const SUB: u16 = 0x10;
/// Operation, `A *= source`.
pub const MUL: u16 = 0x20;
/// Operation, `A /= source`.
pub const DIV: u16 = 0x30;
/// Operation, `A |= source`.
pub const OR: u16 = 0x40;
/// Operation, `A &= source`.
pub const AND: u16 = 0x50;
/// Operation, `A <<= source`.
pub const LSH: u16 = 0x60;
/// Operation, `A >>= source`.
pub const RSH: u16 = 0x70;
/// Operation, `A = -A`.
pub const NEG: u16 = 0x80;
/// Operation, `A ^= source` (linux/filter.h).
pub const XOR: u16 = 0xa0;
/// Jump, always, by the operand.
pub const JA: u16 = 0x00;
/// Jump, on `A == source`.
pub const JEQ: u16 = 0x10;
/// Jump, on `A > source`, unsigned.
pub const JGT: u16 = 0x20;
/// Jump, on `A >= source`, unsigned.
pub const JGE: u16 = 0x30;
/// Jump, on `A & source != 0`.
pub const JSET: u16 = 0x40;
/// Source, the operand.
pub const K: u16 = 0x00;
/// Source, X.
pub const X: u16 = 0x08;
/// Source of [`RET`], A (linux/filter.h).
pub const A: u16 = 0x10;
/// Move, X becomes A (linux/filter.h).
pub const TAX: u16 = 0x00;
/// Move, A becomes X (linux/filter.h).
pub const TXA: u16 = 0x80;

/// The longest program (linux/bpf_common.h).
pub const MAX_INSNS: usize = 4096;
/// Words of scratch memory (linux/filter.h).
pub const MEM_WORDS: usize = 16;

/// The part of an answer that is the action (linux/seccomp.h, as all answers). As signed numbers
/// the actions are ordered: of several filters' answers the kernel takes the smallest, of equal
/// ones the newest filter's. So the list below goes from the strongest to the weakest.
pub const RET_ACTION_FULL: u32 = 0xffff_0000;
/// The part that is data for the action.
pub const RET_DATA: u32 = 0x0000_ffff;
/// Kill the process.
pub const RET_KILL_PROCESS: u32 = 0x8000_0000;
/// Kill the thread.
pub const RET_KILL_THREAD: u32 = 0x0000_0000;
/// Send SIGSYS instead of the call.
pub const RET_TRAP: u32 = 0x0003_0000;
/// Fail the call with the data as errno.
pub const RET_ERRNO: u32 = 0x0005_0000;
/// Ask another process, through a descriptor.
pub const RET_USER_NOTIF: u32 = 0x7fc0_0000;
/// Stop for the tracer; without one the call fails with ENOSYS.
pub const RET_TRACE: u32 = 0x7ff0_0000;
/// Note the call in the log and run it.
pub const RET_LOG: u32 = 0x7ffc_0000;
/// Run the call.
pub const RET_ALLOW: u32 = 0x7fff_0000;

/// The option of prctl(2) that installs a filter (linux/prctl.h).
pub const PR_SET_SECCOMP: u32 = 22;

/// Offset of the number in [`SeccompData`].
pub const OFF_NR: u32 = 0;
/// Offset of the audit architecture.
pub const OFF_ARCH: u32 = 4;
/// Offset of the first argument.
pub const OFF_ARGS: u32 = 16;
/// `sizeof(struct seccomp_data)`.
pub(super) const DATA_LEN: u32 = 64;

/// What a filter sees of a call: `struct seccomp_data` (linux/seccomp.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeccompData {
    /// The number.
    pub nr: u32,
    /// `AUDIT_ARCH_…`.
    pub arch: u32,
    /// The instruction pointer.
    pub ip: u64,
    /// The six arguments.
    pub args: [u64; 6],
}

impl SeccompData {
    /// The 32-bit word at an offset, in this machine's byte order; `None` where there is none.
    pub fn word(&self, offset: u32) -> Option<u32> {
        let half = |value: u64, second: bool| {
            // A program loads halves of a 64-bit member as they lie in memory.
            let high = second != cfg!(target_endian = "big");
            (if high {
                value >> 32
            } else {
                value & 0xffff_ffff
            }) as u32
        };
        if !offset.is_multiple_of(4) {
            return None;
        }
        match offset {
            OFF_NR => Some(self.nr),
            OFF_ARCH => Some(self.arch),
            8 | 12 => Some(half(self.ip, offset == 12)),
            _ => {
                let index = offset.checked_sub(OFF_ARGS)? / 4;
                let value = *self.args.get(index as usize / 2)?;
                Some(half(value, index % 2 == 1))
            }
        }
    }
}
