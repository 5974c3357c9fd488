//! What a difference says is to be written where it is meant: written, the check holds.

use std::path::Path;

use proptest::prelude::*;

use super::super::*;
use super::{END, ROOT, START, call, events, exit, good, made};
use crate::event::Event;
use crate::lint::Analysis;

/// A trace of a program whose calls are these: the child's name, its code, and what sort of call it is.
fn trace(children: &[(String, i32, u8)]) -> Analysis {
    let mut lines = vec![START.to_owned(), ROOT.to_owned()];
    for (number, (name, code, sort)) in children.iter().enumerate() {
        let task = u64::try_from(number).expect("few") + 11;
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        let flags = u64::from(*sort) << 28;
        let created = format!(
            r#"{{"created":{{"task":{task},"tid":{task},"tgid":{task},"kind":"process"}}}}"#
        );
        match sort {
            0 => lines.push(call(task * 2, "vfork", 0x4100, r#"{"unfinished":{}}"#)),
            1 => lines.push(call(
                task * 2,
                "clone",
                1 << 40,
                r#"{"failed":{"errno":"errno 999","code":999}}"#,
            )),
            2 => lines.push(made(task * 2, task)),
            _ => lines.push(call(task * 2, "clone", flags, &created)),
        }
        if *sort >= 2 {
            lines.push(exit(task * 2 + 1, task, &name, *code));
        }
    }
    lines.push(exit(98, 1, "a", 0));
    lines.push(END.to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Analysis::of(&events(&lines))
}

/// A file after what a difference says was written into it, line by line as a person would.
fn advised(text: &str, mismatch: &Mismatch) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut added = String::new();
    for advice in mismatch
        .problems
        .iter()
        .filter_map(|p| p.suggestion.as_deref())
    {
        if let Some(rows) = advice.strip_prefix("add:\n") {
            added.push_str(&format!("\n{rows}\n"));
        } else if let Some(rest) = advice.strip_prefix("line ") {
            let (number, line) = rest.split_once(": ").expect("a line and its number");
            let number: usize = number.parse().expect("a number");
            lines[number - 1] = line.to_owned();
        } else {
            let rest = advice.strip_prefix("in the [[clone]] at line ");
            let (number, keys) = rest.expect(advice).split_once(": ").expect("keys");
            let first: usize = number.parse().expect("a number");
            let keys = format!("row = {{ {keys} }}");
            let table = toml::de::DeTable::parse(&keys).expect("TOML");
            let (_, row) = table.get_ref().iter().next().expect("one");
            for (key, value) in row.get_ref().as_table().expect("a table") {
                let line = format!("{} = {}", key.get_ref(), &keys[value.span()]);
                let head = format!("{} = ", key.get_ref());
                let block = lines
                    .iter()
                    .skip(first)
                    .take_while(|line| !line.starts_with('['));
                let old = block.clone().position(|line| line.starts_with(&head));
                match old {
                    Some(at) => lines[first + at] = line,
                    None => lines[first - 1].push_str(&format!("\n{line}")),
                }
            }
        }
    }
    lines.join("\n") + "\n" + &added
}

/// Whoever follows the advice has a check that holds.
#[track_caller]
fn advice_holds(what: &str, text: &str, seen: &Analysis) {
    let Err(mismatch) = good(text).check(seen) else {
        return;
    };
    // Of what cannot be seen nothing can be written.
    let unsaid =
        |problem: &Problem| problem.suggestion.is_none() && problem.seen.ends_with("or more");
    if mismatch.problems.iter().any(unsaid) {
        return;
    }
    let changed = advised(text, &mismatch);
    if let Err(why) = good(&changed).check(seen) {
        panic!("{what}: {mismatch}\n\n--- advised\n{changed}\n--- {why}");
    }
}

#[test]
fn a_call_that_changed_is_changed_in_its_row() {
    let before = trace(&[("one".to_owned(), 0, 2), ("two".to_owned(), 1, 2)]);
    let text = bless(&Expectation::default(), &before).expect("whole");
    let cases = [
        (("three", 1, 2), "name = \"three\""),
        (("two", 2, 2), "exit = 2"),
        (("two", 1, 4), "flags = [\"CLONE_NEWNET\"]"),
        (("three", 2, 2), "name = \"three\", exit = 2"),
    ];
    for ((name, code, sort), keys) in cases {
        let after = trace(&[("one".to_owned(), 0, 2), (name.to_owned(), code, sort)]);
        let words = good(&text).check(&after).expect_err(keys).to_string();
        let line = text.lines().position(|line| line == "name = \"two\"");
        let line = line.expect("its row") - 4;
        let advice = format!("in the [[clone]] at line {line}: {keys}\n");
        assert!((words + "\n").contains(&advice), "{keys}: {advice}");
        advice_holds(keys, &text, &after);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_blessed_holds_whatever_was_seen(
        children in prop::collection::vec(("[a-c0-9*\\\\\"]{0,4}", 0..3_i32, 0..4_u8), 0..40),
    ) {
        let seen = trace(&children);
        let text = bless(&Expectation::default(), &seen).expect("whole");
        if let Err(why) = good(&text).check(&seen) {
            prop_assert!(false, "{why}\n{text}");
        }
    }

    #[test]
    fn what_is_advised_holds_whatever_was_seen_before(
        before in prop::collection::vec(("[a-c0-9]{0,3}", 0..3_i32, 0..6_u8), 0..12),
        after in prop::collection::vec(("[a-c0-9]{0,3}", 0..3_i32, 0..6_u8), 0..12),
    ) {
        let text = bless(&Expectation::default(), &trace(&before)).expect("whole");
        advice_holds("", &text, &trace(&after));
    }
}

/// What was recorded of one program, held against every other.
#[test]
fn what_is_advised_of_recorded_traces_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut traces = Vec::new();
    for entry in std::fs::read_dir(folder)
        .expect("recorded traces")
        .flatten()
    {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let text = std::fs::read_to_string(&path).expect("a trace");
            let lines = text
                .lines()
                .filter_map(|line| serde_json::from_str::<Event>(line).ok());
            let seen = Analysis::of(&lines.collect::<Vec<_>>());
            traces.extend(seen.index().cut().is_none().then_some((path, seen)));
        }
    }
    assert!(traces.len() > 5);
    for (one, before) in &traces {
        let text = bless(&Expectation::default(), before).expect("whole");
        for (other, after) in &traces {
            let what = format!("{} against {}", other.display(), one.display());
            advice_holds(&what, &text, after);
        }
    }
}
