//! What a rule is asked about: the arguments of a call, and what kernel it is made to.

use crate::abi::args::CloneArgs;
use crate::abi::flags::{self, CSIGNAL, CloneFlags};
use crate::event::Call;

use super::version::Version;

/// SIGCHLD in the generic numbering (include/uapi/asm-generic/signal.h): what fork and vfork pass.
const SIGCHLD: u64 = 17;

/// The array of wanted tids that clone3's `set_tid` points to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tids {
    /// Not looked at.
    #[default]
    Unknown,
    /// It cannot be read.
    Unreadable,
    /// The tids, innermost pid namespace first.
    Read(Vec<i32>),
}

/// The arguments of a call, as they were passed. Those that a call does not have are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Which call.
    pub call: Call,
    /// clone: the flags word with the exit signal in it. clone3: the field. fork and vfork: not used.
    pub word: u64,
    /// clone3's field; the others have theirs elsewhere.
    pub exit_signal: u64,
    /// clone: the stack pointer. clone3: the lowest address.
    pub stack: u64,
    /// clone3: its size.
    pub stack_size: u64,
    /// clone3: where the descriptor goes; legacy clone uses `parent_tid` for that.
    pub pidfd: u64,
    /// Where the tid goes in the caller's memory.
    pub parent_tid: u64,
    /// The word in the child's memory.
    pub child_tid: u64,
    /// The thread pointer.
    pub tls: u64,
    /// clone3: the address of the wanted tids.
    pub set_tid: u64,
    /// clone3: how many.
    pub set_tid_size: u64,
    /// clone3: what is there.
    pub tids: Tids,
    /// clone3: the descriptor of a cgroup's directory.
    pub cgroup: u64,
    /// clone3: the size of the struct that was passed.
    pub size: u64,
    /// clone3: the struct, up to the 88 bytes that are known, can be read.
    pub readable: bool,
    /// clone3: a byte past the known 88 is not zero; `None` where those cannot be read.
    pub tail: Option<bool>,
}

impl Arguments {
    /// A call with nothing asked for.
    pub fn new(call: Call) -> Arguments {
        Arguments {
            call,
            word: 0,
            exit_signal: 0,
            stack: 0,
            stack_size: 0,
            pidfd: 0,
            parent_tid: 0,
            child_tid: 0,
            tls: 0,
            set_tid: 0,
            set_tid_size: 0,
            tids: Tids::Unknown,
            cgroup: 0,
            size: match call {
                Call::Clone3 => 88,
                Call::Clone | Call::Fork | Call::Vfork => 0,
            },
            readable: true,
            tail: Some(false),
        }
    }

    /// A call with these flags and this exit signal, and otherwise with arguments that break no rule.
    pub fn of_flags(call: Call, flags: u64, exit_signal: u64) -> Arguments {
        let mut arguments = Arguments::new(call);
        match call {
            Call::Clone3 => {
                arguments.word = flags;
                arguments.exit_signal = exit_signal;
                // Two results in one place would break a rule that the flags alone do not.
                arguments.pidfd = 8;
                arguments.parent_tid = 16;
            }
            Call::Clone => arguments.word = flags | (exit_signal & CSIGNAL),
            Call::Fork | Call::Vfork => {}
        }
        arguments
    }

    /// A clone3 whose struct of this size was read.
    pub fn of_block(size: u64, block: &CloneArgs) -> Arguments {
        Arguments {
            word: block.flags,
            exit_signal: block.exit_signal,
            stack: block.stack,
            stack_size: block.stack_size,
            pidfd: block.pidfd,
            parent_tid: block.parent_tid,
            child_tid: block.child_tid,
            tls: block.tls,
            set_tid: block.set_tid,
            set_tid_size: block.set_tid_size,
            cgroup: block.cgroup,
            size,
            tail: Some(block.has_unknown_tail()),
            ..Arguments::new(Call::Clone3)
        }
    }

    /// The flags that the kernel acts on, without exit signal (kernel/fork.c: `clone`, `clone3`,
    /// `fork`, `vfork`).
    pub fn flags(&self) -> CloneFlags {
        match self.call {
            Call::Clone => CloneFlags(self.word & u64::from(u32::MAX) & !CSIGNAL),
            Call::Clone3 => CloneFlags(self.word),
            Call::Fork => CloneFlags(0),
            Call::Vfork => flags::CLONE_VM.union(flags::CLONE_VFORK),
        }
    }

    /// The exit signal as it was passed.
    pub fn signal(&self) -> u64 {
        match self.call {
            Call::Clone => self.word & CSIGNAL,
            Call::Clone3 => self.exit_signal,
            Call::Fork | Call::Vfork => SIGCHLD,
        }
    }

    /// Where the descriptor of CLONE_PIDFD goes.
    pub fn pidfd_address(&self) -> u64 {
        match self.call {
            Call::Clone3 => self.pidfd,
            Call::Clone | Call::Fork | Call::Vfork => self.parent_tid,
        }
    }
}

/// What of the kernel decides rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its version.
    pub version: Version,
    /// Bytes of a page.
    pub page_size: u64,
    /// The highest signal (`_NSIG`).
    pub max_signal: u64,
    /// The last address that `access_ok` lets through, where that is known.
    pub user_last: Option<u64>,
    /// What is asked of CLONE_SETTLS's argument.
    pub tls: Tls,
}

/// What the kernel asks of the thread pointer that CLONE_SETTLS passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Nothing, or it is not known.
    Anything,
    /// x86-64: an address below this one.
    Below(u64),
    /// i386: the address of a `struct user_desc`.
    Descriptor,
}

/// `TASK_SIZE_MAX` with four levels of page tables (arch/x86/include/asm/page_64_types.h).
const X86_64_TASK_SIZE_MAX: u64 = 0x7fff_ffff_f000;

impl Kernel {
    /// A kernel of this version on a machine about which nothing more is known.
    pub fn generic(version: Version) -> Kernel {
        Kernel {
            version,
            page_size: 4096,
            max_signal: 64,
            user_last: None,
            tls: Tls::Anything,
        }
    }

    /// The same on x86-64, for 64-bit programs. Machines with five levels of page tables (or linear
    /// address masking) have other limits: for those set the fields.
    pub fn x86_64(version: Version) -> Kernel {
        Kernel {
            // From 6.4 to 6.11 access_ok tested no more than the sign (valid_user_address).
            user_last: Some(
                if version >= Version(6, 4, 0) && version < Version(6, 12, 0) {
                    i64::MAX.unsigned_abs()
                } else {
                    X86_64_TASK_SIZE_MAX
                },
            ),
            tls: Tls::Below(X86_64_TASK_SIZE_MAX),
            ..Kernel::generic(version)
        }
    }

    /// The size of the struct that this kernel knows.
    pub fn block_size(&self) -> u64 {
        match self.version {
            version if version < Version(5, 5, 0) => 64,
            version if version < Version(5, 7, 0) => 80,
            _ => 88,
        }
    }

    /// The flags that this kernel knows.
    pub fn flags(&self) -> CloneFlags {
        flags::FLAGS
            .iter()
            .filter(|flag| {
                Version::of_release(flag.since).is_none_or(|since| since <= self.version)
            })
            .fold(CloneFlags(0), |all, flag| all.union(flag.flags()))
    }
}
