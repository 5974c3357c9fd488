//! The steps, as a table: a row for each function that shares, copies or makes a piece.

use crate::abi::flags::*;

use super::fate::Fate::{Copied, Done, New, None as Nothing, Shared};
use super::fate::Row;

/// The steps, in the kernel's order (kernel/fork.c, `copy_process`, `kernel_clone`).
pub(super) static ROWS: &[Row] = &[
    Row {
        function: "dup_task_struct",
        tell: |_| {
            let copied = (
                Copied,
                "the task structure, with a kernel stack of its own",
                "任务结构，另有自己的内核栈",
            );
            Some(copied)
        },
    },
    Row {
        function: "copy_creds",
        tell: |set| {
            Some(if set.has(CLONE_NEWUSER) {
                (
                    New,
                    "a user namespace, with every capability in it",
                    "新的用户命名空间，内部拥有全部权能",
                )
            } else if set.has(CLONE_THREAD) {
                (
                    Shared,
                    "credentials, until one of them changes its own",
                    "凭证共用，直到其中一方修改自己的",
                )
            } else {
                (Copied, "credentials", "凭证")
            })
        },
    },
    Row {
        function: "sched_fork",
        tell: |_| {
            Some((
                Copied,
                "policy, priority, nice, allowed processors",
                "调度策略、优先级、nice、可用处理器",
            ))
        },
    },
    Row {
        function: "copy_semundo",
        tell: |set| {
            Some(if set.has(CLONE_SYSVSEM) {
                (
                    Shared,
                    "the list of System V semaphore undos",
                    "System V 信号量撤销表",
                )
            } else {
                (
                    Nothing,
                    "no semaphore undos: nothing is copied",
                    "没有信号量撤销表：不复制任何内容",
                )
            })
        },
    },
    Row {
        function: "copy_files",
        tell: |set| {
            Some(if set.has(CLONE_FILES) {
                (
                    Shared,
                    "the descriptor table: files->count + 1",
                    "文件描述符表：files->count 加 1",
                )
            } else {
                (
                    Copied,
                    "the descriptor table; open files stay common, offsets included",
                    "文件描述符表；已打开的文件（连同偏移量）仍共用",
                )
            })
        },
    },
    Row {
        function: "copy_fs",
        tell: |set| {
            Some(if set.has(CLONE_FS) {
                (
                    Shared,
                    "root, current directory, umask: fs->users + 1",
                    "根目录、当前目录、umask：fs->users 加 1",
                )
            } else {
                (
                    Copied,
                    "root, current directory, umask",
                    "根目录、当前目录、umask",
                )
            })
        },
    },
    Row {
        function: "copy_sighand",
        tell: |set| {
            Some(if set.has(CLONE_SIGHAND) {
                (
                    Shared,
                    "signal handlers: sighand->count + 1",
                    "信号处理函数表：sighand->count 加 1",
                )
            } else if set.has(CLONE_CLEAR_SIGHAND) {
                (
                    New,
                    "signal handlers, all back to default but the ignored",
                    "信号处理函数表，除被忽略的外全部恢复默认",
                )
            } else {
                (Copied, "signal handlers", "信号处理函数表")
            })
        },
    },
    Row {
        function: "copy_signal",
        tell: |set| {
            Some(if set.has(CLONE_THREAD) {
                (
                    Shared,
                    "what a process has as one: limits, timers, terminal, session",
                    "进程级状态：资源限制、定时器、终端、会话",
                )
            } else {
                (
                    New,
                    "what a process has as one; limits are copied, timers start afresh",
                    "进程级状态；资源限制照抄，定时器从头开始",
                )
            })
        },
    },
    Row {
        function: "copy_mm",
        tell: |set| {
            Some(if set.has(CLONE_VM) {
                (
                    Shared,
                    "memory: mm->mm_users + 1, a pointer assigned",
                    "内存：mm->mm_users 加 1，只赋一个指针",
                )
            } else {
                (
                    Copied,
                    "memory: page tables duplicated (dup_mm), pages copied on write",
                    "内存：复制页表（dup_mm），页面写时复制",
                )
            })
        },
    },
    Row {
        function: "copy_namespaces",
        tell: |set| {
            let asked = set
                .effective()
                .rows()
                .any(|flag| flag.sense == Sense::MakesNew && flag.flags() != CLONE_NEWUSER);
            Some(if asked {
                (
                    New,
                    "the namespaces that are asked for; the others shared",
                    "所要求的命名空间；其余共享",
                )
            } else {
                (
                    Shared,
                    "every namespace: one nsproxy",
                    "全部命名空间：同一个 nsproxy",
                )
            })
        },
    },
    Row {
        function: "copy_io",
        tell: |set| {
            Some(if set.has(CLONE_IO) {
                (
                    Shared,
                    "the block-I/O context, where the caller has one",
                    "块 I/O 上下文（若调用者有）",
                )
            } else {
                (
                    Nothing,
                    "no block-I/O context, or a new one of the same priority",
                    "没有块 I/O 上下文；设过优先级则新建同优先级的",
                )
            })
        },
    },
    Row {
        function: "copy_thread",
        tell: |set| {
            Some(match (set.has(CLONE_SETTLS), set.stack) {
                (true, Some(false)) => (
                    Copied,
                    "registers; the thread pointer is set from tls",
                    "寄存器；线程指针取自 tls",
                ),
                (true, _) => (
                    Copied,
                    "registers; stack pointer as given, thread pointer set from tls",
                    "寄存器；栈指针按参数，线程指针取自 tls",
                ),
                (false, Some(false)) => (
                    Copied,
                    "registers, stack pointer and thread pointer included",
                    "寄存器，含栈指针与线程指针",
                ),
                (false, _) => (
                    Copied,
                    "registers and thread pointer; stack pointer as given, or the caller's",
                    "寄存器与线程指针；栈指针按参数，未给则同调用者",
                ),
            })
        },
    },
    Row {
        function: "alloc_pid",
        tell: |set| {
            Some(if set.has(CLONE_NEWPID) {
                (
                    New,
                    "a tid in each pid namespace, 1 in the new one",
                    "在每层 PID 命名空间各分配一个 TID，新的一层里是 1",
                )
            } else {
                (
                    New,
                    "a tid in each pid namespace",
                    "在每层 PID 命名空间各分配一个 TID",
                )
            })
        },
    },
    Row {
        function: "pidfd_prepare",
        tell: |set| {
            set.has(CLONE_PIDFD).then_some((
                New,
                "a descriptor for the child, in the caller's table",
                "指向子任务的描述符，放入调用者的表",
            ))
        },
    },
    Row {
        function: "cgroup_can_fork",
        tell: |set| {
            Some(if set.has(CLONE_INTO_CGROUP) {
                (
                    New,
                    "the cgroup that the descriptor names",
                    "描述符所指的 cgroup",
                )
            } else {
                (Shared, "the caller's cgroups", "调用者的 cgroup")
            })
        },
    },
    Row {
        function: "copy_process",
        tell: |set| {
            Some(if set.has(CLONE_THREAD) {
                (
                    Shared,
                    "tgid and group leader: the caller's process goes on",
                    "tgid 与线程组组长：仍是调用者的进程",
                )
            } else if set.has(CLONE_PARENT) {
                (
                    New,
                    "tgid = tid: a process; its parent is the caller's parent",
                    "tgid 等于 tid：新进程，父进程是调用者的父进程",
                )
            } else {
                (
                    New,
                    "tgid = tid: a process, and the caller is its parent",
                    "tgid 等于 tid：新进程，父进程是调用者",
                )
            })
        },
    },
    Row {
        function: "ptrace_init_task",
        tell: |set| {
            Some(match (set.has(CLONE_UNTRACED), set.has(CLONE_PTRACE)) {
                (_, true) => (
                    Shared,
                    "the caller's tracer, if there is one",
                    "调用者的跟踪者（若有）",
                ),
                (true, false) => (
                    Nothing,
                    "no tracer, whatever its options say",
                    "不被跟踪，无论跟踪者选项如何",
                ),
                (false, false) => (
                    Nothing,
                    "no tracer, unless the tracer's options say so",
                    "不被跟踪，除非跟踪者的选项要求",
                ),
            })
        },
    },
    Row {
        function: "kernel_clone",
        tell: |set| {
            set.has(CLONE_PARENT_SETTID).then_some((
                Done,
                "the tid is written into the caller's memory",
                "把 TID 写入调用者内存",
            ))
        },
    },
    Row {
        function: "wake_up_new_task",
        tell: |_| Some((Done, "the child can run", "子任务可以运行")),
    },
    Row {
        function: "schedule_tail",
        tell: |set| {
            set.has(CLONE_CHILD_SETTID).then_some((
                Done,
                "the child writes its tid into its own memory first",
                "子任务先把自己的 TID 写入自己的内存",
            ))
        },
    },
    Row {
        function: "wait_for_vfork_done",
        tell: |set| {
            set.has(CLONE_VFORK).then_some((
                Done,
                "the caller sleeps until the child execs or ends",
                "调用者休眠，直到子任务 exec 或结束",
            ))
        },
    },
    Row {
        function: "mm_release",
        tell: |set| {
            set.has(CLONE_CHILD_CLEARTID).then_some((
                Done,
                "at the child's end: child_tid is zeroed and a futex woken",
                "子任务结束时：child_tid 清零并唤醒 futex",
            ))
        },
    },
];
