//! What each flag does, in a verb and its object: one row a flag, for the column beside its name.
//! In English and Chinese.
//! The kernel's own words for them are in clone(2) and in `include/uapi/linux/sched.h`.

/// A flag in words.
pub(super) struct Phrase {
    /// Its name.
    pub name: &'static str,
    /// What it does…
    pub verb: [&'static str; 2],
    /// … to what. No word of one call alone: the same row explains all calls with these flags.
    pub object: [&'static str; 2],
}

const fn row(name: &'static str, verb: [&'static str; 2], object: [&'static str; 2]) -> Phrase {
    Phrase { name, verb, object }
}

/// Every flag up to Linux 7.2, in the order of their bits.
#[rustfmt::skip]
static PHRASES: &[Phrase] = &[
    row("CLONE_NEWTIME", ["new", "新建"],
        ["time namespace: own offsets of the clocks", "时间命名空间：时钟偏移独立"]),
    row("CLONE_VM", ["shares", "共用"],
        ["the address space (mm)", "地址空间（mm）"]),
    row("CLONE_FS", ["shares", "共用"],
        ["root, working directory, umask", "根目录、当前目录、umask"]),
    row("CLONE_FILES", ["shares", "共用"],
        ["the descriptor table", "文件描述符表"]),
    row("CLONE_SIGHAND", ["shares", "共用"],
        ["the signal handlers", "信号处理函数表"]),
    row("CLONE_PIDFD", ["writes", "写入"],
        ["a descriptor of the child, for the caller", "指向子任务的描述符，返回给调用者"]),
    row("CLONE_PTRACE", ["hands", "移交"],
        ["the child to the caller's tracer, if any", "子任务给调用者的跟踪者（若有）"]),
    row("CLONE_VFORK", ["pauses", "挂起"],
        ["the caller until the child execs or ends", "调用者，直到子任务 exec 或退出"]),
    row("CLONE_PARENT", ["makes", "成为"],
        ["a sibling: its parent is the caller's parent", "兄弟：父进程是调用者的父进程"]),
    row("CLONE_THREAD", ["joins", "加入"],
        ["the caller's process: same tgid and getpid()", "调用者的进程：tgid 与 getpid() 相同"]),
    row("CLONE_NEWNS", ["new", "新建"],
        ["mount namespace: own copy of the mounts", "挂载命名空间：独立的挂载表"]),
    row("CLONE_SYSVSEM", ["shares", "共用"],
        ["the System V undo list", "System V 信号量撤销表"]),
    row("CLONE_SETTLS", ["sets", "设置"],
        ["the thread pointer (tls)", "线程指针（tls）"]),
    row("CLONE_PARENT_SETTID", ["writes", "写入"],
        ["the new tid to parent_tid, in the caller", "新 tid 到 parent_tid（调用者内存）"]),
    row("CLONE_CHILD_CLEARTID", ["zeroes", "清零"],
        ["child_tid at exit, wakes waiters", "child_tid（退出时），并唤醒等待者"]),
    row("CLONE_DETACHED", ["does", "毫无"],
        ["nothing since Linux 2.6.2", "作用（自 Linux 2.6.2）"]),
    row("CLONE_UNTRACED", ["hides", "避开"],
        ["the child from who follows forks", "跟随子进程的跟踪者"]),
    row("CLONE_CHILD_SETTID", ["writes", "写入"],
        ["the new tid to child_tid, in the child", "新 tid 到 child_tid（子任务内存）"]),
    row("CLONE_NEWCGROUP", ["new", "新建"],
        ["cgroup namespace: its cgroup is its root", "cgroup 命名空间：当前 cgroup 为根"]),
    row("CLONE_NEWUTS", ["new", "新建"],
        ["UTS namespace: own host and domain name", "UTS 命名空间：独立的主机名和域名"]),
    row("CLONE_NEWIPC", ["new", "新建"],
        ["IPC namespace: own System V and mqueue", "IPC 命名空间：独立的 System V IPC 与消息队列"]),
    row("CLONE_NEWUSER", ["new", "新建"],
        ["user namespace: own ids and capabilities", "用户命名空间：独立的 ID 与权能"]),
    row("CLONE_NEWPID", ["new", "新建"],
        ["pid namespace: the child is its pid 1", "PID 命名空间：子任务是 1 号进程"]),
    row("CLONE_NEWNET", ["new", "新建"],
        ["network namespace: own devices and ports", "网络命名空间：独立的网卡与端口"]),
    row("CLONE_IO", ["shares", "共用"],
        ["the I/O context of block devices", "块设备 I/O 上下文"]),
    row("CLONE_CLEAR_SIGHAND", ["resets", "恢复"],
        ["caught signals to their default", "已注册的信号处理函数为默认"]),
    row("CLONE_INTO_CGROUP", ["starts", "置于"],
        ["in the cgroup of a descriptor", "某描述符所指的 cgroup"]),
    row("CLONE_AUTOREAP", ["reaps", "自动"],
        ["itself: no zombie, no signal, no wait", "回收：无僵尸、无信号、无需 wait"]),
    row("CLONE_NNP", ["sets", "设置"],
        ["no_new_privs: set-uid files give it nothing", "no_new_privs：set-uid 文件不再提权"]),
    row("CLONE_PIDFD_AUTOKILL", ["kills", "杀死"],
        ["the child when its pidfd is closed", "子任务，当其 pidfd 关闭时"]),
    row("CLONE_EMPTY_MNTNS", ["new", "新建"],
        ["mount namespace with nothing but a root", "只含根的挂载命名空间"]),
];

/// The words for a flag; `None` for one that this version does not know.
pub(super) fn phrase(flag: &str) -> Option<&'static Phrase> {
    PHRASES.iter().find(|row| row.name == flag)
}

/// What a child gets a copy of where a flag does not share it.
pub(super) struct Copy {
    /// The flag that would share it.
    pub flag: &'static str,
    /// What is copied, and when.
    pub what: [&'static str; 2],
}

#[rustfmt::skip]
static COPIES: &[Copy] = &[
    Copy { flag: "CLONE_VM", what: ["address space (page tables now, pages when written)", "地址空间（页表立即复制，页面写时复制）"] },
    Copy { flag: "CLONE_FILES", what: ["descriptor table", "文件描述符表"] },
    Copy { flag: "CLONE_FS", what: ["root/cwd/umask", "根目录、当前目录、umask"] },
    Copy { flag: "CLONE_SIGHAND", what: ["signal handlers", "信号处理函数表"] },
];

/// What is copied, given which flags are set. Handlers that are reset are no copy.
pub(super) fn copies(set: impl Fn(&str) -> bool) -> Vec<&'static Copy> {
    COPIES
        .iter()
        .filter(|copy| !set(copy.flag))
        .filter(|copy| copy.flag != "CLONE_SIGHAND" || !set("CLONE_CLEAR_SIGHAND"))
        .collect()
}

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PHRASES.iter().map(|row| row.name)
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn rows_fit_their_columns() {
        for row in PHRASES {
            assert!(row.name.len() <= 21, "{}", row.name);
            assert!(
                row.verb.iter().all(|verb| verb.width() <= 7),
                "{}",
                row.name
            );
            assert!(!row.object.concat().contains(['{', '}']), "{}", row.name);
            assert!(
                std::ptr::eq(phrase(row.name).unwrap(), row),
                "{} twice",
                row.name
            );
        }
        assert!(phrase("CLONE_NOT_YET").is_none());
    }

    #[test]
    fn every_known_flag_has_words_and_every_word_a_flag() {
        let mut known: Vec<_> = crate::abi::FLAGS.iter().map(|flag| flag.name).collect();
        let mut said: Vec<_> = names().collect();
        known.sort_unstable();
        said.sort_unstable();
        assert_eq!(said, known);
    }

    #[test]
    fn only_what_is_not_shared_is_copied() {
        let copied = copies(|flag| ["CLONE_VM", "CLONE_CLEAR_SIGHAND"].contains(&flag));
        let copied: Vec<_> = copied.iter().map(|copy| copy.what[0]).collect();
        assert_eq!(copied, ["descriptor table", "root/cwd/umask"]);
        assert!(copies(|_| true).is_empty());
        assert_eq!(copies(|_| false).len(), 4);
    }
}
