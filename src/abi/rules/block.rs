//! Before the flags: the filter, and clone3's block of arguments (`copy_clone_args_from_user`,
//! `clone3_args_valid`).

use crate::abi::args::MAX_SET_TID;
use crate::abi::flags::*;

use super::arguments::{Arguments, Kernel, Tids};
use super::combinations::VALIDATED;
use super::rule::*;
use super::version::Version;
use crate::abi::lang::text;

const COPY: &str = "kernel/fork.c, copy_clone_args_from_user";
const VALID: &str = "kernel/fork.c, clone3_args_valid";

/// The exit signal's byte without CLONE_NEWTIME's bit.
const LOW: u64 = CSIGNAL & !CLONE_NEWTIME.0;

/// A field of the struct beyond those that this kernel knows is not zero, or the tail is not.
fn tail(arguments: &Arguments, kernel: &Kernel) -> bool {
    let known = kernel.block_size();
    let set_tid = known < 80 && (arguments.set_tid != 0 || arguments.set_tid_size != 0);
    let cgroup = known < 88 && arguments.cgroup != 0;
    arguments.size > known && (arguments.tail == Some(true) || set_tid || cgroup)
}

/// The stack that clone3 was given is none (`clone3_stack_valid`).
fn bad_stack(arguments: &Arguments, kernel: &Kernel) -> bool {
    if arguments.stack == 0 || arguments.stack_size == 0 {
        return false;
    }
    let end = arguments.stack.checked_add(arguments.stack_size);
    match (end, kernel.user_last) {
        (None, _) => true,
        (Some(end), Some(last)) => end > last,
        (Some(_), None) => false,
    }
}

