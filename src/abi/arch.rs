//! One row per system-call ABI.

use crate::abi::signals::{self, Numbering};
use crate::event::Call;

/// The bit of an audit architecture that says that registers have 64 bits
/// (`__AUDIT_ARCH_64BIT`, include/uapi/linux/audit.h).
const AUDIT_ARCH_64BIT: u32 = 0x8000_0000;

/// The architecture that x86-64 and x32 have in common (`AUDIT_ARCH_X86_64`).
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;

/// What marks the number of an x32 call (`__X32_SYSCALL_BIT`, arch/x86/include/uapi/asm/unistd.h).
const X32_SYSCALL_BIT: u64 = 0x4000_0000;

/// In which order raw `clone` takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `flags, stack, parent_tid, child_tid, tls`: no BACKWARDS option.
    Forward,
    /// `flags, stack, parent_tid, tls, child_tid`: CONFIG_CLONE_BACKWARDS.
    Backwards,
    /// `stack, flags, parent_tid, child_tid, tls`: CONFIG_CLONE_BACKWARDS2.
    Backwards2,
    /// `flags, stack, stack_size, parent_tid, child_tid, tls`: CONFIG_CLONE_BACKWARDS3.
    Backwards3,
}

/// A system-call ABI: how a program on some machine asks the kernel for a task.
#[derive(Debug, PartialEq, Eq)]
pub struct Abi {
    /// Its name, as events carry it.
    pub name: &'static str,
    /// `AUDIT_ARCH_…`, by which ptrace and seccomp name it.
    pub audit_arch: u32,
    /// Bytes of a word: 4 or 8.
    pub word: usize,
    /// The number of `clone`.
    pub clone: Option<u64>,
    /// The number of `clone3`.
    pub clone3: Option<u64>,
    /// The number of `fork`.
    pub fork: Option<u64>,
    /// The number of `vfork`.
    pub vfork: Option<u64>,
    /// The number of ia64's `clone2`.
    pub clone2: Option<u64>,
    /// The number of `prctl`.
    pub prctl: Option<u64>,
    /// The number of `seccomp`.
    pub seccomp: Option<u64>,
    /// The argument order of `clone`.
    pub order: Order,
    /// How it numbers signals.
    pub signals: &'static Numbering,
    /// Which `uname -m` machines can run it (the machine's own name first).
    pub machines: &'static [&'static str],
    /// Where the row was read.
    pub source: &'static str,
}

/// The arguments of legacy `clone` (and `clone2`), in one order for all ABIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneRegisters {
    /// The flags word, exit signal included.
    pub flags: u64,
    /// The child's stack pointer; `clone2`: the lowest address of its stack.
    pub stack: u64,
    /// `clone2` alone: the size of the stack. Microblaze passes one too, which its kernel ignores.
    pub stack_size: Option<u64>,
    /// Where the new tid goes, or with CLONE_PIDFD the descriptor.
    pub parent_tid: u64,
    /// The word in the child's memory.
    pub child_tid: u64,
    /// The thread pointer.
    pub tls: u64,
}

/// A number in the table below; `-` where the ABI has no such call.
macro_rules! number {
    (-) => {
        None
    };
    ($number:literal) => {
        Some($number)
    };
}

/// Makes rows of a table with one column per field.
macro_rules! abis {
    ($($name:literal $arch:literal $word:literal $order:ident $signals:ident
       $clone:tt $clone3:tt $fork:tt $vfork:tt $clone2:tt $prctl:tt $seccomp:tt
       [$($machine:literal)+] $source:literal;)+) => {
        &[$(Abi {
            name: $name,
            audit_arch: $arch,
            word: $word,
            clone: number!($clone),
            clone3: number!($clone3),
            fork: number!($fork),
            vfork: number!($vfork),
            clone2: number!($clone2),
            prctl: number!($prctl),
            seccomp: number!($seccomp),
            order: Order::$order,
            signals: &signals::$signals,
            machines: &[$($machine),+],
            source: $source,
        }),+]
    };
}

// Sources are files of the Linux tree; the argument order is each architecture's CONFIG_CLONE_BACKWARDS
// option or, where it has an entry of its own (alpha, ia64, m68k, sparc), that entry's code, and the audit
// architecture is from include/uapi/linux/audit.h.
//
// A number that is there although a kernel has no such call stays in its row: sh, sparc and ia64 reserve
// clone3's, and old kernels of any machine lack it. The kernel answers ENOSYS, and that is an outcome.
//
// A 64-bit kernel calls itself by the 32-bit name under setarch(8), so the machine is no proof of what
// cannot run: 64-bit rows list that name too (COMPAT_UTS_MACHINE in each arch's asm/compat.h).

