//! The pieces of a task that are shared or copied: `copy_semundo` to `copy_mm`.

use crate::abi::flags::*;

use super::rule::*;
use crate::abi::lang::text;

pub(super) static ROWS: &[Rule] = &[
    Rule {
        id: "no-memory-for-undo-list",
        errnos: &["ENOMEM"],
        calls: BOTH,
        decided: Decided::Unseen,
        condition: "CLONE_SYSVSEM, and no memory for the list of semaphore undos",
        english: "out of kernel memory",
        chinese: "CLONE_SYSVSEM：没有内存建立信号量撤销表。",
        source: "ipc/sem.c, copy_semundo",
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_SYSVSEM),
        ..RULE
    },
    Rule {
        id: "nr-open-lowered",
        errnos: &["EMFILE"],
        decided: Decided::Look,
        condition: "no CLONE_FILES, and a descriptor open above what fs.nr_open now allows",
        english: "the limit was lowered after the descriptors had been opened",
        chinese: "无 CLONE_FILES，而已打开的描述符超过现在的 fs.nr_open：上限在打开之后被调低。",
        look: text(
            "/proc/PID/fd against /proc/sys/fs/nr_open",
            "/proc/PID/fd 与 /proc/sys/fs/nr_open",
        ),
        source: "fs/file.c, dup_fd",
        proof: Proof::Read,
        test: |a, _| !all_of(a, CLONE_FILES),
        ..RULE
    },
    Rule {
        id: "no-memory-for-files",
        errnos: &["ENOMEM"],
        decided: Decided::Unseen,
        condition: "no CLONE_FILES, and no memory for a copy of the descriptor table",
        english: "out of kernel memory",
        chinese: "无 CLONE_FILES：没有内存复制文件描述符表。",
        source: "fs/file.c, dup_fd",
        proof: Proof::Read,
        test: |a, _| !all_of(a, CLONE_FILES),
        ..RULE
    },
    Rule {
        id: "fs-during-exec",
        errnos: &["EAGAIN"],
        calls: BOTH,
        decided: Decided::Unseen,
        condition: "CLONE_FS while another thread is inside exec",
        english: "passes by itself: try again",
        chinese: "CLONE_FS 时恰有别的线程正在 exec：稍后重试即可。",
        source: "kernel/fork.c, copy_fs",
        proof: Proof::Read,
        test: |a, _| all_of(a, CLONE_FS),
        ..RULE
    },
    Rule {
        id: "no-memory-for-fs",
        errnos: &["ENOMEM"],
        decided: Decided::Unseen,
        condition: "no CLONE_FS, and no memory for a copy of root, current directory and umask",
        english: "out of kernel memory",
        chinese: "无 CLONE_FS：没有内存复制根目录、当前目录与 umask。",
        source: "kernel/fork.c, copy_fs",
        proof: Proof::Read,
        test: |a, _| !all_of(a, CLONE_FS),
        ..RULE
    },
    Rule {
        id: "no-memory-for-signals",
        errnos: &["ENOMEM"],
        decided: Decided::Unseen,
        condition: "no CLONE_SIGHAND or no CLONE_THREAD, and no memory for handlers or signal state",
        english: "out of kernel memory",
        chinese: "没有内存复制信号处理函数表或信号状态。",
        source: "kernel/fork.c, copy_sighand, copy_signal",
        proof: Proof::Read,
        test: |a, _| !all_of(a, CLONE_SIGHAND.union(CLONE_THREAD)),
        ..RULE
    },
    Rule {
        id: "no-memory-for-copy",
        errnos: &["ENOMEM"],
        decided: Decided::Look,
        condition: "no CLONE_VM, and the memory cannot be copied: overcommit refuses, or there is none for page tables",
        english: "the program is too large to be duplicated; vfork and posix_spawn need no copy",
        chinese: "无 CLONE_VM，地址空间无法复制：overcommit 拒绝，或页表内存不足；改用 vfork 或 posix_spawn 即可避免。",
        look: text(
            "/proc/sys/vm/overcommit_memory, VmData in /proc/PID/status, CommitLimit and Committed_AS in /proc/meminfo",
            "/proc/sys/vm/overcommit_memory、/proc/PID/status 中的 VmData、/proc/meminfo 中的 CommitLimit 和 Committed_AS",
        ),
        source: "kernel/fork.c, dup_mmap",
        proof: Proof::Read,
        test: |a, _| !all_of(a, CLONE_VM),
        ..RULE
    },
];
