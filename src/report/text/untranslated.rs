//! Whatever clonespy says in a trace is said in Chinese where that is asked for: every row of every table
//! of sentences, in a report.

use regex::Regex;
use serde_json::{Value, json};

use super::Text;
use crate::abi::Lang;
use crate::abi::rules;
use crate::event::{
    Cut, Event, Explanation, Gap, KillReason, NoFilter, Observation, Obstacle, Refusal,
};
use crate::layout::Style;
use crate::report::json::tests::Sink;
use crate::report::{Look, Reporter};
use crate::tasks::TaskTree;

/// The report of these lines, in Chinese, with all that it can say.
fn report(lines: impl IntoIterator<Item = Value>) -> String {
    let sink = Sink::default();
    let style = Style {
        lang: Lang::Chinese,
        cut: false,
        // Sentences stand in one line each.
        width: 10_000,
        ..Style::default()
    };
    let look = Look {
        verbose: 2,
        ..Look::from(style)
    };
    let mut text = Text::new(Box::new(sink.clone()), look);
    let mut tree = TaskTree::new();
    for line in lines {
        let event: Event = serde_json::from_value(line).unwrap();
        tree.apply(&event);
        text.event(&event, &tree).unwrap();
    }
    text.finish(&tree).unwrap();
    sink.text()
}

fn start(fields: Value) -> Value {
    let mut line = json!({"type": "start", "format": 1, "clonespy": "0.1.0", "trace_id": "t",
        "mode": "launch", "command": ["./a"], "kernel": "6.18", "machine": "x86_64",
        "wall": "2026-11-21T16:00:00Z", "intercept": "event"});
    for (name, value) in fields.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

fn line(kind: &str, fields: Value) -> Value {
    let mut line = json!({"type": kind, "seq": 1, "at_ns": 1, "task": 1, "tid": 7, "tgid": 7});
    for (name, value) in fields.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

fn failed(explanation: &Explanation, evidence: &Value) -> Value {
    let rule = match explanation {
        Explanation::Rule(rule) | Explanation::Among { rule, .. } => rule,
        Explanation::Found(_) => "sandbox-filter",
    };
    let reason = |certainty: &str| {
        json!({"rule": rule, "certainty": certainty,
            "text": explanation, "evidence": evidence})
    };
    let reasons = ["certain", "likely", "possible", "excluded"].map(reason);
    line(
        "clone",
        json!({"comm": "a", "abi": "x86_64", "call": "clone", "exit_signal": "SIGCHLD",
            "flags_raw": "0x0", "exit_signal_raw": "0x11",
            "outcome": {"failed": {"errno": "EPERM", "code": 1, "reasons": reasons}}}),
    )
}

/// Three English words in a row, where no name of the kernel's has as many.
#[track_caller]
fn expect_chinese(text: &str, what: &str) {
    let words = Regex::new(r"\b[a-z]{2,}(?:[,;:]? [a-z]{2,}){2,}\b").unwrap();
    if let Some(found) = words.find(text) {
        panic!("{what}: {:?} in\n{text}", found.as_str());
    }
}

#[test]
fn what_is_not_seen_and_why() {
    let refused = Refusal::samples()
        .into_iter()
        .map(|why| Gap::Process { pid: 9, why });
    for gap in Gap::samples().into_iter().chain(refused) {
        let text = report([start(json!({"blind": [gap]}))]);
        assert!(text.contains(&gap.text(Lang::Chinese)), "{gap}:\n{text}");
        expect_chinese(&text, &gap.to_string());
        let text = report([
            start(json!({})),
            line("blind", json!({"what": [gap], "why": Obstacle::Sleeps})),
        ]);
        expect_chinese(&text, &gap.to_string());
    }
    for why in Obstacle::samples() {
        let blind = line("blind", json!({"what": [Gap::FailedCalls], "why": why}));
        expect_chinese(&report([start(json!({})), blind]), &why.to_string());
    }
}

#[test]
fn why_calls_are_caught_otherwise() {
    for why in NoFilter::samples() {
        for intercept in ["seccomp", "event", "syscall"] {
            let first = start(json!({"intercept": intercept, "intercept_why": why}));
            expect_chinese(&report([first]), &why.to_string());
        }
    }
}

#[test]
fn why_processes_are_ended_and_traces_cut() {
    for why in KillReason::samples() {
        let kill = line("kill", json!({"signal": "SIGKILL", "why": why}));
        expect_chinese(&report([start(json!({})), kill]), &why.to_string());
    }
    let totals = json!({"processes": 1, "threads": 1, "leaders": 1, "calls": {}, "created": 0,
        "failed": 0, "untraced": 0, "unfinished": 0});
    for cut in Cut::samples() {
        let end = line("end", json!({"cut": cut, "totals": totals}));
        expect_chinese(&report([start(json!({})), end]), &cut.to_string());
    }
    expect_chinese(&report([start(json!({}))]), "no end");
}

#[test]
fn why_calls_failed() {
    let of_rules = rules::all().flat_map(|rule| {
        let (rule, others) = (rule.id, 3);
        [Explanation::Rule(rule), Explanation::Among { rule, others }]
    });
    let found = Observation::samples().into_iter().map(Explanation::Found);
    for explanation in of_rules.chain(found) {
        let evidence = json!({"arguments": "the arguments were changed during the call"});
        for evidence in [json!({}), evidence] {
            let text = report([start(json!({})), failed(&explanation, &evidence)]);
            expect_chinese(&text, &explanation.to_string());
        }
    }
}

#[test]
fn the_rule_s_own_words_stand_for_words_that_are_not_known() {
    let newer = Explanation::read(
        "sandbox-filter",
        "the moon was full and nobody could see it",
    );
    let text = report([start(json!({})), failed(&newer, &json!({"moon": 4}))]);
    expect_chinese(&text, "a newer explanation");
    assert!(text.contains("（moon: 4）"), "{text}");
}

#[test]
fn every_kind_of_line() {
    // Words that no version has said: kept as they are, and none of our sentences.
    let words = ["no seccomp", "a filter"];
    for event in crate::event_samples::all() {
        let text = report([start(json!({})), serde_json::to_value(&event).unwrap()]);
        let text = words.iter().fold(text, |text, word| text.replace(word, ""));
        expect_chinese(&text, &format!("{event:?}"));
    }
}
