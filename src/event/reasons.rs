//! Why a call failed, in words: those of a rule of the kernel's, or what was found of its condition.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::sentence::{self, sentences};
use super::value::{Hex, Tid};
use crate::abi::Lang;
use crate::abi::rules::{self, Rule};

/// A reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Explanation {
    /// The words of the rule of this name.
    Rule(&'static str),
    /// One of several rules that leave no trace; the first of them has this name.
    Among {
        /// The first.
        rule: &'static str,
        /// How many there are besides it.
        others: usize,
    },
    /// What was found of the rule's condition.
    Found(Observation),
}

sentences! {
    /// What was found of the condition of a rule.
    Observation {
        // Filters of the program.
        FilterZero => "a seccomp filter of the program answered with 0, as if the call had succeeded: the kernel never saw it",
            "程序的 seccomp 过滤器以 0 应答，好像调用成功了：内核根本没看到它";
        FilterTrap => "a seccomp filter of the program answered with SIGSYS (RET_TRAP): the kernel never saw the call",
            "程序的 seccomp 过滤器以 SIGSYS 应答（RET_TRAP）：内核根本没看到这次调用";
        FilterKill => "a seccomp filter of the program killed the caller (RET_KILL): the kernel never saw the call",
            "程序的 seccomp 过滤器杀死了调用者（RET_KILL）：内核根本没看到这次调用";
        Filter { all: u64, ours: u64 } => "a filter answers for the kernel (Seccomp_filters {all}, ours is {ours})",
            "有过滤器代内核应答（Seccomp_filters {all}，其中我们的 {ours}）";
        // Limits on the number of tasks.
        NprocUnlimited => "RLIMIT_NPROC: unlimited", "RLIMIT_NPROC：不限";
        NprocExempt => "RLIMIT_NPROC: does not bind the caller, who is privileged",
            "RLIMIT_NPROC：调用者有特权，不受其约束";
        Nproc { uid: u64, tasks: u64, most: u64 } => "RLIMIT_NPROC: user {uid} has {tasks} of {most} tasks",
            "RLIMIT_NPROC：用户 {uid} 已有 {tasks} 个任务，上限 {most}";
        ThreadsMax { all: u64, most: u64 } => "threads-max: {all} of {most} tasks in the system",
            "threads-max：系统中已有 {all} 个任务，上限 {most}";
        PidMaxNested => "pid_max: the caller's pid namespace has one of its own, which cannot be seen",
            "pid_max：调用者的 PID 命名空间有自己的 pid_max，无法看到";
        PidMax { all: u64, most: u64 } => "pid_max: {all} tasks, and pids up to {most}",
            "pid_max：已有 {all} 个任务，pid 最大到 {most}";
        PidsUnseen => "pids.max: no cgroups can be seen", "pids.max：看不到 cgroup";
        PidsUnlimitedBelow { path: String } => "pids.max: no limit in {path} or above; what is above that cannot be seen",
            "pids.max：{path} 及其上层没有限制；再往上的看不到";
        PidsUnlimited { path: String } => "pids.max: no limit in {path} or above",
            "pids.max：{path} 及其上层没有限制";
        PidsBelow { current: u64, most: u64, path: String } => "pids.max: {current} of {most} in {path}; what is above that cannot be seen",
            "pids.max：{path} 中已有 {current} 个，上限 {most}；再往上的看不到";
        Pids { current: u64, most: u64, path: String } => "pids.max: {current} of {most} in {path}",
            "pids.max：{path} 中已有 {current} 个，上限 {most}";
        // Scheduling and memory.
        Deadline => "the caller's scheduling policy is SCHED_DEADLINE, whose tasks may not create tasks",
            "调用者的调度策略是 SCHED_DEADLINE，这样的任务不得创建任务";
        OvercommitStrict { data: u64, left: u64 } => "overcommit: a copy of {data} KiB of data, and {left} KiB may still be promised",
            "overcommit：要复制 {data} KiB 数据，还可承诺 {left} KiB";
        OvercommitGuess { data: u64, whole: u64 } => "overcommit: a copy of {data} KiB of data, with {whole} KiB of memory and swap",
            "overcommit：要复制 {data} KiB 数据，内存与交换区共 {whole} KiB";
        OvercommitAll => "overcommit: every promise is made", "overcommit：一概承诺";
        // Descriptors and addresses.
        FileMax => "the system has as many open files as fs.file-max allows",
            "系统中打开的文件已达 fs.file-max 的上限";
        Nofile { open: u64, most: u64 } => "RLIMIT_NOFILE: {open} of {most} descriptors are open",
            "RLIMIT_NOFILE：已打开 {open} 个描述符，上限 {most}";
        NrOpen { fd: u64, most: u64 } => "descriptor {fd} is open, and fs.nr_open is {most}",
            "描述符 {fd} 已打开，而 fs.nr_open 是 {most}";
        PidfdAddress { at: Hex } => "{at}, the place for the descriptor, cannot be written",
            "存放描述符的地址 {at} 不可写";
        UserDescUnreadable { at: Hex } => "the struct user_desc at {at} cannot be read",
            "{at} 处的 struct user_desc 无法读取";
        UserDescEntry { at: Hex, entry: u32 } => "the struct user_desc at {at} names entry {entry}, which is none of TLS",
            "{at} 处的 struct user_desc 指定了 {entry} 号表项，那不是 TLS 表项";
        // Namespaces and tids.
        PidNamespaceOwn => "pid namespace: the caller's children are in its own",
            "PID 命名空间：调用者的子进程与它在同一个中";
        UserDepth { most: usize, depth: usize } => "user namespaces nest at most {most} deep: the caller's is {depth} deep",
            "用户命名空间最多嵌套 {most} 层：调用者的在第 {depth} 层";
        PidDepth { most: usize, depth: usize } => "pid namespaces nest at most {most} deep: the caller's is {depth} deep",
            "PID 命名空间最多嵌套 {most} 层：调用者的在第 {depth} 层";
        NamespacesForbidden { name: String } => "user.{name} is 0: the administrator allows none",
            "user.{name} 是 0：管理员一个也不允许";
        NamespacesReached { name: String, most: u64 } => "user.{name}: the limit of a user namespace is reached, the caller's or one around it ({most} in clonespy's)",
            "user.{name}：某个用户命名空间的上限已到，是调用者的或其外层的（clonespy 所在的上限为 {most}）";
        NotBuiltIn { flag: String, file: String } => "{flag}: the kernel has no such namespaces, there is no ns/{file}",
            "{flag}：内核没有这种命名空间，不存在 ns/{file}";
        TooManyTids { asked: u64, levels: usize } => "{asked} tids in set_tid, and {levels} pid namespaces",
            "set_tid 中有 {asked} 个 tid，而 PID 命名空间有 {levels} 层";
        TidAbove { tid: Tid, most: u64 } => "tid {tid} in set_tid, and pid_max is {most}",
            "set_tid 中要求 tid {tid}，而 pid_max 是 {most}";
        TidAboveNested => "a wanted tid at or above the pid_max of a nested pid namespace",
            "所要的某个 tid 达到或超过内层 PID 命名空间的 pid_max";
        FirstTid { tid: Tid } => "tid {tid} in set_tid: the first task of a pid namespace is its pid 1",
            "set_tid 中要求 tid {tid}：PID 命名空间的第一个任务是其 1 号进程";
        TidTaken { tid: Tid } => "tid {tid} in set_tid is taken", "set_tid 中要求的 tid {tid} 已被占用";
        // Rights.
        CallWithoutAdmin => "the call without CAP_SYS_ADMIN in the user namespace: add CLONE_NEWUSER, which gives it inside, or privilege",
            "在用户命名空间中没有 CAP_SYS_ADMIN 而作此调用：请加上 CLONE_NEWUSER（在其中便有此权限），或以特权运行";
        WithoutAdmin { flags: String } => "{flags} without CAP_SYS_ADMIN in the user namespace: add CLONE_NEWUSER, which gives it inside, or privilege",
            "在用户命名空间中没有 CAP_SYS_ADMIN 而要求 {flags}：请加上 CLONE_NEWUSER（在其中便有此权限），或以特权运行";
        HasAdmin => "CAP_SYS_ADMIN: the caller has it", "CAP_SYS_ADMIN：调用者有";
        SwitchedOff => "kernel.unprivileged_userns_clone is 0, and the caller lacks CAP_SYS_ADMIN",
            "kernel.unprivileged_userns_clone 是 0，而调用者没有 CAP_SYS_ADMIN";
        AppArmor => "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor's policy decides",
            "kernel.apparmor_restrict_unprivileged_userns 是 1：由 AppArmor 的策略决定";
        // Before the row whose hole would hold it.
        ChrootNoMount => "the caller's root is no mount point: a user namespace would be a way out of a chroot",
            "调用者的根目录不是挂载点：用户命名空间会成为逃出 chroot 的途径";
        Chroot { root: String } => "the caller's root is {root}: a user namespace would be a way out of a chroot",
            "调用者的根目录是 {root}：用户命名空间会成为逃出 chroot 的途径";
        NoChroot => "chroot: the caller's root is the root of its mounts", "chroot：调用者的根目录就是其挂载树的根";
        MapEmpty { name: String, id: u64, file: String } => "the caller's {name} {id} is not mapped in its own user namespace: {file} is empty",
            "调用者的 {name} {id} 在其用户命名空间中没有映射：{file} 是空的";
        MapLacks { name: String, id: u64, file: String } => "the caller's {name} {id} is not mapped in its own user namespace: {file} does not have it",
            "调用者的 {name} {id} 在其用户命名空间中没有映射：{file} 中没有它";
        Mapped => "uid_map and gid_map: the caller's ids are mapped", "uid_map 和 gid_map：调用者的 id 都有映射";
        MayNotChoose => "the caller lacks CAP_CHECKPOINT_RESTORE and CAP_SYS_ADMIN: who may choose tids is privileged",
            "调用者没有 CAP_CHECKPOINT_RESTORE 和 CAP_SYS_ADMIN：只有特权者可以指定 tid";
        // Control groups.
        NotOpen { fd: u64 } => "descriptor {fd} is not open", "描述符 {fd} 没有打开";
        NoCgroup { fd: u64, path: String } => "descriptor {fd} is {path}, no directory of cgroup v2",
            "描述符 {fd} 是 {path}，不是 cgroup v2 的目录";
        CgroupRemoved { path: String } => "the cgroup was removed: {path}", "cgroup 已被删除：{path}";
        CgroupThere { path: String } => "cgroup {path} is there", "cgroup {path} 还在";
        CallerMayNotWrite { path: String } => "the caller may not write cgroup.procs of {path}, or of the ancestor that both have",
            "调用者不得写 {path} 的 cgroup.procs，或两者共同上层的 cgroup.procs";
        UserMayNotWrite { uid: u64, path: String } => "user {uid} may not write cgroup.procs of {path}, or of the ancestor that both have",
            "用户 {uid} 不得写 {path} 的 cgroup.procs，或两者共同上层的 cgroup.procs";
        DomainInvalid { path: String } => "cgroup.type of {path} is domain invalid", "{path} 的 cgroup.type 是 domain invalid";
        OtherDomain { path: String, kind: String } => "threads must stay in the cgroup domain of their process, and {path} is another ({kind})",
            "线程必须留在其进程的 cgroup 域中，而 {path} 是另一个（{kind}）";
        CgroupType { path: String, kind: String } => "cgroup.type of {path} is {kind}", "{path} 的 cgroup.type 是 {kind}";
        InnerNode { path: String, controllers: String } => "{path} has given controllers to its children ({controllers}): no task may be in it",
            "{path} 已把控制器交给下层（{controllers}）：其中不得有任务";
        SubtreeControl { path: String } => "cgroup.subtree_control of {path}", "{path} 的 cgroup.subtree_control";
        NoProcessors { path: String } => "cpuset.cpus.effective of {path} is empty", "{path} 的 cpuset.cpus.effective 是空的";
    }
}

