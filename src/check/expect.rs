//! What is expected of a program: the model behind an expectation file.

use std::path::PathBuf;
use std::time::Duration;

use crate::abi::CloneFlags;
use crate::event::{Call, Gap};

use super::row::Row;
use super::values::{Ends, Glob, Range};
use crate::lint::TraceIndex;
use crate::lint::{Level, Lint, lints};

/// How much of a standard input is shown, in characters.
const SHOWN: usize = 60;

/// What a program is expected to create. Read from a file ([`Expectation::from_file`]) or built
/// from [`Expectation::default`], which expects nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// The file that it comes from, for messages.
    pub(crate) file: Option<PathBuf>,
    /// How the program is run.
    pub(crate) recipe: Recipe,
    /// The machines that it speaks of, as `uname -m` names them; none: all.
    pub(crate) machine: Vec<String>,
    /// How the program ends.
    pub(crate) exit: Option<Placed<Ends>>,
    /// How many tasks of each sort, by the names of [`COUNTS`].
    pub(crate) counts: Vec<(&'static Count, Placed<Range>)>,
    /// The calls.
    pub(crate) rows: Vec<Row>,
    /// What becomes of a call that no row fits.
    pub(crate) other: Option<Placed<Other>>,
    /// The calls come in the order of the rows.
    pub(crate) ordered: Option<Placed<()>>,
    /// What must not be.
    pub(crate) forbid: Forbid,
    /// What must not be found.
    pub(crate) lints: Denied,
}

/// What lints must not find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denied {
    /// By name, or [`WARNINGS`].
    pub deny: Vec<Placed<&'static str>>,
    /// What may be found all the same.
    pub allow: Vec<&'static str>,
}

/// All lints that find warnings and are watched for by themselves.
pub const WARNINGS: &str = "warnings";

impl Denied {
    /// Each lint that is denied and not allowed, once, with the line that denies it.
    pub fn lints(&self) -> Vec<Placed<&'static Lint>> {
        let denying_line = |lint: &Lint| {
            let common = lint.default && lint.level == Level::Warning;
            let one = |deny: &&Placed<&'static str>| {
                deny.value == lint.id || (common && deny.value == WARNINGS)
            };
            self.deny.iter().find(one).map(|deny| deny.line)
        };
        let denied = lints().filter(|lint| !self.allow.contains(&lint.id));
        denied
            .filter_map(|lint| {
                Some(Placed {
                    value: lint,
                    line: denying_line(lint)?,
                })
            })
            .collect()
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its line in the file, from 1; `None`: it was not read from a file.
    pub line: Option<usize>,
}

impl<T> From<T> for Placed<T> {
    fn from(value: T) -> Self {
        Placed { value, line: None }
    }
}

/// How a program is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipe {
    /// The program and its arguments. A program with a `/` in it is relative to `directory`.
    pub command: Vec<String>,
    /// A shell command that is run before, and must succeed.
    pub build: Option<String>,
    /// Changes to the environment: set, or (`None`) removed.
    pub env: Vec<(String, Option<String>)>,
    /// What the program reads; nothing, if absent.
    pub stdin: Option<String>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// A line of its standard output that fits this says that it cannot do its work on this
    /// machine: the check is skipped.
    pub skip: Option<Glob>,
    /// Where it is built and run: the file's directory.
    pub directory: PathBuf,
}

impl Recipe {
    /// What it is run with, besides its arguments.
    pub(super) fn conditions(&self) -> Vec<String> {
        let stdin = self.stdin.iter().map(|text| {
            let start: String = text.chars().take(SHOWN).collect();
            let more = if start.len() < text.len() { " …" } else { "" };
            format!("stdin {start:?}{more}")
        });
        let env = self.env.iter().map(|(name, value)| match value {
            Some(value) => format!("env {name}={value:?}"),
            None => format!("env without {name}"),
        });
        stdin.chain(env).collect()
    }
}

/// What becomes of a call that no row fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// The check fails.
    Forbid,
    /// Nothing.
    Allow,
}

/// What must not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forbid {
    /// No call, be it refused by the kernel, passes one of these.
    pub flags: Option<Placed<CloneFlags>>,
    /// No call passes CLONE_UNTRACED.
    pub untraced: Option<Placed<()>>,
    /// None of these calls is made.
    pub calls: Option<Placed<Vec<Call>>>,
}

/// A key of `[tasks]`.
#[derive(Debug)]
pub struct Count {
    /// As files and `--NAME` have it.
    pub name: &'static str,
    /// What is counted.
    pub help: &'static str,
    /// The count.
    pub of: fn(&TraceIndex) -> u64,
    /// It adds up calls of all sorts; the others speak of single tasks or calls.
    pub sum: bool,
    /// Which gaps hide something of it.
    pub hidden: Option<fn(&Gap) -> bool>,
}

impl PartialEq for Count {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Everything that can be counted.
pub static COUNTS: &[Count] = &[
    Count {
        name: "processes",
        help: "thread groups, the program's own included",
        of: |index| index.tree().totals().processes,
        sum: true,
        hidden: None,
    },
    Count {
        name: "threads",
        help: "every task: the first one of each process too, as ps -eLf counts",
        of: |index| index.tree().totals().threads,
        sum: true,
        hidden: None,
    },
    Count {
        name: "created",
        help: "tasks that calls made",
        of: |index| index.tree().totals().created,
        sum: true,
        hidden: None,
    },
    Count {
        name: "failed",
        help: "calls that the kernel, or a filter, refused",
        of: |index| index.tree().totals().failed,
        sum: false,
        hidden: Some(Gap::hides_failures),
    },
    Count {
        name: "unfinished",
        help: "calls whose caller died inside, without a child",
        of: |index| index.tree().totals().unfinished,
        sum: false,
        hidden: None,
    },
    Count {
        name: "cut_off",
        help: "threads still alive when their process ended",
        of: |index| number(index.tasks().iter().filter(|task| task.cut_off).count()),
        sum: false,
        hidden: None,
    },
    Count {
        name: "outlived",
        help: "processes that ended after the program that was started",
        of: |index| number(index.tasks().iter().filter(|task| task.outlived).count()),
        sum: false,
        hidden: None,
    },
];

/// The row of this name in [`COUNTS`].
pub fn count(name: &str) -> Option<&'static Count> {
    COUNTS.iter().find(|count| count.name == name)
}

impl Expectation {
    /// Expects a count, in place of what the file said of it.
    pub fn set_count(&mut self, name: &str, range: Range) -> Option<()> {
        let count = count(name)?;
        self.counts.retain(|(known, _)| *known != count);
        self.counts.push((count, range.into()));
        Some(())
    }

    /// What becomes of calls that no row fits: forbidden, where there are rows.
    pub fn other(&self) -> Other {
        match &self.other {
            Some(other) => other.value,
            None if self.rows.is_empty() => Other::Allow,
            None => Other::Forbid,
        }
    }
}
