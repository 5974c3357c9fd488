//! What a trace lacks, and why; and why clonespy interferes.

use super::sentence::{Hole, sentences};
use super::value::Tid;

sentences! {
    /// Something that cannot be seen.
    Gap {
        FailedCalls => "failed calls", "失败的调用";
        FailedCallsUntilStop => "failed calls until its next stop", "到下次停止之前失败的调用";
        UntracedChildren => "CLONE_UNTRACED children", "带 CLONE_UNTRACED 的子任务";
        UnreapedUntilStop => "children that it leaves unreaped, until its next stop",
            "到下次停止之前它留下未回收的子进程";
        Proc => "names and other facts that only /proc tells: the one that is mounted here is not that of clonespy's pid namespace",
            "只有 /proc 才能说明的名称等信息：此处挂载的 /proc 不属于 clonespy 所在的 PID 命名空间";
        Process { pid: Tid, why: Refusal } => "a process that was asked for (cannot trace: attach to {pid}: {why})",
            "所指定的一个进程（无法附加到 {pid}：{why}）";
    }
}

impl Gap {
    /// Whether calls that failed are among it, as far as the words of another version tell.
    pub fn hides_failures(&self) -> bool {
        match self {
            Gap::FailedCalls | Gap::FailedCallsUntilStop => true,
            Gap::Other(words) => words.starts_with("failed calls"),
            _ => false,
        }
    }
}

sentences! {
    /// Why something about a task is not seen.
    Obstacle {
        NotAttached => "it could not be attached to", "无法附加";
        NotInterrupted => "it could not be interrupted", "无法打断它";
        Sleeps => "it sleeps in a call that an interrupt would end (epoll_wait, recv and others)",
            "它睡在一个会被打断而提前返回的调用中（epoll_wait、recv 等）";
        SleepsBehindFilter => "another thread installed a seccomp filter for the whole process, and this one sleeps in a call that an interrupt would end",
            "另一线程为整个进程安装了 seccomp 过滤器，而此线程睡在一个会被打断而提前返回的调用中";
    }
}

sentences! {
    /// Why a running process cannot be attached to, and what to do about it.
    Refusal {
        Absent => "there is no such process", "没有这个进程";
        Zombie => "it is a zombie: it has ended and waits for its parent",
            "它是僵尸进程，已经结束，正等待父进程回收";
        Itself => "it is clonespy itself", "它就是 clonespy 自己";
        Traced { name: String, by: String } => "it is traced already, by {name} ({by}); a task has one tracer at a time; end that one first",
            "它已被 {name} ({by}) 跟踪；一个任务同时只能有一个跟踪者，请先结束那一个";
        KernelThread => "it is a kernel thread: nobody can trace those", "它是内核线程，谁也不能跟踪";
        OtherUser { owner: String } => "it belongs to {owner}; run clonespy as that user, or as root",
            "它属于 {owner}；请以该用户或 root 身份运行 clonespy";
        Descendants => "Yama (ptrace_scope 1) lets a process trace only its own descendants; start it under clonespy, run as root, or: sysctl kernel.yama.ptrace_scope=0",
            "Yama（ptrace_scope 1）只允许进程跟踪自己的后代；请用 clonespy 启动它，或以 root 身份运行，或执行：sysctl kernel.yama.ptrace_scope=0";
        Administrators => "Yama (ptrace_scope 2) lets only administrators trace; run as root (CAP_SYS_PTRACE)",
            "Yama（ptrace_scope 2）只允许管理员跟踪；请以 root 身份（CAP_SYS_PTRACE）运行";
        Nobody => "Yama (ptrace_scope 3) forbids all tracing until the next boot; no process can be attached to on this system",
            "Yama（ptrace_scope 3）在下次启动之前禁止一切跟踪；此系统上无法附加到任何进程";
        Denied { error: SystemError } => "{error}; it may be set-uid or not dumpable, or a container may lack CAP_SYS_PTRACE",
            "{error}；它可能是 set-uid 程序或不可转储（dumpable），或者容器缺少 CAP_SYS_PTRACE";
        Failed { error: SystemError } => "{error}", "{error}";
    }
}

sentences! {
    /// Why calls are not caught by clonespy's filter.
    NoFilter {
        Asked => "--intercept asks for it", "--intercept 如此要求";
        Running => "a running program cannot be given the filter", "无法给运行中的程序安装过滤器";
        Refused { error: SystemError } => "seccomp(2) is refused here ({error}), by a filter that was there before clonespy (a container's?) or by a kernel without filters",
            "此处不允许 seccomp(2)（{error}）：或者早于 clonespy 已有过滤器（容器的？），或者内核不支持过滤器";
        Clone3Answered => "a seccomp filter that was there before clonespy (a container's?), or a kernel before 5.3, answers clone3 and would hide calls from our filter",
            "早于 clonespy 的 seccomp 过滤器（容器的？）或 5.3 之前的内核会先应答 clone3，使我们的过滤器看不到调用";
    }
}

