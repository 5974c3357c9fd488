//! Flag sets: a letter for each, and its explanation in full when it is first seen.

use std::collections::HashMap;

use super::arguments::this_call;
use super::phrases;
use crate::abi::say;
use crate::abi::{chinese, flags};
use crate::event::{Call, CloneCall, Hex, Outcome, Request};
use crate::layout::{Ink, NARROW, Pen, columns};
use crate::report::{Lang, Look};
use crate::tasks::TaskTree;

/// Where the columns of an explanation begin: the flag's name, the verb, the object.
const NAME: usize = 6;
const VERB: usize = 28;
const OBJECT: usize = 36;

/// A program that passes more sets than this gets no letters for the rest: a table that a hostile
/// program fills may not grow for ever.
const MOST: usize = 10_000;

/// What makes two calls ask for the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    flags: Vec<String>,
    ignored: Vec<String>,
    unknown: Option<Hex>,
    signal: Option<Option<String>>,
    signal_raw: Option<Hex>,
}

impl Key {
    pub(super) fn of(request: &Request) -> Self {
        Key {
            flags: request.flags.clone(),
            ignored: request.flags_ignored.clone(),
            unknown: request.flags_unknown,
            signal: request.exit_signal.clone(),
            signal_raw: request.exit_signal_raw,
        }
    }
}

/// The sets seen so far.
#[derive(Debug, Default)]
pub(super) struct Sets(HashMap<Key, usize>);

/// A set's place in the report.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// `A`, `B`, … `Z`, `AA`, …; `-` where the letters ended.
    pub letter: String,
    /// It has not been seen before.
    pub new: bool,
}

/// Whether the flags are known. Of a clone3 that the kernel refuses for its size alone, nobody has read
/// them.
pub(super) fn are_read(request: &Request) -> bool {
    let plain = matches!(request.call, Call::Fork | Call::Vfork);
    plain || request.flags_raw.is_some() || !request.flags.is_empty()
}

impl Sets {
    /// The set of a call; `None` where the flags could not be read.
    pub(super) fn find(&mut self, request: &Request) -> Option<Set> {
        if !are_read(request) {
            return None;
        }
        let key = Key::of(request);
        if let Some(&number) = self.0.get(&key) {
            return Some(Set {
                letter: letters(number),
                new: false,
            });
        }
        let number = self.0.len();
        if number >= MOST {
            return Some(Set {
                letter: "-".into(),
                new: true,
            });
        }
        self.0.insert(key, number);
        Some(Set {
            letter: letters(number),
            new: true,
        })
    }
}

