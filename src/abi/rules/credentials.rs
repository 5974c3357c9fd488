//! Task structure, credentials, and the limits on how many tasks there may be.

use crate::abi::flags::*;

use super::arguments::{Arguments, Kernel};
use super::rule::*;
use super::version::Version;
use crate::abi::lang::{same, text};

const USERNS: &str = "kernel/user_namespace.c, create_user_ns";

/// What is checked where a user namespace is asked for.
fn newuser(arguments: &Arguments, _: &Kernel) -> bool {
    all_of(arguments, CLONE_NEWUSER)
}

pub(super) static ROWS: &[Rule] = &[
    Rule {
        id: "no-memory-for-task",
        errnos: &["ENOMEM"],
        decided: Decided::Unseen,
        condition: "no memory for the task structure or its kernel stack",
        english: "out of kernel memory, or at the memory cgroup's limit",
        chinese: "没有内存分配任务结构或内核栈：内核内存不足，或到了内存 cgroup 的上限。",
        source: "kernel/fork.c, dup_task_struct",
        proof: Proof::Read,
        ..RULE
    },
    Rule {
        id: "userns-too-deep",
        errnos: &["ENOSPC", "EUSERS"],
        calls: BOTH,
        since: Version(3, 11, 0),
        kernels: text("EUSERS before 4.9", "4.9 之前是 EUSERS"),
        decided: Decided::Look,
        condition: "CLONE_NEWUSER past 33 levels",
        english: "user namespaces nest at most 33 deep",
        chinese: "CLONE_NEWUSER 嵌套超过 33 层。",
        look: text(
            "the parents of /proc/PID/ns/user (NS_GET_PARENT)",
            "/proc/PID/ns/user 的各级父命名空间（NS_GET_PARENT）",
        ),
        source: USERNS,
        test: newuser,
        ..RULE
    },
    Rule {
        id: "user-namespace-limit",
        errnos: &["ENOSPC"],
        calls: BOTH,
        since: Version(4, 9, 0),
        decided: Decided::Look,
        condition: "CLONE_NEWUSER at the limit of user.max_user_namespaces, here or in an ancestor",
        english: "the administrator's limit; 0 on some hardened systems",
        chinese: "CLONE_NEWUSER 达到 user.max_user_namespaces（本级或上级）：管理员设的上限，某些加固系统为 0。",
        look: same("/proc/sys/user/max_user_namespaces"),
        source: USERNS,
        test: newuser,
        ..RULE
    },
    Rule {
        id: "newuser-in-chroot",
        errnos: &["EPERM"],
        calls: BOTH,
        since: Version(3, 9, 0),
        decided: Decided::Look,
        condition: "CLONE_NEWUSER while chrooted",
        english: "a user namespace would be a way out of the chroot",
        chinese: "在 chroot 中使用 CLONE_NEWUSER：那将成为逃出 chroot 的途径。",
        look: text(
            "/proc/PID/root against the root of the mount namespace",
            "/proc/PID/root 与挂载命名空间的根是否相同",
        ),
        source: USERNS,
        test: newuser,
        ..RULE
    },
    Rule {
        id: "newuser-unmapped-ids",
        errnos: &["EPERM"],
        calls: BOTH,
        since: Version(3, 8, 0),
        decided: Decided::Look,
        condition: "CLONE_NEWUSER by a uid or gid that its own user namespace does not map",
        english: "write uid_map and gid_map first",
        chinese: "调用者的 uid 或 gid 在自己的用户命名空间里没有映射：先写 uid_map 和 gid_map。",
        look: same("/proc/PID/uid_map, /proc/PID/gid_map"),
        source: USERNS,
        test: newuser,
        ..RULE
    },
    Rule {
        id: "newuser-security-module",
        errnos: &["EPERM", "EACCES"],
        calls: BOTH,
        since: Version(6, 1, 0),
        kernels: text(
            "Ubuntu's AppArmor restricts unprivileged user namespaces since 24.04",
            "自 24.04 起，Ubuntu 的 AppArmor 限制非特权用户命名空间",
        ),
        decided: Decided::Unseen,
        condition: "CLONE_NEWUSER, and a security module forbids it",
        english: "policy of AppArmor, SELinux or a BPF program",
        chinese: "安全模块（AppArmor、SELinux 或 BPF）不许新建用户命名空间。",
        look: same(
            "/proc/PID/attr/current, /proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        ),
        source: "kernel/user_namespace.c, security_create_user_ns",
        proof: Proof::Read,
        test: newuser,
        ..RULE
    },
    Rule {
        id: "rlimit-nproc",
        errnos: &["EAGAIN"],
        kernels: text(
            "checked before the user namespace is made up to 5.13; counted for each user namespace since 5.14",
            "到 5.13 为止在新建用户命名空间之前检查；自 5.14 起按用户命名空间分别计数",
        ),
        decided: Decided::Look,
        condition: "RLIMIT_NPROC: the user has as many tasks as the limit, threads of all processes counted",
        english: "root in the first user namespace, CAP_SYS_RESOURCE and CAP_SYS_ADMIN are exempt; see ulimit -u",
        chinese: "RLIMIT_NPROC：该用户的任务数（含所有进程的线程）已达上限，见 ulimit -u；初始用户命名空间的 root、CAP_SYS_RESOURCE、CAP_SYS_ADMIN 不受限。",
        look: text(
            "/proc/PID/limits, the tasks of the uid, effective capabilities",
            "/proc/PID/limits、该 uid 的任务数、有效权能",
        ),
        ..RULE
    },
    Rule {
        id: "threads-max",
        errnos: &["EAGAIN"],
        decided: Decided::Look,
        condition: "the system has kernel.threads-max tasks",
        english: "the limit for the whole system",
        chinese: "全系统任务数已达 kernel.threads-max。",
        look: text(
            "/proc/sys/kernel/threads-max against the total in /proc/loadavg",
            "/proc/sys/kernel/threads-max 与 /proc/loadavg 中的总数",
        ),
        proof: Proof::Read,
        ..RULE
    },
    Rule {
        id: "deadline-cannot-fork",
        errnos: &["EAGAIN"],
        since: Version(3, 14, 0),
        decided: Decided::Look,
        condition: "the caller runs under SCHED_DEADLINE without reset-on-fork",
        english: "a deadline task may not create tasks: their bandwidth was never admitted",
        chinese: "调用者是 SCHED_DEADLINE 且未设 reset-on-fork：截止期任务不能创建任务。",
        look: text(
            "field 41 (policy) of /proc/PID/stat is 6",
            "/proc/PID/stat 的第 41 个字段（调度策略）是否为 6",
        ),
        source: "kernel/sched/core.c, sched_fork",
        ..RULE
    },
    Rule {
        id: "no-memory-for-perf-audit-security",
        errnos: &["ENOMEM"],
        decided: Decided::Unseen,
        condition: "no memory for what perf, audit, a security module or io_uring keep of each task",
        english: "out of kernel memory",
        chinese: "perf、audit、安全模块或 io_uring 的每任务数据分配失败。",
        proof: Proof::Read,
        ..RULE
    },
    Rule {
        id: "security-module",
        errnos: &["EACCES", "EPERM"],
        decided: Decided::Unseen,
        condition: "a security module forbids the caller to create tasks",
        english: "policy of SELinux (the permission fork of the class process) or a BPF program, which may give any errno",
        chinese: "安全模块不许调用者创建任务：SELinux 的 process 类 fork 权限，或 BPF 程序（errno 由它决定）。",
        look: same("/proc/PID/attr/current"),
        source: "kernel/fork.c, security_task_alloc",
        proof: Proof::Read,
        ..RULE
    },
];
