//! strace's lines, with what they mean below them.
//!
//! A line is taken for a call only if, after what strace puts before calls (pid and times), it begins
//! with the name of one. What a program wrote may look like a call, but it stands behind a `write(`.

use std::collections::HashMap;

use crate::abi::Call;
use crate::abi::flags::{
    CLONE_CLEAR_SIGHAND, CLONE_SIGHAND, CloneFlags, FLAGS, Flag, Piece, Sense,
};
use crate::abi::rules::{self, Decided, Kernel, Rule, Version};

use super::Lang;
use super::analysis::{callers, kind_text, newest_before, signal_text};
use super::set::Set;
use super::strace_line::{self, Outcome, ParsedCall, Prefix};
use crate::layout::{Ink, Pen, Style};

/// How far an explanation stands in.
const INDENT: usize = 4;

/// How many calls may be under way at once before the oldest are no longer waited for.
const MOST_PENDING: usize = 4096;

/// Sets that were explained, by what they are.
pub struct Notes {
    version: Version,
    language: Lang,
    seen: HashMap<(Call, u64, u64, Option<bool>), usize>,
    /// The beginnings of calls that are under way, by task.
    pending: HashMap<String, String>,
}

/// A, B, … Z, AA, AB, …
fn letter(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + u8::try_from(rest % 26).unwrap_or(0));
        rest /= 26;
    }
    letters.reverse();
    String::from_utf8(letters).unwrap_or_default()
}

impl Notes {
    /// None yet.
    pub fn new(version: Version, language: Lang) -> Notes {
        Notes {
            version,
            language,
            seen: HashMap::new(),
            pending: HashMap::new(),
        }
    }

    /// What is to stand below this line; `None` for a line without a call that asks for a task.
    pub fn below(&mut self, line: &[u8]) -> Option<String> {
        let line = String::from_utf8_lossy(line);
        let Prefix { pid, rest } = strace_line::prefix(line.trim_end());
        let text = if let Some(resumed) = rest.strip_prefix("<... ") {
            self.resumed(pid, resumed)?
        } else {
            let rest = strace_line::cleaned(rest);
            let parsed = strace_line::call(&rest, self.version)?;
            let outcome = strace_line::outcome(&rest);
            if outcome == Outcome::Unfinished {
                if self.pending.len() >= MOST_PENDING {
                    self.pending.clear();
                }
                self.pending.insert(pid.to_owned(), rest.clone());
            }
            self.about(&parsed, outcome)
        };
        let style = Style::default();
        let mut pen = Pen::new(&style);
        pen.to(INDENT).bars(&text, Ink::Plain, INDENT).end();
        Some(pen.done())
    }

    /// The second half of a call. What it asked for stands above already.
    fn resumed(&mut self, pid: &str, line: &str) -> Option<String> {
        let (name, rest) = line.split_once(' ')?;
        let known = strace_line::CALLS.contains(&name);
        let begun = known.then(|| self.pending.remove(pid))??;
        let rest = strace_line::cleaned(rest.strip_prefix("resumed>").unwrap_or(rest));
        let whole = format!("{}{rest}", begun.trim_end());
        let parsed = strace_line::call(&whole, self.version)?;
        match strace_line::outcome(&rest) {
            Outcome::Failed(errno) => Some(self.why(&parsed, errno)),
            Outcome::Again(name) => Some(self.again(name)),
            Outcome::Unfinished | Outcome::Unknown | Outcome::Made => None,
        }
    }

    fn about(&mut self, parsed: &ParsedCall, outcome: Outcome<'_>) -> String {
        let refused = self.refused(parsed, outcome);
        let made = match outcome {
            Outcome::Made => true,
            Outcome::Unfinished | Outcome::Unknown => refused.is_none(),
            Outcome::Again(_) | Outcome::Failed(_) => false,
        };
        let mut text = self.head(parsed, made);
        let more = match outcome {
            Outcome::Failed(errno) => Some(self.why(parsed, errno)),
            Outcome::Again(name) => Some(self.again(name)),
            Outcome::Unfinished | Outcome::Unknown | Outcome::Made => refused,
        };
        if let Some(more) = more {
            text.push_str(self.language.pick("; ", "；"));
            text.push_str(&more);
        }
        text
    }

