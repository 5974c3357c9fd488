//! What stands beside rows of other tables in English alone (where to look, which kernels, which
//! library, whom it serves), in Chinese. By the English text: a row is written once.

/// The text in Chinese; itself, where it is names and paths alone.
pub fn phrase(english: &'static str) -> &'static str {
    let found = PHRASES.iter().find(|(one, _)| *one == english);
    found.map_or(english, |(_, chinese)| chinese)
}

#[rustfmt::skip]
static PHRASES: &[(&str, &str)] = &[
    ("Seccomp and Seccomp_filters in /proc/PID/status",
     "/proc/PID/status 中的 Seccomp 和 Seccomp_filters"),
    ("/proc/sys/kernel/unprivileged_userns_clone, effective capabilities",
     "/proc/sys/kernel/unprivileged_userns_clone、有效权能"),
    ("the last number of NSpid in /proc/PID/status is 1",
     "/proc/PID/status 中 NSpid 的最后一个数是否为 1"),
    ("/proc/PID/ns/pid_for_children differs from /proc/PID/ns/pid",
     "/proc/PID/ns/pid_for_children 是否不同于 /proc/PID/ns/pid"),
    ("/proc/PID/ns/time_for_children differs from /proc/PID/ns/time",
     "/proc/PID/ns/time_for_children 是否不同于 /proc/PID/ns/time"),
    ("effective capabilities",
     "有效权能"),
    ("the parents of /proc/PID/ns/user (NS_GET_PARENT)",
     "/proc/PID/ns/user 的各级父命名空间（NS_GET_PARENT）"),
    ("/proc/PID/root against the root of the mount namespace",
     "/proc/PID/root 与挂载命名空间的根是否相同"),
    ("/proc/PID/limits, the tasks of the uid, effective capabilities",
     "/proc/PID/limits、该 uid 的任务数、有效权能"),
    ("/proc/sys/kernel/threads-max against the total in /proc/loadavg",
     "/proc/sys/kernel/threads-max 与 /proc/loadavg 中的总数"),
    ("field 41 (policy) of /proc/PID/stat is 6",
     "/proc/PID/stat 的第 41 个字段（调度策略）是否为 6"),
    ("/proc/PID/fd against /proc/sys/fs/nr_open",
     "/proc/PID/fd 与 /proc/sys/fs/nr_open"),
    ("/proc/sys/vm/overcommit_memory, VmData in /proc/PID/status, CommitLimit and Committed_AS in /proc/meminfo",
     "/proc/sys/vm/overcommit_memory、/proc/PID/status 中的 VmData、/proc/meminfo 中的 CommitLimit 和 Committed_AS"),
    ("CapEff in /proc/PID/status",
     "/proc/PID/status 中的 CapEff"),
    ("/proc/self/ns has no such entry",
     "/proc/self/ns 中是否没有这一项"),
    ("the owners (NS_GET_USERNS) of /proc/PID/ns/pid",
     "/proc/PID/ns/pid 的所有者（NS_GET_USERNS）"),
    ("the count of numbers in NSpid of /proc/PID/status",
     "/proc/PID/status 的 NSpid 中有几个数"),
    ("the 16 bytes at tls",
     "tls 处的 16 个字节"),
    ("the count of numbers in NSpid of /proc/PID/status, one more with CLONE_NEWPID",
     "/proc/PID/status 的 NSpid 中有几个数，带 CLONE_NEWPID 时再加一"),
    ("CLONE_NEWPID, or /proc/PID/ns/pid_for_children",
     "CLONE_NEWPID，或 /proc/PID/ns/pid_for_children"),
    ("/proc/sys/kernel/pid_max, the number of tasks",
     "/proc/sys/kernel/pid_max、任务数"),
    ("/proc/PID/ns/pid_for_children cannot be read, or differs from /proc/PID/ns/pid",
     "/proc/PID/ns/pid_for_children 是否读不出，或不同于 /proc/PID/ns/pid"),
    ("/proc/PID/maps at that address",
     "/proc/PID/maps 中的该地址"),
    ("the permissions of cgroup.procs there and in the common ancestor",
     "该处与共同祖先处 cgroup.procs 的权限"),
    ("cgroup.type there",
     "该处的 cgroup.type"),
    ("cgroup.subtree_control there",
     "该处的 cgroup.subtree_control"),
    ("cpuset.cpus.effective there",
     "该处的 cpuset.cpus.effective"),
    ("pids.max, pids.current and pids.events of each cgroup upwards",
     "逐级向上各 cgroup 的 pids.max、pids.current 和 pids.events"),
    ("sh and sparc have no clone3 in any version, hexagon and nios2 neither",
     "sh 和 sparc 的任何版本都没有 clone3，hexagon 和 nios2 也没有"),
    ("before 5.6 the bit 0x80, CLONE_NEWTIME since, as well",
     "5.6 之前还包括 0x80 这一位，此后它是 CLONE_NEWTIME"),
    ("clone3 lets it pass before 5.9",
     "5.9 之前 clone3 放行"),
    ("a patch of Debian's and Ubuntu's kernels, and of Arch's hardened one; mainline has no such switch",
     "Debian 和 Ubuntu 内核以及 Arch 加固内核的补丁；主线没有这个开关"),
    ("since 6.3 the call is accepted, and the change waits for exec",
     "自 6.3 起接受此调用，改变推迟到 exec"),
    ("before 4.19 a signal that arrived later in the call did the same",
     "4.19 之前，在调用中较晚到达的信号也会如此"),
    ("EUSERS before 4.9",
     "4.9 之前是 EUSERS"),
    ("Ubuntu's AppArmor restricts unprivileged user namespaces since 24.04",
     "自 24.04 起，Ubuntu 的 AppArmor 限制非特权用户命名空间"),
    ("checked before the user namespace is made up to 5.13; counted for each user namespace since 5.14",
     "到 5.13 为止在新建用户命名空间之前检查；自 5.14 起按用户命名空间分别计数"),
    ("x86-64 programs alone",
     "仅限 x86-64 程序"),
    ("i386 programs alone, whose tls is the address of a struct user_desc",
     "仅限 i386 程序，其 tls 是 struct user_desc 的地址"),
    ("pid_max is each pid namespace's own since 6.14",
     "自 6.14 起每个 PID 命名空间各有自己的 pid_max"),
    ("7.x kernels check it after the permission and the tids in use",
     "7.x 内核在检查权限和已用的 tid 之后才检查"),
    ("CAP_SYS_ADMIN alone before 5.9",
     "5.9 之前只认 CAP_SYS_ADMIN"),
    ("ERESTARTNOINTR before 4.19",
     "4.19 之前是 ERESTARTNOINTR"),
    ("since 5.7; 5.5 and 5.6 took bit 32 for CLONE_CLEAR_SIGHAND",
     "自 5.7 起；5.5 和 5.6 把第 32 位当作 CLONE_CLEAR_SIGHAND"),
    ("refused together with CLONE_PIDFD since 5.2",
     "自 5.2 起与 CLONE_PIDFD 同用会被拒绝"),
    ("glibc 2.34 and later, where it has a clone3 wrapper",
     "glibc 2.34 及以后，且有 clone3 封装"),
    ("glibc before 2.34, or without a clone3 wrapper; its fall-back; bionic",
     "2.34 之前或没有 clone3 封装的 glibc，及其后备办法；bionic"),
    ("glibc and bionic",
     "glibc 和 bionic"),
    ("musl, and system calls made by hand",
     "musl，以及手写的系统调用"),
    ("musl, on machines without the call fork",
     "musl，在没有 fork 调用的机器上"),
    ("glibc, musl and bionic",
     "glibc、musl 和 bionic"),
    ("glibc, on machines without the call vfork",
     "glibc，在没有 vfork 调用的机器上"),
    ("musl and bionic, on machines without the call vfork",
     "musl 和 bionic，在没有 vfork 调用的机器上"),
    ("clone3 has always refused them, earlier in its checks; clone accepted them and signalled nobody",
     "clone3 一向在更早的检查中拒绝；clone 此前会接受，子任务结束时不发信号"),
    ("since 7.1 only numbers above 255 are refused here, and the others a moment later",
     "自 7.1 起此处只拒绝大于 255 的编号，其余稍后再拒绝"),
    ("refused since 7.1: no signal has such a number",
     "自 7.1 起被拒绝：没有这样编号的信号"),
    ("refused since 7.1",
     "自 7.1 起被拒绝"),
    ("glibc 2.24 to 2.33, or without a clone3 wrapper; musl",
     "glibc 2.24 到 2.33，或没有 clone3 封装；musl"),
    ("glibc 2.34 to 2.36",
     "glibc 2.34 到 2.36"),
    ("glibc 2.37 and later",
     "glibc 2.37 及以后"),
    ("glibc 2.39 and later, with posix_spawnattr_setcgroup_np",
     "glibc 2.39 及以后，用了 posix_spawnattr_setcgroup_np"),
    ("glibc 2.39 and later",
     "glibc 2.39 及以后"),
    ("the Go runtime on amd64",
     "amd64 上的 Go 运行时"),
    ("the Go runtime elsewhere",
     "其他机器上的 Go 运行时"),
    ("Go's syscall package",
     "Go 的 syscall 包"),
    ("Go's syscall package, 1.23 and later, where a pidfd is wanted",
     "Go 1.23 及以后的 syscall 包，需要 pidfd 时"),
    ("Go's syscall package, with a user namespace",
     "Go 的 syscall 包，新建用户命名空间时"),
    ("Go's syscall package, with UseCgroupFD",
     "Go 的 syscall 包，用了 UseCgroupFD"),
    ("Go's syscall package, with a time namespace",
     "Go 的 syscall 包，新建时间命名空间时"),
    ("std::thread of C++ and Rust, threading of Python, cgo",
     "C++ 和 Rust 的 std::thread、Python 的 threading、cgo"),
    ("every threading library on musl",
     "musl 上的所有线程库"),
    ("_Fork, daemon, forkpty; shells, os.fork, multiprocessing, child_process of Node",
     "_Fork、daemon、forkpty；各种 shell、os.fork、multiprocessing、Node 的 child_process"),
    ("_Fork, daemon",
     "_Fork、daemon"),
    ("_Fork, daemon; vfork on machines without its own assembly",
     "_Fork、daemon；没有专门汇编的机器上的 vfork"),
    ("subprocess of Python, dash; bionic's popen",
     "Python 的 subprocess、dash；bionic 的 popen"),
    ("subprocess of Python, dash",
     "Python 的 subprocess、dash"),
    ("system, popen; Command of Rust",
     "system、popen；Rust 的 Command"),
    ("programs that start others in a cgroup",
     "在某个 cgroup 中启动其他程序的程序"),
    ("Command of Rust, where a pidfd is wanted",
     "Rust 的 Command，需要 pidfd 时"),
    ("threads that goroutines run on",
     "运行 goroutine 的线程"),
    ("os/exec; namespaces by SysProcAttr.Cloneflags",
     "os/exec；由 SysProcAttr.Cloneflags 新建命名空间"),
    ("os.StartProcess, os/exec",
     "os.StartProcess、os/exec"),
    ("os/exec with SysProcAttr.Cloneflags",
     "os/exec，用了 SysProcAttr.Cloneflags"),
    ("os/exec with SysProcAttr.UseCgroupFD",
     "os/exec，用了 SysProcAttr.UseCgroupFD"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{origins, rules};

    /// Everything that is told through this table.
    fn texts() -> impl Iterator<Item = &'static str> {
        let rules = rules::all().flat_map(|rule| [rule.look, rule.kernels]);
        let ignored = rules::IGNORED.iter().map(|row| row.kernels);
        let origins = origins::ORIGINS
            .iter()
            .flat_map(|row| [row.library, row.serves]);
        rules.chain(ignored).chain(origins)
    }

    /// Words between names, paths and numbers.
    fn has_words(text: &str) -> bool {
        let common = [
            "and", "or", "the", "of", "in", "with", "on", "before", "since", "where", "there",
            "alone",
        ];
        text.split([' ', ',', ';'])
            .any(|word| common.contains(&word))
    }

    #[test]
    fn every_sentence_has_its_row_and_every_row_its_sentence() {
        for text in texts().filter(|text| has_words(text)) {
            assert_ne!(phrase(text), text);
        }
        for (english, chinese) in PHRASES {
            assert!(texts().any(|text| text == *english), "{english}");
            assert!(!chinese.is_ascii(), "{english}");
            assert_eq!(
                PHRASES.iter().filter(|(one, _)| one == english).count(),
                1,
                "{english}"
            );
        }
    }
}