/// Every ABI that is known.
pub static ABIS: &[Abi] = abis! {
//  name         audit arch  word order   signals
//      clone clone3 fork vfork clone2 prctl seccomp    machines
    "x86_64"     0xc000_003e 8 Forward    GENERIC
        56 435 57 58 - 157 317      ["x86_64" "i686"] "arch/x86/entry/syscalls/syscall_64.tbl";
    "i386"       0x4000_0003 4 Backwards  GENERIC
        120 435 2 190 - 172 354     ["i686" "i586" "i486" "i386" "x86_64"] "arch/x86/entry/syscalls/syscall_32.tbl";
    "x32"        0xc000_003e 4 Forward    GENERIC
        0x4000_0038 0x4000_01b3 0x4000_0039 0x4000_003a - 0x4000_009d 0x4000_013d
        ["x86_64" "i686"] "arch/x86/entry/syscalls/syscall_64.tbl, numbers with __X32_SYSCALL_BIT";
    "aarch64"    0xc000_00b7 8 Backwards  GENERIC
        220 435 - - - 167 277       ["aarch64" "aarch64_be" "armv8l" "armv8b"] "include/uapi/asm-generic/unistd.h";
    "arm"        0x4000_0028 4 Backwards  GENERIC
        120 435 2 190 - 172 383     ["armv7l" "armv8l" "armv7ml" "armv6l" "armv5tejl" "armv5tel" "armv5tl" "armv4tl" "armv4l" "aarch64"]
        "arch/arm/tools/syscall.tbl";
    "riscv64"    0xc000_00f3 8 Backwards  GENERIC
        220 435 - - - 167 277       ["riscv64" "riscv32"] "include/uapi/asm-generic/unistd.h";
    "riscv32"    0x4000_00f3 4 Backwards  GENERIC
        220 435 - - - 167 277       ["riscv32" "riscv64"] "include/uapi/asm-generic/unistd.h";
    "ppc64le"    0xc000_0015 8 Backwards  GENERIC
        120 435 2 189 - 171 358     ["ppc64le" "ppcle"] "arch/powerpc/kernel/syscalls/syscall.tbl";
    "ppc64"      0x8000_0015 8 Backwards  GENERIC
        120 435 2 189 - 171 358     ["ppc64" "ppc"] "arch/powerpc/kernel/syscalls/syscall.tbl";
    "ppc"        0x0000_0014 4 Backwards  GENERIC
        120 435 2 189 - 171 358     ["ppc" "ppc64"] "arch/powerpc/kernel/syscalls/syscall.tbl";
    "s390x"      0x8000_0016 8 Backwards2 GENERIC
        120 435 2 190 - 172 348     ["s390x" "s390"] "arch/s390/kernel/syscalls/syscall.tbl";
    "loongarch64" 0xc000_0102 8 Forward   GENERIC
        220 435 - - - 167 277       ["loongarch64"] "include/uapi/asm-generic/unistd.h";
    "mips-n64"   0x8000_0008 8 Backwards  MIPS
        5055 5435 5056 - - 5153 5312 ["mips64" "mips"] "arch/mips/kernel/syscalls/syscall_n64.tbl";
    "mipsel-n64" 0xc000_0008 8 Backwards  MIPS
        5055 5435 5056 - - 5153 5312 ["mips64" "mips"] "arch/mips/kernel/syscalls/syscall_n64.tbl";
    "mips-n32"   0xa000_0008 4 Backwards  MIPS
        6055 6435 6056 - - 6153 6316 ["mips64" "mips"] "arch/mips/kernel/syscalls/syscall_n32.tbl";
    "mipsel-n32" 0xe000_0008 4 Backwards  MIPS
        6055 6435 6056 - - 6153 6316 ["mips64" "mips"] "arch/mips/kernel/syscalls/syscall_n32.tbl";
    "mips-o32"   0x0000_0008 4 Backwards  MIPS
        4120 4435 4002 - - 4192 4352 ["mips" "mips64"] "arch/mips/kernel/syscalls/syscall_o32.tbl";
    "mipsel-o32" 0x4000_0008 4 Backwards  MIPS
        4120 4435 4002 - - 4192 4352 ["mips" "mips64"] "arch/mips/kernel/syscalls/syscall_o32.tbl";
    "sparc64"    0x8000_002b 8 Backwards  SPARC
        217 435 2 66 - 147 346      ["sparc64" "sparc"] "arch/sparc/kernel/syscalls/syscall.tbl";
    "sparc"      0x0000_0002 4 Backwards  SPARC
        217 435 2 66 - 147 346      ["sparc" "sparc64"] "arch/sparc/kernel/syscalls/syscall.tbl";
    "m68k"       0x0000_0004 4 Forward    GENERIC
        120 435 2 190 - 172 380     ["m68k"] "arch/m68k/kernel/syscalls/syscall.tbl";
    "sh"         0x0000_002a 4 Forward    GENERIC
        120 435 2 190 - 172 372     ["sh4" "sh4a" "sh3" "sh2a" "sh2"] "arch/sh/kernel/syscalls/syscall.tbl";
    "shel"       0x4000_002a 4 Forward    GENERIC
        120 435 2 190 - 172 372     ["sh4" "sh4a" "sh3" "sh2a" "sh2"] "arch/sh/kernel/syscalls/syscall.tbl";
    "parisc"     0x0000_000f 4 Backwards  PARISC
        120 435 2 113 - 172 338     ["parisc" "parisc64"] "arch/parisc/kernel/syscalls/syscall.tbl";
    "alpha"      0xc000_9026 8 Forward    ALPHA
        312 545 2 66 - 348 514      ["alpha"] "arch/alpha/kernel/syscalls/syscall.tbl";
    "microblaze" 0x0000_00bd 4 Backwards3 GENERIC
        120 435 2 190 - 172 384     ["microblaze"] "arch/microblaze/kernel/syscalls/syscall.tbl";
    "xtensa"     0x0000_005e 4 Backwards  GENERIC
        116 435 - - - 130 337       ["xtensa"] "arch/xtensa/kernel/syscalls/syscall.tbl";
    "ia64"       0xc000_0032 8 Forward    GENERIC
        1128 1459 - - 1213 1170 1353 ["ia64"] "arch/ia64/kernel/syscalls/syscall.tbl (removed in 6.7), numbers plus 1024";
};

