//! Everything that there is to say about one set of flags.

use serde::Serialize;

use crate::abi::Call;
use crate::abi::flags::*;
use crate::abi::rules::{self, Arguments, Decided, Version};
use crate::origins::{self, Origin};

use super::Lang;
use super::rows::{CallerRow, FlagRow, RuleRow};
use super::set::Set;
use super::walk::{self, Step};

/// What a set asks for, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It joins the caller's process.
    Thread,
    /// A process of its own.
    Process,
    /// A process by its tgid that lives in the caller's memory.
    InBetween,
}

/// The newest kernel that is known, where this one belongs to a newer series.
pub fn newest_before(version: Version) -> Option<Version> {
    let newest = Version::NEWEST;
    ((version.0, version.1) > (newest.0, newest.1)).then_some(newest)
}

/// Everything about a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Analysis {
    /// The call.
    pub call: Call,
    /// The set as a C program would write it.
    pub expression: String,
    /// The flags word, in hex.
    pub word: String,
    /// The kernel.
    pub kernel: String,
    /// The newest kernel that is known, where the one above is newer.
    pub known_up_to: Option<String>,
    /// Thread, process or in between.
    pub kind: Kind,
    /// The same in words.
    pub kind_text: String,
    /// Whether the arguments alone make the kernel refuse.
    pub refused: Option<RuleRow>,
    /// What else can make it refuse these flags.
    pub may_fail: Vec<RuleRow>,
    /// What it ignores.
    pub ignored: Vec<RuleRow>,
    /// Bits that no flag has, in hex.
    pub unknown: Option<String>,
    /// The exit signal: a name, a number, or none.
    pub exit_signal: Option<String>,
    /// What that means.
    pub exit_signal_text: String,
    /// Who passes just this.
    pub callers: Vec<CallerRow>,
    /// Where a function was asked about: what it passes besides, in other versions and libraries.
    pub others: Vec<CallerRow>,
    /// The flags.
    pub flags: Vec<FlagRow>,
    /// The walk through the kernel, up to where it refuses.
    pub walk: Vec<Step>,
}

/// Thread, process or in between, by the flags that the kernel acts on.
pub fn kind(set: &Set) -> Kind {
    if set.has(CLONE_THREAD) {
        Kind::Thread
    } else if set.has(CLONE_VM) && !set.has(CLONE_VFORK) {
        Kind::InBetween
    } else {
        Kind::Process
    }
}

/// The kind in words.
pub fn kind_text(set: &Set, language: Lang) -> &'static str {
    let shares = set.has(CLONE_VM);
    let (english, chinese) = match (kind(set), shares) {
        (Kind::Thread, _) => (
            "a thread: it joins the caller's process and has the same tgid",
            "线程：加入调用者的进程，tgid 相同",
        ),
        (Kind::InBetween, _) => (
            "something in between: a process by its tgid, but it runs in the caller's memory",
            "介于两者之间：按 tgid 是独立进程，却运行在调用者的内存里",
        ),
        (Kind::Process, true) => (
            "a process; it borrows the caller's memory until it execs or ends, and the caller waits meanwhile",
            "进程；在 exec 或结束之前借用调用者的内存，其间调用者等待",
        ),
        (Kind::Process, false) => (
            "a process: a tgid of its own, memory copied on write",
            "进程：有自己的 tgid，内存写时复制",
        ),
    };
    language.pick(english, chinese)
}

