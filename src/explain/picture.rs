//! Everything that there is to say about one set of flags.

use serde::Serialize;

use crate::abi::flags::*;
use crate::abi::origins::{self, Origin};
use crate::abi::rules::{self, Arguments, Decided, Rule};
use crate::event::Call;

use super::Language;
use super::chinese;
use super::page::{Block, Page};
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

/// A flag, told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlagTold {
    /// Its name.
    pub name: &'static str,
    /// Its bits, in hex.
    pub value: String,
    /// The kernel that brought it.
    pub since: &'static str,
    /// The calls that act on it.
    pub calls: Vec<&'static str>,
    /// Its meaning.
    pub meaning: &'static str,
    /// The kernel's object.
    pub object: &'static str,
    /// What becomes of that if it is set.
    pub set: &'static str,
    /// And if it is not.
    pub clear: &'static str,
    /// The deciding function.
    pub decided_by: &'static str,
    /// Where it was read.
    pub source: &'static str,
}

impl FlagTold {
    /// Of a row.
    pub fn of(flag: &'static Flag, language: Language) -> FlagTold {
        let words = match language {
            Language::English => None,
            Language::Chinese => chinese::words(flag.name),
        };
        let uses = [
            ("clone", flag.clone),
            ("clone3", flag.clone3),
            ("unshare", flag.unshare),
        ];
        FlagTold {
            name: flag.name,
            value: format!("{:#x}", flag.bits),
            since: flag.since,
            calls: uses
                .into_iter()
                .filter(|(_, what)| *what == Use::Takes)
                .map(|(call, _)| call)
                .collect(),
            meaning: language.pick(flag.english, flag.chinese),
            object: words.map_or(flag.object, |words| words.object),
            set: words.map_or(flag.set, |words| words.set),
            clear: words.map_or(flag.clear, |words| words.clear),
            decided_by: flag.decided_by,
            source: flag.source,
        }
    }

    /// As a part of a page.
    pub fn item(&self, language: Language) -> Block {
        let none = language.pick("no call", "没有调用");
        let calls = if self.calls.is_empty() {
            none.to_owned()
        } else {
            self.calls.join(", ")
        };
        let head = match language {
            Language::English => format!(
                "{}  {}  since {}, {calls}",
                self.name, self.value, self.since
            ),
            Language::Chinese => format!(
                "{}  {}  自 {} 起，{calls}",
                self.name, self.value, self.since
            ),
        };
        let fact = |english: &str, chinese: &str, text: &str| {
            (language.pick(english, chinese).to_owned(), text.to_owned())
        };
        let facts = vec![
            fact("object", "对象", self.object),
            fact("set", "置位", self.set),
            fact("clear", "不置", self.clear),
            fact("decided by", "决定于", self.decided_by),
        ];
        Block::Item(head, self.meaning.to_owned(), facts)
    }
}

/// A rule, told in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleTold {
    /// Its name.
    pub rule: &'static str,
    /// Its errno; none: any.
    pub errno: Option<&'static str>,
    /// Condition and reason.
    pub text: String,
}

impl RuleTold {
    /// Of a row.
    pub fn of(rule: &'static Rule, language: Language) -> RuleTold {
        RuleTold {
            rule: rule.id,
            errno: rule.errno(),
            text: match language {
                Language::English => format!("{}: {}", rule.condition, rule.english),
                Language::Chinese => rule.chinese.to_owned(),
            },
        }
    }
}

/// A library function that passes the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallerTold {
    /// The function.
    pub function: &'static str,
    /// The library and its versions.
    pub library: &'static str,
    /// What comes by this way.
    pub serves: &'static str,
    /// Whether it gives a stack.
    pub stack: &'static str,
}

