//! The flags among themselves: the first checks of `kernel_clone` and `copy_process`.

use crate::abi::flags::*;

use super::rule::*;
use super::version::Version;
use crate::abi::lang::text;
use crate::event::Call;

/// From here on clone's exit signal is checked as well. Observed on 7.2, where 6.12.117 and 6.18.44
/// still accept it.
pub(super) const VALIDATED: Version = Version(7, 1, 0);

const AUTOREAP_ENEMIES: CloneFlags = CLONE_THREAD.union(CLONE_PARENT);

pub(super) static ROWS: &[Rule] = &[
    Rule {
        id: "pidfd-and-parent-tid",
        calls: BOTH,
        since: Version(5, 2, 0),
        kernels: text("clone3 lets it pass before 5.9", "5.9 之前 clone3 放行"),
        condition: "CLONE_PIDFD and CLONE_PARENT_SETTID with one address for both results",
        english: "two results, one place; always so in legacy clone, which returns the pidfd through parent_tid",
        chinese: "CLONE_PIDFD 与 CLONE_PARENT_SETTID 写到同一地址：两个结果一个位置（旧的 clone 用 parent_tid 返回 pidfd，必然冲突）。",
        source: "kernel/fork.c, kernel_clone",
        test: |a, k| {
            all_of(a, CLONE_PIDFD.union(CLONE_PARENT_SETTID))
                && a.pidfd_address() == a.parent_tid
                && (a.call == Call::Clone || k.version >= Version(5, 9, 0))
        },
        ..RULE
    },
    Rule {
        id: "exit-signal-out-of-range",
        calls: BOTH,
        since: VALIDATED,
        kernels: text(
            "clone3 has always refused them, earlier in its checks; clone accepted them and signalled nobody",
            "clone3 一向在更早的检查中拒绝；clone 此前会接受，子任务结束时不发信号",
        ),
        condition: "an exit signal above the highest signal",
        english: "not a signal number; bits 0 to 7 of clone's flags are the exit signal",
        chinese: "退出信号不是有效的信号编号；旧的 clone 以 flags 的低 8 位为退出信号。",
        source: "kernel/fork.c, kernel_clone (commit 09e7827e7857)",
        test: |a, k| a.signal() > k.max_signal,
        ..RULE
    },
    Rule {
        id: "newns-with-fs",
        calls: BOTH,
        condition: "CLONE_NEWNS (or CLONE_EMPTY_MNTNS) with CLONE_FS",
        english: "root and current directory cannot be shared across mount namespaces",
        chinese: "CLONE_NEWNS（或 CLONE_EMPTY_MNTNS）与 CLONE_FS 同时出现：根目录和当前目录不能跨挂载命名空间共享。",
        test: |a, _| all_of(a, CLONE_FS) && any_of(a, CLONE_NEWNS.union(CLONE_EMPTY_MNTNS)),
        ..RULE
    },
    Rule {
        id: "newuser-with-fs",
        calls: BOTH,
        since: Version(3, 9, 0),
        condition: "CLONE_NEWUSER with CLONE_FS",
        english: "root and current directory cannot be shared across user namespaces",
        chinese: "CLONE_NEWUSER 与 CLONE_FS 同时出现：根目录和当前目录不能跨用户命名空间共享。",
        test: |a, _| all_of(a, CLONE_NEWUSER.union(CLONE_FS)),
        ..RULE
    },
    Rule {
        id: "userns-switched-off",
        errnos: &["EPERM"],
        calls: BOTH,
        kernels: text(
            "a patch of Debian's and Ubuntu's kernels, and of Arch's hardened one; mainline has no such switch",
            "Debian 和 Ubuntu 内核以及 Arch 加固内核的补丁；主线没有这个开关",
        ),
        decided: Decided::Look,
        condition: "CLONE_NEWUSER without CAP_SYS_ADMIN where unprivileged_userns_clone is 0",
        english: "the distribution's switch for user namespaces is off",
        chinese: "发行版开关 unprivileged_userns_clone=0，且没有 CAP_SYS_ADMIN：普通用户不能新建用户命名空间。",
        look: text(
            "/proc/sys/kernel/unprivileged_userns_clone, effective capabilities",
            "/proc/sys/kernel/unprivileged_userns_clone、有效权能",
        ),
        source: "Debian's patch to kernel/fork.c",
        proof: Proof::Documented,
        test: |a, _| all_of(a, CLONE_NEWUSER),
        ..RULE
    },
    Rule {
        id: "thread-needs-sighand",
        calls: BOTH,
        condition: "CLONE_THREAD without CLONE_SIGHAND",
        english: "threads must share signal handlers",
        chinese: "有 CLONE_THREAD 而无 CLONE_SIGHAND：线程必须共享信号处理函数。",
        test: |a, _| all_of(a, CLONE_THREAD) && !all_of(a, CLONE_SIGHAND),
        ..RULE
    },
    Rule {
        id: "sighand-needs-vm",
        calls: BOTH,
        condition: "CLONE_SIGHAND without CLONE_VM",
        english: "shared handlers are addresses, and need shared memory",
        chinese: "有 CLONE_SIGHAND 而无 CLONE_VM：共享信号处理函数（地址）就必须共享内存。",
        test: |a, _| all_of(a, CLONE_SIGHAND) && !all_of(a, CLONE_VM),
        ..RULE
    },
    Rule {
        id: "init-has-no-siblings",
        calls: BOTH,
        since: Version(2, 6, 32),
        decided: Decided::Look,
        condition: "CLONE_PARENT by an init, pid 1 of any pid namespace",
        english: "init cannot have siblings: nobody would reap them",
        chinese: "PID 命名空间的 1 号进程使用 CLONE_PARENT：init 不能有兄弟，无人回收。",
        look: text(
            "the last number of NSpid in /proc/PID/status is 1",
            "/proc/PID/status 中 NSpid 的最后一个数是否为 1",
        ),
        test: |a, _| all_of(a, CLONE_PARENT),
        ..RULE
    },
    // From 3.12 to 4.2 the next rule asked about CLONE_SIGHAND, not CLONE_THREAD.
    Rule {
        id: "sighand-across-namespaces",
        calls: BOTH,
        since: Version(3, 12, 0),
        until: Some(Version(4, 3, 0)),
        condition: "CLONE_SIGHAND with CLONE_NEWUSER or CLONE_NEWPID",
        english: "those kernels did not let handlers be shared across pid or user namespaces",
        chinese: "3.12 至 4.2：CLONE_SIGHAND 不能与 CLONE_NEWUSER 或 CLONE_NEWPID 同用。",
        proof: Proof::Documented,
        test: |a, _| all_of(a, CLONE_SIGHAND) && any_of(a, CLONE_NEWUSER.union(CLONE_NEWPID)),
        ..RULE
    },
    Rule {
        id: "thread-across-namespaces",
        calls: BOTH,
        since: Version(2, 6, 24),
        condition: "CLONE_THREAD with CLONE_NEWUSER or CLONE_NEWPID",
        english: "a process cannot span pid or user namespaces",
        chinese: "CLONE_THREAD 与 CLONE_NEWUSER 或 CLONE_NEWPID 同时出现：一个进程不能横跨 PID 或用户命名空间。",
        test: |a, _| all_of(a, CLONE_THREAD) && any_of(a, CLONE_NEWUSER.union(CLONE_NEWPID)),
        ..RULE
    },
    Rule {
        id: "thread-after-unshare-pid",
        calls: BOTH,
        since: Version(3, 8, 0),
        decided: Decided::Look,
        condition: "CLONE_THREAD after unshare(CLONE_NEWPID) or setns to a pid namespace",
        english: "the caller's children belong to another pid namespace, and a process cannot span two",
        chinese: "unshare(CLONE_NEWPID) 或 setns 之后再用 CLONE_THREAD：后续子任务属于另一个 PID 命名空间，进程不能横跨两个。",
        look: text(
            "/proc/PID/ns/pid_for_children differs from /proc/PID/ns/pid",
            "/proc/PID/ns/pid_for_children 是否不同于 /proc/PID/ns/pid",
        ),
        test: |a, _| all_of(a, CLONE_THREAD),
        ..RULE
    },
    Rule {
        id: "time-namespace-pending",
        calls: BOTH,
        since: Version(5, 6, 0),
        until: Some(Version(6, 3, 0)),
        kernels: text(
            "since 6.3 the call is accepted, and the change waits for exec",
            "自 6.3 起接受此调用，改变推迟到 exec",
        ),
        decided: Decided::Look,
        condition: "CLONE_VM or CLONE_THREAD while a time namespace waits for the caller's children",
        english: "those kernels could not give a task with shared memory other clocks",
        chinese: "5.6 至 6.2：已为后续子任务换了时间命名空间时，不能用 CLONE_VM 或 CLONE_THREAD。",
        look: text(
            "/proc/PID/ns/time_for_children differs from /proc/PID/ns/time",
            "/proc/PID/ns/time_for_children 是否不同于 /proc/PID/ns/time",
        ),
        proof: Proof::Read,
        test: |a, _| any_of(a, CLONE_VM.union(CLONE_THREAD)),
        ..RULE
    },
    Rule {
        id: "pidfd-with-detached",
        calls: CLONE,
        since: Version(5, 2, 0),
        condition: "CLONE_PIDFD with CLONE_DETACHED",
        english: "the combination is reserved",
        chinese: "CLONE_PIDFD 与 CLONE_DETACHED 同时出现：保留的组合。",
        test: |a, _| all_of(a, CLONE_PIDFD.union(CLONE_DETACHED)),
        ..RULE
    },
    Rule {
        id: "pidfd-of-thread",
        calls: BOTH,
        since: Version(5, 2, 0),
        until: Some(Version(6, 9, 0)),
        condition: "CLONE_PIDFD with CLONE_THREAD",
        english: "pidfds of threads came with 6.9",
        chinese: "6.9 之前：CLONE_PIDFD 不能与 CLONE_THREAD 同用，线程的 pidfd 自 6.9 起才有。",
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_PIDFD.union(CLONE_THREAD)),
        ..RULE
    },
    Rule {
        id: "autoreap-with-parent-or-signal",
        calls: CLONE3,
        since: Version(7, 1, 0),
        condition: "CLONE_AUTOREAP with CLONE_THREAD, CLONE_PARENT or an exit signal",
        english: "a child that nobody waits for belongs to the caller alone and signals nobody",
        chinese: "CLONE_AUTOREAP 与 CLONE_THREAD、CLONE_PARENT 或退出信号同用：自动回收的子进程只属于调用者，也不发信号。",
        proof: Proof::Read,
        test: |a, _| {
            all_of(a, CLONE_AUTOREAP) && (any_of(a, AUTOREAP_ENEMIES) || a.exit_signal != 0)
        },
        ..RULE
    },
    Rule {
        id: "parent-of-autoreaped",
        calls: BOTH,
        since: Version(7, 1, 0),
        decided: Decided::Unseen,
        condition: "CLONE_PARENT by a process that was made with CLONE_AUTOREAP",
        english: "the sibling would inherit its exit signal, which is none",
        chinese: "由 CLONE_AUTOREAP 创建的进程再用 CLONE_PARENT。",
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_PARENT),
        ..RULE
    },
    Rule {
        id: "nnp-of-thread",
        calls: CLONE3,
        since: Version(7, 1, 0),
        condition: "CLONE_NNP with CLONE_THREAD",
        english: "no_new_privs is for a process of its own",
        chinese: "CLONE_NNP 与 CLONE_THREAD 同用：no_new_privs 只用于新进程。",
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_NNP.union(CLONE_THREAD)),
        ..RULE
    },
    Rule {
        id: "autokill-needs-pidfd-and-autoreap",
        calls: CLONE3,
        since: Version(7, 1, 0),
        condition: "CLONE_PIDFD_AUTOKILL without CLONE_PIDFD and CLONE_AUTOREAP, or with CLONE_THREAD",
        english: "the descriptor is what keeps the child alive, and nobody waits for it",
        chinese: "CLONE_PIDFD_AUTOKILL 必须同时有 CLONE_PIDFD 与 CLONE_AUTOREAP，且不能有 CLONE_THREAD。",
        proof: Proof::Read,
        test: |a, _| {
            all_of(a, CLONE_PIDFD_AUTOKILL)
                && (!all_of(a, CLONE_PIDFD.union(CLONE_AUTOREAP)) || all_of(a, CLONE_THREAD))
        },
        ..RULE
    },
    Rule {
        id: "autokill-needs-nnp-or-admin",
        errnos: &["EPERM"],
        calls: CLONE3,
        since: Version(7, 1, 0),
        decided: Decided::Look,
        condition: "CLONE_PIDFD_AUTOKILL without CLONE_NNP and without CAP_SYS_ADMIN",
        english: "else a set-uid program could be killed by an ordinary user",
        chinese: "CLONE_PIDFD_AUTOKILL 既无 CLONE_NNP 也无 CAP_SYS_ADMIN：否则普通用户可杀死 set-uid 程序。",
        look: text("effective capabilities", "有效权能"),
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_PIDFD_AUTOKILL) && !all_of(a, CLONE_NNP),
        ..RULE
    },
    Rule {
        id: "signal-pending",
        errnos: &["ERESTARTNOINTR"],
        kernels: text(
            "before 4.19 a signal that arrived later in the call did the same",
            "4.19 之前，在调用中较晚到达的信号也会如此",
        ),
        decided: Decided::Unseen,
        condition: "a signal is pending when the call begins",
        english: "not a failure: the call runs again after the handler, and only a tracer sees it",
        chinese: "调用开始时有待决信号：不是失败，信号处理完后调用自动重来，只有跟踪者看得到。",
        ..RULE
    },
];
