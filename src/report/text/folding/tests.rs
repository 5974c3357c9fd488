//! What is folded, and what is said of it.

use super::*;

fn call(set: &str, by: u64, born: Option<u64>, at_ns: u64) -> Line {
    Line {
        like: Like::Call {
            call: Call::Clone3,
            set: set.into(),
            origin: None,
            made: Ok(Kind::Thread),
            remarks: Vec::new(),
        },
        by: TaskId(by),
        born: born.map(TaskId),
        at_ns,
        head: format!("{set}: "),
        lead: String::new(),
        hang: 15,
        text: format!("{set} {at_ns}\n"),
    }
}

fn texts(timed: Vec<Timed>) -> Vec<String> {
    timed.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn the_first_are_shown_and_the_rest_counted() {
    let (look, mut folding) = (Look::default(), Folding::default());
    let mut written = Vec::new();
    for n in 0..20_000 {
        written.extend(folding.line(&look, call("A", 1, Some(10 + n), n)));
        if n >= 3 {
            folding.gone(TaskId(7 + n));
        }
    }
    assert_eq!(written.len() as u64, SHOWN);
    assert_eq!(
        texts(folding.flush(&look)),
        ["A: 19,992 more like this in 19 µs, up to 4 of them at once\n"]
    );
    assert!(folding.flush(&look).is_empty());
    assert_eq!(folding.members.len(), 3);
}

#[test]
fn a_few_are_written_as_they_are() {
    let (look, mut folding) = (Look::default(), Folding::default());
    for n in 0..SHOWN {
        assert_eq!(folding.line(&look, call("A", 1, None, n)).len(), 1);
    }
    assert!(folding.line(&look, call("A", 1, None, 98)).is_empty());
    assert!(folding.line(&look, call("A", 1, None, 99)).is_empty());
    assert_eq!(
        texts(folding.line(&look, call("B", 1, None, 100))),
        ["A 98\n", "A 99\n", "B 100\n"]
    );
    // And from there on they are shown again.
    assert_eq!(folding.line(&look, call("A", 1, None, 101)).len(), 1);
}

#[test]
fn two_kinds_in_turn_are_both_folded() {
    let (look, mut folding) = (Look::default(), Folding::default());
    let mut written = 0;
    for n in 0..100 {
        written += folding.line(&look, call("A", 1, None, 2 * n)).len();
        written += folding.line(&look, call("B", 1, None, 2 * n + 1)).len();
    }
    assert_eq!(written as u64, 2 * SHOWN);
    assert_eq!(
        texts(folding.flush(&look)),
        [
            "A: 92 more like this in 182 ns\n",
            "B: 92 more like this in 182 ns\n"
        ]
    );
}

#[test]
fn many_kinds_out_of_step_are_folded() {
    // A dozen storms, each begun when the one before has shown its first few.
    let (look, mut folding) = (Look::default(), Folding::default());
    let (kinds, rounds) = (12, 200);
    let mut written = 0;
    for n in 0..rounds {
        for kind in 0..kinds.min(1 + n / 3) {
            let line = call(&kind.to_string(), 1, None, n * kinds + kind);
            written += folding.line(&look, line).len() as u64;
        }
    }
    // Those that were withheld when the next began are written: two or a sum, each time.
    assert!(written < kinds * (SHOWN + kinds * FEW), "{written}");
    assert_eq!(folding.flush(&look).len() as u64, kinds);
}

#[test]
fn times_never_run_backwards() {
    let (look, mut folding) = (Look::default(), Folding::default());
    let mut times = Vec::new();
    // Many of one kind, then a few of another beside them, then one of a third.
    for n in 0..100 {
        let kind = if n % 11 == 10 { "B" } else { "A" };
        times.extend(folding.line(&look, call(kind, 1, None, n)));
    }
    times.extend(folding.line(&look, call("C", 1, None, 100)));
    let times: Vec<u64> = times.into_iter().map(|(at_ns, _)| at_ns).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn the_kind_that_was_not_seen_for_longest_is_forgotten() {
    let (look, mut folding) = (Look::default(), Folding::default());
    let mut storm = 0;
    for n in 0..5 * GROUPS as u64 {
        folding.line(&look, call(&format!("other {n}"), 1, None, 2 * n));
        storm += folding.line(&look, call("storm", 1, None, 2 * n + 1)).len();
    }
    let known = |folding: &Folding| folding.groups.iter().any(|group| group.head == "storm: ");
    assert!(storm > 0 && known(&folding));
}

#[test]
fn nothing_is_withheld_for_long() {
    let (look, mut folding) = (Look::default(), Folding::default());
    let mut written = Vec::new();
    for n in 0..40 {
        written.extend(folding.line(&look, call("A", 1, None, n * 1_000_000_000)));
    }
    assert_eq!(written.len() as u64, SHOWN + 2);
}

#[test]
fn a_relay_is_alike_though_each_has_another_caller() {
    let (look, mut folding) = (Look::default(), Folding::default());
    let mut written = 0;
    for n in 0..1000 {
        written += folding.line(&look, call("A", n, Some(n + 1), n)).len();
        folding.gone(TaskId(n));
    }
    assert_eq!(written as u64, SHOWN);
}

#[test]
fn what_each_of_many_children_does_is_folded_as_one() {
    let (look, mut folding) = (Look::default(), Folding::default());
    let mut written = 0;
    for n in 0..1000 {
        let (child, thread) = (10 + 2 * n, 11 + 2 * n);
        written += folding.line(&look, call("fork", 1, Some(child), n)).len();
        written += folding.line(&look, call("A", child, Some(thread), n)).len();
        folding.gone(TaskId(thread));
        folding.gone(TaskId(child));
    }
    assert_eq!(written as u64, 2 * SHOWN);
    assert_eq!(
        texts(folding.flush(&look)),
        [
            "fork: 992 more like this in 991 ns, one at a time\n",
            "A: 992 more like this in 991 ns, by several callers, one at a time\n"
        ]
    );
    assert!(folding.members.is_empty());
    // What one of them does alone is not said to be done by several.
    folding.line(&look, call("fork", 1, Some(10), 1000));
    for n in 0..10 {
        folding.line(&look, call("A", 10, None, 1001 + n));
    }
    let texts = texts(folding.flush(&look));
    assert_eq!(texts.last().unwrap(), "A: 10 more like this in 9 ns\n");
}

#[test]
fn what_is_remembered_is_bounded() {
    let (look, mut folding) = (Look::default(), Folding::default());
    for n in 0..1000 {
        folding.line(&look, call(&n.to_string(), n, None, n));
    }
    assert_eq!(folding.groups.len(), GROUPS);
}
