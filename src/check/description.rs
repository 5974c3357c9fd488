//! Calls, tasks and counts in words.

use std::collections::BTreeMap;

use crate::event::{Certainty, CloneCall, Kind, Outcome, Reason};

use super::library_calls;
use super::row::View;
use crate::lint::{TaskRecord, TraceIndex};

/// How many calls or tasks are shown of each sort of trouble.
const SHOWN: usize = 4;

/// The first few calls, a line each.
pub(super) fn lines(views: &[View]) -> Vec<String> {
    few(views, line)
}

fn few<T>(all: &[T], words: impl Fn(&T) -> String) -> Vec<String> {
    // One more is not worth a line that says so.
    let shown = if all.len() > SHOWN + 1 {
        SHOWN
    } else {
        all.len()
    };
    let mut lines: Vec<String> = all.iter().take(shown).map(words).collect();
    if shown < all.len() {
        lines.push(format!("and {} more", all.len() - shown));
    }
    lines
}

/// A call: who, what, from where, and what came of it.
pub(super) fn line(view: &View) -> String {
    let call = view.call;
    let made_by = call.request.call;
    let signal = match view.exit_signal() {
        signal if signal == "SIGCHLD" => String::new(),
        signal => format!(", exit signal {signal}"),
    };
    let request = match (library_calls::name_of(&call.request), view.flags()) {
        (Some(name), _) if name == made_by.name() => name.to_owned(),
        (Some(name), _) => format!("{made_by} (as {name} does)"),
        (None, Some(flags)) if flags.is_empty() => format!("{made_by} without flags{signal}"),
        (None, Some(flags)) => format!("{made_by} with {flags}{signal}"),
        (None, None) => format!("{made_by} with unreadable arguments"),
    };
    let result = match (&call.outcome, view.child) {
        (Outcome::Created(_), Some(child)) => {
            let copy = match child.kind == Kind::Process && !child.execed {
                true => ", which never execs",
                false => "",
            };
            format!("made {} {}{copy}", child.kind, task_words(child))
        }
        (Outcome::Failed { errno, reasons, .. }, _) => {
            format!("failed with {errno}{}", why(reasons))
        }
        (Outcome::Untraced { .. }, _) => "made a task that was let go untraced".to_owned(),
        (Outcome::Unfinished {}, _) => "its caller died inside of it".to_owned(),
        _ => "with an outcome that is not known".to_owned(),
    };
    let place = match place(call) {
        Some(place) => format!(", from {place}"),
        None => String::new(),
    };
    let number = match view.number {
        Some((number, all)) => format!("call {number} of {all}"),
        None => format!("seq {}", view.seq),
    };
    format!(
        "{number}: {request} by {:?} (tid {}){place}: {result}",
        call.comm, call.tid
    )
}

/// The best reason for a failure, where it is more than a possibility.
fn why(reasons: &[Reason]) -> String {
    let known =
        |reason: &&Reason| matches!(reason.certainty, Certainty::Certain | Certainty::Likely);
    match reasons.iter().find(known) {
        Some(reason) => format!(": {} [{}]", reason.text, reason.rule),
        None => String::new(),
    }
}

/// The innermost place of the caller that has a name.
fn place(call: &CloneCall) -> Option<String> {
    let place = call.caller.iter().find(|place| place.symbol.is_some())?;
    let symbol = place.symbol.as_deref()?;
    Some(match (&place.file, place.line) {
        (Some(file), Some(line)) => format!("{symbol} at {file}:{line}"),
        _ => symbol.to_owned(),
    })
}

fn task_words(task: &TaskRecord) -> String {
    format!("{:?} (tid {})", task.name, task.tid)
}

/// What a count is made of.
pub(super) fn details_of(name: &str, index: &TraceIndex) -> Vec<String> {
    let views = || index.calls().iter().map(|call| View::of(index, call));
    match name {
        "failed" | "unfinished" => {
            let is = |view: &View| match name {
                "failed" => matches!(view.call.outcome, Outcome::Failed { .. }),
                _ => matches!(view.call.outcome, Outcome::Unfinished {}),
            };
            lines(&views().filter(is).collect::<Vec<_>>())
        }
        "cut_off" | "outlived" => {
            let is = |task: &&TaskRecord| match name {
                "cut_off" => task.cut_off,
                _ => task.outlived,
            };
            {
                let tasks: Vec<&TaskRecord> = index.tasks().iter().filter(is).collect();
                few(&tasks, |task| left(index, task))
            }
        }
        _ => {
            let given = index.tasks().iter().filter(|task| task.clone_seq.is_none());
            let counted = given.filter(|task| name != "processes" || task.tid == task.tgid);
            let mut rows = match counted.count() {
                0 => Vec::new(),
                _ if name == "created" => Vec::new(),
                1 => vec!["1 × the program itself".to_owned()],
                n => vec![format!(
                    "{n} × tasks that were there at the start, or came without a call"
                )],
            };
            rows.extend(makers(index, name == "processes"));
            rows
        }
    }
}

/// A task that was still there, and where it came from.
fn left(index: &TraceIndex, task: &TaskRecord) -> String {
    let made = task.clone_seq.and_then(|seq| {
        let call = index.calls().iter().find(|call| call.seq == seq)?;
        Some(line(&View::of(index, call)))
    });
    match made {
        Some(made) => made,
        None => format!("{} {}, the program itself", task.kind, task_words(task)),
    }
}

/// Who made tasks, and how many; `processes` counts those alone.
fn makers(index: &TraceIndex, processes: bool) -> Vec<String> {
    let mut made: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for view in index.calls().iter().map(|call| View::of(index, call)) {
        let call = view.call;
        let Some(child) = view
            .child
            .filter(|child| !processes || child.kind == Kind::Process)
        else {
            continue;
        };
        let from = match place(call) {
            Some(place) => format!(", from {place}"),
            None => String::new(),
        };
        let words = format!(
            "{} by {} in {:?} (tid {}){from}",
            child.kind, call.request.call, call.comm, call.tid
        );
        made.entry(words).or_insert((view.seq, 0)).1 += 1;
    }
    let mut rows: Vec<(u64, String)> = made
        .into_iter()
        .map(|(words, (seq, count))| (seq, format!("{count} × {words}")))
        .collect();
    rows.sort();
    few(&rows, |(_, words)| words.clone())
}
