//! A value of a known sort: a text, a list, a number, a range. What is wrong with it comes with what to
//! write instead.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::abi::{CloneFlags, signals};

use super::super::expect::Placed;
use super::super::names::{Read, flag, meant, named, signal_names};
use super::super::values::{BadValue, End, Ends, Range};
use super::reader::{Reader, Value};

/// The longest time that can be waited for, in seconds: a day.
const LONGEST_TIMEOUT: u64 = 86_400;

/// What a value is, with its article.
pub(super) fn sort(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A whole number.
fn integer(value: &DeValue) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// What to write in place of something that is no text.
fn as_text(name: &str, value: &DeValue) -> String {
    let signal = integer(value)
        .filter(|_| name == "exit_signal")
        .and_then(|number| match number {
            0 => Some("none"),
            _ => signals::name(i32::try_from(number).ok()?),
        });
    match (signal, value) {
        (Some(signal), _) => format!("write \"{signal}\""),
        (None, DeValue::Array(_)) => "give one text, no list".to_owned(),
        (None, DeValue::Table(_)) => String::new(),
        (None, _) => "write it in quotes".to_owned(),
    }
}

/// What to write for a table of this name.
fn as_table(name: &str) -> String {
    match name {
        "env" => "write env = { NAME = \"text\" }".to_owned(),
        "clone" => "write [[clone]], and its keys below".to_owned(),
        _ => format!("write [{name}], and its keys below"),
    }
}

impl Reader<'_> {
    pub(super) fn timeout(&mut self, value: &Value) -> Option<Duration> {
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

    pub(super) fn table<'a, 'i>(
        &mut self,
        name: &str,
        value: &'a Value<'i>,
    ) -> Option<&'a DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let what = format!("`{name}` is a table, not {}", sort(value.get_ref()));
            self.mistake(value.span(), what, as_table(name));
        }
        table
    }

    /// A text, read by `read`.
    pub(super) fn word<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&str) -> Read<T>,
    ) -> Option<Placed<T>> {
        let Some(word) = value.get_ref().as_str() else {
            let what = format!("`{name}` is a text, not {}", sort(value.get_ref()));
            self.mistake(value.span(), what, as_text(name, value.get_ref()));
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
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl Fn(&str) -> Read<T>,
    ) -> Vec<T> {
        let list = self.placed_list(name, value, read);
        list.into_iter().map(|placed| placed.value).collect()
    }

    /// The same, each with its line.
    pub(super) fn placed_list<T>(
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

    pub(super) fn flags(&mut self, name: &str, value: &Value) -> CloneFlags {
        let read = |word: &str| flag(word);
        self.list(name, value, read)
            .into_iter()
            .fold(CloneFlags(0), CloneFlags::union)
    }

    /// A number, or a text that `parse` reads.
    pub(super) fn number_or_text<T>(
        &mut self,
        name: &str,
        value: &Value,
        parse: impl Fn(&str) -> Result<T, BadValue>,
    ) -> Option<T> {
        let text = match value.get_ref() {
            DeValue::Integer(number) => match integer(value.get_ref()) {
                Some(small) => small.to_string(),
                None => number.as_str().to_owned(),
            },
            DeValue::String(text) => text.clone().into_owned(),
            other => {
                let what = format!("`{name}` is {}", sort(other));
                self.mistake(value.span(), what, "a number, or a text such as \"1..=4\"");
                return None;
            }
        };
        match parse(&text) {
            Ok(read) => Some(read),
            Err(why) => {
                let hint = match name {
                    "exit" => meant(&text, signal_names()).unwrap_or_default(),
                    _ => String::new(),
                };
                self.mistake(value.span(), named(name, &why.to_string()), hint);
                None
            }
        }
    }

    pub(super) fn range(&mut self, name: &str, value: &Value) -> Option<Range> {
        self.number_or_text(name, value, str::parse)
    }

    pub(super) fn ends(&mut self, name: &str, value: &Value) -> Option<Ends> {
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
    pub(super) fn yes(&mut self, name: &str, value: &Value) -> Option<Placed<()>> {
        if value.get_ref().as_bool() == Some(true) {
            return Some(self.placed(&value.span(), ()));
        }
        let what = format!("`{name}` is true, or left out");
        self.mistake(value.span(), what, "");
        None
    }
}
