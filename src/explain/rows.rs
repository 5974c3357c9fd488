//! Rows of the tables, in one language.

use serde::Serialize;

use crate::abi::flags::{Flag, Use};
use crate::abi::rules::{Rule, Version};
use crate::abi::{Call, Stack};
use crate::origins::Origin;

use super::Lang;
use super::page::Block;
use super::set::Set;

/// A flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlagRow {
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

impl FlagRow {
    /// Of a row.
    pub fn of(flag: &'static Flag, language: Lang) -> FlagRow {
        let uses = [
            ("clone", flag.clone),
            ("clone3", flag.clone3),
            ("unshare", flag.unshare),
        ];
        FlagRow {
            name: flag.name,
            value: format!("{:#x}", flag.bits),
            since: flag.since,
            calls: uses
                .into_iter()
                .filter(|(_, what)| *what == Use::Takes)
                .map(|(call, _)| call)
                .collect(),
            meaning: flag.meaning.pick(language),
            object: flag.object.pick(language),
            set: flag.set.pick(language),
            clear: flag.clear.pick(language),
            decided_by: flag.decided_by,
            source: flag.source,
        }
    }

    /// As a part of a page.
    pub fn item(&self, language: Lang) -> Block {
        let none = language.pick("no call", "没有调用");
        let calls = if self.calls.is_empty() {
            none.to_owned()
        } else {
            self.calls.join(", ")
        };
        let head = match language {
            Lang::English => format!(
                "{}  {}  since {}, {calls}",
                self.name, self.value, self.since
            ),
            Lang::Chinese => format!(
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

/// A rule, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleRow {
    /// Its name.
    pub rule: &'static str,
    /// Its errno; none: any.
    pub errno: Option<&'static str>,
    /// Condition and reason.
    pub text: String,
}

impl RuleRow {
    /// Of a row.
    pub fn of(rule: &'static Rule, language: Lang) -> RuleRow {
        RuleRow {
            rule: rule.id,
            errno: rule.errno(),
            text: match language {
                Lang::English => format!("{}: {}", rule.condition, rule.english),
                Lang::Chinese => rule.chinese.to_owned(),
            },
        }
    }
}

/// A library function that passes the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallerRow {
    /// The function.
    pub function: &'static str,
    /// The call that it makes.
    pub call: Call,
    /// What it passes, as a C program would write it.
    pub set: String,
    /// The library and its versions.
    pub library: &'static str,
    /// What comes by this way.
    pub serves: &'static str,
    /// Whether it gives a stack.
    pub stack: &'static str,
}

impl CallerRow {
    /// Of a row.
    pub fn of(row: &'static Origin, language: Lang) -> CallerRow {
        CallerRow {
            function: row.name,
            call: row.call,
            set: Set::new(row.call, row.flags.0, row.exit_signal, Version::NEWEST).expression(),
            library: row.library.pick(language),
            serves: row.serves.pick(language),
            stack: match row.stack {
                Stack::Given => "given",
                Stack::Zero => "zero",
                Stack::Callers => "callers",
            },
        }
    }
}
