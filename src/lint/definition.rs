//! What a lint is: its row, what it watches with, and what it says of an occurrence.

use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::event::{Event, Extra, TaskId};
use crate::tasks::TaskTree;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It may go wrong.
    Warning,
    /// It is unusual, and may well be meant.
    Note,
}

impl Level {
    /// The word that findings carry.
    pub fn name(self) -> &'static str {
        match self {
            Level::Warning => "warning",
            Level::Note => "note",
        }
    }
}

/// Something to watch for.
#[derive(Debug)]
pub struct Lint {
    /// Its name: `--allow ID` silences it, `--lint ID` asks for one that is not asked for by itself.
    pub id: &'static str,
    /// How grave a finding is.
    pub level: Level,
    /// Whether it is watched for without being asked for.
    pub default: bool,
    /// Its meaning, in a line.
    pub meaning: &'static str,
    /// What a trace must hold for it, which not every trace does.
    pub needs: Option<Needs>,
    pub(super) watch: fn() -> Box<dyn Watch>,
}

/// What a trace holds only where it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// What it is.
    pub extra: Extra,
    /// What to do about it.
    pub otherwise: &'static str,
}

/// Something that reads events and finds occurrences.
pub(super) trait Watch: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Reads one event, which the tree has taken in.
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>);
}

/// One occurrence of what a lint watches for.
pub(super) struct Occurrence {
    pub at_ns: u64,
    pub task: TaskId,
    pub text: Words,
    pub clone_seq: Option<u64>,
    /// Where in the program: what has the same site is told once.
    pub site: String,
}

/// A text in all languages, so that none can be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub english: String,
    pub chinese: String,
}

impl Words {
    /// Goes on with a text that is in all languages, too.
    pub fn push(&mut self, (english, chinese): (&str, &str)) {
        self.english.push_str(english);
        self.chinese.push_str(chinese);
    }
}

/// `words!("in English {x}", "用中文 {x}")`.
macro_rules! words {
    ($english:literal, $chinese:literal) => {
        $crate::lint::definition::Words {
            english: format!($english),
            chinese: format!($chinese),
        }
    };
}
pub(super) use words;
