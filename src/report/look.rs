//! How a report is to look: fixed before the first event, never looked up later.

use super::escape;
use super::filter::Filter;
use crate::abi::Lang;
use crate::layout::Style;

/// How the wall clock is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `-t`: 16:00:00.
    Seconds,
    /// `-tt`: 16:00:00.123456.
    Micros,
    /// `-ttt`: seconds since the epoch, 1763740800.123456.
    Epoch,
}

/// Which times a line has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// The wall clock.
    pub clock: Option<Clock>,
    /// `-r`: the time since the line before.
    pub relative: bool,
    /// `-T`: the time that a call took.
    pub took: bool,
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

/// How a report is to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// How its lines are drawn.
    pub style: Style,
    /// Which lines are shown.
    pub filter: Filter,
    /// `-q`: 1 explains no flags, 2 shows the tree alone, 3 nothing but what was asked for apart.
    pub quiet: u8,
    /// `-v`: 1 explains flags every time, 2 tells the kernel's side of each as well.
    pub verbose: u8,
    /// `--why-flags`: the kernel's side of each flag, where flags are explained.
    pub why: bool,
    /// `--all`: every line, however many are alike.
    pub all: bool,
    /// Which times stand on each line.
    pub stamps: Stamps,
    /// The zone of wall-clock times.
    pub zone: jiff::tz::TimeZone,
    /// `-y`: name what descriptors and pids stand for.
    pub names: bool,
    /// A table of calls.
    pub summary: Summary,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            style: Style::default(),
            filter: Filter::default(),
            quiet: 0,
            verbose: 0,
            why: false,
            all: false,
            stamps: Stamps::default(),
            zone: jiff::tz::TimeZone::UTC,
            names: false,
            summary: Summary::No,
        }
    }
}

impl From<Style> for Look {
    /// Everything, drawn like this.
    fn from(style: Style) -> Self {
        Look {
            style,
            ..Look::default()
        }
    }
}

impl Look {
    /// The language of explanations.
    pub(super) fn lang(&self) -> Lang {
        self.style.lang
    }

    /// Whether the kernel's side is told where flags are explained.
    pub(super) fn why(&self) -> bool {
        self.why || self.verbose > 1
    }

    /// A task's name, made safe; `?` where it is empty or could not be read.
    pub(super) fn comm(&self, name: &str) -> String {
        match name {
            "" => "?".to_owned(),
            name => self.name(name),
        }
    }

    /// A word of the traced program, made safe.
    pub(super) fn name(&self, text: &str) -> String {
        escape::name(text, self.style.unicode)
    }

    /// A sentence of ours in the look's language, from this function: the names in it are the program's.
    pub(super) fn sentence(&self, text: impl FnOnce(Lang) -> String) -> String {
        let text = text(self.lang());
        match self.lang() {
            Lang::English => self.name(&text),
            Lang::Chinese => escape::name(&text, true),
        }
    }

    /// Words in a row.
    pub(super) fn row(&self, words: impl IntoIterator<Item = String>) -> String {
        let words: Vec<String> = words.into_iter().collect();
        words.join(self.lang().pick(", ", "、"))
    }

    /// Names in a row.
    pub(super) fn names(&self, names: &[String]) -> String {
        self.row(names.iter().map(|name| self.name(name)))
    }
}
