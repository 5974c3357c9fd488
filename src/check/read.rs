//! Reading an expectation file. Every mistake is told with its place, and with what was probably
//! meant.

use std::ops::Range as Span;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::abi::{self, CloneFlags, arch};
use crate::error::{Error, Result, Shown};
use crate::event::Kind;

use super::expect::{COUNTS, Denied, Expectation, Forbid, Other, Placed, Recipe, count};
use super::known;
use super::mistakes::{Mistake, line, render};
use super::row::Row;
use super::values::{BadValue, End, Ends, Glob, Range, nearest};
use super::words::{Read, call, denied, exit_signal, flag, lint, named, no_nul, outcome, unknown};

/// The longest file that is read, in bytes.
const LONGEST: usize = 1 << 20;
/// The longest time that can be waited for, in seconds: a day.
const LONGEST_TIMEOUT: u64 = 86_400;

type Value<'i> = Spanned<DeValue<'i>>;

/// The file, and what is wrong with it so far.
struct Reader<'i> {
    text: &'i str,
    mistakes: Vec<Mistake>,
}

/// A table whose keys are taken one by one.
struct Keys<'a, 'i> {
    table: &'a DeTable<'i>,
    /// How it is named in messages: `[tasks]`.
    name: &'static str,
    asked: Vec<&'static str>,
}

impl<'a, 'i> Keys<'a, 'i> {
    fn new(table: &'a DeTable<'i>, name: &'static str) -> Self {
        let asked = Vec::new();
        Keys { table, name, asked }
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Value<'i>> {
        self.asked.push(key);
        self.table.get(key)
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
    fn mistake(&mut self, span: Span<usize>, what: String, hint: impl Into<String>) {
        let hint = hint.into();
        self.mistakes.push(Mistake { span, what, hint });
    }

    fn line(&self, span: &Span<usize>) -> usize {
        line(self.text, span)
    }

    fn placed<T>(&self, span: &Span<usize>, value: T) -> Placed<T> {
        Placed {
            value,
            line: Some(self.line(span)),
        }
    }

    /// Keys that nobody asked for are misspelt, or of another place.
    fn leftover(&mut self, keys: &Keys) {
        for key in keys.table.keys() {
            let name: &str = key.get_ref();
            if keys.asked.contains(&name) {
                continue;
            }
            let hint = match nearest(name, keys.asked.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("{} knows {}", keys.name, keys.asked.join(", ")),
            };
            self.mistake(
                key.span(),
                format!("unknown key `{name}` in {}", keys.name),
                hint,
            );
        }
    }

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

    fn recipe(&mut self, keys: &mut Keys) -> Recipe {
        let mut recipe = Recipe::default();
        if let Some(value) = keys.take("command") {
            recipe.command = match value.get_ref().as_array() {
                Some(_) => self.list("command", value, |word| no_nul("command", word)),
                None => {
                    let hint = "write [\"./program\", \"argument\"]";
                    self.mistake(value.span(), "`command` is a list".to_owned(), hint);
                    Vec::new()
                }
            };
        }
        let text = |reader: &mut Self, value: Option<&Value>, name| {
            let value = value?;
            reader
                .word(name, value, |word| Ok(word.to_owned()))
                .map(|text| text.value)
        };
        let value = keys.take("build");
        recipe.build = text(self, value, "build");
        let value = keys.take("stdin");
        recipe.stdin = text(self, value, "stdin");
        if let Some(value) = keys.take("env") {
            self.env(value, &mut recipe);
        }
        if let Some(value) = keys.take("timeout") {
            recipe.timeout = self.timeout(value);
        }
        if let Some(value) = keys.take("skip") {
            let skip = self.word("skip", value, |word| {
                // A pattern that fits all output would skip the check for ever, unseen.
                if word
                    .trim_start_matches(['#', ' '])
                    .to_lowercase()
                    .starts_with("skip")
                {
                    return Ok(Glob(word.to_owned()));
                }
                let what = format!("`skip` begins with the word skip, and {word:?} does not");
                Err((what, "a line such as \"skipped: no cgroups\"".to_owned()))
            });
            recipe.skip = skip.map(|skip| skip.value);
        }
        recipe
    }

    fn env(&mut self, value: &Value, recipe: &mut Recipe) {
        let Some(table) = self.table("env", value) else {
            return;
        };
        for (key, value) in table {
            let name: &str = key.get_ref();
            if name.is_empty() || name.contains(['=', '\0']) {
                let what = format!("`env`: {name:?} cannot be a variable's name");
                self.mistake(key.span(), what, "");
            }
            match value.get_ref() {
                DeValue::String(text) if text.contains('\0') => {
                    self.mistake(value.span(), format!("`env.{name}` has a NUL in it"), "");
                }
                DeValue::String(text) => {
                    recipe
                        .env
                        .push((name.to_owned(), Some(text.clone().into_owned())));
                }
                DeValue::Boolean(false) => recipe.env.push((name.to_owned(), None)),
                other => {
                    let what = format!("`env.{name}` is {}", other.type_str());
                    self.mistake(
                        value.span(),
                        what,
                        "a text, or false to remove the variable",
                    );
                }
            }
        }
    }

    fn timeout(&mut self, value: &Value) -> Option<Duration> {
        let seconds = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match seconds {
            Some(seconds @ 1..=LONGEST_TIMEOUT) => Some(Duration::from_secs(seconds)),
            _ => {
                let what = "`timeout` is a whole number of seconds".to_owned();
                self.mistake(value.span(), what, format!("from 1 to {LONGEST_TIMEOUT}"));
                None
            }
        }
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
            row.is = self.list("is", value, |word| {
                let names = known::names();
                let found = names.iter().copied().find(|name| *name == word);
                found.ok_or_else(|| unknown("pattern", word, names))
            });
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

    fn table<'a, 'i>(&mut self, name: &str, value: &'a Value<'i>) -> Option<&'a DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let what = format!("`{name}` is a table, not {}", value.get_ref().type_str());
            self.mistake(value.span(), what, "");
        }
        table
    }