impl Abi {
    /// Which of the four calls this number is, here.
    pub fn call(&self, nr: u64) -> Option<Call> {
        let is = |number: Option<u64>| number == Some(nr);
        if is(self.clone) || is(self.clone2) {
            Some(Call::Clone)
        } else if is(self.clone3) {
            Some(Call::Clone3)
        } else if is(self.fork) {
            Some(Call::Fork)
        } else if is(self.vfork) {
            Some(Call::Vfork)
        } else {
            None
        }
    }

    /// Whether argument registers have 64 bits. x32 and n32 have 4-byte words in 8-byte registers.
    pub fn wide_registers(&self) -> bool {
        self.audit_arch & AUDIT_ARCH_64BIT != 0
    }

    /// What the kernel sees of an argument register: a 32-bit call has no upper halves, whatever a
    /// 64-bit program leaves there when it issues one (`int 0x80`).
    pub fn register(&self, value: u64) -> u64 {
        if self.wide_registers() {
            value
        } else {
            value & u64::from(u32::MAX)
        }
    }

    /// The arguments of a legacy `clone`, or of `clone2` where `nr` is that, out of the registers.
    pub fn clone_registers(&self, nr: u64, args: &[u64; 6]) -> CloneRegisters {
        let [a, b, c, d, e, f] = args.map(|value| self.register(value));
        let clone2 = self.clone2 == Some(nr);
        let order = if clone2 {
            Order::Backwards3
        } else {
            self.order
        };
        let (flags, stack, parent_tid, child_tid, tls) = match order {
            Order::Forward => (a, b, c, d, e),
            Order::Backwards => (a, b, c, e, d),
            Order::Backwards2 => (b, a, c, d, e),
            Order::Backwards3 => (a, b, d, e, f),
        };
        CloneRegisters {
            flags,
            stack,
            stack_size: clone2.then_some(c),
            parent_tid,
            child_tid,
            tls,
        }
    }
}

/// The row for a call that the kernel reported with this audit architecture and number. x32 calls
/// come with x86-64's architecture and bit 30 in the number.
pub fn find(audit_arch: u32, nr: u64) -> Option<&'static Abi> {
    // Numbers are ints: a negative one, such as the -1 of a call that is to be skipped, is not x32's.
    let x32 = audit_arch == AUDIT_ARCH_X86_64
        && nr & X32_SYSCALL_BIT != 0
        && u32::try_from(nr).is_ok_and(|nr| nr <= i32::MAX.unsigned_abs());
    if x32 {
        return named("x32");
    }
    // The first row with the architecture: x86-64 stands before x32.
    ABIS.iter().find(|abi| abi.audit_arch == audit_arch)
}

/// The row of this name.
pub fn named(name: &str) -> Option<&'static Abi> {
    ABIS.iter().find(|abi| abi.name == name)
}

/// Every ABI whose programs can run on a machine (`uname -m`), its own first. Where the name does
/// not tell byte orders apart (mips, sh), those of both are there.
pub fn of_machine(machine: &str) -> Vec<&'static Abi> {
    let place = |abi: &Abi| abi.machines.iter().position(|name| *name == machine);
    let mut all: Vec<&'static Abi> = ABIS.iter().filter(|abi| place(abi).is_some()).collect();
    if let Some(own) = (0..all.len()).min_by_key(|&i| all.get(i).and_then(|abi| place(abi)))
        && let Some(head) = all.get_mut(..=own)
    {
        head.rotate_right(1);
    }
    all
}

#[cfg(test)]
mod tests;
