//! Calls that no `[[clone]]` describes, each with what comes closest to it.

use std::collections::BTreeMap;

use crate::abi::{CloneFlags, Lang};

use super::bless::rows_for;
use super::description::lines;
use super::expect::Expectation;
use super::library_calls;
use super::mismatch::Problem;
use super::row::{KEYS, Row, View};
use super::suggestion::changed;

/// Farther than this (the weights of [`KEYS`]) a call has nothing to do with a row: another call
/// with other flags is a new one, not one that was changed.
pub(super) const NEAR: u32 = 5;
/// How many flags are told with their meanings.
const MEANINGS: usize = 4;

/// Calls that fit no row, those alike together.
pub(super) struct Strangers<'a> {
    pub calls: Vec<View<'a>>,
    /// The row that was probably meant for them, by its place, where it has found no other, and what
    /// has to change in it.
    pub instead: Option<(usize, String)>,
}

/// Calls alike together, in the order of their first ones. `counts` says how many calls each row has found.
pub(super) fn strangers<'a>(
    rows: &[Row],
    views: &[View<'a>],
    counts: &[u64],
) -> Vec<Strangers<'a>> {
    let mut alike: BTreeMap<Vec<String>, Vec<View>> = BTreeMap::new();
    for view in views {
        let look = KEYS.iter().filter(|key| key.name != "name");
        alike
            .entry(look.map(|key| (key.seen)(view)).collect())
            .or_default()
            .push(*view);
    }
    let mut groups: Vec<Vec<View>> = alike.into_values().collect();
    groups.sort_by_key(|group| group.first().map(|view| view.seq));
    let mut taken = Vec::new();
    let with_row = |calls: Vec<View<'a>>| {
        let number = u64::try_from(calls.len()).unwrap_or(u64::MAX);
        let near = calls.first().and_then(|first| nearest(rows, counts, first));
        let instead = near
            .filter(|(index, row)| {
                counts.get(*index) == Some(&0)
                    && row.wanted().contains(number)
                    && !taken.contains(index)
            })
            .and_then(|(index, row)| Some((index, changed(row, &calls)?)));
        taken.extend(instead.as_ref().map(|(index, _)| *index));
        Strangers { calls, instead }
    };
    groups.into_iter().map(with_row).collect()
}

/// Tells of each group of strangers.
pub(super) fn unexpected(
    expectation: &Expectation,
    groups: &[Strangers],
    counts: &[u64],
    problems: &mut Vec<Problem>,
) {
    for Strangers {
        calls: group,
        instead,
    } in groups
    {
        let Some(first) = group.first() else {
            continue;
        };
        let mut details = lines(group);
        details.extend(meanings(first));
        details.extend(closest(&expectation.rows, counts, first));
        problems.push(Problem {
            key: match expectation.other {
                Some(_) => "else".to_owned(),
                None => "clone".to_owned(),
            },
            line: expectation.other.as_ref().and_then(|other| other.line),
            expected: match expectation.rows.len() {
                0 => "no call at all (else = \"forbid\")".to_owned(),
                _ => "only calls that a [[clone]] describes".to_owned(),
            },
            seen: match group.len() {
                1 => "a call that none describes".to_owned(),
                n => format!("{n} calls that none describes"),
            },
            details,
            // Else it is the row that is to change.
            suggestion: match (instead, &expectation.file) {
                (None, Some(_)) => Some(format!("add:\n{}", rows_for(group).join("\n"))),
                _ => None,
            },
        });
    }
}

/// What the flags mean, where no known library passes them.
fn meanings(view: &View) -> Vec<String> {
    if library_calls::name_of(&view.call.request).is_some() {
        return Vec::new();
    }
    let flags = view.flags().unwrap_or(CloneFlags(0));
    let meaning = |row: &'static crate::abi::flags::Flag| {
        let meaning = row.meaning.pick(Lang::English);
        let first = meaning.split_inclusive(['.', ':', ';']).next();
        let first = first.unwrap_or(meaning);
        format!(
            "  {}: {}",
            row.name,
            first.trim_end_matches(['.', ':', ';'])
        )
    };
    flags.rows().take(MEANINGS).map(meaning).collect()
}

/// The row that is nearest to a call, if one is near; of several, one that has found no call.
fn nearest<'a>(rows: &'a [Row], counts: &[u64], view: &View) -> Option<(usize, &'a Row)> {
    rows.iter()
        .enumerate()
        .min_by_key(|(index, row)| (row.distance(view), counts.get(*index) != Some(&0)))
        .filter(|(_, row)| row.distance(view) <= NEAR)
}

/// The same in words.
fn closest(rows: &[Row], counts: &[u64], view: &View) -> Vec<String> {
    let Some((index, row)) = nearest(rows, counts, view) else {
        return Vec::new();
    };
    let place = match row.line {
        Some(line) => format!("clone[{}] (line {line})", index + 1),
        None => format!("clone[{}]", index + 1),
    };
    let others = match counts.get(index) {
        None | Some(0) => String::new(),
        Some(1) => ", which another call fits".to_owned(),
        Some(n) => format!(", which {n} other calls fit"),
    };
    let mut out = vec![format!("closest is {place}{others}; this one differs in")];
    out.extend(differences(row, view));
    out
}

/// In what a call differs from a row, key by key.
pub(super) fn differences(row: &Row, view: &View) -> Vec<String> {
    let mut out = Vec::new();
    let outcome = KEYS
        .iter()
        .find(|key| !(key.fits)(row, view) && key.name == "outcome");
    for key in KEYS.iter().filter(|key| !(key.fits)(row, view)) {
        // Where nothing was created, it has neither name nor end: one difference, not four.
        let of_child = ["kind", "name", "exit"].contains(&key.name);
        if of_child && outcome.is_some() && view.child.is_none() {
            continue;
        }
        let expected = (key.expected)(row).unwrap_or_default();
        out.push(format!("  {}: expected {expected}", key.name));
        out.push(format!(
            "  {:1$}  seen     {2}",
            "",
            key.name.len(),
            (key.seen)(view)
        ));
        let (wanted, passed) = match (key.name, row.flags.or(row.require), view.flags()) {
            ("flags" | "require", Some(wanted), Some(passed)) => (wanted, passed),
            _ => continue,
        };
        let (added, missing) = (passed.difference(wanted), wanted.difference(passed));
        if key.name == "flags" && !added.is_empty() {
            out.push(format!("  {:1$}  added    {added}", "", key.name.len()));
        }
        if !missing.is_empty() {
            out.push(format!("  {:1$}  missing  {missing}", "", key.name.len()));
        }
    }
    out
}
