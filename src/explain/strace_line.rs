//! A line of strace, read: who called, what was passed, what came of it.

use crate::abi::Call;
use crate::abi::flags::{CLONE_INTO_CGROUP, CLONE_SETTLS, CloneFlags};
use crate::abi::rules::{Tids, Version};
use crate::abi::signals;

use super::set::{BadSet, Set};

/// The calls, by the names that strace has for them.
pub const CALLS: [&str; 6] = ["clone", "clone2", "__clone2", "clone3", "fork", "vfork"];

/// The beginning of a line: who called, and the rest.
pub struct Prefix<'a> {
    /// The task, where the line has it.
    pub pid: &'a str,
    /// What follows.
    pub rest: &'a str,
}

/// Takes off pid and times: words of digits, dots and colons, `[pid 12]`, what `-Y` adds in `<>`, and
/// in brackets the numbers and addresses of `-n` and `-i`.
pub fn prefix(line: &str) -> Prefix<'_> {
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
pub fn cleaned(text: &str) -> String {
    let text = text.split("strace: Process ").next().unwrap_or(text);
    let text = text.split("<unfinished").next().unwrap_or(text);
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

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The line ends before the call does.
    Unfinished,
    /// `= ?`: it is not known.
    Unknown,
    /// A task.
    Made,
    /// The kernel makes the call again: `= ? ERESTARTNOINTR`.
    Again(&'a str),
    /// An error.
    Failed(&'a str),
}

/// What came of the call in this line: `) = 3`, `)      = ?`, `) = -1 EPERM (…)`.
pub fn outcome(line: &str) -> Outcome<'_> {
    let split = line.rsplit_once(" = ");
    let Some((_, result)) = split.filter(|(call, _)| call.trim_end().ends_with(')')) else {
        return Outcome::Unfinished;
    };
    let mut words = result.split_ascii_whitespace();
    let (number, name) = (words.next().unwrap_or_default(), words.next());
    let is_error = |name: &&str| {
        let capital = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        name.starts_with('E') && name.bytes().all(capital)
    };
    match (number, name.filter(is_error)) {
        ("?", Some(name)) if name.starts_with("ERESTART") => Outcome::Again(name),
        ("-1", Some(name)) => Outcome::Failed(name),
        (number, _) if number.starts_with(|c: char| c.is_ascii_digit()) => Outcome::Made,
        _ => Outcome::Unknown,
    }
}

/// What a call passes, as far as its line tells.
#[derive(Debug)]
pub struct ParsedCall {
    /// What is told.
    pub set: Set,
    /// Whether the line shows clone3's struct, or which of clone's arguments is which.
    pub shown: bool,
    /// Whether it shows everything by which the kernel judges arguments.
    pub whole: bool,
    /// Names of flags that the tables do not have; `set` is without them.
    pub strange: Vec<String>,
}

/// Reads a call; `None` where this is none that asks for a task, or cannot be read.
pub fn call(text: &str, version: Version) -> Option<ParsedCall> {
    let (name, arguments) = text.split_once('(')?;
    let plain = |call| ParsedCall {
        set: Set::new(call, 0, 0, version),
        shown: true,
        whole: true,
        strange: Vec::new(),
    };
    match name {
        "fork" => Some(plain(Call::Fork)),
        "vfork" => Some(plain(Call::Vfork)),
        "clone" | "clone2" | "__clone2" if is_raw(arguments) => Some(ParsedCall {
            shown: false,
            whole: false,
            ..plain(Call::Clone)
        }),
        "clone" | "clone2" | "__clone2" => {
            let (mut set, strange) = flags(field(arguments, "flags")?, Call::Clone, version)?;
            let stack = field(arguments, "child_stack").and_then(number);
            set.stack = stack.map(|stack| stack != 0);
            set.arguments.stack = stack.unwrap_or(0);
            let tls = field(arguments, "tls").and_then(number);
            set.arguments.tls = tls.unwrap_or(0);
            Some(ParsedCall {
                whole: stack.is_some() && (tls.is_some() || !set.has(CLONE_SETTLS)),
                set,
                shown: true,
                strange,
            })
        }
        "clone3" => bare(arguments, version).or_else(|| clone3(arguments, version)),
        _ => None,
    }
}

/// A set, and the names in it that the tables do not have.
fn flags(text: &str, call: Call, version: Version) -> Option<(Set, Vec<String>)> {
    let mut strange = Vec::new();
    let mut words: Vec<&str> = text.split('|').collect();
    loop {
        let text = if words.is_empty() {
            "0".to_owned()
        } else {
            words.join("|")
        };
        match Set::parse(&text, Some(call), version) {
            Ok(set) => return Some((set, strange)),
            Err(BadSet::Word(word)) => {
                // Anything else is no name: the line is not strace's, or is cut.
                let part = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
                if !word.starts_with("CLONE_") || !word.bytes().all(part) {
                    return None;
                }
                let before = words.len();
                words.retain(|other| other.trim() != word);
                if words.len() == before {
                    // A part of something that only looks like a name.
                    return None;
                }
                strange.push(word);
            }
            Err(_) => return None,
        }
    }
}

/// Arguments without names (`-e raw`): their order is the machine's, which the line does not tell.
fn is_raw(arguments: &str) -> bool {
    let all = arguments.split([')', '<']).next().unwrap_or_default();
    let mut all = all.split(", ").map(str::trim);
    all.all(|one| number(one).is_some())
}

/// clone3 with an address in place of its struct: strace could not read that, or its size is none, or
/// it was told not to (`-e raw`).
fn bare(arguments: &str, version: Version) -> Option<ParsedCall> {
    let (address, rest) = arguments.split_once(", ")?;
    let size = rest.split([')', ' ']).next()?;
    if address != "NULL" && !address.starts_with("0x") {
        return None;
    }
    let mut set = Set::new(Call::Clone3, 0, 0, version);
    set.arguments.size = number(size)?;
    // Raw arguments are all in hex, and say nothing of what can be read.
    let raw = size.starts_with("0x");
    set.arguments.readable = raw && number(address)? != 0;
    Some(ParsedCall {
        set,
        shown: false,
        whole: false,
        strange: Vec::new(),
    })
}

fn clone3(arguments: &str, version: Version) -> Option<ParsedCall> {
    let (mut set, strange) = flags(field(arguments, "flags")?, Call::Clone3, version)?;
    if let Some(signal) = field(arguments, "exit_signal") {
        let named = signals::number(signal).and_then(|n| u64::try_from(n).ok());
        set.signal = named.or_else(|| number(signal))?;
        set.arguments.exit_signal = set.signal;
    }
    let word = |name: &str| field(arguments, name).and_then(number);
    let stack = word("stack");
    set.stack = stack.map(|stack| stack != 0);
    set.arguments.stack = stack.unwrap_or(0);
    set.arguments.stack_size = word("stack_size").unwrap_or(0);
    set.arguments.tls = word("tls").unwrap_or(0);
    set.arguments.cgroup = word("cgroup").unwrap_or(0);
    if let (Some(pidfd), Some(tid)) = (field(arguments, "pidfd"), field(arguments, "parent_tid")) {
        (set.arguments.pidfd, set.arguments.parent_tid) = (number(pidfd)?, number(tid)?);
    }
    wanted_tids(arguments, &mut set);
    let size = arguments.rsplit_once("}, ").map(|(_, rest)| rest);
    let size = size.and_then(|rest| number(rest.split([')', ' ']).next()?));
    set.arguments.size = size.unwrap_or(set.arguments.size);
    let unreadable = arguments.contains("???");
    set.arguments.tail = match tail(arguments) {
        None if unreadable => None,
        tail => Some(tail.unwrap_or(false)),
    };
    let missing = |flag: CloneFlags, name: &str| set.has(flag) && word(name).is_none();
    let lacks_cgroup = set.arguments.size >= 88 && missing(CLONE_INTO_CGROUP, "cgroup");
    let whole = !unreadable
        && size.is_some()
        && stack.is_some()
        && word("stack_size").is_some()
        && !missing(CLONE_SETTLS, "tls")
        && !lacks_cgroup;
    Some(ParsedCall {
        set,
        shown: true,
        whole,
        strange,
    })
}

/// The wanted tids. strace prints them as a list where there are some and it can read them, and else
/// their address.
fn wanted_tids(arguments: &str, set: &mut Set) {
    let word = |name: &str| field(arguments, name).and_then(number);
    set.arguments.set_tid = word("set_tid").unwrap_or(0);
    set.arguments.set_tid_size = word("set_tid_size").unwrap_or(0);
    let list = arguments
        .split_once("set_tid=[")
        .and_then(|(_, rest)| rest.split_once(']'));
    let Some((list, _)) = list else {
        set.arguments.tids = Tids::Unreadable;
        return;
    };
    let tids: Vec<i32> = list
        .split(", ")
        .filter_map(|tid| tid.parse().ok())
        .collect();
    set.arguments.set_tid = 8; // some address
    if set.arguments.set_tid_size == 0 {
        set.arguments.set_tid_size = tids.len() as u64;
    }
    set.arguments.tids = Tids::Read(tids);
}

/// Whether a byte past the known fields is not zero: strace prints them, after a comment that is gone
/// already, as a string of `\x05`, which it may cut short. `None` where there is no such string.
fn tail(arguments: &str) -> Option<bool> {
    let (_, bytes) = arguments.split_once(", \"")?;
    let (bytes, after) = bytes.split_once('"')?;
    // It prints none that are all zero: what is cut off has the others.
    let cut = after.starts_with("...");
    let zero = bytes
        .split("\\x")
        .all(|byte| byte.bytes().all(|b| b == b'0'));
    Some(cut || !zero)
}
