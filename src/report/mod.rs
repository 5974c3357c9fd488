//! One small file per output format behind one trait, listed in one table.
//!
//! A report is a pure function of the events and of a [`Look`] that was fixed at the start: nothing
//! is taken from the clock, the environment or /proc while rendering, so a replayed trace gives the
//! same text as the live one, byte for byte.

mod escape;
mod filter;
mod json;
mod lang;
mod names;
mod pen;
mod said;
mod schema;
mod strace;
mod text;
mod timestamps;

use std::io::{self, Write};

use crate::event::{Call, Event};
use crate::tasks::TaskTree;

pub use lang::Lang;
pub use schema::schema;
pub use timestamps::{Clock, Stamps};

/// Renders a trace. `tree` has already taken in the event.
pub trait Reporter {
    /// One event, as it happens.
    ///
    /// # Errors
    /// What the destination says; the reporter is not called again after one.
    fn event(&mut self, event: &Event, tree: &TaskTree) -> io::Result<()>;
    /// The trace is over (in order or cut short).
    ///
    /// # Errors
    /// As [`Reporter::event`].
    fn finish(&mut self, tree: &TaskTree) -> io::Result<()>;
}

/// Where a report goes.
pub type Destination = Box<dyn Write>;

/// A format.
pub struct Format {
    /// Its name, as `--format` takes it.
    pub name: &'static str,
    /// One line about it.
    pub help: &'static str,
    /// The usual ending of such a file's name.
    pub extension: &'static str,
    /// Makes the reporter.
    pub make: fn(Destination, &Look) -> Box<dyn Reporter>,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Format")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Every format; the first is the default. `--format`, its help and the golden tests follow.
pub static FORMATS: &[Format] = &[
    Format {
        name: "text",
        help: "for people: each call explained, a tree of all tasks at the end",
        extension: "txt",
        make: |out, look| Box::new(text::Text::new(out, look.clone())),
    },
    Format {
        name: "strace",
        help: "lines as strace prints them, for tools that read those",
        extension: "strace",
        make: |out, look| Box::new(strace::Strace::new(out, look.clone())),
    },
    Format {
        name: "jsonl",
        help: "one JSON object a line as things happen; `clonespy replay` reads it back",
        extension: "jsonl",
        make: |out, _| Box::new(json::Lines::new(out)),
    },
    Format {
        name: "json",
        help: "the same objects as one JSON document, an array",
        extension: "json",
        make: |out, _| Box::new(json::Document::new(out)),
    },
];

/// The format of this name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// A choice among the four calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls([bool; 4]);

impl Calls {
    /// All four.
    pub const ALL: Calls = Calls([true; 4]);
    /// None of them.
    pub const NONE: Calls = Calls([false; 4]);

    /// With one more.
    #[must_use]
    pub fn with(self, call: Call) -> Self {
        let mut set = self;
        for (slot, one) in set.0.iter_mut().zip(Call::ALL) {
            *slot |= one == call;
        }
        set
    }

    /// Those that are not in this one.
    #[must_use]
    pub fn inverted(self) -> Self {
        Calls(self.0.map(|on| !on))
    }

    /// Whether the call is among them.
    pub fn contains(self, call: Call) -> bool {
        self.0
            .iter()
            .zip(Call::ALL)
            .any(|(&on, one)| on && one == call)
    }
}

/// Which calls have lines, by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcomes {
    /// All.
    #[default]
    All,
    /// `-z`: those that created a task.
    Successes,
    /// `-Z`: those that failed.
    Failures,
}

/// Whether there is a table of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Summary {
    /// None.
    #[default]
    No,
    /// `-c`: it alone.
    Only,
    /// `-C`: after all else.
    Too,
}

