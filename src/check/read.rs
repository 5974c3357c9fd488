//! Reading an expectation file. Every mistake is told with its place, and with what was probably
//! meant.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

use crate::abi::{self, arch};
use crate::error::{Error, Result, Shown};
use crate::event::Kind;

use super::expect::{COUNTS, Denied, Expectation, Forbid, Other, count};
use super::mistakes::render;
use super::names::{call, denied, exit_signal, lint, outcome, pattern, unknown};
use super::row::Row;
use super::values::Glob;

mod reader;
mod recipe;
mod value;

#[cfg(test)]
pub(super) use self::reader::HOMES;
use self::reader::{Keys, Reader, Value};

/// The longest file that is read, in bytes.
const LONGEST: usize = 1 << 20;

impl Expectation {
    /// Reads an expectation file. Its command is relative to the file's directory.
    ///
    /// # Errors
    /// It cannot be read, or has mistakes: all of them are shown, with their places.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // One byte too many is seen, and no more is read: a device has no end.
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
        read.map_err(|why| Error::Input {
            path: path.to_owned(),
            why,
        })?;
        let text = String::from_utf8(bytes).map_err(|_| Error::Check {
            what: format!(
                "{} is no expectation file: it is not text; a program to check stands after `--`",
                path.display()
            ),
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of an expectation file; `path` names it in messages.
    ///
    /// # Errors
    /// All mistakes, with their places.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        read(text, path)
    }
}

/// Reads the text of a file; `path` names it.
pub(super) fn read(text: &str, path: &Path) -> Result<Expectation> {
    if text.len() > LONGEST {
        return Err(Error::Expectation(Shown(format!(
            "{}: an expectation has at most {LONGEST} bytes",
            path.display()
        ))));
    }
    let mut reader = Reader {
        text,
        mistakes: Vec::new(),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or_default();
        reader.mistake(span, error.message().to_owned(), "");
    }
    // What a broken file seems to say is not worth a word.
    if reader.mistakes.is_empty() {
        let mut expectation = reader.file(table.get_ref());
        if reader.mistakes.is_empty() {
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            expectation.recipe.directory = folder.unwrap_or(Path::new(".")).to_owned();
            expectation.file = Some(path.to_owned());
            return Ok(expectation);
        }
    }
    Err(Error::Expectation(Shown(render(
        text,
        reader.mistakes,
        path,
    ))))
}

impl Reader<'_> {
    fn file(&mut self, table: &DeTable) -> Expectation {
        let mut keys = Keys::new(table, "the expectation");
        let mut expectation = Expectation {
            recipe: self.recipe(&mut keys),
            ..Expectation::default()
        };
        if let Some(value) = keys.take("machine") {
            expectation.machine = self.list("machine", value, |word| {
                if arch::of_machine(word).is_empty() {
                    let names = abi::ABIS.iter().flat_map(|abi| abi.machines);
                    return Err(unknown("machine", word, names.copied()));
                }
                Ok(word.to_owned())
            });
        }
        if let Some(value) = keys.take("exit") {
            expectation.exit = self
                .ends("exit", value)
                .map(|ends| self.placed(&value.span(), ends));
        }
        if let Some(value) = keys.take("tasks") {
            self.tasks(value, &mut expectation);
        }
        if let Some(value) = keys.take("clone") {
            self.rows(value, &mut expectation);
        }
        if let Some(value) = keys.take("else") {
            expectation.other = self.word("else", value, |word| match word {
                "forbid" => Ok(Other::Forbid),
                "allow" => Ok(Other::Allow),
                _ => Err(unknown("`else`", word, ["forbid", "allow"])),
            });
        }
        expectation.ordered = keys
            .take("ordered")
            .and_then(|value| self.yes("ordered", value));
        if let Some(value) = keys.take("forbid") {
            expectation.forbid = self.forbid(value);
        }
        if let Some(value) = keys.take("lints") {
            expectation.lints = self.lints(value);
        }
        self.leftover(&keys);
        expectation
    }

