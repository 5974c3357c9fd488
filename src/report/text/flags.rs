//! What a set of flags asks for, explained where it is first seen.

use super::arguments::this_call;
use super::sets::word;
use crate::abi::flags::*;
use crate::abi::say;
use crate::event::{CloneCall, Hex, Outcome, Request};
use crate::layout::{Ink, NARROW, Pen, columns};
use crate::report::Look;
use crate::tasks::TaskTree;

/// Where the columns of an explanation begin: the flag's name, the verb, the object.
const NAME: usize = 6;
const VERB: usize = 28;
const OBJECT: usize = 36;

/// Writes what the call asks for, one row a flag: what is shared, what is copied, the rest.
pub(super) fn explain(
    pen: &mut Pen<'_>,
    look: &Look,
    call: &CloneCall,
    tree: &TaskTree,
    letter: Option<&str>,
) {
    if matches!(call.outcome, Outcome::Failed { .. }) {
        let text = look.lang().pick("what it asked for:", "所请求的是：");
        pen.to(NAME).ink(text, Ink::Faint).end();
    }
    copies(pen, look, call);
    own(pen, look, call);
    for flag in in_order(&call.request.flags) {
        pen.to(NAME).put(&look.name(flag));
        let row = named(flag);
        let (verb, object, ink) = match row {
            Some(row) => (
                row.verb.pick(look.lang()),
                object(look, row, call),
                Ink::Plain,
            ),
            None => {
                let text = look.lang().pick(
                    "no words for this flag in this version",
                    "此版本没有对该标志的解释",
                );
                ("", text.into(), Ink::Odd)
            }
        };
        if look.style.width < NARROW {
            // Chinese stands beside Latin letters with a space, and beside Chinese without.
            let latin = object.starts_with(|c: char| c.is_ascii());
            let space = if !verb.is_empty() && latin { " " } else { "" };
            pen.put(" ")
                .words(&format!("{verb}{space}{object}"), ink, NAME + 2)
                .end();
        } else {
            pen.to(VERB).ink(verb, Ink::Faint).to(OBJECT);
            pen.words(&object, ink, OBJECT).end();
        }
        if let Some(row) = row.filter(|_| look.why()) {
            why(pen, look, row, true);
        }
    }
    let name = match (letter, word(&call.request)) {
        (Some(letter), Some(word)) => {
            say!(look, "flags {letter} = {word}", "标志 {letter} = {word}")
        }
        (Some(letter), None) => say!(look, "these are flags {letter}", "以上为标志 {letter}"),
        (None, Some(word)) => say!(look, "flags {word}", "标志 {word}"),
        (None, None) => String::new(),
    };
    let mut parts = vec![name];
    parts.extend(signal(look, &call.request));
    parts.retain(|part| !part.is_empty());
    if !parts.is_empty() {
        pen.to(NAME).parts(&parts, Ink::Faint, NAME).end();
    }
    let name = look.lang().pick("this call: ", "本次调用：");
    pen.to(NAME).ink(name, Ink::Faint);
    pen.parts(
        &this_call(look, call, tree),
        Ink::Faint,
        NAME + columns(name),
    )
    .end();
}

/// What the child has of its own, whatever the flags are but for CLONE_THREAD (clone(2), fork(2)).
fn own(pen: &mut Pen<'_>, look: &Look, call: &CloneCall) {
    let name = look.lang().pick("own", "自有");
    let what = if call.request.has(CLONE_THREAD) {
        look.lang().pick(
            "tid, registers, signal mask (copied), pending signals (none yet)",
            "tid、寄存器、信号屏蔽字（起初为副本）、待决信号（起初为空）",
        )
    } else {
        look.lang().pick(
            "pid, signal mask (copied), pending signals and timers (none yet)",
            "pid、信号屏蔽字（起初为副本）、待决信号与定时器（起初皆空）",
        )
    };
    let hang = NAME + columns(name) + 2;
    pen.to(NAME).ink(name, Ink::Faint).put("  ");
    pen.words(what, Ink::Plain, hang).end();
}

/// The kernel's side of a flag: which function decides, about which object, and what becomes of it.
fn why(pen: &mut Pen<'_>, look: &Look, row: &Flag, set: bool) {
    let hang = if look.style.width < NARROW {
        NAME + 2
    } else {
        VERB
    };
    let lang = look.lang();
    let (object, fate) = (row.object.pick(lang), if set { row.set } else { row.clear });
    let fate = fate.pick(lang);
    let colon = look.lang().pick(": ", "：");
    let by = row.decided_by.replace(", ", "(), ");
    let text = format!("{by}(){colon}{object}{colon}{fate}");
    pen.to(hang).words(&text, Ink::Faint, hang).end();
}

/// In the order of the bits, but for one: what is written to a word comes before what empties it.
fn in_order(flags: &[String]) -> Vec<&String> {
    let late = |flag: &&String| CLONE_CHILD_CLEARTID.is_named(flag);
    let mut order: Vec<_> = flags.iter().collect();
    if let Some(from) = order.iter().position(late)
        && let Some(to) = order
            .iter()
            .position(|flag| CLONE_CHILD_SETTID.is_named(flag))
        && from < to
    {
        let flag = order.remove(from);
        order.insert(to, flag);
    }
    order
}