/// Everything about a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The call.
    pub call: Call,
    /// The set as a C program would write it.
    pub expression: String,
    /// The flags word, in hex.
    pub word: String,
    /// The kernel.
    pub kernel: String,
    /// Thread, process or in between.
    pub kind: Kind,
    /// The same in words.
    pub kind_text: String,
    /// Whether the arguments alone make the kernel refuse.
    pub refused: Option<RuleTold>,
    /// What else can make it refuse these flags.
    pub may_fail: Vec<RuleTold>,
    /// What it ignores.
    pub ignored: Vec<RuleTold>,
    /// Bits that no flag has, in hex.
    pub unknown: Option<String>,
    /// The exit signal: a name, a number, or none.
    pub exit_signal: Option<String>,
    /// What that means.
    pub exit_signal_text: String,
    /// Who passes just this.
    pub callers: Vec<CallerTold>,
    /// The flags.
    pub flags: Vec<FlagTold>,
    /// The walk through the kernel; empty where it refuses.
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
pub fn kind_text(set: &Set, language: Language) -> &'static str {
    let shares = set.has(CLONE_VM);
    let (english, chinese) = match (kind(set), shares) {
        (Kind::Thread, _) => (
            "a thread: it joins the caller's process and has the same tgid",
            "线程：加入调用者的进程，tgid 相同",
        ),
        (Kind::InBetween, _) => (
            "in between: a process by its tgid, but it runs in the caller's memory",
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
pub fn signal_text(set: &Set, language: Language) -> String {
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
                "{name}: no signal has this number, so none is sent; wait() needs __WALL or __WCLONE"
            ),
            format!("{name}：没有这个编号的信号，不会发送；wait() 要加 __WALL 或 __WCLONE"),
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

/// Rows of functions that pass just these flags; where the stack is known, it counts.
pub fn callers(set: &Set) -> Vec<&'static Origin> {
    let fits = |row: &&Origin| match (set.call, set.stack) {
        (Call::Fork | Call::Vfork, _) => row.call == set.call,
        (_, None) => row.passes_flags(set.call, set.flags.0, set.signal),
        (_, Some(given)) => row.passes(set.call, set.flags.0, set.signal, given),
    };
    origins::ORIGINS.iter().filter(fits).collect()
}

/// What limits and permissions can refuse these flags, and would not refuse a plain fork.
fn may_fail(set: &Set, language: Language) -> Vec<RuleTold> {
    let plain = Arguments::of_flags(set.call, 0, 17);
    rules::all()
        .filter(|rule| rule.decided == Decided::Look)
        .filter(|rule| rule.can_refuse(&set.arguments, &set.kernel))
        .filter(|rule| !rule.can_refuse(&plain, &set.kernel))
        .map(|rule| RuleTold::of(rule, language))
        .collect()
}

impl Picture {
    /// Of a set.
    pub fn of(set: &Set, language: Language) -> Picture {
        let refused = rules::judge(&set.arguments, &set.kernel);
        let ignored = rules::ignored(&set.arguments, &set.kernel);
        let unknown = set.flags.unknown();
        Picture {
            call: set.call,
            expression: set.expression(),
            word: format!("{:#x}", set.word()),
            kernel: set.kernel.version.to_string(),
            kind: kind(set),
            kind_text: kind_text(set, language).to_owned(),
            refused: refused.map(|rule| RuleTold::of(rule, language)),
            may_fail: match refused {
                Some(_) => Vec::new(),
                None => may_fail(set, language),
            },
            ignored: ignored
                .iter()
                .map(|row| RuleTold {
                    rule: row.id,
                    errno: None,
                    text: match language {
                        Language::English => format!("{}: {}", row.condition, row.english),
                        Language::Chinese => row.chinese.to_owned(),
                    },
                })
                .collect(),
            unknown: (!unknown.is_empty()).then(|| unknown.to_string()),
            exit_signal: (set.signal != 0).then(|| set.signal_name()),
            exit_signal_text: signal_text(set, language),
            callers: callers(set)
                .into_iter()
                .map(|row| CallerTold {
                    function: row.name,
                    library: row.library,
                    serves: row.serves,
                    stack: match row.stack {
                        origins::Stack::Given => "given",
                        origins::Stack::Zero => "zero",
                    },
                })
                .collect(),
            flags: FLAGS
                .iter()
                .filter(|flag| set.flags.contains(flag.flags()))
                .map(|flag| FlagTold::of(flag, language))
                .collect(),
            walk: match refused {
                Some(_) => Vec::new(),
                None => walk::walk(set, language),
            },
        }
    }

    /// The verdict in words.
    fn verdict(&self, language: Language) -> String {
        let kernel = &self.kernel;
        match (&self.refused, language) {
            (None, Language::English) => {
                format!("accepted by Linux {kernel}, as far as the flags decide")
            }
            (None, Language::Chinese) => format!("Linux {kernel} 接受（就标志而言）"),
            (Some(rule), Language::English) => format!(
                "refused by Linux {kernel} with {}: {}  [{}]",
                rule.errno.unwrap_or("any errno"),
                rule.text,
                rule.rule
            ),
            (Some(rule), Language::Chinese) => format!(
                "Linux {kernel} 拒绝，{}：{}  [{}]",
                rule.errno.unwrap_or("errno 不定"),
                rule.text,
                rule.rule
            ),
        }
    }

    /// The facts at the top.
    fn summary(&self, language: Language) -> Vec<(String, String)> {
        let label = |english: &str, chinese: &str| language.pick(english, chinese).to_owned();
        let mut facts = vec![
            (label("makes", "创建"), self.kind_text.clone()),
            (label("kernel", "内核"), self.verdict(language)),
        ];
        if self.callers.is_empty() {
            let nobody = language.pick(
                "no library function that is known passes just this",
                "没有已知的库函数恰好这样传",
            );
            facts.push((label("passed by", "谁这样传"), nobody.to_owned()));
        }
        for (i, caller) in self.callers.iter().enumerate() {
            let name = if i == 0 {
                label("passed by", "谁这样传")
            } else {
                String::new()
            };
            let text = match language {
                Language::English => format!(
                    "{} ({}), for {}",
                    caller.function, caller.library, caller.serves
                ),
                Language::Chinese => format!(
                    "{}（{}），例如 {}",
                    caller.function, caller.library, caller.serves
                ),
            };
            facts.push((name, text));
        }
        facts.push((
            label("exit signal", "退出信号"),
            self.exit_signal_text.clone(),
        ));
        for row in &self.ignored {
            facts.push((
                label("ignored", "被忽略"),
                format!("{}  [{}]", row.text, row.rule),
            ));
        }
        if let Some(bits) = &self.unknown {
            let text = language.pick("bits without a name", "没有名字的位");
            facts.push((label("unknown", "未知"), format!("{bits}: {text}")));
        }
        facts
    }

    /// As a page.
    pub fn page(&self, language: Language) -> Page {
        let heading = |english: &str, chinese: &str| {
            Block::Heading(language.pick(english, chinese).to_owned())
        };
        let title = match self.call {
            Call::Fork | Call::Vfork => format!(
                "{}()  =  clone({})  {}",
                self.call, self.expression, self.word
            ),
            Call::Clone | Call::Clone3 => {
                format!("{}({})  {}", self.call, self.expression, self.word)
            }
        };
        let mut blocks = vec![Block::Heading(title), Block::Facts(self.summary(language))];
        if !self.flags.is_empty() {
            blocks.push(heading("The flags", "各个标志"));
            blocks.extend(self.flags.iter().map(|flag| flag.item(language)));
        }
        if !self.walk.is_empty() {
            blocks.push(heading(
                "What the kernel does, step by step",
                "内核逐步做了什么",
            ));
            let head = ["step", "fate", "what"];
            let head = if language == Language::Chinese {
                ["步骤", "结果", "内容"]
            } else {
                head
            };
            let rows = self.walk.iter().map(|step| {
                vec![
                    step.function.to_owned(),
                    step.fate.word(language).to_owned(),
                    step.text.clone(),
                ]
            });
            blocks.push(Block::Table(
                head.map(str::to_owned).to_vec(),
                rows.collect(),
            ));
        }
        if !self.may_fail.is_empty() {
            blocks.push(heading(
                "What else can refuse these flags",
                "这些标志还可能因何被拒",
            ));
            let head = ["errno", "why"];
            let head = if language == Language::Chinese {
                ["errno", "原因"]
            } else {
                head
            };
            let rows = self.may_fail.iter().map(|rule| {
                vec![
                    rule.errno.unwrap_or("?").to_owned(),
                    format!("{}  [{}]", rule.text, rule.rule),
                ]
            });
            blocks.push(Block::Table(
                head.map(str::to_owned).to_vec(),
                rows.collect(),
            ));
        }
        Page(blocks)
    }
}