    /// A text, read by `read`.
    fn word<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&str) -> Read<T>,
    ) -> Option<Placed<T>> {
        let Some(word) = value.get_ref().as_str() else {
            let what = format!("`{name}` is a text, not {}", value.get_ref().type_str());
            self.mistake(value.span(), what, "write it in quotes");
            return None;
        };
        match read(word) {
            Ok(read) => Some(self.placed(&value.span(), read)),
            Err((what, hint)) => {
                self.mistake(value.span(), named(name, &what), hint);
                None
            }
        }
    }

    /// One text, or a list of them.
    fn list<T>(&mut self, name: &str, value: &Value, read: impl Fn(&str) -> Read<T>) -> Vec<T> {
        let list = self.placed_list(name, value, read);
        list.into_iter().map(|placed| placed.value).collect()
    }

    /// The same, each with its line.
    fn placed_list<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl Fn(&str) -> Read<T>,
    ) -> Vec<Placed<T>> {
        match value.get_ref().as_array() {
            None => self.word(name, value, &read).into_iter().collect(),
            // Exactly no flag is something to say; one of none is not.
            Some(list) if list.is_empty() && name != "flags" => {
                let what = format!("`{name}` is an empty list");
                self.mistake(value.span(), what, "leave it out, or name something");
                Vec::new()
            }
            Some(list) => list
                .iter()
                .filter_map(|value| self.word(name, value, &read))
                .collect(),
        }
    }

    fn flags(&mut self, name: &str, value: &Value) -> CloneFlags {
        let read = |word: &str| flag(word);
        self.list(name, value, read)
            .into_iter()
            .fold(CloneFlags(0), CloneFlags::union)
    }

    /// A number, or a text that `parse` reads.
    fn number_or_text<T>(
        &mut self,
        name: &str,
        value: &Value,
        parse: impl Fn(&str) -> std::result::Result<T, BadValue>,
    ) -> Option<T> {
        let text = match value.get_ref() {
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => number.to_string(),
                    Err(_) => number.as_str().to_owned(),
                }
            }
            DeValue::String(text) => text.clone().into_owned(),
            other => {
                let what = format!("`{name}` is {}", other.type_str());
                self.mistake(value.span(), what, "a number, or a text such as \"1..=4\"");
                return None;
            }
        };
        match parse(&text) {
            Ok(read) => Some(read),
            Err(why) => {
                self.mistake(value.span(), named(name, &why.to_string()), "");
                None
            }
        }
    }

    fn range(&mut self, name: &str, value: &Value) -> Option<Range> {
        self.number_or_text(name, value, str::parse)
    }

    fn ends(&mut self, name: &str, value: &Value) -> Option<Ends> {
        let ends: Vec<End> = match value.get_ref().as_array() {
            Some(list) => list
                .iter()
                .filter_map(|value| self.number_or_text(name, value, str::parse))
                .collect(),
            None => self
                .number_or_text(name, value, str::parse)
                .into_iter()
                .collect(),
        };
        if value
            .get_ref()
            .as_array()
            .is_some_and(|list| list.is_empty())
        {
            self.mistake(
                value.span(),
                format!("`{name}` is empty: nothing ends so"),
                "",
            );
        }
        (!ends.is_empty()).then_some(Ends(ends))
    }

    /// A key that is either true or left out.
    fn yes(&mut self, name: &str, value: &Value) -> Option<Placed<()>> {
        if value.get_ref().as_bool() == Some(true) {
            return Some(self.placed(&value.span(), ()));
        }
        let what = format!("`{name}` is true, or left out");
        self.mistake(value.span(), what, "");
        None
    }
}