    /// What a call asks for: in full, or by the letter of the same set above.
    fn head(&mut self, parsed: &ParsedCall, made: bool) -> String {
        let set = &parsed.set;
        if !parsed.shown {
            let (english, chinese) = match set.call {
                Call::Clone3 => (
                    "clone3, of whose struct this line shows the address alone",
                    "clone3；这一行只给出结构体的地址，没有内容",
                ),
                Call::Clone | Call::Fork | Call::Vfork => (
                    "clone, with raw arguments: which is which depends on the machine",
                    "clone；这一行只有原始参数，各是什么因机器而异",
                ),
            };
            return self.language.pick(english, chinese).to_owned();
        }
        // A set of which not all is known is not the same as another.
        if !parsed.strange.is_empty() {
            let (names, rest) = (parsed.strange.join("|"), self.in_full(set, made));
            return match self.language {
                Lang::English => {
                    format!("{names}: no flag of this name is known; without it: {rest}")
                }
                Lang::Chinese => format!("{names}：不认识这个名字的标志；除此之外：{rest}"),
            };
        }
        let key = (set.call, set.flags.0, set.signal, set.stack);
        let next = self.seen.len();
        let first = !self.seen.contains_key(&key);
        let letter = letter(*self.seen.entry(key).or_insert(next));
        if first {
            format!("{letter}  {}", self.in_full(set, made))
        } else {
            self.in_short(set, &letter, made)
        }
    }

    /// A set that was explained before.
    fn in_short(&self, set: &Set, letter: &str, made: bool) -> String {
        let kind = kind_text(set, self.language);
        let short = kind.split([':', ';', '：', '；']).next().unwrap_or(kind);
        let asks = self.asks(made);
        match self.language {
            Lang::English => format!("as {letter}: {asks}{short}"),
            Lang::Chinese => format!("同 {letter}：{asks}{short}"),
        }
    }

