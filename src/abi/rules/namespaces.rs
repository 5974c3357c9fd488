//! New namespaces, then I/O context and thread pointer: `copy_namespaces` to `copy_thread`.

use crate::abi::flags::*;

use super::arguments::Tls;
use super::rule::*;
use super::version::Version;
use crate::abi::lang::{same, text};

const CREATE: &str = "kernel/nsproxy.c, create_new_namespaces";
const PID: &str = "kernel/pid_namespace.c, copy_pid_ns, create_pid_namespace";

/// Every flag that asks for a namespace in `nsproxy`, which is all but the user namespace.
pub(super) const NEW: CloneFlags = CLONE_NEWNS
    .union(CLONE_NEWUTS)
    .union(CLONE_NEWIPC)
    .union(CLONE_NEWPID)
    .union(CLONE_NEWNET)
    .union(CLONE_NEWCGROUP)
    .union(CLONE_NEWTIME)
    .union(CLONE_EMPTY_MNTNS);

const LIMIT: Rule = Rule {
    errnos: &["ENOSPC"],
    calls: BOTH,
    since: Version(4, 9, 0),
    decided: Decided::Look,
    english: "the administrator's limit, counted for this user here or in an ancestor",
    ..RULE
};

pub(super) static ROWS: &[Rule] = &[
    Rule {
        id: "namespace-needs-admin",
        errnos: &["EPERM"],
        calls: BOTH,
        decided: Decided::Look,
        condition: "any CLONE_NEW flag but CLONE_NEWUSER without CAP_SYS_ADMIN in the user namespace",
        english: "add CLONE_NEWUSER, which gives the capability inside, or privilege",
        chinese: "除 CLONE_NEWUSER 外的任何 CLONE_NEW* 都需要用户命名空间里的 CAP_SYS_ADMIN：加上 CLONE_NEWUSER，或者提升权限。",
        look: text("CapEff in /proc/PID/status", "/proc/PID/status 中的 CapEff"),
        source: "kernel/nsproxy.c, copy_namespaces",
        // With a new user namespace the child has every capability in it.
        test: |a, _| any_of(a, NEW) && !all_of(a, CLONE_NEWUSER),
        ..RULE
    },
    Rule {
        id: "newipc-with-sysvsem",
        calls: BOTH,
        condition: "CLONE_NEWIPC with CLONE_SYSVSEM",
        english: "an undo list cannot be shared across IPC namespaces",
        chinese: "CLONE_NEWIPC 与 CLONE_SYSVSEM 同时出现：信号量撤销表不能跨 IPC 命名空间共享。",
        source: "kernel/nsproxy.c, copy_namespaces",
        test: |a, _| all_of(a, CLONE_NEWIPC.union(CLONE_SYSVSEM)),
        ..RULE
    },
    Rule {
        id: "namespace-not-built-in",
        calls: BOTH,
        decided: Decided::Look,
        condition: "a CLONE_NEW flag for what this kernel was built without",
        english: "the kernel has no such namespaces",
        chinese: "内核编译时没有包含该种命名空间。",
        look: text(
            "/proc/self/ns has no such entry",
            "/proc/self/ns 中是否没有这一项",
        ),
        source: CREATE,
        proof: Proof::Documented,
        test: |a, _| any_of(a, NEW.union(CLONE_NEWUSER)),
        ..RULE
    },
    Rule {
        id: "mnt-namespace-limit",
        condition: "CLONE_NEWNS at the limit of user.max_mnt_namespaces",
        chinese: "CLONE_NEWNS 达到 user.max_mnt_namespaces 上限。",
        look: same("/proc/sys/user/max_mnt_namespaces"),
        source: "fs/namespace.c, alloc_mnt_ns",
        test: |a, _| any_of(a, CLONE_NEWNS.union(CLONE_EMPTY_MNTNS)),
        ..LIMIT
    },
    Rule {
        id: "uts-namespace-limit",
        condition: "CLONE_NEWUTS at the limit of user.max_uts_namespaces",
        chinese: "CLONE_NEWUTS 达到 user.max_uts_namespaces 上限。",
        look: same("/proc/sys/user/max_uts_namespaces"),
        source: "kernel/utsname.c, clone_uts_ns",
        test: |a, _| all_of(a, CLONE_NEWUTS),
        ..LIMIT
    },
    Rule {
        id: "ipc-namespace-limit",
        condition: "CLONE_NEWIPC at the limit of user.max_ipc_namespaces",
        chinese: "CLONE_NEWIPC 达到 user.max_ipc_namespaces 上限。",
        look: same("/proc/sys/user/max_ipc_namespaces"),
        source: "ipc/namespace.c, create_ipc_ns",
        test: |a, _| all_of(a, CLONE_NEWIPC),
        ..LIMIT
    },
    Rule {
        id: "newpid-while-pending",
        calls: BOTH,
        since: Version(3, 8, 0),
        decided: Decided::Look,
        condition: "CLONE_NEWPID after an unshare or setns that gave the caller's children another pid namespace",
        english: "finish that one first: its init is not there yet",
        chinese: "unshare 或 setns 已为后续子任务换了 PID 命名空间，又用 CLONE_NEWPID：先完成前一个。",
        look: text(
            "/proc/PID/ns/pid_for_children differs from /proc/PID/ns/pid",
            "/proc/PID/ns/pid_for_children 是否不同于 /proc/PID/ns/pid",
        ),
        source: PID,
        test: |a, _| all_of(a, CLONE_NEWPID),
        ..RULE
    },
    Rule {
        id: "newpid-in-foreign-userns",
        calls: BOTH,
        since: Version(4, 13, 0),
        decided: Decided::Look,
        condition: "CLONE_NEWPID in a user namespace that does not descend from the owner of the pid namespace",
        english: "a nested pid namespace must belong to a nested user namespace",
        chinese: "CLONE_NEWPID 所在的用户命名空间不是当前 PID 命名空间属主的后代。",
        look: text(
            "the owners (NS_GET_USERNS) of /proc/PID/ns/pid",
            "/proc/PID/ns/pid 的所有者（NS_GET_USERNS）",
        ),
        source: PID,
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_NEWPID),
        ..RULE
    },
    Rule {
        id: "pidns-too-deep",
        errnos: &["ENOSPC"],
        calls: BOTH,
        since: Version(3, 7, 0),
        decided: Decided::Look,
        condition: "CLONE_NEWPID past 32 levels",
        english: "pid namespaces nest at most 32 deep below the first",
        chinese: "CLONE_NEWPID 嵌套超过 32 层。",
        look: text(
            "the count of numbers in NSpid of /proc/PID/status",
            "/proc/PID/status 的 NSpid 中有几个数",
        ),
        source: PID,
        test: |a, _| all_of(a, CLONE_NEWPID),
        ..RULE
    },
    Rule {
        id: "pid-namespace-limit",
        condition: "CLONE_NEWPID at the limit of user.max_pid_namespaces",
        chinese: "CLONE_NEWPID 达到 user.max_pid_namespaces 上限。",
        look: same("/proc/sys/user/max_pid_namespaces"),
        source: PID,
        test: |a, _| all_of(a, CLONE_NEWPID),
        ..LIMIT
    },
    Rule {
        id: "cgroup-namespace-limit",
        condition: "CLONE_NEWCGROUP at the limit of user.max_cgroup_namespaces",
        chinese: "CLONE_NEWCGROUP 达到 user.max_cgroup_namespaces 上限。",
        look: same("/proc/sys/user/max_cgroup_namespaces"),
        source: "kernel/cgroup/namespace.c, copy_cgroup_ns",
        test: |a, _| all_of(a, CLONE_NEWCGROUP),
        ..LIMIT
    },
    Rule {
        id: "net-namespace-limit",
        condition: "CLONE_NEWNET at the limit of user.max_net_namespaces",
        chinese: "CLONE_NEWNET 达到 user.max_net_namespaces 上限。",
        look: same("/proc/sys/user/max_net_namespaces"),
        source: "net/core/net_namespace.c, copy_net_ns",
        test: |a, _| all_of(a, CLONE_NEWNET),
        ..LIMIT
    },
    Rule {
        id: "time-namespace-limit",
        since: Version(5, 6, 0),
        condition: "CLONE_NEWTIME at the limit of user.max_time_namespaces",
        chinese: "CLONE_NEWTIME 达到 user.max_time_namespaces 上限。",
        look: same("/proc/sys/user/max_time_namespaces"),
        source: "kernel/time/namespace.c, clone_time_ns",
        test: |a, _| all_of(a, CLONE_NEWTIME),
        ..LIMIT
    },
    Rule {
        id: "no-memory-for-namespace",
        errnos: &["ENOMEM"],
        calls: BOTH,
        decided: Decided::Unseen,
        condition: "a CLONE_NEW flag, and no memory for the namespace",
        english: "out of kernel memory",
        chinese: "没有内存建立命名空间。",
        source: CREATE,
        proof: Proof::Read,
        test: |a, _| any_of(a, NEW.union(CLONE_NEWUSER)),
        ..RULE
    },
    Rule {
        id: "no-memory-for-io-context",
        errnos: &["ENOMEM"],
        decided: Decided::Unseen,
        condition: "no CLONE_IO, an I/O priority is set, and no memory for a new I/O context",
        english: "out of kernel memory",
        chinese: "无 CLONE_IO 且设了 I/O 优先级：没有内存建立新的 I/O 上下文。",
        source: "block/blk-ioc.c, __copy_io",
        proof: Proof::Read,
        test: |a, _| !all_of(a, CLONE_IO),
        ..RULE
    },
    Rule {
        id: "tls-address",
        errnos: &["EPERM"],
        calls: BOTH,
        kernels: text("x86-64 programs alone", "仅限 x86-64 程序"),
        condition: "CLONE_SETTLS with a tls that is no user address, on x86-64",
        english: "bad base of thread-local storage",
        chinese: "x86-64 上 CLONE_SETTLS 的 tls 不是用户地址。",
        source: "arch/x86/kernel/process_64.c, do_arch_prctl_64 (ARCH_SET_FS)",
        test: |a, k| all_of(a, CLONE_SETTLS) && matches!(k.tls, Tls::Below(end) if a.tls >= end),
        ..RULE
    },
    Rule {
        id: "tls-descriptor",
        errnos: &["EFAULT", "EINVAL"],
        calls: BOTH,
        kernels: text(
            "i386 programs alone, whose tls is the address of a struct user_desc",
            "仅限 i386 程序，其 tls 是 struct user_desc 的地址",
        ),
        decided: Decided::Look,
        condition: "CLONE_SETTLS with a struct user_desc that cannot be read or names no entry, on i386",
        english: "bad TLS descriptor: EFAULT where it cannot be read, EINVAL where it makes no sense",
        chinese: "i386 上 CLONE_SETTLS 的 struct user_desc 读不到（EFAULT）或无意义（EINVAL）。",
        look: text("the 16 bytes at tls", "tls 处的 16 个字节"),
        source: "arch/x86/kernel/tls.c, do_set_thread_area",
        test: |a, k| all_of(a, CLONE_SETTLS) && k.tls == Tls::Descriptor,
        ..RULE
    },
];