/// What the child gets a copy of. That of a thread is nothing, as a rule.
fn copies(pen: &mut Pen<'_>, look: &Look, call: &CloneCall) {
    let copied = call.request.named_flags().pieces_copied();
    if copied.is_empty() {
        return;
    }
    let name = look.lang().pick("copies", "复制");
    let hang = NAME + columns(name) + 2;
    pen.to(NAME).ink(name, Ink::Faint).put("  ");
    let what: Vec<_> = copied
        .iter()
        .map(|(_, what)| what.pick(look.lang()))
        .collect();
    pen.words(&what.join(look.lang().pick(", ", "、")), Ink::Plain, hang)
        .end();
    for (row, _) in &copied {
        if look.why() {
            why(pen, look, row, false);
        }
    }
}

/// To what a flag does it, as it is beside the other flags of the set.
fn object(look: &Look, row: &Flag, call: &CloneCall) -> String {
    let request = &call.request;
    let lang = look.lang();
    match row.flags() {
        CLONE_VM if !request.has(CLONE_THREAD) => lang.pick(
            "the address space, until it execs or ends",
            "地址空间（mm），直到它 exec 或退出",
        ),
        // Nobody is woken and nothing written where no other task has the memory at the exit
        // (mm_release in kernel/fork.c).
        CLONE_CHILD_CLEARTID if !request.has(CLONE_VM) => lang.pick(
            "child_tid at exit, unless alone in memory",
            "child_tid（退出时，若内存非其独有）",
        ),
        CLONE_CHILD_CLEARTID if call.origin.as_deref() == Some("pthread_create") => lang.pick(
            "child_tid at exit, wakes pthread_join",
            "child_tid（退出时），并唤醒 pthread_join",
        ),
        _ => row.what.pick(lang),
    }
    .to_owned()
}

/// What is sent to the parent when the child ends.
fn signal(look: &Look, request: &Request) -> Option<String> {
    let thread = request.has(CLONE_THREAD);
    let none = || look.lang().pick("no exit signal", "无退出信号").to_owned();
    Some(match (&request.exit_signal, request.exit_signal_raw) {
        (Some(Some(name)), _) if thread => {
            let name = look.name(name);
            say!(
                look,
                "no exit signal (a thread sends no {name})",
                "无退出信号（线程不发 {name}）"
            )
        }
        (Some(Some(name)), _) => {
            let name = look.name(name);
            say!(
                look,
                "{name} to the parent at exit",
                "退出时向父进程发 {name}"
            )
        }
        (Some(None), _) | (None, Some(Hex(0))) => none(),
        (None, Some(raw)) => {
            say!(
                look,
                "exit signal {raw}, which is no signal",
                "退出信号 {raw}，并非任何信号"
            )
        }
        (None, None) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Style;
    use crate::report::Lang;

    #[test]
    fn what_belongs_to_one_call_stands_apart_from_its_flags() {
        let explained = |at: u64| {
            let mut call: CloneCall = serde_json::from_value(serde_json::json!({
                "seq": 1, "at_ns": 1, "task": 1, "tid": at, "tgid": at, "comm": "x",
                "abi": "x86_64", "call": "clone3", "outcome": {"unfinished": {}}
            }))
            .unwrap();
            call.request.flags = FLAGS.iter().map(|flag| flag.name.to_owned()).collect();
            let (at, args) = (Some(Hex(at)), &mut call.request.args);
            (args.stack, args.stack_size, args.tls, args.pidfd) = (at, at, at, at);
            (args.parent_tid, args.child_tid, args.cgroup) = (at, at, at);
            let look = Look {
                names: true,
                ..Look::default()
            };
            let mut pen = Pen::new(&look.style);
            explain(&mut pen, &look, &call, &TaskTree::new(), Some("A"));
            pen.done()
        };
        let (one, other) = (explained(0x7000), explained(0x9000));
        let apart = |text: &str| {
            let (set, call) = text.split_once("this call: ").unwrap();
            (set.to_owned(), call.to_owned())
        };
        let ((set, call), (same, another)) = (apart(&one), apart(&other));
        assert_eq!(set, same);
        assert_ne!(call, another);
        assert_eq!(call.matches("0x7000").count(), 4, "{call}");
    }

    #[test]
    fn every_phrase_fits_in_eighty_columns() {
        for (lang, flag) in [Lang::English, Lang::Chinese]
            .into_iter()
            .flat_map(|lang| FLAGS.iter().map(move |flag| (lang, flag)))
        {
            let look = Look::from(Style {
                lang,
                ..Style::default()
            });
            let mut call: CloneCall = serde_json::from_value(serde_json::json!({
                "seq": 1, "at_ns": 1, "task": 1, "tid": 4194304, "tgid": 4194304, "comm": "x",
                "abi": "x86_64", "call": "clone3", "outcome": {"unfinished": {}}
            }))
            .unwrap();
            call.request.flags = vec![flag.name.to_owned()];
            let most = Some(Hex(0x7fff_ffff_ffff));
            call.request.args.tls = most;
            call.request.args.parent_tid = most;
            call.request.args.child_tid = most;
            call.request.args.pidfd = most;
            call.request.args.cgroup = Some(Hex(1_000_000));
            let mut pen = Pen::new(&look.style);
            explain(&mut pen, &look, &call, &TaskTree::new(), Some("A"));
            let text = pen.done();
            assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
            assert!(text.contains(flag.verb.pick(lang)), "{text}");
            assert!(
                flag.name.len() <= 21 && columns(flag.verb.pick(lang)) <= 7,
                "{text}"
            );
            // A flag takes one row: what it does is said in a few words.
            let row = text.lines().find(|line| line.contains(flag.name)).unwrap();
            assert!(row.len() > OBJECT && text.lines().count() <= 8, "{text}");
        }
    }
}