/// What the exit signal means.
pub fn signal_text(set: &Set, language: Lang) -> String {
    let name = set.signal_name();
    let valid = set.signal <= set.kernel.max_signal;
    let (english, chinese) = if set.has(CLONE_THREAD) {
        (
            "none: a thread's end signals nobody, and no wait() sees it".to_owned(),
            "无：线程结束不发信号，任何 wait() 都看不到".to_owned(),
        )
    } else if set.has(CLONE_PARENT) {
        (
            "that of the caller's thread group leader, whose sibling the child is".to_owned(),
            "取调用者线程组组长的：子任务与它是兄弟".to_owned(),
        )
    } else if set.has(CLONE_AUTOREAP) {
        (
            "none: the kernel reaps the child at its end, and no wait() sees that".to_owned(),
            "无：子进程结束时由内核自动回收，任何 wait() 都看不到".to_owned(),
        )
    } else if set.signal == 0 {
        (
            "none: the child's end signals nobody, and plain wait() and waitpid() do not see such a child; they need __WALL or __WCLONE, until it execs"
                .to_owned(),
            "无：子任务结束不发信号，普通的 wait() 与 waitpid() 看不到它，要加 __WALL 或 __WCLONE（exec 之后除外）"
                .to_owned(),
        )
    } else if !valid {
        (
            format!(
                "{name}: no signal has this number, so none is sent; wait() needs __WALL or __WCLONE, until the child execs"
            ),
            format!(
                "{name}：没有这个编号的信号，不会发送；wait() 要加 __WALL 或 __WCLONE（exec 之后除外）"
            ),
        )
    } else if name == "SIGCHLD" {
        (
            "SIGCHLD: the parent learns of the child's end, and wait() reaps it".to_owned(),
            "SIGCHLD：父进程得知子进程结束，用 wait() 回收".to_owned(),
        )
    } else {
        (
            format!(
                "{name}: sent to the parent at the child's end, whatever it does to it; wait() needs __WALL or __WCLONE, until the child execs"
            ),
            format!(
                "{name}：子任务结束时发给父进程，无论后果；wait() 要加 __WALL 或 __WCLONE（exec 之后除外）"
            ),
        )
    };
    language.pick(&english, &chinese).to_owned()
}

/// Rows of functions that pass just these flags; where the stack is known, it counts. Flags without a
/// call may be clone's or clone3's.
pub fn callers(set: &Set) -> Vec<&'static Origin> {
    let fits = |row: &&Origin| {
        let either = [Call::Clone, Call::Clone3].contains(&row.call) && !set.call_given;
        let call = if either { row.call } else { set.call };
        match (set.call, set.stack) {
            (Call::Fork | Call::Vfork, _) => row.call == set.call,
            (_, None) => row.passes_flags(call, set.flags.0, set.signal),
            (_, Some(passed)) => {
                row.stack.is_passed() == passed && row.passes_flags(call, set.flags.0, set.signal)
            }
        }
    };
    origins::ORIGINS.iter().filter(fits).collect()
}

/// What limits and permissions can refuse these flags, and would not refuse a plain fork.
fn may_fail(set: &Set, language: Lang) -> Vec<RuleRow> {
    let plain = Arguments::of_flags(set.call, 0, 17);
    rules::all()
        .filter(|rule| rule.decided == Decided::Look)
        .filter(|rule| rule.can_refuse(&set.arguments, &set.kernel))
        .filter(|rule| !rule.can_refuse(&plain, &set.kernel))
        .map(|rule| RuleRow::of(rule, language))
        .collect()
}

impl Analysis {
    /// Of a set.
    pub fn of(set: &Set, language: Lang) -> Analysis {
        let refused = rules::judge(&set.arguments, &set.kernel);
        let ignored = rules::ignored(&set.arguments, &set.kernel);
        let unknown = set.flags.unknown();
        let callers = callers(set);
        Analysis {
            call: set.call,
            expression: set.expression(),
            word: format!("{:#x}", set.word()),
            kernel: set.kernel.version.to_string(),
            known_up_to: newest_before(set.kernel.version).map(|newest| newest.to_string()),
            kind: kind(set),
            kind_text: kind_text(set, language).to_owned(),
            refused: refused.map(|rule| RuleRow::of(rule, language)),
            may_fail: match refused {
                Some(_) => Vec::new(),
                None => may_fail(set, language),
            },
            ignored: ignored
                .iter()
                .map(|row| RuleRow {
                    rule: row.id,
                    errno: None,
                    text: match language {
                        Lang::English => format!("{}: {}", row.condition, row.english),
                        Lang::Chinese => row.chinese.to_owned(),
                    },
                })
                .collect(),
            unknown: (!unknown.is_empty()).then(|| unknown.to_string()),
            exit_signal: (set.signal != 0).then(|| set.signal_name()),
            exit_signal_text: signal_text(set, language),
            callers: callers
                .iter()
                .map(|row| CallerRow::of(row, language))
                .collect(),
            others: origins::pattern(set.function.unwrap_or_default())
                .filter(|row| !callers.contains(row))
                .map(|row| CallerRow::of(row, language))
                .collect(),
            flags: FLAGS
                .iter()
                // Of what clone does not even look at (bits 32 and up) the list of ignored things tells.
                .filter(|flag| set.arguments.flags().contains(flag.flags()))
                .map(|flag| FlagRow::of(flag, language))
                .collect(),
            walk: match refused {
                Some(rule) => walk::walk_until(set, rule, language),
                None => walk::walk(set, language),
            },
        }
    }
}