    /// What stands before a kind of task that is not there.
    fn asks(&self, made: bool) -> &'static str {
        match made {
            true => "",
            false => self.language.pick("asks for ", "要求："),
        }
    }

    /// What is to say of arguments that the kernel refuses, where the line does not say that it did.
    fn refused(&self, parsed: &ParsedCall, outcome: Outcome<'_>) -> Option<String> {
        if !parsed.shown || !parsed.strange.is_empty() {
            return None;
        }
        let rule = rules::judge(&parsed.set.arguments, &parsed.set.kernel)?;
        let (version, errno) = (self.kernel(), rule.errno().unwrap_or("?"));
        let what = match self.language {
            Lang::English => format!(
                "Linux {version} refuses it with {errno}: {}",
                rule_text(rule, self.language)
            ),
            Lang::Chinese => format!(
                "Linux {version} 会以 {errno} 拒绝：{}",
                rule_text(rule, self.language)
            ),
        };
        Some(match outcome {
            Outcome::Made => {
                let other = self
                    .language
                    .pick("; so this is another kernel", "；可见这是别的内核");
                format!("{what}{other}")
            }
            _ => what,
        })
    }

    /// The kernel's version, and how far the tables know it.
    fn kernel(&self) -> String {
        let version = self.version;
        match (newest_before(version), self.language) {
            (None, _) => version.to_string(),
            (Some(newest), Lang::English) => format!("{version} (by the rules of {newest})"),
            (Some(newest), Lang::Chinese) => format!("{version}（按 {newest} 的规则）"),
        }
    }

    /// No failure: a signal was there, and the kernel makes the call again.
    fn again(&self, name: &str) -> String {
        match self.language {
            Lang::English => {
                format!(
                    "{name}: nothing is made yet: a signal came first, and then the call is made again"
                )
            }
            Lang::Chinese => format!("{name}：还没有创建：先处理信号，随后重新发起这次调用"),
        }
    }

    /// A set in a paragraph.
    fn in_full(&self, set: &Set, made: bool) -> String {
        let pick =
            |english: &'static str, chinese: &'static str| self.language.pick(english, chinese);
        let comma = pick(", ", "、");
        let listed = |names: Vec<&str>| names.join(comma);
        let mut pieces: Vec<(&Flag, Piece)> = FLAGS
            .iter()
            .filter_map(|flag| Some((flag, flag.piece?)))
            .collect();
        pieces.sort_by_key(|(_, piece)| piece.order);
        let names = |among: &dyn Fn(CloneFlags) -> bool| {
            let rows = pieces.iter().filter(|(flag, _)| among(flag.flags()));
            listed(
                rows.map(|(_, piece)| piece.name.pick(self.language))
                    .collect(),
            )
        };
        let copies = set.effective().pieces_copied();
        let shared = names(&|flag| set.has(flag));
        // What is newer than the kernel is not there to be copied.
        let known = set.kernel.flags();
        let copied = names(&|flag| {
            known.contains(flag) && copies.iter().any(|(row, _)| row.flags() == flag)
        });
        let new = set
            .effective()
            .rows()
            .filter(|flag| flag.sense == Sense::MakesNew);
        let new = listed(new.map(|flag| flag.name).collect());
        let mut callers: Vec<&str> = callers(set).iter().map(|row| row.name).collect();
        callers.dedup();
        let request = self.asks(made);
        let mut parts = vec![format!("{request}{}", kind_text(set, self.language))];
        for (what, names) in [
            (pick("shares ", "共享"), shared),
            (pick("copies ", "复制"), copied),
            (pick("makes new ", "新建 "), new),
            (pick("as passed by ", "这样传的有 "), listed(callers)),
            (
                pick("exit signal ", "退出信号："),
                signal_text(set, self.language),
            ),
        ] {
            if !names.is_empty() {
                parts.push(format!("{what}{names}"));
            }
        }
        if set.has(CLONE_CLEAR_SIGHAND) && !set.has(CLONE_SIGHAND) {
            let english = "signal handlers back to default, ignored signals stay ignored";
            let chinese = "信号处理函数恢复默认，被忽略的信号仍被忽略";
            parts.push(pick(english, chinese).to_owned());
        }
        for row in rules::ignored(&set.arguments, &set.kernel) {
            parts.push(match self.language {
                Lang::English => format!("ignored: {}", row.condition),
                Lang::Chinese => row.chinese.trim_end_matches('。').to_owned(),
            });
        }
        parts.join(pick("; ", "；"))
    }

    /// Why it failed, as far as the line says.
    fn why(&self, parsed: &ParsedCall, errno: &str) -> String {
        let set = &parsed.set;
        if let Some(rule) = certain(set, errno) {
            let text = rule_text(rule, self.language);
            return match self.language {
                Lang::English => format!("{errno}: {text}"),
                Lang::Chinese => format!("{errno}：{text}"),
            };
        }
        // Rules that may give any errno say nothing about this one. Nor is there anything to say about
        // flags that are not told.
        let shown = parsed.shown && parsed.strange.is_empty();
        let ids: Vec<&str> = rules::suspects(&set.arguments, &set.kernel, errno)
            .iter()
            .filter(|rule| shown && !rule.errnos.is_empty())
            .map(|rule| rule.id)
            .collect();
        let whole = shown && parsed.whole;
        let one_of = if ids.len() > 1 { "one of " } else { "" };
        let version = self.kernel();
        match (ids.is_empty(), whole, self.language) {
            (true, true, Lang::English) => format!(
                "{errno}: no check of Linux {version} gives it: a seccomp filter, or another kernel"
            ),
            (true, true, Lang::Chinese) => format!(
                "{errno}：Linux {version} 的检查不会给出它：是 seccomp 过滤器，或是别的内核"
            ),
            (true, false, Lang::English) => format!(
                "{errno}: why cannot be decided from this line, which does not tell every argument"
            ),
            (true, false, Lang::Chinese) => {
                format!("{errno}：这一行没有给出全部参数，无法判定原因")
            }
            (false, true, Lang::English) => {
                format!("{errno}: {one_of}{}, or a seccomp filter", ids.join(", "))
            }
            (false, true, Lang::Chinese) => {
                format!("{errno}：可能是 {}，或 seccomp 过滤器", ids.join("、"))
            }
            (false, false, Lang::English) => format!(
                "{errno}: {one_of}{}, or an argument that this line does not tell, or a seccomp filter",
                ids.join(", ")
            ),
            (false, false, Lang::Chinese) => format!(
                "{errno}：可能是 {}，或这一行没有给出的参数，或 seccomp 过滤器",
                ids.join("、")
            ),
        }
    }
}

/// The rule that the arguments alone break. Which addresses are a program's is known for x86-64; on
/// other machines one that is refused there leaves this reason alone as well.
fn certain(set: &Set, errno: &str) -> Option<&'static Rule> {
    [set.kernel, Kernel::x86_64(set.kernel.version)]
        .iter()
        .find_map(|kernel| {
            let suspects = rules::suspects(&set.arguments, kernel, errno);
            let last = suspects.last().copied();
            last.filter(|rule| rule.decided == Decided::Arguments)
        })
}

/// A rule in words.
fn rule_text(rule: &Rule, language: Lang) -> String {
    match language {
        Lang::English => format!("{}: {}  [{}]", rule.condition, rule.english, rule.id),
        Lang::Chinese => format!("{}  [{}]", rule.chinese, rule.id),
    }
}