/// How text is to look: fixed before the first event, never looked up later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of a line.
    pub width: usize,
    /// Whether what does not fit is shortened. On a pipe or in a file it is not: lines there are
    /// read by programs, too.
    pub cut: bool,
    /// Whether to colour.
    pub color: bool,
    /// Whether to go beyond ASCII.
    pub unicode: bool,
    /// The language of explanations.
    pub lang: Lang,
    /// `-q`: 1 explains no flags, 2 shows the tree alone, 3 nothing but what was asked for apart.
    pub quiet: u8,
    /// `-v`: 1 explains flags every time, 2 tells the kernel's side of each as well.
    pub verbose: u8,
    /// `--why-flags`: the kernel's side of each flag, where flags are explained.
    pub why: bool,
    /// `--all`: every line, however many are alike.
    pub all: bool,
    /// The calls whose lines are shown. The tree and the totals are of all.
    pub calls: Calls,
    /// Of these calls, those that succeeded or failed.
    pub outcomes: Outcomes,
    /// Which times stand on each line.
    pub stamps: Stamps,
    /// The zone of wall-clock times.
    pub zone: jiff::tz::TimeZone,
    /// `-y`: name what descriptors and pids stand for.
    pub names: bool,
    /// A table of calls.
    pub summary: Summary,
    /// `--threads-only`: nothing of processes that were created.
    pub threads_only: bool,
    /// `--depth`: nothing of tasks that are more than so many levels below a first one.
    pub depth: Option<usize>,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            width: 80,
            cut: true,
            color: false,
            unicode: true,
            lang: Lang::English,
            quiet: 0,
            verbose: 0,
            why: false,
            all: false,
            calls: Calls::ALL,
            outcomes: Outcomes::All,
            stamps: Stamps::default(),
            zone: jiff::tz::TimeZone::UTC,
            names: false,
            summary: Summary::No,
            threads_only: false,
            depth: None,
        }
    }
}

/// With fewer columns than this there are none to keep: words follow each other.
const NARROW: usize = 60;

/// The signs that text is drawn with.
#[derive(Debug, PartialEq, Eq)]
struct Glyphs {
    arrow: &'static str,
    times: &'static str,
    dash: &'static str,
    dot: &'static str,
    ellipsis: &'static str,
    /// A child with siblings after it, the last child, and what stands under each.
    tree: [&'static str; 4],
}

static UNICODE: Glyphs = Glyphs {
    arrow: "→",
    times: "×",
    dash: "–",
    dot: " · ",
    ellipsis: "…",
    tree: ["├─ ", "└─ ", "│  ", "   "],
};

static ASCII: Glyphs = Glyphs {
    arrow: "->",
    times: "x",
    dash: "-",
    dot: ", ",
    ellipsis: "..",
    tree: ["|- ", "`- ", "|  ", "   "],
};

impl Look {
    fn glyphs(&self) -> &'static Glyphs {
        if self.unicode { &UNICODE } else { &ASCII }
    }

    /// Whether the kernel's side is told where flags are explained.
    fn why(&self) -> bool {
        self.why || self.verbose > 1
    }

    /// A task's name, made safe; `?` where it is empty or could not be read.
    fn comm(&self, name: &str) -> String {
        match name {
            "" => "?".to_owned(),
            name => self.name(name),
        }
    }

    /// A word of the traced program, made safe.
    fn name(&self, text: &str) -> String {
        escape::name(text, self.unicode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_name_and_no_name_is_taken_twice() {
        for format in FORMATS {
            assert!(std::ptr::eq(self::format(format.name).unwrap(), format));
            assert!(format.help.len() <= 76, "{}", format.name);
        }
        assert!(format("yaml").is_none());
    }

    #[test]
    fn calls_are_a_set() {
        let forks = Calls::NONE
            .with(Call::Fork)
            .with(Call::Vfork)
            .with(Call::Fork);
        assert!(forks.contains(Call::Fork) && !forks.contains(Call::Clone3));
        assert_eq!(
            forks.inverted(),
            Calls::NONE.with(Call::Clone).with(Call::Clone3)
        );
        assert_eq!(Calls::ALL.inverted(), Calls::NONE);
    }
}
