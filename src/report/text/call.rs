//! The lines of one call: who asked, what came of it, and what is odd about it.

use super::columns::Columns;
use super::flags;
use super::line::{remark, who};
use super::sets::Set;
use super::{errnos, remarks, units};
use crate::abi::flags::{CLONE_VFORK, CLONE_VM};
use crate::abi::say;
use crate::event::{Certainty, CloneCall, Created, Kind, Outcome, Totals};
use crate::layout::{Ink, NARROW, Pen, columns};
use crate::report::Look;
use crate::report::names::pid;
use crate::tasks::TaskTree;

/// Columns that the right-hand side takes: the origin, and the letter of the set.
const RIGHT: usize = 25;
const ORIGIN: usize = 17;

/// What stands in the columns of the lines; nothing where there is no room for columns.
pub(super) fn heads(look: &Look, at: Columns) -> String {
    if look.style.width < NARROW {
        return String::new();
    }
    let mut pen = Pen::new(&look.style);
    let tid = format!("{:>width$}", "tid", width = at.tid());
    pen.ink(&tid, Ink::Faint);
    pen.to(at.who())
        .ink(look.lang().pick("name", "名字"), Ink::Faint);
    pen.to(at.what())
        .ink(look.lang().pick("what it does", "做了什么"), Ink::Faint);
    // Who calls is known by the look of the call alone.
    pen.to(left(look))
        .ink(look.lang().pick("looks like", "像是"), Ink::Faint)
        .end();
    pen.done()
}

/// A kind of task, in the language of the look.
pub(super) fn kind(look: &Look, kind: Kind) -> &'static str {
    match kind {
        Kind::Thread => look.lang().pick("thread", "线程"),
        Kind::Process => look.lang().pick("process", "进程"),
    }
}

/// Everything about a call. `set` is `None` where the flags could not be read.
pub(super) fn lines(
    look: &Look,
    at: Columns,
    call: &CloneCall,
    set: Option<&Set>,
    tree: &TaskTree,
) -> String {
    let mut pen = Pen::new(&look.style);
    head(&mut pen, look, at, call);
    let (text, ink) = outcome(look, call, tree);
    pen.words(&text, ink, at.what());
    if let Some(took) = call.took_ns.filter(|_| look.stamps.took) {
        let time = units::duration(took, look.style.unicode);
        pen.words(&format!(" ({time})"), Ink::Plain, at.what());
    }
    right(&mut pen, look, call, set);
    pen.end();
    for remark in remarks::remarks(look, call, tree) {
        remark.put(&mut pen);
    }
    let new = set.is_some_and(|set| set.new);
    if new || look.verbose > 0 {
        for text in remarks::oddities(look, &call.request) {
            remark(&mut pen, &text);
        }
    }
    if explains(look, set) {
        // Those that got no letter have none to be known by.
        let letter = set.map(|set| set.letter.as_str()).filter(|one| *one != "-");
        flags::explain(&mut pen, look, call, tree, letter);
    }
    pen.done()
}

/// Whether the flags of a call with this set are explained under its line.
pub(super) fn explains(look: &Look, set: Option<&Set>) -> bool {
    set.is_some_and(|set| look.quiet == 0 && (set.new || look.verbose > 0))
}

/// `48211 demo     clone3 → `
fn head(pen: &mut Pen<'_>, look: &Look, at: Columns, call: &CloneCall) {
    who(pen, look, at, call.tid, &call.comm);
    pen.put(&format!(
        "{} {} ",
        call.request.call,
        look.style.glyphs().arrow
    ));
}

/// The beginning of the line that sums up calls like this one, and its first words.
pub(super) fn sum(look: &Look, at: Columns, call: &CloneCall, tree: &TaskTree) -> (String, String) {
    let mut pen = Pen::new(&look.style);
    head(&mut pen, look, at, call);
    let lead = match call.outcome {
        Outcome::Created(_) => String::new(),
        _ => outcome(look, call, tree).0 + look.lang().pick(", ", "，"),
    };
    (pen.done(), lead)
}

