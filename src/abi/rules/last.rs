//! The pid, its descriptor, the cgroup, and the checks under the lock. After these nothing can fail:
//! writes to `parent_tid` and `child_tid` are not checked.

use crate::abi::flags::*;

use super::arguments::{Arguments, Kernel, Tids};
use super::rule::*;
use super::version::Version;
use crate::abi::lang::{same, text};
use crate::event::Call;

const ALLOC: &str = "kernel/pid.c, alloc_pid";
const CGROUP: &str = "kernel/cgroup/cgroup.c, cgroup_css_set_fork";

/// Tids are asked for.
fn wants_tids(arguments: &Arguments, _: &Kernel) -> bool {
    arguments.call == Call::Clone3 && arguments.set_tid_size != 0
}

/// The tids that are asked for.
fn tids(arguments: &Arguments) -> &[i32] {
    match &arguments.tids {
        Tids::Read(tids) if arguments.set_tid_size != 0 => tids,
        Tids::Read(_) | Tids::Unknown | Tids::Unreadable => &[],
    }
}

const INTO: Rule = Rule {
    calls: CLONE3,
    since: Version(5, 7, 0),
    decided: Decided::Look,
    look: same("/proc/PID/fd/N"),
    source: CGROUP,
    test: |a, _| all_of(a, CLONE_INTO_CGROUP),
    ..RULE
};