    fn tasks(&mut self, value: &Value, expectation: &mut Expectation) {
        let Some(table) = self.table("tasks", value) else {
            return;
        };
        let mut keys = Keys::new(table, "[tasks]");
        for known in COUNTS {
            let Some(value) = keys.take(known.name) else {
                continue;
            };
            if let (Some(range), Some(row)) = (self.range(known.name, value), count(known.name)) {
                expectation
                    .counts
                    .push((row, self.placed(&value.span(), range)));
            }
        }
        self.leftover(&keys);
    }

    fn forbid(&mut self, value: &Value) -> Forbid {
        let mut forbid = Forbid::default();
        let Some(table) = self.table("forbid", value) else {
            return forbid;
        };
        let mut keys = Keys::new(table, "[forbid]");
        if let Some(value) = keys.take("flags") {
            let flags = self.flags("forbid.flags", value);
            forbid.flags = Some(self.placed(&value.span(), flags));
        }
        forbid.untraced = keys
            .take("untraced")
            .and_then(|value| self.yes("forbid.untraced", value));
        if let Some(value) = keys.take("calls") {
            let calls = self.list("forbid.calls", value, call);
            forbid.calls = Some(self.placed(&value.span(), calls));
        }
        self.leftover(&keys);
        forbid
    }

    fn lints(&mut self, value: &Value) -> Denied {
        let mut lints = Denied::default();
        let Some(table) = self.table("lints", value) else {
            return lints;
        };
        let mut keys = Keys::new(table, "[lints]");
        if let Some(value) = keys.take("deny") {
            lints.deny = self.placed_list("lints.deny", value, denied);
        }
        if let Some(value) = keys.take("allow") {
            lints.allow = self.list("lints.allow", value, lint);
        }
        self.leftover(&keys);
        lints
    }

    fn rows(&mut self, value: &Value, expectation: &mut Expectation) {
        let Some(list) = value.get_ref().as_array() else {
            let what = "`clone` is a list of tables".to_owned();
            self.mistake(value.span(), what, "write [[clone]]");
            return;
        };
        for value in list {
            if let Some(table) = self.table("clone", value) {
                let line = self.line(&value.span());
                let row = self.row(table, line);
                expectation.rows.push(row);
            }
        }
    }

    fn row(&mut self, table: &DeTable, line: usize) -> Row {
        let mut keys = Keys::new(table, "[[clone]]");
        let mut row = Row {
            line: Some(line),
            ..Row::default()
        };
        if let Some(value) = keys.take("is") {
            row.is = self.list("is", value, pattern);
        }
        if let Some(value) = keys.take("call") {
            row.call = self.list("call", value, call);
        }
        row.flags = keys.take("flags").map(|value| self.flags("flags", value));
        row.require = keys
            .take("require")
            .map(|value| self.flags("require", value));
        row.forbid = keys.take("forbid").map(|value| self.flags("forbid", value));
        if let Some(value) = keys.take("exit_signal") {
            row.exit_signal = self.list("exit_signal", value, exit_signal);
        }
        if let Some(value) = keys.take("outcome") {
            row.outcome = self.list("outcome", value, outcome);
        }
        if let Some(value) = keys.take("kind") {
            let kind = self.word("kind", value, |word| match word {
                "thread" => Ok(Kind::Thread),
                "process" => Ok(Kind::Process),
                _ => Err(unknown("kind", word, ["thread", "process"])),
            });
            row.kind = kind.map(|kind| kind.value);
        }
        if let Some(value) = keys.take("name") {
            row.name = self.list("name", value, |word| Ok(Glob(word.to_owned())));
        }
        row.exit = keys.take("exit").and_then(|value| self.ends("exit", value));
        row.count = keys
            .take("count")
            .and_then(|value| self.range("count", value));
        self.leftover(&keys);
        row
    }
}
