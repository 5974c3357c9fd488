//! The rows: one per flag, in the order of their bits. A new flag is a new row here and nothing else.
//!
//! Complete up to Linux 7.2. The `unshare` column tells what unshare(2) does
//! with the same bit, where the sense of a sharing flag is turned round.

use super::{CloneFlags, Flag, Sense, Use};

/// Makes the named constants and the table out of the same rows.
macro_rules! flags {
    ($($name:ident = $bits:literal, since $since:literal,
       clone $clone:ident, clone3 $clone3:ident, unshare $unshare:ident, $sense:ident,
       object: $object:literal, set: $set:literal, clear: $clear:literal,
       decided_by: $decided_by:literal, english: $english:literal, chinese: $chinese:literal,
       source: $source:literal;)+) => {
        $(#[doc = $english]
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
            object: $object,
            set: $set,
            clear: $clear,
            decided_by: $decided_by,
            english: $english,
            chinese: $chinese,
            source: $source,
        }),+];
    };
}

flags! {
    // In legacy clone the bit belongs to the exit signal.
    CLONE_NEWTIME = 0x0000_0080, since "5.6", clone OtherMeaning, clone3 Takes, unshare Takes, MakesNew,
        object: "nsproxy->time_ns_for_children",
        set: "a new nsproxy with this namespace created, the others shared",
        clear: "the whole nsproxy shared",
        decided_by: "copy_namespaces, copy_time_ns",
        english: "Own offsets for the monotonic and boot clocks.",
        chinese: "新建时间命名空间：单调时钟和启动时钟可有独立偏移。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/time/namespace.c";

    CLONE_VM = 0x0000_0100, since "2.0", clone Takes, clone3 Takes, unshare Checks, Shares,
        object: "mm_struct (task->mm)",
        set: "the same object",
        clear: "duplicated: mappings and page tables copied, private pages write-protected on both sides",
        decided_by: "copy_mm",
        english: "Parent and child run in the same memory; a write by one is seen by the other. Without it the child gets a copy-on-write duplicate.",
        chinese: "父子共用同一地址空间，一方写入另一方立即可见；不设则子任务得到写时复制的副本。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_FS = 0x0000_0200, since "2.0", clone Takes, clone3 Takes, unshare Takes, Shares,
        object: "fs_struct (task->fs)",
        set: "the same object",
        clear: "copied",
        decided_by: "copy_fs",
        english: "Share root directory, current directory and umask: chdir in one moves both.",
        chinese: "共用根目录、当前目录和 umask：一方 chdir，另一方也跟着变。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_FILES = 0x0000_0400, since "2.0", clone Takes, clone3 Takes, unshare Takes, Shares,
        object: "files_struct (task->files)",
        set: "the same object",
        clear: "table copied, open files shared",
        decided_by: "copy_files",
        english: "Share the descriptor table: open/close in one changes the other. Without it the table is copied, but each open file (offset, status flags) is still common.",
        chinese: "共用文件描述符表：一方打开或关闭，另一方同样变化；不设则复制该表，但已打开文件的偏移量与状态标志仍然共用。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_SIGHAND = 0x0000_0800, since "2.0", clone Takes, clone3 Takes, unshare Checks, Shares,
        object: "sighand_struct (task->sighand)",
        set: "the same object",
        clear: "table copied",
        decided_by: "copy_sighand",
        english: "Share the table of signal handlers. Blocked masks and pending signals stay per task.",
        chinese: "共用信号处理函数表；信号屏蔽字和待决信号仍各自独立。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    // Before 2.6 the bit was CLONE_PID, then the kernel's own CLONE_IDLETASK.
    CLONE_PIDFD = 0x0000_1000, since "5.2", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "a pidfs file in the caller's descriptor table",
        set: "made after the table was copied, so the child does not inherit it",
        clear: "none",
        decided_by: "copy_process",
        english: "Give the caller a descriptor (close-on-exec) that refers to the new task.",
        chinese: "给调用者返回一个指向新任务的描述符 pidfd（自带 close-on-exec）。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_PTRACE = 0x0000_2000, since "2.2", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "task->ptrace, task->parent",
        set: "attached to the caller's tracer",
        clear: "untraced, unless the tracer follows this kind of event",
        decided_by: "ptrace_init_task",
        english: "If the caller is being traced, its tracer gets the child as well.",
        chinese: "若调用者正被跟踪，子任务也交给同一个跟踪者。",
        source: "include/uapi/linux/sched.h, include/linux/ptrace.h";

    CLONE_VFORK = 0x0000_4000, since "2.2", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "task->vfork_done",
        set: "the caller waits in a killable sleep",
        clear: "the caller does not wait",
        decided_by: "kernel_clone",
        english: "The calling thread sleeps until the child execs or exits.",
        chinese: "调用线程挂起，直到子任务 exec 或退出才继续。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_PARENT = 0x0000_8000, since "2.3.12", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "task->real_parent, task->exit_signal",
        set: "the caller's parent; the exit signal of the caller's group leader",
        clear: "the caller; the exit signal that was passed",
        decided_by: "copy_process",
        english: "The child becomes a sibling: its parent is the caller's parent.",
        chinese: "子任务成为调用者的兄弟：父进程是调用者的父进程。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_THREAD = 0x0001_0000, since "2.4.0", clone Takes, clone3 Takes, unshare Checks, Shares,
        object: "signal_struct (task->signal), tgid, group_leader",
        set: "shared: limits, timers, terminal, shared pending signals, session, process group",
        clear: "new: limits copied, timers and pending signals fresh",
        decided_by: "copy_signal, copy_process",
        english: "Join the caller's process: same tgid, same getpid(), no exit signal, cannot be waited for.",
        chinese: "加入调用者所在进程：tgid 与 getpid() 相同，退出不发信号，也不能被 wait。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_NEWNS = 0x0002_0000, since "2.4.19", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        object: "nsproxy->mnt_ns",
        set: "a new nsproxy with this namespace created, the others shared",
        clear: "the whole nsproxy shared",
        decided_by: "copy_namespaces, copy_mnt_ns",
        english: "Own copy of the mount table.",
        chinese: "新建挂载命名空间：得到一份独立的挂载表。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, fs/namespace.c";

    CLONE_SYSVSEM = 0x0004_0000, since "2.5.10", clone Takes, clone3 Takes, unshare Takes, Shares,
        object: "sem_undo_list (task->sysvsem.undo_list)",
        set: "the same list, made where there is none",
        clear: "none",
        decided_by: "copy_semundo",
        english: "Share the System V SEM_UNDO list. Without it the child starts with an empty list (nothing is copied).",
        chinese: "共用 System V 信号量的 SEM_UNDO 撤销表；不设则子任务从空表开始（并非复制）。",
        source: "include/uapi/linux/sched.h, ipc/sem.c";

    CLONE_SETTLS = 0x0008_0000, since "2.5.32", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "the thread pointer",
        set: "set from tls",
        clear: "inherited",
        decided_by: "copy_thread",
        english: "Set the child's thread pointer from the tls argument.",
        chinese: "用 tls 参数设置子任务的线程指针（线程局部存储基址）。",
        source: "include/uapi/linux/sched.h, arch/*/kernel/process.c";

    // From 7.1 unshare takes this bit as UNSHARE_EMPTY_MNTNS.
    CLONE_PARENT_SETTID = 0x0010_0000, since "2.5.49", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "a word of the caller's memory",
        set: "written before the child is woken; a bad address is ignored",
        clear: "untouched",
        decided_by: "kernel_clone",
        english: "Write the new tid into the parent's memory.",
        chinese: "把新任务的 TID 写到父进程内存中的指定位置。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_CHILD_CLEARTID = 0x0020_0000, since "2.5.49", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "task->clear_child_tid",
        set: "zeroed and a futex woken at exit or exec, while the memory has another user",
        clear: "none",
        decided_by: "copy_process, mm_release",
        english: "When the child exits or execs, zero a word and wake a futex on it (how pthread_join learns of the end).",
        chinese: "子任务退出或 exec 时把指定的字清零并唤醒其上的 futex（pthread_join 靠它得知结束）。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    // Legacy clone refuses it together with CLONE_PIDFD: see `split_clone`. Gone as a feature since 2.6.2.
    CLONE_DETACHED = 0x0040_0000, since "2.5.32", clone Ignores, clone3 Refuses, unshare Refuses, Other,
        object: "none",
        set: "nothing",
        clear: "nothing",
        decided_by: "copy_process",
        english: "Dead flag, no effect.",
        chinese: "已废弃，无任何作用。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_UNTRACED = 0x0080_0000, since "2.5.46", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "none",
        set: "no ptrace event, no attaching by the tracer's options",
        clear: "as the tracer's options say",
        decided_by: "kernel_clone",
        english: "A tracer's follow-fork options do not apply to this child.",
        chinese: "跟踪者的“跟随子进程”选项对该子任务无效。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_CHILD_SETTID = 0x0100_0000, since "2.5.49", clone Takes, clone3 Takes, unshare Refuses, Other,
        object: "task->set_child_tid",
        set: "written by the child itself before user code; a bad address is ignored",
        clear: "untouched",
        decided_by: "copy_process, schedule_tail",
        english: "Write the tid into the child's memory before it runs user code.",
        chinese: "子任务执行用户代码之前，把其 TID 写入子任务内存。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    // From 2.6.0 to 2.6.37 the bit was CLONE_STOPPED.
    CLONE_NEWCGROUP = 0x0200_0000, since "4.6", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        object: "nsproxy->cgroup_ns",
        set: "a new nsproxy with this namespace created, the others shared",
        clear: "the whole nsproxy shared",
        decided_by: "copy_namespaces, copy_cgroup_ns",
        english: "New cgroup namespace: the present cgroup becomes its visible root.",
        chinese: "新建 cgroup 命名空间，当前 cgroup 成为其可见的根。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/cgroup/namespace.c";

    CLONE_NEWUTS = 0x0400_0000, since "2.6.19", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        object: "nsproxy->uts_ns",
        set: "a new nsproxy with this namespace created, the others shared",
        clear: "the whole nsproxy shared",
        decided_by: "copy_namespaces, copy_utsname",
        english: "Own hostname and domain name.",
        chinese: "新建 UTS 命名空间：主机名和域名独立。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/utsname.c";

    CLONE_NEWIPC = 0x0800_0000, since "2.6.19", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        object: "nsproxy->ipc_ns",
        set: "a new nsproxy with this namespace created, the others shared",
        clear: "the whole nsproxy shared",
        decided_by: "copy_namespaces, copy_ipcs",
        english: "Own System V IPC objects and POSIX message queues.",
        chinese: "新建 IPC 命名空间：System V IPC 与 POSIX 消息队列独立。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, ipc/namespace.c";

    // Usable without privilege since 3.8.
    CLONE_NEWUSER = 0x1000_0000, since "2.6.23", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        object: "cred->user_ns",
        set: "new",
        clear: "shared",
        decided_by: "copy_creds, create_user_ns",
        english: "Own user and group ids and a full capability set inside.",
        chinese: "新建用户命名空间：独立的 UID/GID 映射，内部拥有全部权能。",
        source: "include/uapi/linux/sched.h, kernel/cred.c, kernel/user_namespace.c";

    CLONE_NEWPID = 0x2000_0000, since "2.6.24", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        object: "nsproxy->pid_ns_for_children",
        set: "a new nsproxy with this namespace created, the others shared",
        clear: "the whole nsproxy shared",
        decided_by: "copy_namespaces, copy_pid_ns",
        english: "Child is pid 1 of a new pid namespace.",
        chinese: "新建 PID 命名空间，子任务是其中的 1 号进程。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, kernel/pid_namespace.c";

    CLONE_NEWNET = 0x4000_0000, since "2.6.24", clone Takes, clone3 Takes, unshare Takes, MakesNew,
        object: "nsproxy->net_ns",
        set: "a new nsproxy with this namespace created, the others shared",
        clear: "the whole nsproxy shared",
        decided_by: "copy_namespaces, copy_net_ns",
        english: "Own network devices, addresses, routes and ports.",
        chinese: "新建网络命名空间：网卡、地址、路由、端口都独立。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, net/core/net_namespace.c";

    CLONE_IO = 0x8000_0000, since "2.6.25", clone Takes, clone3 Takes, unshare Refuses, Shares,
        object: "io_context (task->io_context)",
        set: "the same object, where the caller has one",
        clear: "new with the same priority where one was set, else none",
        decided_by: "copy_io",
        english: "Share the block-I/O context (seen as one stream by I/O schedulers).",
        chinese: "共用块设备 I/O 上下文（I/O 调度器视为同一个流）。",
        source: "include/uapi/linux/sched.h, block/blk-ioc.c";

    CLONE_CLEAR_SIGHAND = 0x01_0000_0000, since "5.5", clone Ignores, clone3 Takes, unshare Refuses, Other,
        object: "sighand_struct (task->sighand)",
        set: "handlers reset in the new copy",
        clear: "handlers kept",
        decided_by: "copy_sighand",
        english: "Child's caught signals go back to default; ignored ones stay ignored.",
        chinese: "子任务已注册的信号处理函数恢复默认；被忽略的仍忽略。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_INTO_CGROUP = 0x02_0000_0000, since "5.7", clone Ignores, clone3 Takes, unshare Refuses, Other,
        object: "css_set (task->cgroups)",
        set: "the target's",
        clear: "the caller's",
        decided_by: "cgroup_can_fork, cgroup_post_fork",
        english: "Child is born inside the cgroup v2 directory given by descriptor.",
        chinese: "子任务直接诞生在描述符所指的 cgroup v2 目录中。",
        source: "include/uapi/linux/sched.h, kernel/cgroup/cgroup.c";

    CLONE_AUTOREAP = 0x04_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, Other,
        object: "signal->autoreap",
        set: "reaped at exit by the kernel, but not while ptraced",
        clear: "waits for its parent as a zombie",
        decided_by: "copy_process, do_notify_parent",
        english: "Child vanishes on exit: no zombie, no signal, nothing to wait for.",
        chinese: "子进程退出后自动回收：无僵尸、无信号、无需 wait。",
        source: "include/uapi/linux/sched.h, kernel/fork.c, kernel/signal.c";

    CLONE_NNP = 0x08_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, Other,
        object: "the no_new_privs bit of the task",
        set: "set",
        clear: "inherited",
        decided_by: "copy_process",
        english: "Child starts with no_new_privs (set-uid programs give it nothing).",
        chinese: "子进程一开始就带 no_new_privs（exec 无法再获得新权限）。",
        source: "include/uapi/linux/sched.h, kernel/fork.c";

    CLONE_PIDFD_AUTOKILL = 0x10_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, Other,
        object: "a flag of the pidfd's file",
        set: "the release of the file sends SIGKILL",
        clear: "closing the pidfd does nothing",
        decided_by: "copy_process",
        english: "Closing the last copy of the returned pidfd kills the child.",
        chinese: "返回的 pidfd 最后一个引用关闭时，子进程被 SIGKILL。",
        source: "include/uapi/linux/sched.h, kernel/fork.c, fs/pidfs.c";

    CLONE_EMPTY_MNTNS = 0x20_0000_0000, since "7.1", clone Ignores, clone3 Takes, unshare Refuses, MakesNew,
        object: "nsproxy->mnt_ns",
        set: "a new mount namespace with a root alone",
        clear: "as CLONE_NEWNS says",
        decided_by: "copy_namespaces, copy_mnt_ns",
        english: "New mount namespace holding only a root, none of the other mounts; implies CLONE_NEWNS.",
        chinese: "新建只含根挂载的“空”挂载命名空间；隐含 CLONE_NEWNS。",
        source: "include/uapi/linux/sched.h, kernel/nsproxy.c, fs/namespace.c";
}
