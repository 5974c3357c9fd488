//! The rows: one per flag, in the order of their bits. A new flag is a new row here and nothing else.
//!
//! Complete up to Linux 7.2. The `unshare` column tells what unshare(2) does
//! with the same bit, where the sense of a sharing flag is turned round. `namespace` and `piece` stand
//! where there is one.

use super::bits::CloneFlags;
use super::row::{Flag, Sense, Use, copied, fresh};
use crate::abi::lang::{Text, same, text};

/// Makes the named constants and the table out of the same rows.
macro_rules! flags {
    ($($name:ident = $bits:literal, since $since:literal,
       clone $clone:ident, clone3 $clone3:ident, unshare $unshare:ident, $sense:ident,
       verb: $verb:expr, what: $what:expr,
       meaning: [$meaning:literal, $chinese:literal],
       object: $object:expr, set: $set:expr, clear: $clear:expr,
       decided_by: $decided_by:literal, source: $source:literal
       $(, $column:ident: $value:expr)*;)+) => {
        $(#[doc = $meaning]
        pub const $name: CloneFlags = CloneFlags($bits);)+

        /// Every flag up to Linux 7.2, in the order of their bits.
        pub static FLAGS: &[Flag] = &[$(Flag {
            bits: $bits,
            name: stringify!($name),
            since: $since,
            clone: Use::$clone,
            clone3: Use::$clone3,
            unshare: Use::$unshare,
            sense: Sense::$sense,
            verb: $verb,
            what: $what,
            meaning: Text::new($meaning, $chinese),
            object: $object,
            set: $set,
            clear: $clear,
            decided_by: $decided_by,
            source: $source,
            $($column: Some($value),)*
            ..Flag::NONE
        }),+];
    };
}

// What several rows say.
const SAME_OBJECT: Text = text("the same object", "同一个对象");
const NEW_NAMESPACE: Text = text(
    "a new nsproxy with this namespace created, the others shared",
    "新的 nsproxy：新建此命名空间，其余共享",
);
const NSPROXY_SHARED: Text = text("the whole nsproxy shared", "整个 nsproxy 共享");