sentences! {
    /// What must be known of what was looked at.
    Circumstance {
        ArgumentsChanged => "the arguments were changed during the call", "参数在调用中被改动";
    }
}

impl Explanation {
    /// The words in a language; empty for a rule that this version does not have.
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Explanation::Rule(rule) => rules::named(rule).map(|rule| match lang {
                Lang::English => format!("{}: {}", rule.condition, rule.english),
                Lang::Chinese => rule.chinese.to_owned(),
            }),
            Explanation::Among { rule, others } => rules::named(rule).map(|rule| match lang {
                Lang::English => format!(
                    "{}, or one of {others} others that leave no trace: {}",
                    rule.condition, rule.english
                ),
                Lang::Chinese => format!("{}另有 {others} 种原因同样不留痕迹。", rule.chinese),
            }),
            Explanation::Found(found) => Some(found.text(lang)),
        }
        .unwrap_or_default()
    }

    /// The explanation by a rule that has this English.
    pub fn read(rule: &str, words: &str) -> Self {
        let found = Observation::read(words);
        if !matches!(found, Observation::Other(_)) {
            return Explanation::Found(found);
        }
        let of_rule = rules::named(rule).and_then(|rule| Self::of_rule(rule, words));
        of_rule.unwrap_or(Explanation::Found(found))
    }

    /// The one that is made of the rule's own words.
    fn of_rule(rule: &'static Rule, words: &str) -> Option<Self> {
        let rest = words
            .strip_prefix(rule.condition)?
            .strip_suffix(rule.english)?;
        if rest == ": " {
            return Some(Explanation::Rule(rule.id));
        }
        let others = rest
            .strip_prefix(", or one of ")?
            .strip_suffix(" others that leave no trace: ")?
            .parse()
            .ok()?;
        let rule = rule.id;
        Some(Explanation::Among { rule, others }).filter(|read| read.to_string() == words)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::English))
    }
}

impl From<Observation> for Explanation {
    fn from(found: Observation) -> Self {
        Explanation::Found(found)
    }
}

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Explanation {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Explanation".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        sentence::schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &str, explanation: &Explanation) {
        let words = explanation.to_string();
        assert_eq!(&Explanation::read(rule, &words), explanation);
        assert_ne!(explanation.text(Lang::Chinese), words);
    }

    #[test]
    fn every_explanation_is_read_back() {
        for rule in rules::all() {
            let rule = rule.id;
            check(rule, &Explanation::Rule(rule));
            check(rule, &Explanation::Among { rule, others: 9 });
        }
        for found in Observation::samples() {
            check("no-such-rule", &Explanation::Found(found.clone()));
            check("rlimit-nproc", &Explanation::Found(found));
        }
        for row in Circumstance::samples() {
            assert_eq!(Circumstance::read(&row.to_string()), row);
        }
        let newer = Explanation::read("rlimit-nproc", "the moon was full");
        assert_eq!(newer.text(Lang::Chinese), "the moon was full");
    }
}
