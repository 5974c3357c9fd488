//! Expectations, read and held against traces.

use std::path::Path;

use super::*;
use crate::event::{Event, EventKind};
use crate::lint::Analysis;

mod advice;
mod reading;
mod verdicts;

fn read(text: &str) -> crate::error::Result<Expectation> {
    Expectation::parse(text, Path::new("x.toml"))
}

#[track_caller]
fn good(text: &str) -> Expectation {
    match read(text) {
        Ok(expectation) => expectation,
        Err(why) => panic!("{why}"),
    }
}

/// Events by their JSON; the end counts what the others show.
fn events(lines: &[&str]) -> Vec<Event> {
    let parse = |line: &&str| serde_json::from_str(line).expect(line);
    let mut events: Vec<Event> = lines.iter().map(parse).collect();
    let totals = Analysis::of(&events).index().tree().totals();
    if let Some(EventKind::End(end)) = events.last_mut().map(|event| &mut event.kind) {
        end.totals = totals;
    }
    events
}

const START: &str = r#"{"type":"start","format":1,"clonespy":"0.1.0","trace_id":"t","mode":"launch","command":["./a"],"kernel":"6","machine":"x86_64","wall":"w","intercept":"seccomp"}"#;
const ROOT: &str = r#"{"type":"task","seq":1,"at_ns":0,"task":1,"tid":10,"tgid":10,"kind":"process","comm":"a","how":"launched"}"#;

fn call(seq: u64, call: &str, flags: u64, outcome: &str) -> String {
    format!(
        r#"{{"type":"clone","seq":{seq},"at_ns":1,"task":1,"tid":10,"tgid":10,"comm":"a","abi":"x86_64","call":"{call}","flags_raw":"{flags:#x}","exit_signal":"SIGCHLD","exit_signal_raw":"0x11","outcome":{outcome}}}"#
    )
}

fn made(seq: u64, task: u64) -> String {
    let outcome =
        format!(r#"{{"created":{{"task":{task},"tid":{task},"tgid":{task},"kind":"process"}}}}"#);
    call(seq, "clone", 0x0120_0000, &outcome)
}

fn exit(seq: u64, task: u64, name: &str, code: i32) -> String {
    let tid = if task == 1 { 10 } else { task };
    format!(
        r#"{{"type":"exit","seq":{seq},"at_ns":2,"task":{task},"tid":{tid},"tgid":{tid},"comm":"{name}","how":"self","status":{{"exited":{code}}},"last":true}}"#
    )
}

const END: &str = r#"{"type":"end","seq":99,"at_ns":3,"status":{"exited":0},"totals":{"processes":0,"threads":0,"leaders":0,"calls":{},"created":0,"failed":0,"untraced":0,"unfinished":0}}"#;

/// Two forks, one refused vfork; the second child outlives the program.
fn sample() -> Analysis {
    let lines = [
        START.to_owned(),
        ROOT.to_owned(),
        made(2, 2),
        call(
            3,
            "vfork",
            0x4100,
            r#"{"failed":{"errno":"EAGAIN","code":11}}"#,
        ),
        made(4, 3),
        exit(5, 2, "first", 1),
        exit(6, 1, "a", 0),
        exit(7, 3, "second", 2),
        END.to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Analysis::of(&events(&lines))
}
