//! Names of signals, as strace prints them. Numbers 1 to 31 differ between architectures: x86, arm,
//! riscv, powerpc, s390 and most others share the [`GENERIC`] numbering; mips, parisc, alpha and
//! sparc have their own.

use std::fmt;

/// How an architecture numbers signals.
#[derive(PartialEq, Eq)]
pub struct Numbering {
    /// The names of signals 1 to 31.
    names: [&'static str; 31],
    /// The highest signal (`_NSIG`).
    last: i32,
}

impl fmt::Debug for Numbering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numbering(SIGCHLD = {:?})", self.number("SIGCHLD"))
    }
}

/// The first real-time signal of the kernel. (C libraries keep the first two or three to themselves
/// and call the next one SIGRTMIN.)
const FIRST_REAL_TIME: i32 = 32;

/// include/uapi/asm-generic/signal.h and its like, arch/x86/include/uapi/asm/signal.h.
#[rustfmt::skip]
pub static GENERIC: Numbering = Numbering {
    names: [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", // 8
        "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", // 16
        "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", // 24
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ],
    last: 64,
};

/// arch/mips/include/uapi/asm/signal.h.
#[rustfmt::skip]
pub static MIPS: Numbering = Numbering {
    names: [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGEMT", "SIGFPE", // 8
        "SIGKILL", "SIGBUS", "SIGSEGV", "SIGSYS", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGUSR1", // 16
        "SIGUSR2", "SIGCHLD", "SIGPWR", "SIGWINCH", "SIGURG", "SIGIO", "SIGSTOP", "SIGTSTP", // 24
        "SIGCONT", "SIGTTIN", "SIGTTOU", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGXFSZ",
    ],
    last: 128,
};

/// arch/parisc/include/uapi/asm/signal.h.
#[rustfmt::skip]
pub static PARISC: Numbering = Numbering {
    names: [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGSTKFLT", "SIGFPE", // 8
        "SIGKILL", "SIGBUS", "SIGSEGV", "SIGXCPU", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGUSR1", // 16
        "SIGUSR2", "SIGCHLD", "SIGPWR", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGWINCH", "SIGSTOP", // 24
        "SIGTSTP", "SIGCONT", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXFSZ", "SIGSYS",
    ],
    last: 64,
};

/// arch/alpha/include/uapi/asm/signal.h.
#[rustfmt::skip]
pub static ALPHA: Numbering = Numbering {
    names: [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGEMT", "SIGFPE", // 8
        "SIGKILL", "SIGBUS", "SIGSEGV", "SIGSYS", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGURG", // 16
        "SIGSTOP", "SIGTSTP", "SIGCONT", "SIGCHLD", "SIGTTIN", "SIGTTOU", "SIGIO", "SIGXCPU", // 24
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGINFO", "SIGUSR1", "SIGUSR2",
    ],
    last: 64,
};

/// arch/sparc/include/uapi/asm/signal.h; 29 is SIGLOST too.
#[rustfmt::skip]
pub static SPARC: Numbering = Numbering {
    names: [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGEMT", "SIGFPE", // 8
        "SIGKILL", "SIGBUS", "SIGSEGV", "SIGSYS", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGURG", // 16
        "SIGSTOP", "SIGTSTP", "SIGCONT", "SIGCHLD", "SIGTTIN", "SIGTTOU", "SIGIO", "SIGXCPU", // 24
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGPWR", "SIGUSR1", "SIGUSR2",
    ],
    last: 64,
};

/// The names of real-time signals, from 32. 65 and up exist on mips alone.
#[rustfmt::skip]
static REAL_TIME: [&str; 97] = [
    "SIGRTMIN", "SIGRT_1", "SIGRT_2", "SIGRT_3", "SIGRT_4", "SIGRT_5", "SIGRT_6", "SIGRT_7",
    "SIGRT_8", "SIGRT_9", "SIGRT_10", "SIGRT_11", "SIGRT_12", "SIGRT_13", "SIGRT_14", "SIGRT_15",
    "SIGRT_16", "SIGRT_17", "SIGRT_18", "SIGRT_19", "SIGRT_20", "SIGRT_21", "SIGRT_22", "SIGRT_23",
    "SIGRT_24", "SIGRT_25", "SIGRT_26", "SIGRT_27", "SIGRT_28", "SIGRT_29", "SIGRT_30", "SIGRT_31",
    "SIGRT_32", "SIGRT_33", "SIGRT_34", "SIGRT_35", "SIGRT_36", "SIGRT_37", "SIGRT_38", "SIGRT_39",
    "SIGRT_40", "SIGRT_41", "SIGRT_42", "SIGRT_43", "SIGRT_44", "SIGRT_45", "SIGRT_46", "SIGRT_47",
    "SIGRT_48", "SIGRT_49", "SIGRT_50", "SIGRT_51", "SIGRT_52", "SIGRT_53", "SIGRT_54", "SIGRT_55",
    "SIGRT_56", "SIGRT_57", "SIGRT_58", "SIGRT_59", "SIGRT_60", "SIGRT_61", "SIGRT_62", "SIGRT_63",
    "SIGRT_64", "SIGRT_65", "SIGRT_66", "SIGRT_67", "SIGRT_68", "SIGRT_69", "SIGRT_70", "SIGRT_71",
    "SIGRT_72", "SIGRT_73", "SIGRT_74", "SIGRT_75", "SIGRT_76", "SIGRT_77", "SIGRT_78", "SIGRT_79",
    "SIGRT_80", "SIGRT_81", "SIGRT_82", "SIGRT_83", "SIGRT_84", "SIGRT_85", "SIGRT_86", "SIGRT_87",
    "SIGRT_88", "SIGRT_89", "SIGRT_90", "SIGRT_91", "SIGRT_92", "SIGRT_93", "SIGRT_94", "SIGRT_95",
    "SIGRT_96",
];

impl Numbering {
    /// The name of a signal; `None` for a number that no signal has.
    pub fn name(&self, number: i32) -> Option<&'static str> {
        if number > self.last {
            return None;
        }
        if number >= FIRST_REAL_TIME {
            let index = usize::try_from(number.checked_sub(FIRST_REAL_TIME)?).ok()?;
            return REAL_TIME.get(index).copied();
        }
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.names.get(index).copied()
    }

    /// The number of the signal of this name, such as `SIGCHLD` or `SIGRT_3`.
    pub fn number(&self, name: &str) -> Option<i32> {
        let name = if name == "SIGRT_0" { "SIGRTMIN" } else { name };
        (1..=self.last).find(|&number| self.name(number) == Some(name))
    }
}

/// The name of a signal in the [`GENERIC`] numbering; `None` for a number that no signal has.
pub fn name(number: i32) -> Option<&'static str> {
    GENERIC.name(number)
}

/// The number of the signal of this name in the [`GENERIC`] numbering.
pub fn number(name: &str) -> Option<i32> {
    GENERIC.number(name)
}

#[cfg(test)]
mod tests;