flags! {
    // In legacy clone the bit belongs to the exit signal.
    CLONE_NEWTIME = 0x0000_0080, since "5.6", clone OtherMeaning, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("time namespace: own offsets of the clocks", "时间命名空间：时钟偏移独立"),
        meaning: ["Own offsets for the monotonic and boot clocks.",
            "新建时间命名空间：单调时钟和启动时钟可有独立偏移。"],
        object: same("nsproxy->time_ns_for_children"),
        set: NEW_NAMESPACE,
        clear: NSPROXY_SHARED,
        decided_by: "copy_namespaces, copy_time_ns",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/time/namespace.c",
        namespace: "time";

    CLONE_VM = 0x0000_0100, since "2.0", clone Takes, clone3 Takes, unshare Checks, Shares,
        verb: text("shares", "共用"), what: text("the address space (mm)", "地址空间（mm）"),
        meaning: ["Parent and child run in the same memory; a write by one is seen by the other. Without it the child gets a copy-on-write duplicate.",
            "父子共用同一地址空间，一方写入另一方立即可见；不设则子任务得到写时复制的副本。"],
        object: same("mm_struct (task->mm)"),
        set: SAME_OBJECT,
        clear: text("duplicated: mappings and page tables copied, private pages write-protected on both sides", "复制：映射与页表照抄，私有页在双方都设为写保护"),
        decided_by: "copy_mm",
        source: "include/uapi/linux/sched.h, kernel/fork.c",
        piece: copied(1, text("memory", "内存"),
            text("address space (page tables now, pages when written)", "地址空间（页表立即复制，页面写时复制）"));

    CLONE_FS = 0x0000_0200, since "2.0", clone Takes, clone3 Takes, unshare Takes, Shares,
        verb: text("shares", "共用"), what: text("root, working directory, umask", "根目录、当前目录、umask"),
        meaning: ["Share root directory, current directory and umask: chdir in one moves both.",
            "共用根目录、当前目录和 umask：一方 chdir，另一方也跟着变。"],
        object: same("fs_struct (task->fs)"),
        set: SAME_OBJECT,
        clear: text("copied", "复制"),
        decided_by: "copy_fs",
        source: "include/uapi/linux/sched.h, kernel/fork.c",
        piece: copied(3, text("directories and umask", "目录与 umask"),
            text("root/cwd/umask", "根目录、当前目录、umask"));

    CLONE_FILES = 0x0000_0400, since "2.0", clone Takes, clone3 Takes, unshare Takes, Shares,
        verb: text("shares", "共用"), what: text("the descriptor table", "文件描述符表"),
        meaning: ["Share the descriptor table: open/close in one changes the other. Without it the table is copied, but each open file (offset, status flags) is still common.",
            "共用文件描述符表：一方打开或关闭，另一方同样变化；不设则复制该表，但已打开文件的偏移量与状态标志仍然共用。"],
        object: same("files_struct (task->files)"),
        set: SAME_OBJECT,
        clear: text("table copied, open files shared", "复制表，已打开的文件仍共用"),
        decided_by: "copy_files",
        source: "include/uapi/linux/sched.h, kernel/fork.c",
        piece: copied(2, text("descriptors", "文件描述符表"),
            text("descriptor table", "文件描述符表"));

    CLONE_SIGHAND = 0x0000_0800, since "2.0", clone Takes, clone3 Takes, unshare Checks, Shares,
        verb: text("shares", "共用"), what: text("the signal handlers", "信号处理函数表"),
        meaning: ["Share the table of signal handlers. Blocked masks and pending signals stay per task.",
            "共用信号处理函数表；信号屏蔽字和待决信号仍各自独立。"],
        object: same("sighand_struct (task->sighand)"),
        set: SAME_OBJECT,
        clear: text("table copied", "复制该表"),
        decided_by: "copy_sighand",
        source: "include/uapi/linux/sched.h, kernel/fork.c",
        piece: copied(4, text("signal handlers", "信号处理函数"),
            text("signal handlers", "信号处理函数表"));

    // Before 2.6 the bit was CLONE_PID, then the kernel's own CLONE_IDLETASK.
    CLONE_PIDFD = 0x0000_1000, since "5.2", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("writes", "写入"), what: text("a descriptor of the child, for the caller", "指向子任务的描述符，返回给调用者"),
        meaning: ["Give the caller a descriptor (close-on-exec) that refers to the new task.",
            "给调用者返回一个指向新任务的描述符 pidfd（自带 close-on-exec）。"],
        object: text("a pidfs file in the caller's descriptor table", "调用者描述符表中的 pidfs 文件"),
        set: text("made after the table was copied, so the child does not inherit it", "在复制表之后创建，子任务不会继承"),
        clear: text("none", "无"),
        decided_by: "copy_process",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_PTRACE = 0x0000_2000, since "2.2", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("hands", "移交"), what: text("the child to the caller's tracer, if any", "子任务给调用者的跟踪者（若有）"),
        meaning: ["If the caller is being traced, its tracer gets the child as well.",
            "若调用者正被跟踪，子任务也交给同一个跟踪者。"],
        object: same("task->ptrace, task->parent"),
        set: text("attached to the caller's tracer", "附加到调用者的跟踪者"),
        clear: text("untraced, unless the tracer follows this kind of event", "不被跟踪，除非跟踪者跟随此类事件"),
        decided_by: "ptrace_init_task",
        source: "include/uapi/linux/sched.h, include/linux/ptrace.h";

    CLONE_VFORK = 0x0000_4000, since "2.2", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("pauses", "挂起"), what: text("the caller until the child execs or ends", "调用者，直到子任务 exec 或退出"),
        meaning: ["The calling thread sleeps until the child execs or exits.",
            "调用线程挂起，直到子任务 exec 或退出才继续。"],
        object: same("task->vfork_done"),
        set: text("the caller waits in a killable sleep", "调用者以可被杀死的方式休眠等待"),
        clear: text("the caller does not wait", "调用者不等待"),
        decided_by: "kernel_clone",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_PARENT = 0x0000_8000, since "2.3.12", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("makes", "成为"), what: text("a sibling: its parent is the caller's parent", "兄弟：父进程是调用者的父进程"),
        meaning: ["The child becomes a sibling: its parent is the caller's parent.",
            "子任务成为调用者的兄弟：父进程是调用者的父进程。"],
        object: same("task->real_parent, task->exit_signal"),
        set: text("the caller's parent; the exit signal of the caller's group leader", "调用者的父进程；退出信号取调用者线程组组长的"),
        clear: text("the caller; the exit signal that was passed", "调用者；退出信号按参数"),
        decided_by: "copy_process",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_THREAD = 0x0001_0000, since "2.4.0", clone Takes, clone3 Takes, unshare Checks, Shares,
        verb: text("joins", "加入"), what: text("the caller's process: same tgid and getpid()", "调用者的进程：tgid 与 getpid() 相同"),
        meaning: ["Join the caller's process: same tgid, same getpid(), no exit signal, cannot be waited for.",
            "加入调用者所在进程：tgid 与 getpid() 相同，退出不发信号，也不能被 wait。"],
        object: same("signal_struct (task->signal), tgid, group_leader"),
        set: text("shared: limits, timers, terminal, shared pending signals, session, process group", "共享：资源限制、定时器、终端、共享待决信号、会话、进程组"),
        clear: text("new: limits copied, timers and pending signals fresh", "新建：资源限制照抄，定时器与待决信号清空"),
        decided_by: "copy_signal, copy_process",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_NEWNS = 0x0002_0000, since "2.4.19", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("mount namespace: own copy of the mounts", "挂载命名空间：独立的挂载表"),
        meaning: ["Own copy of the mount table.",
            "新建挂载命名空间：得到一份独立的挂载表。"],
        object: same("nsproxy->mnt_ns"),
        set: NEW_NAMESPACE,
        clear: NSPROXY_SHARED,
        decided_by: "copy_namespaces, copy_mnt_ns",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, fs/namespace.c",
        namespace: "mnt";

    CLONE_SYSVSEM = 0x0004_0000, since "2.5.10", clone Takes, clone3 Takes, unshare Takes, Shares,
        verb: text("shares", "共用"), what: text("the System V undo list", "System V 信号量撤销表"),
        meaning: ["Share the System V SEM_UNDO list. Without it the child starts with an empty list (nothing is copied).",
            "共用 System V 信号量的 SEM_UNDO 撤销表；不设则子任务从空表开始（并非复制）。"],
        object: same("sem_undo_list (task->sysvsem.undo_list)"),
        set: text("the same list, made where there is none", "同一张表，没有则创建"),
        clear: text("none", "无"),
        decided_by: "copy_semundo",
        source: "include/uapi/linux/sched.h, ipc/sem.c",
        piece: fresh(5, text("semaphore undos", "信号量撤销表"));

    CLONE_SETTLS = 0x0008_0000, since "2.5.32", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("sets", "设置"), what: text("the thread pointer (tls)", "线程指针（tls）"),
        meaning: ["Set the child's thread pointer from the tls argument.",
            "用 tls 参数设置子任务的线程指针（线程局部存储基址）。"],
        object: text("the thread pointer", "线程指针"),
        set: text("set from tls", "取自 tls"),
        clear: text("inherited", "沿用"),
        decided_by: "copy_thread",
        source: "include/uapi/linux/sched.h, arch/*/kernel/process.c";

    // From 7.1 unshare takes this bit as UNSHARE_EMPTY_MNTNS.
    CLONE_PARENT_SETTID = 0x0010_0000, since "2.5.49", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("writes", "写入"), what: text("the new tid to parent_tid, in the caller", "新 tid 到 parent_tid（调用者内存）"),
        meaning: ["Write the new tid into the parent's memory.",
            "把新任务的 TID 写到父进程内存中的指定位置。"],
        object: text("a word of the caller's memory", "调用者内存中的一个字"),
        set: text("written before the child is woken; a bad address is ignored", "在唤醒子任务之前写入；地址无效则忽略"),
        clear: text("untouched", "不动"),
        decided_by: "kernel_clone",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_CHILD_CLEARTID = 0x0020_0000, since "2.5.49", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("zeroes", "清零"), what: text("child_tid at exit, wakes waiters", "child_tid（退出时），并唤醒等待者"),
        meaning: ["When the child exits or execs, zero a word and wake a futex on it (how pthread_join learns of the end).",
            "子任务退出或 exec 时把指定的字清零并唤醒其上的 futex（pthread_join 靠它得知结束）。"],
        object: same("task->clear_child_tid"),
        set: text("zeroed and a futex woken at exit or exec, while the memory has another user", "退出或 exec 时清零并唤醒 futex（仅当内存仍有其他使用者）"),
        clear: text("none", "无"),
        decided_by: "copy_process, mm_release",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    // Legacy clone refuses it together with CLONE_PIDFD: see `split_clone`. Gone as a feature since 2.6.2.
    CLONE_DETACHED = 0x0040_0000, since "2.5.32", clone Ignores, clone3 Refuses, unshare Refuses, Other,
        verb: text("does", "毫无"), what: text("nothing since Linux 2.6.2", "作用（自 Linux 2.6.2）"),
        meaning: ["Dead flag, no effect.",
            "已废弃，无任何作用。"],
        object: text("none", "无"),
        set: text("nothing", "无作用"),
        clear: text("nothing", "无作用"),
        decided_by: "copy_process",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_UNTRACED = 0x0080_0000, since "2.5.46", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("hides", "避开"), what: text("the child from who follows forks", "跟随子进程的跟踪者"),
        meaning: ["A tracer's follow-fork options do not apply to this child.",
            "跟踪者的“跟随子进程”选项对该子任务无效。"],
        object: text("none", "无"),
        set: text("no ptrace event, no attaching by the tracer's options", "没有 ptrace 事件，也不因跟踪者选项而被附加"),
        clear: text("as the tracer's options say", "按跟踪者的选项"),
        decided_by: "kernel_clone",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_CHILD_SETTID = 0x0100_0000, since "2.5.49", clone Takes, clone3 Takes, unshare Refuses, Other,
        verb: text("writes", "写入"), what: text("the new tid to child_tid, in the child", "新 tid 到 child_tid（子任务内存）"),
        meaning: ["Write the tid into the child's memory before it runs user code.",
            "子任务执行用户代码之前，把其 TID 写入子任务内存。"],
        object: same("task->set_child_tid"),
        set: text("written by the child itself before user code; a bad address is ignored", "子任务在执行用户代码前自己写入；地址无效则忽略"),
        clear: text("untouched", "不动"),
        decided_by: "copy_process, schedule_tail",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    // From 2.6.0 to 2.6.37 the bit was CLONE_STOPPED.
    CLONE_NEWCGROUP = 0x0200_0000, since "4.6", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("cgroup namespace: its cgroup is its root", "cgroup 命名空间：当前 cgroup 为根"),
        meaning: ["New cgroup namespace: the present cgroup becomes its visible root.",
            "新建 cgroup 命名空间，当前 cgroup 成为其可见的根。"],
        object: same("nsproxy->cgroup_ns"),
        set: NEW_NAMESPACE,
        clear: NSPROXY_SHARED,
        decided_by: "copy_namespaces, copy_cgroup_ns",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/cgroup/namespace.c",
        namespace: "cgroup";

    CLONE_NEWUTS = 0x0400_0000, since "2.6.19", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("UTS namespace: own host and domain name", "UTS 命名空间：独立的主机名和域名"),
        meaning: ["Own hostname and domain name.",
            "新建 UTS 命名空间：主机名和域名独立。"],
        object: same("nsproxy->uts_ns"),
        set: NEW_NAMESPACE,
        clear: NSPROXY_SHARED,
        decided_by: "copy_namespaces, copy_utsname",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/utsname.c",
        namespace: "uts";

    CLONE_NEWIPC = 0x0800_0000, since "2.6.19", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("IPC namespace: own System V and mqueue", "IPC 命名空间：独立的 System V IPC 与消息队列"),
        meaning: ["Own System V IPC objects and POSIX message queues.",
            "新建 IPC 命名空间：System V IPC 与 POSIX 消息队列独立。"],
        object: same("nsproxy->ipc_ns"),
        set: NEW_NAMESPACE,
        clear: NSPROXY_SHARED,
        decided_by: "copy_namespaces, copy_ipcs",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, ipc/namespace.c",
        namespace: "ipc";

    // Usable without privilege since 3.8.
    CLONE_NEWUSER = 0x1000_0000, since "2.6.23", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("user namespace: own ids and capabilities", "用户命名空间：独立的 ID 与权能"),
        meaning: ["Own user and group ids and a full capability set inside.",
            "新建用户命名空间：独立的 UID/GID 映射，内部拥有全部权能。"],
        object: same("cred->user_ns"),
        set: text("new", "新建"),
        clear: text("shared", "共享"),
        decided_by: "copy_creds, create_user_ns",
        source: "include/uapi/linux/sched.h, kernel/cred.c, kernel/user_namespace.c",
        namespace: "user";

    CLONE_NEWPID = 0x2000_0000, since "2.6.24", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("pid namespace: the child is its pid 1", "PID 命名空间：子任务是 1 号进程"),
        meaning: ["Child is pid 1 of a new pid namespace.",
            "新建 PID 命名空间，子任务是其中的 1 号进程。"],
        object: same("nsproxy->pid_ns_for_children"),
        set: NEW_NAMESPACE,
        clear: NSPROXY_SHARED,
        decided_by: "copy_namespaces, copy_pid_ns",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/pid_namespace.c",
        namespace: "pid";

    CLONE_NEWNET = 0x4000_0000, since "2.6.24", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        verb: text("new", "新建"), what: text("network namespace: own devices and ports", "网络命名空间：独立的网卡与端口"),
        meaning: ["Own network devices, addresses, routes and ports.",
            "新建网络命名空间：网卡、地址、路由、端口都独立。"],
        object: same("nsproxy->net_ns"),
        set: NEW_NAMESPACE,
        clear: NSPROXY_SHARED,
        decided_by: "copy_namespaces, copy_net_ns",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, net/core/net_namespace.c",
        namespace: "net";

    CLONE_IO = 0x8000_0000, since "2.6.25", clone Takes, clone3 Takes, unshare Refuses, Shares,
        verb: text("shares", "共用"), what: text("the I/O context of block devices", "块设备 I/O 上下文"),
        meaning: ["Share the block-I/O context (seen as one stream by I/O schedulers).",
            "共用块设备 I/O 上下文（I/O 调度器视为同一个流）。"],
        object: same("io_context (task->io_context)"),
        set: text("the same object, where the caller has one", "同一个对象（若调用者有）"),
        clear: text("new with the same priority where one was set, else none", "设过优先级则新建同优先级的，否则无"),
        decided_by: "copy_io",
        source: "include/uapi/linux/sched.h, block/blk-ioc.c",
        piece: fresh(6, text("I/O context", "I/O 上下文"));

    CLONE_CLEAR_SIGHAND = 0x01_0000_0000, since "5.5", clone Ignores, clone3 Takes, unshare Refuses, Other,
        verb: text("resets", "恢复"), what: text("caught signals to their default", "已注册的信号处理函数为默认"),
        meaning: ["Child's caught signals go back to default; ignored ones stay ignored.",
            "子任务已注册的信号处理函数恢复默认；被忽略的仍忽略。"],
        object: same("sighand_struct (task->sighand)"),
        set: text("handlers reset in the new copy", "在新副本中重置处理函数"),
        clear: text("handlers kept", "保留处理函数"),
        decided_by: "copy_sighand",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_INTO_CGROUP = 0x02_0000_0000, since "5.7", clone Ignores, clone3 Takes, unshare Refuses, Other,
        verb: text("starts", "置于"), what: text("in the cgroup of a descriptor", "某描述符所指的 cgroup"),
        meaning: ["Child is born inside the cgroup v2 directory given by descriptor.",
            "子任务直接诞生在描述符所指的 cgroup v2 目录中。"],
        object: same("css_set (task->cgroups)"),
        set: text("the target's", "目标 cgroup 的"),
        clear: text("the caller's", "调用者的"),
        decided_by: "cgroup_can_fork, cgroup_post_fork",
        source: "include/uapi/linux/sched.h, kernel/cgroup/cgroup.c";

    CLONE_AUTOREAP = 0x04_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, Other,
        verb: text("reaps", "自动"), what: text("itself: no zombie, no signal, no wait", "回收：无僵尸、无信号、无需 wait"),
        meaning: ["Child vanishes on exit: no zombie, no signal, nothing to wait for.",
            "子进程退出后自动回收：无僵尸、无信号、无需 wait。"],
        object: same("signal->autoreap"),
        set: text("reaped at exit by the kernel, but not while ptraced", "退出时由内核回收（被 ptrace 时除外）"),
        clear: text("waits for its parent as a zombie", "成为僵尸，等待父进程"),
        decided_by: "copy_process, do_notify_parent",
        source: "include/uapi/linux/sched.h, kernel/fork.c, kernel/signal.c";

    CLONE_NNP = 0x08_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, Other,
        verb: text("sets", "设置"), what: text("no_new_privs: set-uid files give it nothing", "no_new_privs：set-uid 文件不再提权"),
        meaning: ["Child starts with no_new_privs (set-uid programs give it nothing).",
            "子进程一开始就带 no_new_privs（exec 无法再获得新权限）。"],
        object: text("the no_new_privs bit of the task", "任务的 no_new_privs 位"),
        set: text("set", "置位"),
        clear: text("inherited", "沿用"),
        decided_by: "copy_process",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_PIDFD_AUTOKILL = 0x10_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, Other,
        verb: text("kills", "杀死"), what: text("the child when its pidfd is closed", "子任务，当其 pidfd 关闭时"),
        meaning: ["Closing the last copy of the returned pidfd kills the child.",
            "返回的 pidfd 最后一个引用关闭时，子进程被 SIGKILL。"],
        object: text("a flag of the pidfd's file", "pidfd 文件上的标志"),
        set: text("the release of the file sends SIGKILL", "文件释放时发送 SIGKILL"),
        clear: text("closing the pidfd does nothing", "关闭 pidfd 不起作用"),
        decided_by: "copy_process",
        source: "include/uapi/linux/sched.h, kernel/fork.c, fs/pidfs.c";

    CLONE_EMPTY_MNTNS = 0x20_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, MakesNew,
        verb: text("new", "新建"), what: text("mount namespace with nothing but a root", "只含根的挂载命名空间"),
        meaning: ["New mount namespace holding only a root, none of the other mounts; implies CLONE_NEWNS.",
            "新建只含根挂载的“空”挂载命名空间；隐含 CLONE_NEWNS。"],
        object: same("nsproxy->mnt_ns"),
        set: text("a new mount namespace with a root alone", "新的挂载命名空间，只含一个根"),
        clear: text("as CLONE_NEWNS says", "按 CLONE_NEWNS"),
        decided_by: "copy_namespaces, copy_mnt_ns",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, fs/namespace.c";
}