sentences! {
    /// Why clonespy ends a process.
    KillReason {
        SecondInterrupt => "a second Ctrl-C within a second", "一秒之内第二次按下 Ctrl-C";
        AskedTwice => "clonespy was asked twice to end", "clonespy 两次被要求结束";
        TermIgnored => "the time was over, and SIGTERM did not end it", "时限已到，SIGTERM 没能结束它";
        TimeOver { grace: String } => "the time was over; SIGKILL follows after {grace}",
            "时限已到；{grace} 之后再发 SIGKILL";
        MainEnded => "--until=main: the program has ended, and this process, which carries clonespy's filter, could not go on without a tracer",
            "--until=main：程序已经结束，而此进程带有 clonespy 的过滤器，没有跟踪者便无法继续";
    }
}

sentences! {
    /// Why a trace ended before its tasks did.
    Cut {
        Timeout => "timeout", "超时";
        Interrupt => "interrupt", "中断";
        MainEnded => "main ended", "主程序结束";
    }
}

/// The system's words for an error (strerror(3)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemError(pub String);

/// Those that attaching and installing a filter can meet.
static ERRORS: &[(&str, &str)] = &[
    ("Argument list too long", "参数过长"),
    ("Bad address", "地址无效"),
    ("Bad file descriptor", "描述符无效"),
    ("Cannot allocate memory", "内存不足"),
    ("Device or resource busy", "资源忙"),
    ("Function not implemented", "没有此系统调用"),
    ("Input/output error", "输入输出错误"),
    ("Invalid argument", "参数无效"),
    ("No such file or directory", "没有这个文件或目录"),
    ("No such process", "没有这个进程"),
    ("Operation not permitted", "不允许"),
    ("Operation not supported", "不支持"),
    ("Permission denied", "无访问权限"),
    ("Too many open files", "打开文件过多"),
];

impl std::fmt::Display for SystemError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Hole for SystemError {
    fn read(words: &str) -> Option<Self> {
        let known = ERRORS.iter().any(|(english, _)| *english == words);
        known.then(|| SystemError(words.to_owned()))
    }

    fn chinese(&self) -> String {
        let row = ERRORS.iter().find(|(english, _)| *english == self.0);
        row.map_or_else(|| self.0.clone(), |(_, chinese)| (*chinese).to_owned())
    }

    #[cfg(test)]
    fn sample() -> Self {
        SystemError("Operation not permitted".to_owned())
    }
}

impl Hole for Refusal {
    fn read(words: &str) -> Option<Self> {
        match Refusal::read(words) {
            Refusal::Other(_) => None,
            known => Some(known),
        }
    }

    fn chinese(&self) -> String {
        self.text(crate::abi::Lang::Chinese)
    }

    #[cfg(test)]
    fn sample() -> Self {
        Refusal::Descendants
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::Lang;

    #[test]
    fn every_sentence_is_read_back() {
        macro_rules! all {
            ($($type:ident),*) => {$(
                for row in $type::samples() {
                    let line = serde_json::to_string(&row).unwrap();
                    assert_eq!(serde_json::from_str::<$type>(&line).unwrap(), row);
                    assert_ne!(row.text(Lang::Chinese), row.text(Lang::English));
                }
            )*};
        }
        all!(Gap, Obstacle, Refusal, NoFilter, KillReason, Cut);
    }

    #[test]
    fn a_refusal_is_part_of_a_gap() {
        for why in Refusal::samples() {
            let gap = Gap::Process { pid: 7, why };
            assert_eq!(Gap::read(&gap.to_string()), gap);
        }
        let words = "a process that was asked for (cannot trace: attach to 7: it is traced already, by \
                     gdb (5); a task has one tracer at a time; end that one first)";
        assert_eq!(
            Gap::read(words).text(Lang::Chinese),
            "所指定的一个进程（无法附加到 7：它已被 gdb (5) 跟踪；一个任务同时只能有一个跟踪者，请先结束那一个）"
        );
        let newer = "a process that was asked for (cannot trace: attach to 7: it is shy)";
        assert_eq!(Gap::read(newer), Gap::Other(newer.to_owned()));
    }
}
