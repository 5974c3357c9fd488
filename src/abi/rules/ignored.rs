//! What the kernel accepts and then ignores.

use crate::abi::flags::*;
use crate::event::Call;

use super::arguments::{Arguments, Kernel};
use super::combinations::VALIDATED;
use super::rule::{CLONE, all_of, any_of};
use super::version::Version;
use crate::abi::lang::{Text, text};

/// Something that is accepted without an effect, or with another than its writer may think.
#[derive(Debug)]
pub struct Ignored {
    /// Its name.
    pub id: &'static str,
    /// The calls that ignore it.
    pub calls: &'static [Call],
    /// What is ignored.
    pub condition: &'static str,
    /// What happens instead.
    pub english: &'static str,
    /// Both, in Chinese.
    pub chinese: &'static str,
    /// What there is to say about other kernels.
    pub kernels: Text,
    /// Where the row was read, in the Linux tree.
    pub source: &'static str,
    holds: fn(&Arguments, &Kernel) -> bool,
}

impl Ignored {
    /// Whether these arguments have it.
    pub(super) fn test(&self, arguments: &Arguments, kernel: &Kernel) -> bool {
        (self.holds)(arguments, kernel)
    }
}

/// Every row.
pub static IGNORED: &[Ignored] = &[
    Ignored {
        id: "high-bits",
        calls: CLONE,
        condition: "bits 32 and up in legacy clone",
        english: "clone takes the low 32 bits of its flags; flags above need clone3",
        chinese: "旧的 clone 只取 flags 的低 32 位，第 32 位及以上被忽略；那些标志要用 clone3。",
        kernels: text(
            "since 5.7; 5.5 and 5.6 took bit 32 for CLONE_CLEAR_SIGHAND",
            "自 5.7 起；5.5 和 5.6 把第 32 位当作 CLONE_CLEAR_SIGHAND",
        ),
        source: "kernel/fork.c, clone (lower_32_bits)",
        holds: |a, _| a.word > u64::from(u32::MAX),
    },
    Ignored {
        id: "flag-newer-than-kernel",
        calls: CLONE,
        condition: "a flag that this kernel does not know yet, in legacy clone",
        english: "clone never refuses an unknown bit",
        chinese: "此内核尚不认识的标志：旧的 clone 从不拒绝未知位。",
        kernels: Text::EMPTY,
        source: "kernel/fork.c, copy_process",
        holds: |a, k| !a.flags().difference(k.flags()).is_empty(),
    },
    Ignored {
        id: "exit-signal-of-thread",
        calls: CLONE,
        condition: "an exit signal with CLONE_THREAD",
        english: "a thread's end signals nobody",
        chinese: "CLONE_THREAD 又带退出信号：线程结束不向任何人发信号。",
        kernels: Text::EMPTY,
        source: "kernel/fork.c, copy_process",
        holds: |a, _| all_of(a, CLONE_THREAD) && a.signal() != 0,
    },
    Ignored {
        id: "exit-signal-of-sibling",
        calls: CLONE,
        condition: "an exit signal with CLONE_PARENT",
        english: "a sibling has the exit signal of the caller's thread group leader",
        chinese: "CLONE_PARENT 又带退出信号：兄弟进程沿用调用者线程组组长的退出信号。",
        kernels: Text::EMPTY,
        source: "kernel/fork.c, copy_process",
        holds: |a, _| all_of(a, CLONE_PARENT) && !all_of(a, CLONE_THREAD) && a.signal() != 0,
    },
    Ignored {
        id: "newtime-bit",
        calls: CLONE,
        condition: "the bit 0x80, CLONE_NEWTIME, in legacy clone",
        english: "it is part of the exit signal's number: no time namespace is made; use clone3 or unshare",
        chinese: "旧的 clone 中 0x80（CLONE_NEWTIME）属于退出信号编号，不会新建时间命名空间；要用 clone3 或 unshare。",
        kernels: text(
            "refused since 7.1: no signal has such a number",
            "自 7.1 起被拒绝：没有这样编号的信号",
        ),
        source: "kernel/fork.c, clone (CSIGNAL)",
        holds: |a, k| a.word & CLONE_NEWTIME.0 != 0 && k.version < VALIDATED,
    },
    Ignored {
        id: "exit-signal-invalid",
        calls: CLONE,
        condition: "an exit signal that is no signal's number, in legacy clone",
        english: "the child's end signals nobody, and wait(2) sees it with __WALL or __WCLONE alone",
        chinese: "旧的 clone 不检查退出信号：编号无效则不发信号，且只有带 __WALL 或 __WCLONE 的 wait 看得到该子进程。",
        kernels: text("refused since 7.1", "自 7.1 起被拒绝"),
        source: "kernel/signal.c, do_notify_parent",
        holds: |a, k| {
            k.version < VALIDATED
                && a.signal() > k.max_signal
                && !any_of(a, CLONE_THREAD.union(CLONE_PARENT))
        },
    },
    Ignored {
        id: "detached",
        calls: CLONE,
        condition: "CLONE_DETACHED in legacy clone",
        english: "it has had no effect since 2.6.2; musl still passes it for every thread",
        chinese: "CLONE_DETACHED 自 2.6.2 起无任何作用；musl 创建线程时仍会带上。",
        kernels: text(
            "refused together with CLONE_PIDFD since 5.2",
            "自 5.2 起与 CLONE_PIDFD 同用会被拒绝",
        ),
        source: "kernel/fork.c, copy_process",
        holds: |a, k| {
            all_of(a, CLONE_DETACHED) && !(all_of(a, CLONE_PIDFD) && k.version >= Version(5, 2, 0))
        },
    },
];