/// What came of it, in a few words.
fn outcome(look: &Look, call: &CloneCall, tree: &TaskTree) -> (String, Ink) {
    match &call.outcome {
        Outcome::Created(made) => (created(look, call, made, tree), Ink::Made),
        Outcome::Failed { errno, code, .. } => {
            let words = match errnos::words(errno, look.lang()) {
                Some(words) => look.lang().pick(", ", "，").to_owned() + words,
                None if errno.ends_with(&code.to_string()) => String::new(),
                None => format!(" ({code})"),
            };
            let errno = look.name(errno);
            let text = say!(look, "failed: {errno}{words}", "失败：{errno}{words}");
            (text, Ink::Bad)
        }
        Outcome::Untraced { tid: Some(tid) } => {
            (say!(look, "untraced {tid}", "未跟踪的 {tid}"), Ink::Odd)
        }
        Outcome::Untraced { tid: None } => {
            (look.lang().pick("untraced", "未跟踪").into(), Ink::Odd)
        }
        Outcome::Unfinished {} => (look.lang().pick("unfinished", "未完成").into(), Ink::Odd),
        Outcome::Other(value) => (look.name(&value.to_string()), Ink::Odd),
    }
}

/// The new task. Sharing memory makes no thread: only the tgid does.
fn created(look: &Look, call: &CloneCall, made: &Created, tree: &TaskTree) -> String {
    let shares = made.kind == Kind::Process
        && call.request.has(CLONE_VM)
        && !CLONE_VM.is_among(&made.flags_contradicted);
    let (kind, tid) = (kind(look, made.kind), made.tid);
    if shares {
        let with = pid(look, tree, call.tgid);
        // Of a vfork it is borrowed, and short enough for the origin beside it.
        if call.request.has(CLONE_VFORK) {
            say!(
                look,
                "{kind} {tid}, in {with}'s memory",
                "{kind} {tid}，借用 {with} 的内存"
            )
        } else {
            say!(
                look,
                "{kind} {tid}, shares memory with {with}",
                "{kind} {tid}，与 {with} 共用内存"
            )
        }
    } else {
        format!("{kind} {tid}")
    }
}

/// The library function behind the call; `?` where it is no more than possible.
pub(super) fn origin(look: &Look, call: &CloneCall) -> Option<String> {
    // What vfork makes is said by the call.
    let name = call.origin.as_deref()?;
    let name = look.name(Some(name).filter(|name| *name != call.request.call.name())?);
    match &call.origin_certainty {
        Some(Certainty::Excluded) => None,
        Some(Certainty::Possible) => Some(name + "?"),
        _ => Some(name),
    }
}

/// The library function behind the call, and the set's letter.
fn right(pen: &mut Pen<'_>, look: &Look, call: &CloneCall, set: Option<&Set>) {
    let origin = origin(look, call).unwrap_or_default();
    let set = set
        .map(|set| {
            let letter = &set.letter;
            say!(look, "flags {letter}", "标志 {letter}")
        })
        .unwrap_or_default();
    let left = left(look);
    // Beside what is there, in the columns of the other lines or near them; else under it.
    let gap = |text: &str| if text.is_empty() { 0 } else { 1 };
    let needs = gap(&origin) + columns(&origin) + gap(&set) + columns(&set);
    if pen.column() + needs > look.style.width.max(left + needs) {
        pen.end();
    }
    if !origin.is_empty() {
        // Two spaces before it, where they do not cost a line.
        let roomy = pen.column() + 1 + needs <= look.style.width;
        let column = pen.column() + if roomy { 2 } else { 1 };
        pen.to(column.max(left)).put(&origin);
    }
    if !set.is_empty() {
        pen.to(left + ORIGIN).ink(&set, Ink::Faint);
    }
}