/// 0 is `A`, 25 `Z`, 26 `AA`.
fn letters(number: usize) -> String {
    let mut out = Vec::new();
    let mut rest = number + 1;
    while rest > 0 {
        rest -= 1;
        out.push(char::from(b'A'.saturating_add((rest % 26) as u8)));
        rest /= 26;
    }
    out.iter().rev().collect()
}

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
        let (verb, object, ink) = match phrases::phrase(flag) {
            Some(row) => {
                let [english, chinese] = row.verb;
                (
                    look.lang().pick(english, chinese),
                    object(look, row, call),
                    Ink::Plain,
                )
            }
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
        if let Some(row) = flags::named(flag).filter(|_| look.why()) {
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
    let what = if call.request.has("CLONE_THREAD") {
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
fn why(pen: &mut Pen<'_>, look: &Look, row: &flags::Flag, set: bool) {
    let hang = if look.style.width < NARROW {
        NAME + 2
    } else {
        VERB
    };
    let chinese = chinese::words(row.name).filter(|_| look.lang() == Lang::Chinese);
    let (object, fate) = match (chinese, set) {
        (Some(words), true) => (words.object, words.set),
        (Some(words), false) => (words.object, words.clear),
        (None, true) => (row.object, row.set),
        (None, false) => (row.object, row.clear),
    };
    let colon = look.lang().pick(": ", "：");
    let by = row.decided_by.replace(", ", "(), ");
    let text = format!("{by}(){colon}{object}{colon}{fate}");
    pen.to(hang).words(&text, Ink::Faint, hang).end();
}

/// In the order of the bits, but for one: what is written to a word comes before what empties it.
fn in_order(flags: &[String]) -> Vec<&String> {
    let late = |flag: &&String| *flag == "CLONE_CHILD_CLEARTID";
    let mut order: Vec<_> = flags.iter().collect();
    if let Some(from) = order.iter().position(late)
        && let Some(to) = order.iter().position(|flag| *flag == "CLONE_CHILD_SETTID")
        && from < to
    {
        let flag = order.remove(from);
        order.insert(to, flag);
    }
    order
}

/// What the child gets a copy of. That of a thread is nothing, as a rule.
fn copies(pen: &mut Pen<'_>, look: &Look, call: &CloneCall) {
    let copied = phrases::copies(|flag| call.request.has(flag));
    if copied.is_empty() {
        return;
    }
    let name = look.lang().pick("copies", "复制");
    let hang = NAME + columns(name) + 2;
    pen.to(NAME).ink(name, Ink::Faint).put("  ");
    let what: Vec<_> = copied
        .iter()
        .map(|copy| {
            let [english, chinese] = copy.what;
            look.lang().pick(english, chinese)
        })
        .collect();
    pen.words(&what.join(look.lang().pick(", ", "、")), Ink::Plain, hang)
        .end();
    for row in copied.iter().filter_map(|copy| flags::named(copy.flag)) {
        if look.why() {
            why(pen, look, row, false);
        }
    }
}

/// A phrase's object, as it is beside the other flags of the set.
fn object(look: &Look, row: &phrases::Phrase, call: &CloneCall) -> String {
    let request = &call.request;
    let lang = look.lang();
    match row.name {
        "CLONE_VM" if !request.has("CLONE_THREAD") => lang.pick(
            "the address space, until it execs or ends",
            "地址空间（mm），直到它 exec 或退出",
        ),
        // Nobody is woken and nothing written where no other task has the memory at the exit
        // (mm_release in kernel/fork.c).
        "CLONE_CHILD_CLEARTID" if !request.has("CLONE_VM") => lang.pick(
            "child_tid at exit, unless alone in memory",
            "child_tid（退出时，若内存非其独有）",
        ),
        "CLONE_CHILD_CLEARTID" if call.origin.as_deref() == Some("pthread_create") => lang.pick(
            "child_tid at exit, wakes pthread_join",
            "child_tid（退出时），并唤醒 pthread_join",
        ),
        _ => lang.pick(row.object[0], row.object[1]),
    }
    .to_owned()
}

/// What is sent to the parent when the child ends.
fn signal(look: &Look, request: &Request) -> Option<String> {
    let thread = request.has("CLONE_THREAD");
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

/// The flags as one word, as the call passes it: legacy clone's holds the exit signal too. fork and
/// vfork pass none.
pub(super) fn word(request: &Request) -> Option<Hex> {
    match request.call {
        Call::Fork | Call::Vfork => None,
        Call::Clone3 => request.flags_raw,
        Call::Clone => {
            let signal = request.exit_signal_raw.unwrap_or_default().0 & 0xff;
            request.flags_raw.map(|flags| Hex(flags.0 | signal))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Style;

    fn request(flags: &[&str]) -> Request {
        serde_json::from_value(serde_json::json!({
            "abi": "x86_64", "call": "clone", "flags": flags, "flags_raw": "0x1200000",
            "exit_signal": "SIGCHLD", "exit_signal_raw": "0x11"
        }))
        .unwrap()
    }

    #[test]
    fn letters_go_on_after_z() {
        let cases = [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (27, "AB"),
            (701, "ZZ"),
            (702, "AAA"),
        ];
        for (number, text) in cases {
            assert_eq!(letters(number), text);
        }
    }

    #[test]
    fn a_set_is_new_once() {
        let mut sets = Sets::default();
        let a = sets.find(&request(&["CLONE_VM"])).unwrap();
        assert_eq!((a.letter.as_str(), a.new), ("A", true));
        assert_eq!(sets.find(&request(&["CLONE_FS"])).unwrap().letter, "B");
        let again = sets.find(&request(&["CLONE_VM"])).unwrap();
        assert_eq!((again.letter.as_str(), again.new), ("A", false));
        let mut other = request(&["CLONE_VM"]);
        other.exit_signal = Some(None);
        assert_eq!(sets.find(&other).unwrap().letter, "C");
    }

    #[test]
    fn the_table_of_sets_is_bounded() {
        let mut sets = Sets::default();
        let mut one = request(&[]);
        for bits in 0..MOST as u64 + 5 {
            one.flags_unknown = Some(Hex(bits));
            sets.find(&one);
        }
        assert_eq!(sets.0.len(), MOST);
        assert_eq!(
            sets.find(&one).unwrap(),
            Set {
                letter: "-".into(),
                new: true
            }
        );
    }

    #[test]
    fn the_word_is_the_one_that_was_passed() {
        let mut one = request(&[]);
        assert_eq!(word(&one), Some(Hex(0x120_0011)));
        one.call = Call::Clone3;
        assert_eq!(word(&one), Some(Hex(0x120_0000)));
        one.call = Call::Fork;
        assert_eq!(word(&one), None);
    }

    #[test]
    fn what_belongs_to_one_call_stands_apart_from_its_flags() {
        let explained = |at: u64| {
            let mut call: CloneCall = serde_json::from_value(serde_json::json!({
                "seq": 1, "at_ns": 1, "task": 1, "tid": at, "tgid": at, "comm": "x",
                "abi": "x86_64", "call": "clone3", "outcome": {"unfinished": {}}
            }))
            .unwrap();
            call.request.flags = phrases::names().map(str::to_owned).collect();
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
            .flat_map(|lang| phrases::names().map(move |flag| (lang, flag)))
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
            call.request.flags = vec![flag.to_owned()];
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
            let [english, chinese] = phrases::phrase(flag).unwrap().verb;
            assert!(text.contains(lang.pick(english, chinese)), "{text}");
            // A flag takes one row: what it does is said in a few words.
            let row = text.lines().find(|line| line.contains(flag)).unwrap();
            assert!(row.len() > OBJECT && text.lines().count() <= 8, "{text}");
        }
    }
}