pub(super) static ROWS: &[Rule] = &[
    Rule {
        id: "set-tid-deeper-than-namespaces",
        calls: CLONE3,
        since: Version(5, 5, 0),
        decided: Decided::Look,
        condition: "set_tid_size above the depth of the child's pid namespace plus one",
        english: "more tids than namespaces that would number the child",
        chinese: "set_tid_size 超过子任务所在 PID 命名空间的层数：要的 TID 比命名空间还多。",
        look: text(
            "the count of numbers in NSpid of /proc/PID/status, one more with CLONE_NEWPID",
            "/proc/PID/status 的 NSpid 中有几个数，带 CLONE_NEWPID 时再加一",
        ),
        source: ALLOC,
        test: wants_tids,
        ..RULE
    },
    Rule {
        id: "tid-below-one",
        calls: CLONE3,
        since: Version(5, 5, 0),
        condition: "a wanted tid below 1",
        english: "no task has such a tid",
        chinese: "set_tid 中有小于 1 的 TID。",
        source: ALLOC,
        // Tids are taken innermost first, and each is checked wholly before the next: only of the first
        // is it certain that nothing about another comes before.
        test: |a, _| tids(a).first().is_some_and(|tid| *tid < 1),
        ..RULE
    },
    Rule {
        id: "tid-above-pid-max",
        calls: CLONE3,
        since: Version(5, 5, 0),
        kernels: text(
            "pid_max is each pid namespace's own since 6.14",
            "自 6.14 起每个 PID 命名空间各有自己的 pid_max",
        ),
        decided: Decided::Look,
        condition: "a wanted tid at or above pid_max",
        english: "no task can have such a tid here",
        chinese: "set_tid 中的 TID 达到或超过 pid_max。",
        look: same("/proc/sys/kernel/pid_max"),
        source: ALLOC,
        test: wants_tids,
        ..RULE
    },
    Rule {
        id: "first-tid-must-be-one",
        calls: CLONE3,
        since: Version(5, 5, 0),
        kernels: text(
            "7.x kernels check it after the permission and the tids in use",
            "7.x 内核在检查权限和已用的 tid 之后才检查",
        ),
        decided: Decided::Look,
        condition: "a wanted tid other than 1 in a pid namespace without init",
        english: "the first task of a pid namespace is its pid 1",
        chinese: "PID 命名空间还没有 init，却要了 1 以外的 TID：首个任务必须是 1 号。",
        look: text(
            "CLONE_NEWPID, or /proc/PID/ns/pid_for_children",
            "CLONE_NEWPID，或 /proc/PID/ns/pid_for_children",
        ),
        source: ALLOC,
        test: |a, _| tids(a).iter().any(|tid| *tid != 1),
        ..RULE
    },
    Rule {
        id: "set-tid-needs-capability",
        errnos: &["EPERM"],
        calls: CLONE3,
        since: Version(5, 5, 0),
        kernels: text(
            "CAP_SYS_ADMIN alone before 5.9",
            "5.9 之前只认 CAP_SYS_ADMIN",
        ),
        decided: Decided::Look,
        condition: "set_tid without CAP_CHECKPOINT_RESTORE and CAP_SYS_ADMIN over each pid namespace that is named",
        english: "who may choose tids is privileged",
        chinese: "使用 set_tid 需要对相应 PID 命名空间有 CAP_CHECKPOINT_RESTORE 或 CAP_SYS_ADMIN。",
        look: text("CapEff in /proc/PID/status", "/proc/PID/status 中的 CapEff"),
        source: ALLOC,
        test: wants_tids,
        ..RULE
    },
    Rule {
        id: "tid-in-use",
        errnos: &["EEXIST"],
        calls: CLONE3,
        since: Version(5, 5, 0),
        decided: Decided::Look,
        condition: "a wanted tid is taken",
        english: "a task, process group or session has this number",
        chinese: "想要的 TID 已被占用。",
        look: same("/proc/TID"),
        source: ALLOC,
        test: wants_tids,
        ..RULE
    },
    Rule {
        id: "no-free-pid",
        errnos: &["EAGAIN"],
        kernels: text(
            "pid_max is each pid namespace's own since 6.14",
            "自 6.14 起每个 PID 命名空间各有自己的 pid_max",
        ),
        decided: Decided::Look,
        condition: "every pid below pid_max is taken",
        english: "zombies count as well",
        chinese: "pid_max 以下的 PID 全被占用（僵尸也算）。",
        look: text(
            "/proc/sys/kernel/pid_max, the number of tasks",
            "/proc/sys/kernel/pid_max、任务数",
        ),
        source: ALLOC,
        ..RULE
    },
    Rule {
        id: "pid-namespace-dead",
        errnos: &["ENOMEM"],
        since: Version(3, 8, 0),
        decided: Decided::Look,
        condition: "the init of the pid namespace for children has ended",
        english: "no memory is short: after unshare -p the first child is init, and when it is gone nobody may come after it",
        chinese: "子任务所属 PID 命名空间的 init 已退出：并非缺内存；unshare -p 之后第一个子进程是 init，它一退出就再也不能创建。",
        look: text(
            "/proc/PID/ns/pid_for_children cannot be read, or differs from /proc/PID/ns/pid",
            "/proc/PID/ns/pid_for_children 是否读不出，或不同于 /proc/PID/ns/pid",
        ),
        source: ALLOC,
        ..RULE
    },
    Rule {
        id: "pidfd-no-descriptor",
        errnos: &["EMFILE", "ENFILE", "ENOMEM"],
        calls: BOTH,
        since: Version(5, 2, 0),
        decided: Decided::Look,
        condition: "CLONE_PIDFD, and the caller has as many descriptors as RLIMIT_NOFILE allows",
        english: "close some, or raise ulimit -n; ENFILE is the limit of the whole system",
        chinese: "CLONE_PIDFD：调用者的描述符已达 RLIMIT_NOFILE；ENFILE 则是全系统上限。",
        look: same("/proc/PID/limits, /proc/PID/fd, /proc/sys/fs/file-nr"),
        source: "kernel/fork.c, pidfd_prepare",
        test: |a, _| all_of(a, CLONE_PIDFD),
        ..RULE
    },
    Rule {
        id: "pidfd-address",
        errnos: &["EFAULT"],
        calls: BOTH,
        since: Version(5, 2, 0),
        decided: Decided::Look,
        condition: "CLONE_PIDFD with an address that cannot be written",
        english: "bad pointer for the descriptor; legacy clone takes it from parent_tid",
        chinese: "CLONE_PIDFD 的结果地址不可写（旧的 clone 用 parent_tid 参数）。",
        look: text(
            "/proc/PID/maps at that address",
            "/proc/PID/maps 中的该地址",
        ),
        test: |a, _| all_of(a, CLONE_PIDFD),
        ..RULE
    },
    Rule {
        id: "cgroup-not-a-cgroup",
        errnos: &["EBADF"],
        condition: "CLONE_INTO_CGROUP with what is no descriptor of a cgroup v2 directory",
        english: "open the directory of a cgroup v2; O_PATH is enough, v1 is not",
        chinese: "CLONE_INTO_CGROUP 的描述符不是 cgroup v2 目录（O_PATH 即可，v1 不行）。",
        ..INTO
    },
    Rule {
        id: "cgroup-removed",
        errnos: &["ENOENT", "ENODEV"],
        condition: "CLONE_INTO_CGROUP into a cgroup that was removed",
        english: "the directory is gone; ENODEV where it goes during the call",
        chinese: "CLONE_INTO_CGROUP 的目标 cgroup 已被删除。",
        ..INTO
    },
    Rule {
        id: "cgroup-permission",
        errnos: &["EACCES", "ENOENT"],
        condition: "CLONE_INTO_CGROUP without the right to write its cgroup.procs",
        english: "the same permission as for moving a process there; ENOENT where the two have no common ancestor in view",
        chinese: "CLONE_INTO_CGROUP 没有写目标 cgroup.procs 的权限；超出可见子树则为 ENOENT。",
        look: text(
            "the permissions of cgroup.procs there and in the common ancestor",
            "该处与共同祖先处 cgroup.procs 的权限",
        ),
        ..INTO
    },
    Rule {
        id: "cgroup-domain",
        errnos: &["EOPNOTSUPP"],
        condition: "CLONE_INTO_CGROUP into a domain-invalid cgroup, or of a thread into another domain",
        english: "threads must stay in the cgroup domain of their process",
        chinese: "目标 cgroup 的 domain 无效，或线程要去别的 domain：线程必须留在所属进程的 cgroup domain 内。",
        look: text("cgroup.type there", "该处的 cgroup.type"),
        ..INTO
    },
    Rule {
        id: "cgroup-inner-node",
        errnos: &["EBUSY"],
        condition: "CLONE_INTO_CGROUP into a cgroup, not the root, with controllers enabled for its children",
        english: "the rule of v2 that inner cgroups hold no processes",
        chinese: "目标 cgroup 已为子组启用控制器：v2 规定内部节点不能有进程。",
        look: text(
            "cgroup.subtree_control there",
            "该处的 cgroup.subtree_control",
        ),
        ..INTO
    },
    Rule {
        id: "cgroup-cpuset",
        errnos: &["ENOSPC", "EINVAL", "EPERM"],
        condition: "CLONE_INTO_CGROUP into a cpuset that is empty or not allowed",
        english: "the cpuset has no processor or no memory node, or refuses the task",
        chinese: "目标 cpuset 为空或不允许该任务。",
        look: text(
            "cpuset.cpus.effective there",
            "该处的 cpuset.cpus.effective",
        ),
        source: "kernel/cgroup/cpuset.c, cpuset_can_fork",
        proof: Proof::Read,
        ..INTO
    },
    Rule {
        id: "pids-max",
        errnos: &["EAGAIN"],
        since: Version(4, 3, 0),
        decided: Decided::Look,
        condition: "the pids controller's limit, in the cgroup or any above it",
        english: "pids.max of a container or a systemd unit (TasksMax=); pids.events counts each refusal",
        chinese: "pids 控制器的上限（本级或任一上级 cgroup 的 pids.max）：容器或 systemd 的 TasksMax=。",
        look: text(
            "pids.max, pids.current and pids.events of each cgroup upwards",
            "逐级向上各 cgroup 的 pids.max、pids.current 和 pids.events",
        ),
        source: "kernel/cgroup/pids.c, pids_can_fork",
        ..RULE
    },
    Rule {
        id: "sched-ext",
        errnos: &[],
        since: Version(6, 12, 0),
        decided: Decided::Unseen,
        condition: "a sched_ext scheduler refuses the task",
        english: "the loaded BPF scheduler's own errno",
        chinese: "已加载的 sched_ext（BPF）调度器拒绝该任务，errno 由它决定。",
        look: same("/sys/kernel/sched_ext/state"),
        source: "kernel/sched/ext.c, scx_fork",
        proof: Proof::Read,
        ..RULE
    },
    Rule {
        id: "no-memory-for-futexes",
        errnos: &["ENOMEM"],
        calls: BOTH,
        since: Version(6, 16, 0),
        decided: Decided::Unseen,
        condition: "CLONE_THREAD, and no memory for the process's own futex table",
        english: "out of kernel memory",
        chinese: "CLONE_THREAD：没有内存建立进程私有的 futex 哈希表。",
        source: "kernel/futex/core.c, futex_hash_allocate_default",
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_THREAD),
        ..RULE
    },
    Rule {
        id: "pid-namespace-died-meanwhile",
        errnos: &["ENOMEM"],
        decided: Decided::Look,
        condition: "the init of the pid namespace ended during the call",
        english: "as pid-namespace-dead, a moment later",
        chinese: "调用进行中，PID 命名空间的 init 退出。",
        look: same("/proc/PID/ns/pid_for_children"),
        proof: Proof::Read,
        ..RULE
    },
    Rule {
        id: "caller-killed",
        errnos: &["EINTR"],
        kernels: text("ERESTARTNOINTR before 4.19", "4.19 之前是 ERESTARTNOINTR"),
        decided: Decided::Unseen,
        condition: "the caller is being killed",
        english: "never seen by the program, which is no more",
        chinese: "调用者正被杀死，程序看不到此结果。",
        proof: Proof::Read,
        ..RULE
    },
];
