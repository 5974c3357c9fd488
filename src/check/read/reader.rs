//! What is read of an expectation file so far, and what is wrong with it; a table's keys, taken one by
//! one.

use std::ops::Range as Span;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::expect::Placed;
use crate::check::mistakes::{Mistake, line};
use crate::suggest::nearest;

pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// The file, and what is wrong with it so far.
pub(super) struct Reader<'i> {
    pub text: &'i str,
    pub mistakes: Vec<Mistake>,
}

/// A table whose keys are taken one by one.
pub(super) struct Keys<'a, 'i> {
    pub table: &'a DeTable<'i>,
    /// How it is named in messages: `[tasks]`.
    pub name: &'static str,
    pub known: Vec<&'static str>,
}

impl<'a, 'i> Keys<'a, 'i> {
    pub fn new(table: &'a DeTable<'i>, name: &'static str) -> Self {
        let known = Vec::new();
        Keys { table, name, known }
    }

    pub fn take(&mut self, key: &'static str) -> Option<&'a Value<'i>> {
        self.known.push(key);
        self.table.get(key)
    }
}

/// Keys that are often written where they do not belong, and where they do.
pub(in crate::check) const HOMES: &[(&str, &[&str])] = &[
    (
        "the expectation",
        &[
            "command", "build", "stdin", "env", "timeout", "skip", "machine", "exit", "else",
            "ordered",
        ],
    ),
    ("a table of its own", &["tasks", "clone", "forbid", "lints"]),
    (
        "[tasks]",
        &[
            "processes",
            "threads",
            "created",
            "failed",
            "unfinished",
            "cut_off",
            "outlived",
        ],
    ),
    (
        "[[clone]]",
        &[
            "is",
            "call",
            "flags",
            "require",
            "exit_signal",
            "outcome",
            "kind",
            "name",
            "count",
        ],
    ),
    ("[forbid]", &["untraced", "calls"]),
    ("[lints]", &["deny", "allow"]),
];

/// Where a key belongs.
fn home(key: &str) -> Option<&'static str> {
    let mut homes = HOMES.iter();
    homes
        .find(|(_, keys)| keys.contains(&key))
        .map(|(home, _)| *home)
}

impl Reader<'_> {
    pub fn mistake(&mut self, span: Span<usize>, what: String, hint: impl Into<String>) {
        let hint = hint.into();
        self.mistakes.push(Mistake { span, what, hint });
    }

    pub fn line(&self, span: &Span<usize>) -> usize {
        line(self.text, span)
    }

    pub fn placed<T>(&self, span: &Span<usize>, value: T) -> Placed<T> {
        Placed {
            value,
            line: Some(self.line(span)),
        }
    }

    /// Keys that nobody asked for are misspelt, or of another place.
    pub fn leftover(&mut self, keys: &Keys) {
        for key in keys.table.keys() {
            let name: &str = key.get_ref();
            if keys.known.contains(&name) {
                continue;
            }
            let all = || format!("{} knows {}", keys.name, keys.known.join(", "));
            let hint = match (home(name), nearest(name, keys.known.iter().copied())) {
                (Some("the expectation"), _) => {
                    format!("`{name}` is the whole file's: it stands before the first [table]")
                }
                (Some(home), _) => format!("{}; `{name}` stands in {home}", all()),
                (None, Some(meant)) => format!("did you mean `{meant}`?"),
                (None, None) => all(),
            };
            self.mistake(
                key.span(),
                format!("unknown key `{name}` in {}", keys.name),
                hint,
            );
        }
    }
}
