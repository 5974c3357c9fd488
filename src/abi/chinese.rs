//! The kernel's objects and what becomes of them, in Chinese; the meaning of each flag is in its own
//! row (`abi::flags`).

mod phrases;

#[cfg(test)]
pub(crate) use phrases::PHRASES;
pub use phrases::phrase;

/// A flag's object, what becomes of it if the flag is set, and if it is not.
#[derive(Debug)]
pub struct Words {
    /// The flag.
    pub name: &'static str,
    /// The object.
    pub object: &'static str,
    /// Set.
    pub set: &'static str,
    /// Clear.
    pub clear: &'static str,
}

/// Makes rows.
macro_rules! words {
    ($($name:literal: $object:literal, $set:literal, $clear:literal;)+) => {
        &[$(Words { name: $name, object: $object, set: $set, clear: $clear }),+]
    };
}

/// In the order of the bits.
pub static WORDS: &[Words] = words! {
    "CLONE_NEWTIME": "nsproxy->time_ns_for_children", "新的 nsproxy：新建此命名空间，其余共享", "整个 nsproxy 共享";
    "CLONE_VM": "mm_struct (task->mm)", "同一个对象", "复制：映射与页表照抄，私有页在双方都设为写保护";
    "CLONE_FS": "fs_struct (task->fs)", "同一个对象", "复制";
    "CLONE_FILES": "files_struct (task->files)", "同一个对象", "复制表，已打开的文件仍共用";
    "CLONE_SIGHAND": "sighand_struct (task->sighand)", "同一个对象", "复制该表";
    "CLONE_PIDFD": "调用者描述符表中的 pidfs 文件", "在复制表之后创建，子任务不会继承", "无";
    "CLONE_PTRACE": "task->ptrace, task->parent", "附加到调用者的跟踪者", "不被跟踪，除非跟踪者跟随此类事件";
    "CLONE_VFORK": "task->vfork_done", "调用者以可被杀死的方式休眠等待", "调用者不等待";
    "CLONE_PARENT": "task->real_parent, task->exit_signal", "调用者的父进程；退出信号取调用者线程组组长的", "调用者；退出信号按参数";
    "CLONE_THREAD": "signal_struct (task->signal), tgid, group_leader", "共享：资源限制、定时器、终端、共享待决信号、会话、进程组", "新建：资源限制照抄，定时器与待决信号清空";
    "CLONE_NEWNS": "nsproxy->mnt_ns", "新的 nsproxy：新建此命名空间，其余共享", "整个 nsproxy 共享";
    "CLONE_SYSVSEM": "sem_undo_list (task->sysvsem.undo_list)", "同一张表，没有则创建", "无";
    "CLONE_SETTLS": "线程指针", "取自 tls", "沿用";
    "CLONE_PARENT_SETTID": "调用者内存中的一个字", "在唤醒子任务之前写入；地址无效则忽略", "不动";
    "CLONE_CHILD_CLEARTID": "task->clear_child_tid", "退出或 exec 时清零并唤醒 futex（仅当内存仍有其他使用者）", "无";
    "CLONE_DETACHED": "无", "无作用", "无作用";
    "CLONE_UNTRACED": "无", "没有 ptrace 事件，也不因跟踪者选项而被附加", "按跟踪者的选项";
    "CLONE_CHILD_SETTID": "task->set_child_tid", "子任务在执行用户代码前自己写入；地址无效则忽略", "不动";
    "CLONE_NEWCGROUP": "nsproxy->cgroup_ns", "新的 nsproxy：新建此命名空间，其余共享", "整个 nsproxy 共享";
    "CLONE_NEWUTS": "nsproxy->uts_ns", "新的 nsproxy：新建此命名空间，其余共享", "整个 nsproxy 共享";
    "CLONE_NEWIPC": "nsproxy->ipc_ns", "新的 nsproxy：新建此命名空间，其余共享", "整个 nsproxy 共享";
    "CLONE_NEWUSER": "cred->user_ns", "新建", "共享";
    "CLONE_NEWPID": "nsproxy->pid_ns_for_children", "新的 nsproxy：新建此命名空间，其余共享", "整个 nsproxy 共享";
    "CLONE_NEWNET": "nsproxy->net_ns", "新的 nsproxy：新建此命名空间，其余共享", "整个 nsproxy 共享";
    "CLONE_IO": "io_context (task->io_context)", "同一个对象（若调用者有）", "设过优先级则新建同优先级的，否则无";
    "CLONE_CLEAR_SIGHAND": "sighand_struct (task->sighand)", "在新副本中重置处理函数", "保留处理函数";
    "CLONE_INTO_CGROUP": "css_set (task->cgroups)", "目标 cgroup 的", "调用者的";
    "CLONE_AUTOREAP": "signal->autoreap", "退出时由内核回收（被 ptrace 时除外）", "成为僵尸，等待父进程";
    "CLONE_NNP": "任务的 no_new_privs 位", "置位", "沿用";
    "CLONE_PIDFD_AUTOKILL": "pidfd 文件上的标志", "文件释放时发送 SIGKILL", "关闭 pidfd 不起作用";
    "CLONE_EMPTY_MNTNS": "nsproxy->mnt_ns", "新的挂载命名空间，只含一个根", "按 CLONE_NEWNS";
};

/// The words about a flag.
pub fn words(name: &str) -> Option<&'static Words> {
    WORDS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_its_row() {
        let known: Vec<_> = crate::abi::FLAGS.iter().map(|flag| flag.name).collect();
        let here: Vec<_> = WORDS.iter().map(|row| row.name).collect();
        assert_eq!(here, known);
    }
}