pub(super) static ROWS: &[Rule] = &[
    Rule {
        id: "sandbox-filter",
        errnos: &[],
        decided: Decided::Unseen,
        condition: "a seccomp filter of the program or of its container answers",
        english: "the kernel never saw the call; sandboxes refuse clone3 with ENOSYS on purpose, so that libc falls back to clone, and new namespaces with EPERM",
        chinese: "程序或容器的 seccomp 过滤器代为应答，内核根本没看到这次调用；沙箱常故意让 clone3 返回 ENOSYS（libc 会退回 clone），让新建命名空间返回 EPERM。",
        look: text(
            "Seccomp and Seccomp_filters in /proc/PID/status",
            "/proc/PID/status 中的 Seccomp 和 Seccomp_filters",
        ),
        source: "kernel/seccomp.c, __seccomp_filter",
        ..RULE
    },
    Rule {
        id: "no-clone3",
        errnos: &["ENOSYS"],
        calls: CLONE3,
        until: Some(Version(5, 3, 0)),
        kernels: text(
            "sh and sparc have no clone3 in any version, hexagon and nios2 neither",
            "sh 和 sparc 的任何版本都没有 clone3，hexagon 和 nios2 也没有",
        ),
        condition: "clone3 on a kernel older than 5.3",
        english: "this kernel has no clone3; libc falls back to clone",
        chinese: "内核早于 5.3，没有 clone3；libc 会退回 clone。",
        source: "kernel/fork.c, clone3 (5.3)",
        proof: Proof::Read,
        ..RULE
    },
    Rule {
        id: "clone3-size-huge",
        errnos: &["E2BIG"],
        calls: CLONE3,
        since: Version(5, 3, 0),
        condition: "clone3 with a size above one page",
        english: "no version of struct clone_args is that large; the memory is not even touched",
        chinese: "clone3 的 size 超过一页：没有哪个版本的 struct clone_args 有这么大，内核连内存都不读。",
        source: COPY,
        test: |a, k| a.size > k.page_size,
        ..RULE
    },
    Rule {
        id: "clone3-size-small",
        calls: CLONE3,
        since: Version(5, 3, 0),
        condition: "clone3 with a size below 64",
        english: "the first version of struct clone_args has 64 bytes",
        chinese: "clone3 的 size 小于 64：struct clone_args 的第一版就有 64 字节。",
        source: COPY,
        test: |a, _| a.size < 64,
        ..RULE
    },
    // Before the known part is read, the rest is tested for zeros (copy_struct_from_user): a struct whose
    // beginning cannot be read but whose end can gets this answer.
    Rule {
        id: "clone3-unknown-tail",
        errnos: &["E2BIG"],
        calls: CLONE3,
        since: Version(5, 3, 0),
        condition: "clone3 with a non-zero byte past the fields that the kernel knows",
        english: "the program uses a newer feature than this kernel has",
        chinese: "clone3 结构体中内核不认识的部分有非零字节：程序用了比此内核更新的特性。",
        source: "include/linux/uaccess.h, copy_struct_from_user",
        test: tail,
        ..RULE
    },
    Rule {
        id: "clone3-unreadable",
        errnos: &["EFAULT"],
        calls: CLONE3,
        since: Version(5, 3, 0),
        condition: "clone3 with a struct that cannot be read",
        english: "bad pointer to struct clone_args",
        chinese: "clone3 的结构体指针无效，读不到。",
        source: "include/linux/uaccess.h, copy_struct_from_user",
        test: |a, k| !a.readable || (a.tail.is_none() && a.size > k.block_size()),
        ..RULE
    },
    Rule {
        id: "set-tid-too-many",
        calls: CLONE3,
        since: Version(5, 5, 0),
        condition: "set_tid_size above 32",
        english: "more entries than pid namespaces can nest",
        chinese: "set_tid_size 大于 32：超过 PID 命名空间可嵌套的层数。",
        source: COPY,
        test: |a, _| a.set_tid_size > MAX_SET_TID,
        ..RULE
    },
    Rule {
        id: "set-tid-half",
        calls: CLONE3,
        since: Version(5, 5, 0),
        condition: "set_tid without set_tid_size, or the other way round",
        english: "pointer and count disagree",
        chinese: "set_tid 与 set_tid_size 只给了一个：指针与个数不一致。",
        source: COPY,
        test: |a, _| (a.set_tid == 0) != (a.set_tid_size == 0),
        ..RULE
    },
    Rule {
        id: "clone3-exit-signal",
        calls: CLONE3,
        since: Version(5, 3, 0),
        kernels: text(
            "since 7.1 only numbers above 255 are refused here, and the others a moment later",
            "自 7.1 起此处只拒绝大于 255 的编号，其余稍后再拒绝",
        ),
        condition: "clone3 with an exit_signal above the highest signal",
        english: "not a signal number",
        chinese: "clone3 的 exit_signal 不是有效的信号编号。",
        source: COPY,
        test: |a, k| {
            let last = if k.version < VALIDATED {
                k.max_signal
            } else {
                CSIGNAL
            };
            a.exit_signal > last
        },
        ..RULE
    },
    Rule {
        id: "cgroup-field",
        calls: CLONE3,
        since: Version(5, 7, 0),
        condition: "CLONE_INTO_CGROUP with a cgroup above INT_MAX, or a struct below 88 bytes",
        english: "the struct holds no usable cgroup descriptor",
        chinese: "CLONE_INTO_CGROUP，但 cgroup 大于 INT_MAX 或结构体不足 88 字节：没有可用的 cgroup 描述符。",
        source: COPY,
        test: |a, _| {
            all_of(a, CLONE_INTO_CGROUP)
                && (a.cgroup > u64::from(i32::MAX.unsigned_abs()) || a.size < 88)
        },
        ..RULE
    },
    Rule {
        id: "set-tid-unreadable",
        errnos: &["EFAULT"],
        calls: CLONE3,
        since: Version(5, 5, 0),
        condition: "set_tid points to an array that cannot be read",
        english: "bad pointer to the wanted tids",
        chinese: "set_tid 数组的指针无效，读不到。",
        source: COPY,
        test: |a, _| a.set_tid != 0 && a.tids == Tids::Unreadable,
        ..RULE
    },
    Rule {
        id: "unknown-flag",
        calls: CLONE3,
        since: Version(5, 3, 0),
        condition: "clone3 with a flag that the kernel does not know",
        english: "clone3 refuses what it does not know; legacy clone ignores it",
        chinese: "clone3 带有此内核不认识的标志位：clone3 一律拒绝（旧的 clone 则忽略）。",
        source: VALID,
        // The low half is the next rule's.
        test: |a, k| a.word & !u64::from(u32::MAX) & !k.flags().0 != 0,
        ..RULE
    },
    Rule {
        id: "clone3-reserved-bits",
        calls: CLONE3,
        since: Version(5, 3, 0),
        kernels: text(
            "before 5.6 the bit 0x80, CLONE_NEWTIME since, as well",
            "5.6 之前还包括 0x80 这一位，此后它是 CLONE_NEWTIME",
        ),
        condition: "clone3 with CLONE_DETACHED, or with exit-signal bits in flags",
        english: "the exit signal has a field of its own, and CLONE_DETACHED is reserved",
        chinese: "clone3 的 flags 含 CLONE_DETACHED 或退出信号位：退出信号另有字段，CLONE_DETACHED 保留不用。",
        source: VALID,
        test: |a, k| {
            let low = if k.version < Version(5, 6, 0) {
                CSIGNAL
            } else {
                LOW
            };
            a.word & (CLONE_DETACHED.0 | low) != 0
        },
        ..RULE
    },
    Rule {
        id: "sighand-shared-and-cleared",
        calls: CLONE3,
        since: Version(5, 5, 0),
        condition: "CLONE_SIGHAND with CLONE_CLEAR_SIGHAND",
        english: "handlers cannot be both shared and reset",
        chinese: "CLONE_SIGHAND 与 CLONE_CLEAR_SIGHAND 同时出现：不能既共享又重置信号处理函数。",
        source: VALID,
        test: |a, _| all_of(a, CLONE_SIGHAND.union(CLONE_CLEAR_SIGHAND)),
        ..RULE
    },
    Rule {
        id: "exit-signal-not-own",
        calls: CLONE3,
        since: Version(5, 3, 0),
        condition: "clone3 with CLONE_THREAD or CLONE_PARENT and an exit_signal",
        english: "such a child has no exit signal of its own; legacy clone ignores it",
        chinese: "clone3 中 CLONE_THREAD 或 CLONE_PARENT 又带 exit_signal：这种子任务没有自己的退出信号（旧的 clone 会忽略）。",
        source: VALID,
        test: |a, _| any_of(a, CLONE_THREAD.union(CLONE_PARENT)) && a.exit_signal != 0,
        ..RULE
    },
    Rule {
        id: "clone3-stack-half",
        calls: CLONE3,
        since: Version(5, 4, 0),
        condition: "clone3 with stack but no stack_size, or the other way round",
        english: "stack and size must come together; stack is the lowest address",
        chinese: "clone3 的 stack 与 stack_size 只给了一个：二者必须同时给出，stack 是最低地址。",
        source: "kernel/fork.c, clone3_stack_valid",
        test: |a, _| (a.stack == 0) != (a.stack_size == 0),
        ..RULE
    },
    Rule {
        id: "clone3-stack-address",
        calls: CLONE3,
        since: Version(5, 4, 0),
        condition: "clone3 with a stack that does not lie in user addresses",
        english: "only the range is checked, not that memory is there",
        chinese: "clone3 的栈不在用户地址范围内（只查范围，不查是否已映射）。",
        source: "kernel/fork.c, clone3_stack_valid",
        test: bad_stack,
        ..RULE
    },
];