/// Where the right-hand side begins.
fn left(look: &Look) -> usize {
    look.style.width.min(100).saturating_sub(RIGHT)
}

/// The totals in two parts, as the last line says them: what there was, what was asked for. `blind`: calls
/// that failed may not have been seen.
pub(super) fn totals(look: &Look, totals: &Totals, blind: bool) -> [String; 2] {
    let lang = look.lang();
    let (created, leaders) = (
        totals.threads.saturating_sub(totals.leaders),
        totals.leaders,
    );
    let (more, mains) = (units::count(created), units::count(leaders));
    // Of attached threads it was not seen who created them.
    let others = created > totals.created;
    let mains = match (leaders, created) {
        (_, 1..) if others => say!(
            look,
            "{mains} main + {more} others",
            "{mains} 个主线程 + 其他 {more} 个"
        ),
        (1, _) => say!(look, "main + {more} created", "主线程 + 新建 {more} 个"),
        (_, 0) => say!(look, "{mains} main", "{mains} 个主线程"),
        (_, _) => say!(
            look,
            "{mains} main + {more} created",
            "{mains} 个主线程 + 新建 {more} 个"
        ),
    };
    let processes = units::counted(totals.processes, &units::PROCESS, lang);
    let threads = units::counted(totals.threads, &units::THREAD, lang);
    let tasks = match (totals.processes, created) {
        (1, 0) => say!(
            look,
            "{processes}, no thread but its main one",
            "{processes}，除主线程外没有别的线程"
        ),
        (2.., 0) => say!(
            look,
            "{processes}, no threads but their main ones",
            "{processes}，除各自的主线程外没有别的线程"
        ),
        _ => say!(
            look,
            "{processes}, {threads} ({mains})",
            "{processes}，{threads}（{mains}）"
        ),
    };
    let sum = totals
        .calls
        .values()
        .fold(0u64, |sum, &n| sum.saturating_add(n));
    let mut calls = units::counted(sum, &units::CREATING_CALL, lang);
    let failed = units::count(totals.failed);
    let (of_them, sum_of) = if totals.failed == 0 {
        ("", "")
    } else {
        (" of them", "其中")
    };
    let (seen, seen_to) = if blind {
        ("已知", " known to have")
    } else {
        ("", "")
    };
    calls.push_str(&say!(
        look,
        ", {failed}{of_them}{seen_to} failed",
        "，{sum_of}{seen}失败 {failed} 次"
    ));
    for (n, english, chinese) in [
        (totals.untraced, "untraced", "未跟踪"),
        (totals.unfinished, "unfinished", "未完成"),
    ] {
        if n > 0 {
            let n = units::count(n);
            calls.push_str(&lang.pick(format!(", {n} {english}"), format!("，{chinese} {n} 次")));
        }
    }
    [tasks, calls]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_may_be_unseen_are_not_counted_as_none() {
        let [_, calls] = totals(&Look::default(), &Totals::default(), true);
        assert_eq!(calls, "0 creating calls, 0 known to have failed");
    }

    #[test]
    fn totals_count_like_people() {
        let one = Totals {
            processes: 1,
            threads: 1,
            leaders: 1,
            ..Totals::default()
        };
        assert_eq!(
            totals(&Look::default(), &one, false),
            [
                "1 process, no thread but its main one",
                "0 creating calls, 0 failed"
            ]
        );
        let demo = Totals {
            threads: 3,
            calls: [("clone3".to_owned(), 2)].into(),
            created: 2,
            ..one.clone()
        };
        assert_eq!(
            totals(&Look::default(), &demo, false),
            [
                "1 process, 3 threads (main + 2 created)",
                "2 creating calls, 0 failed"
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
            totals(&Look::default(), &many, false),
            [
                "2 processes, no threads but their main ones",
                "0 creating calls, 0 failed, 1 untraced"
            ]
        );
    }
}
