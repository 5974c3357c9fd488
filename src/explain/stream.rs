//! strace's lines, with what they mean below them.
//!
//! A line is taken for a call only if, after what strace puts before calls (pid and times), it begins
//! with the name of one. What a program wrote may look like a call, but it stands behind a `write(`.

use std::collections::HashMap;

use crate::abi::Call;
use crate::abi::flags::{
    CLONE_FILES, CLONE_FS, CLONE_IO, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_VM, Sense,
};
use crate::abi::rules::{self, Decided, Tids, Version};
use crate::abi::signals;

use super::Lang;
use super::page;
use super::picture::{callers, kind_text, signal_text};
use super::set::Set;

/// How far an explanation stands in.
const INDENT: usize = 4;

/// How many calls may be under way at once before the oldest are no longer waited for.
const MOST_PENDING: usize = 4096;

/// Sets that were explained, by what they are.
pub struct Notes {
    version: Version,
    language: Lang,
    seen: HashMap<(Call, u64, u64, Option<bool>), usize>,
    pending: HashMap<String, Set>,
}

/// The beginning of a line: who called, and the rest.
struct Prefix<'a> {
    pid: &'a str,
    rest: &'a str,
}

/// Takes off pid and times: words of digits, dots and colons, `[pid 12]`, what `-Y` adds in `<>`, and
/// in brackets the numbers and addresses of `-n` and `-i`.
fn prefix(line: &str) -> Prefix<'_> {
    let mut found = Prefix {
        pid: "",
        rest: line.trim_start(),
    };
    loop {
        let bracket = found.rest.strip_prefix('[');
        let split = match bracket {
            Some(inside) => inside.split_once(']'),
            None => found.rest.split_once(' '),
        };
        let Some((word, rest)) = split else {
            return found;
        };
        let word = word.strip_prefix("pid").unwrap_or(word).trim();
        let number = word.split('<').next().unwrap_or(word);
        let decimal = |b: u8| b.is_ascii_digit() || b == b'.' || b == b':';
        let of_digits = match bracket {
            Some(_) => number.bytes().all(|b| b.is_ascii_hexdigit()),
            None => number.bytes().all(decimal),
        };
        if number.is_empty() || !of_digits {
            return found;
        }
        if found.pid.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
            found.pid = number;
        }
        found.rest = rest.trim_start();
    }
}

/// A call's text without the comments of `-X verbose`, and without strace's own words, which it
/// writes into the middle of a line when it attaches to the child.
fn cleaned(text: &str) -> String {
    let text = text.split("strace: Process ").next().unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        let Some((_, after)) = comment.split_once("*/") else {
            break;
        };
        out.push_str(before.trim_end());
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether a line has a result: `) = 3`, `)      = ?`.
fn finished(text: &str) -> bool {
    let result = text.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    let result = match result {
        // An error's words in parentheses come after it.
        Some("") => text.rsplit_once(" = -1 ").map(|_| "="),
        result => result,
    };
    result.is_some_and(|rest| rest.starts_with('='))
}

/// The value of `name=` in an argument list: up to the comma, brace or bracket that ends it.
fn field<'a>(arguments: &'a str, name: &str) -> Option<&'a str> {
    let at = arguments.match_indices(name).find_map(|(at, _)| {
        let before = arguments.get(..at)?.chars().next_back();
        let whole = before.is_none_or(|c| matches!(c, ' ' | '{' | '(' | ','));
        let rest = arguments.get(at..)?.strip_prefix(name)?.strip_prefix('=')?;
        whole.then_some(rest)
    })?;
    let end = at.find([',', '}', ')', ' ']).unwrap_or(at.len());
    at.get(..end)
}

