//! What to write in a file where a difference is meant.

use crate::abi::signals::number;
use crate::event::Status;

use super::bless::{flags_text, signal_is_readable, text};
use super::row::{KEYS, Key, Row, View};
use super::values::{End, Ends, Glob};

/// How a key would read for the file to hold.
pub(super) fn line(line: Option<usize>, key: &str, value: &str) -> Option<String> {
    Some(format!("line {}: {key} = {value}", line?))
}

/// The same in a `[[clone]]`.
pub(super) fn in_row(row: &Row, keys: &str) -> Option<String> {
    Some(format!("in the [[clone]] at line {}: {keys}", row.line?))
}

/// An end as a file has it.
pub(super) fn exit_value(status: &Status) -> Option<String> {
    match status {
        Status::Exited { exited } => Some(exited.to_string()),
        Status::Signaled { signaled, .. } => number(signaled).map(|_| text(signaled)),
    }
}

/// What has to change in a row for these calls to fit it, as TOML: `flags = […], name = "…"`. `None`:
/// no file can say it, or they differ from the row in more than one way.
pub(super) fn changed(row: &Row, group: &[View]) -> Option<String> {
    let first = group.first()?;
    let wrong: Vec<&Key> = KEYS.iter().filter(|key| !(key.fits)(row, first)).collect();
    let alike = |view: &View| {
        KEYS.iter().all(
            |key| match wrong.iter().any(|wrong| wrong.name == key.name) {
                true => (key.seen)(view) == (key.seen)(first),
                false => (key.fits)(row, view),
            },
        )
    };
    if wrong.is_empty() || !group.iter().all(alike) {
        return None;
    }
    let keys = wrong.iter().map(|key| {
        let value = value(key.name, first)?;
        Some(format!("{} = {value}", key.name))
    });
    let keys: Option<Vec<String>> = keys.collect();
    Some(keys?.join(", "))
}

/// What a call has in a key, as a file says it.
fn value(key: &str, view: &View) -> Option<String> {
    match key {
        "call" => Some(text(view.call.request.call.name())),
        "flags" => Some(flags_text(view.flags()?)),
        "exit_signal" => {
            let signal = view.exit_signal();
            signal_is_readable(&signal).then(|| text(&signal))
        }
        "kind" => Some(text(&view.child?.kind.to_string())),
        "name" => Some(text(&Glob::literal(&view.child?.name).0)),
        "exit" => exit_value(view.ended()?).filter(|end| {
            let end = end.trim_matches('"').parse::<End>();
            end.is_ok_and(|end| Ends(vec![end]).contains(view.ended()))
        }),
        _ => None,
    }
}
