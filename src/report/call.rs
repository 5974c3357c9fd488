//! The lines of one call: who asked, what came of it, and what is odd about it.

use std::fmt::Display;

use super::flagset::{self, Set};
use super::pen::{Ink, Pen, columns};
use super::{Look, remarks, units};
use crate::event::{Certainty, CloneCall, Created, Kind, Outcome, Totals};

/// Where the name of a task begins, and what it did.
const WHO: usize = 6;
pub(super) const WHAT: usize = 15;
/// Columns that the right-hand side takes: the origin, and the letter of the set.
const RIGHT: usize = 25;
const ORIGIN: usize = 17;

/// `48211 demo     `: the beginning of every line.
pub(super) fn who(pen: &mut Pen<'_>, look: &Look, tid: impl Display, comm: &str) {
    pen.put(&format!("{:>width$} ", tid.to_string(), width = WHO - 1))
        .put(&look.name(comm))
        .to(WHAT);
}

/// What the reader must not miss, on lines of its own under the one that it is about.
pub(super) fn remark(pen: &mut Pen<'_>, text: &str) {
    pen.to(WHO)
        .ink("! ", Ink::Odd)
        .words(text, Ink::Odd, WHO + 2)
        .end();
}

/// Everything about a call. `set` is `None` where the flags could not be read.
pub(super) fn lines(look: &Look, call: &CloneCall, set: Option<&Set>) -> String {
    let mut pen = Pen::new(look);
    who(&mut pen, look, call.tid, &call.comm);
    pen.put(&format!("{} {} ", call.request.call, look.glyphs().arrow));
    let (text, ink) = outcome(look, call);
    pen.words(&text, ink, WHAT);
    right(&mut pen, look, call, set);
    pen.end();
    for text in remarks::remarks(look, call) {
        remark(&mut pen, &text);
    }
    let new = set.is_some_and(|set| set.new);
    if new || look.verbose > 0 {
        for text in remarks::oddities(look, &call.request) {
            remark(&mut pen, &text);
        }
    }
    if look.quiet == 0 && set.is_some() && (new || look.verbose > 0) {
        flagset::explain(&mut pen, look, call);
    }
    pen.done()
}

/// What came of it, in a few words.
fn outcome(look: &Look, call: &CloneCall) -> (String, Ink) {
    match &call.outcome {
        Outcome::Created(made) => (created(call, made), Ink::Made),
        Outcome::Failed { errno, code, .. } => {
            (format!("failed: {} ({code})", look.name(errno)), Ink::Bad)
        }
        Outcome::Untraced { tid: Some(tid) } => (format!("untraced {tid}"), Ink::Odd),
        Outcome::Untraced { tid: None } => ("untraced".into(), Ink::Odd),
        Outcome::Unfinished {} => ("unfinished".into(), Ink::Odd),
        Outcome::Other(value) => (look.name(&value.to_string()), Ink::Odd),
    }
}

/// The new task. Sharing memory makes no thread: only the tgid does.
fn created(call: &CloneCall, made: &Created) -> String {
    let shares = made.kind == Kind::Process
        && call.request.has("CLONE_VM")
        && !made
            .flags_contradicted
            .iter()
            .any(|flag| flag == "CLONE_VM");
    if shares {
        format!(
            "{} {}, shares memory with {}",
            made.kind, made.tid, call.tgid
        )
    } else {
        format!("{} {}", made.kind, made.tid)
    }
}

/// The library function behind the call, and the set's letter.
fn right(pen: &mut Pen<'_>, look: &Look, call: &CloneCall, set: Option<&Set>) {
    let origin = match (&call.origin, &call.origin_certainty) {
        (None, _) | (_, Some(Certainty::Excluded)) => String::new(),
        (Some(name), Some(Certainty::Possible)) => format!("{}?", look.name(name)),
        (Some(name), _) => look.name(name),
    };
    let set = set
        .map(|set| format!("set {}", set.letter))
        .unwrap_or_default();
    let left = look.width.min(100).saturating_sub(RIGHT);
    let letter = left + ORIGIN;
    // Beside what is there, in the columns of the other lines or near them; else under it.
    let needs = if origin.is_empty() {
        0
    } else {
        columns(&origin) + 2
    };
    if pen.column() + 2 + needs > letter.max(left + needs) {
        pen.end();
    }
    if !origin.is_empty() {
        let column = if pen.column() + 2 > left {
            pen.column() + 2
        } else {
            left
        };
        pen.to(column).put(&origin);
    }
    if !set.is_empty() {
        pen.to(letter).ink(&set, Ink::Faint);
    }
}

/// The totals in two parts, as the last line says them: what there was, what was asked for.
pub(super) fn totals(totals: &Totals) -> [String; 2] {
    let created = totals.threads.saturating_sub(totals.leaders);
    let mains = match (totals.leaders, created) {
        (1, 0) => "main".to_owned(),
        (1, n) => format!("main + {} created", units::count(n)),
        (n, 0) => format!("{} main", units::count(n)),
        (n, m) => format!("{} main + {} created", units::count(n), units::count(m)),
    };
    let tasks = format!(
        "{}, {} ({mains})",
        units::counted(totals.processes, "process"),
        units::counted(totals.threads, "thread"),
    );
    let calls = totals
        .calls
        .values()
        .fold(0u64, |sum, &n| sum.saturating_add(n));
    let mut calls = units::counted(calls, "call");
    calls.push_str(&format!(", {} failed", units::count(totals.failed)));
    for (n, word) in [
        (totals.untraced, "untraced"),
        (totals.unfinished, "unfinished"),
    ] {
        if n > 0 {
            calls.push_str(&format!(", {} {word}", units::count(n)));
        }
    }
    [tasks, calls]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_count_like_people() {
        let one = Totals {
            processes: 1,
            threads: 1,
            leaders: 1,
            ..Totals::default()
        };
        assert_eq!(
            totals(&one),
            ["1 process, 1 thread (main)", "0 calls, 0 failed"]
        );
        let demo = Totals {
            threads: 3,
            calls: [("clone3".to_owned(), 2)].into(),
            created: 2,
            ..one.clone()
        };
        assert_eq!(
            totals(&demo),
            [
                "1 process, 3 threads (main + 2 created)",
                "2 calls, 0 failed"
            ]
        );
        let many = Totals {
            processes: 2,
            leaders: 2,
            threads: 2,
            untraced: 1,
            ..one
        };
        assert_eq!(
            totals(&many),
            [
                "2 processes, 2 threads (2 main)",
                "0 calls, 0 failed, 1 untraced"
            ]
        );
    }
}