fn number(text: &str) -> Option<u64> {
    if text == "NULL" {
        return Some(0);
    }
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The error in a finished line.
fn errno(line: &str) -> Option<&str> {
    let (_, result) = line.rsplit_once(" = -1 ")?;
    let name = result.split([' ', '\n']).next()?;
    let word = name
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    (word && name.starts_with('E')).then_some(name)
}

/// What a call passes, as strace prints it.
fn call(text: &str, version: Version) -> Option<Set> {
    let (name, arguments) = text.split_once('(')?;
    match name {
        "fork" => Some(Set::new(Call::Fork, 0, 0, version)),
        "vfork" => Some(Set::new(Call::Vfork, 0, 0, version)),
        "clone" | "clone2" | "__clone2" => {
            let mut set =
                Set::parse(field(arguments, "flags")?, Some(Call::Clone), version).ok()?;
            let stack = field(arguments, "child_stack").and_then(number);
            set.stack = stack.map(|stack| stack != 0);
            set.arguments.stack = stack.unwrap_or(0);
            Some(set)
        }
        "clone3" => clone3(arguments, version),
        _ => None,
    }
}

fn clone3(arguments: &str, version: Version) -> Option<Set> {
    let flags = field(arguments, "flags")?;
    let mut set = Set::parse(flags, Some(Call::Clone3), version).ok()?;
    if let Some(signal) = field(arguments, "exit_signal") {
        let named = signals::number(signal).and_then(|n| u64::try_from(n).ok());
        set.signal = named.or_else(|| number(signal))?;
        set.arguments.exit_signal = set.signal;
    }
    let word = |name: &str| field(arguments, name).and_then(number).unwrap_or(0);
    let stack = field(arguments, "stack").and_then(number);
    set.stack = stack.map(|stack| stack != 0);
    set.arguments.stack = stack.unwrap_or(0);
    set.arguments.stack_size = word("stack_size");
    set.arguments.tls = word("tls");
    set.arguments.cgroup = word("cgroup");
    if let (Some(pidfd), Some(tid)) = (field(arguments, "pidfd"), field(arguments, "parent_tid")) {
        (set.arguments.pidfd, set.arguments.parent_tid) = (number(pidfd)?, number(tid)?);
    }
    // Wanted tids are printed as a list; what is there is enough to know that they are wanted.
    if let Some(list) = arguments
        .split_once("set_tid=[")
        .and_then(|(_, rest)| rest.split_once(']'))
    {
        let tids: Vec<i32> = list
            .0
            .split(", ")
            .filter_map(|tid| tid.parse().ok())
            .collect();
        set.arguments.set_tid = 8; // some address
        set.arguments.set_tid_size = tids.len() as u64;
        set.arguments.tids = Tids::Read(tids);
    }
    let size = arguments.rsplit_once("}, ").map(|(_, rest)| rest);
    let size = size.and_then(|rest| number(rest.split([')', ' ']).next()?));
    set.arguments.size = size.unwrap_or(set.arguments.size);
    Some(set)
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
        let Prefix { pid, rest } = prefix(line.trim_end());
        let text = if let Some(resumed) = rest.strip_prefix("<... ") {
            let (name, _) = resumed.split_once(' ')?;
            let known = ["clone", "clone2", "__clone2", "clone3", "fork", "vfork"].contains(&name);
            let set = known.then(|| self.pending.remove(pid))??;
            // What it asked for stands above already.
            self.why(&set, errno(rest)?)
        } else {
            let rest = cleaned(rest);
            let set = call(&rest, self.version)?;
            let text = self.about(&set, errno(&rest));
            if !finished(&rest) {
                if self.pending.len() >= MOST_PENDING {
                    self.pending.clear();
                }
                self.pending.insert(pid.to_owned(), set);
            }
            text
        };
        let lines = page::wrap(&text, INDENT);
        let indent = " ".repeat(INDENT);
        Some(
            lines
                .iter()
                .map(|line| format!("{indent}{line}\n"))
                .collect(),
        )
    }

    fn about(&mut self, set: &Set, errno: Option<&str>) -> String {
        let key = (set.call, set.flags.0, set.signal, set.stack);
        let next = self.seen.len();
        let first = !self.seen.contains_key(&key);
        let letter = letter(*self.seen.entry(key).or_insert(next));
        let mut text = if first {
            format!("{letter}  {}", self.in_full(set, errno.is_some()))
        } else {
            let kind = kind_text(set, self.language);
            let short = kind.split([':', ';', '：', '；']).next().unwrap_or(kind);
            match self.language {
                Lang::English => format!("as {letter}: {short}"),
                Lang::Chinese => format!("同 {letter}：{short}"),
            }
        };
        if let Some(errno) = errno {
            text.push_str(self.language.pick("; ", "；"));
            text.push_str(&self.why(set, errno));
        }
        text
    }

    /// A set in a paragraph.
    fn in_full(&self, set: &Set, failed: bool) -> String {
        let pick =
            |english: &'static str, chinese: &'static str| self.language.pick(english, chinese);
        let pieces = [
            (CLONE_VM, pick("memory", "内存"), true),
            (CLONE_FILES, pick("descriptors", "文件描述符表"), true),
            (
                CLONE_FS,
                pick("directories and umask", "目录与 umask"),
                true,
            ),
            (CLONE_SIGHAND, pick("signal handlers", "信号处理函数"), true),
            (
                CLONE_SYSVSEM,
                pick("semaphore undos", "信号量撤销表"),
                false,
            ),
            (CLONE_IO, pick("I/O context", "I/O 上下文"), false),
        ];
        let comma = pick(", ", "、");
        let listed = |names: Vec<&str>| names.join(comma);
        let shared = listed(
            pieces
                .iter()
                .filter(|p| set.has(p.0))
                .map(|p| p.1)
                .collect(),
        );
        let copied = listed(
            pieces
                .iter()
                .filter(|p| p.2 && !set.has(p.0))
                .map(|p| p.1)
                .collect(),
        );
        let new = set
            .effective()
            .rows()
            .filter(|flag| flag.sense == Sense::MakesNew);
        let new = listed(new.map(|flag| flag.name).collect());
        let mut callers: Vec<&str> = callers(set).iter().map(|row| row.name).collect();
        callers.dedup();
        let asked = if failed {
            pick("asks for ", "要求：")
        } else {
            ""
        };
        let mut parts = vec![format!("{asked}{}", kind_text(set, self.language))];
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
        for row in rules::ignored(&set.arguments, &set.kernel) {
            parts.push(match self.language {
                Lang::English => format!("ignored: {}", row.condition),
                Lang::Chinese => row.chinese.trim_end_matches('。').to_owned(),
            });
        }
        parts.join(pick("; ", "；"))
    }

    /// Why it failed, as far as the line says.
    fn why(&self, set: &Set, errno: &str) -> String {
        let suspects = rules::suspects(&set.arguments, &set.kernel, errno);
        let certain = suspects
            .last()
            .filter(|rule| rule.decided == Decided::Arguments);
        if let Some(rule) = certain {
            return match self.language {
                Lang::English => {
                    format!(
                        "{errno}: {}: {}  [{}]",
                        rule.condition, rule.english, rule.id
                    )
                }
                Lang::Chinese => format!("{errno}：{}  [{}]", rule.chinese, rule.id),
            };
        }
        // Rules that may give any errno say nothing about this one.
        let ids: Vec<&str> = suspects
            .iter()
            .filter(|rule| !rule.errnos.is_empty())
            .map(|rule| rule.id)
            .collect();
        match (ids.is_empty(), self.language) {
            (true, Lang::English) => format!(
                "{errno}: no check of Linux {} gives it: a seccomp filter, or another kernel",
                self.version
            ),
            (true, Lang::Chinese) => format!(
                "{errno}：Linux {} 的检查不会给出它：是 seccomp 过滤器，或是别的内核",
                self.version
            ),
            (false, Lang::English) => {
                format!("{errno}: one of {}, or a seccomp filter", ids.join(", "))
            }
            (false, Lang::Chinese) => {
                format!("{errno}：可能是 {}，或 seccomp 过滤器", ids.join("、"))
            }
        }
    }
}
