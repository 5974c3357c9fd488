//! Reading back what was written, and what was not.

use super::*;
use crate::event_samples;
use proptest::prelude::*;

const START: &str = concat!(
    r#"{"type":"start","format":1,"clonespy":"0.1.0","trace_id":"t","mode":"launch","#,
    r#""command":["x"],"kernel":"6","machine":"x86_64","wall":"w","intercept":"seccomp"}"#
);
const LOST: &str = r#"{"type":"lost","seq":1,"what":"copy","count":2}"#;

fn replay(text: &str) -> Replay {
    Replay::read("t.jsonl", std::io::Cursor::new(text.as_bytes().to_vec()))
}

/// How many events there are, and the error at the end.
fn read(text: &str) -> (usize, Option<String>) {
    let mut good = 0;
    for event in replay(text) {
        match event {
            Ok(_) => good += 1,
            Err(error) => return (good, Some(error.to_string())),
        }
    }
    (good, None)
}

#[test]
fn what_is_written_is_read_back() {
    let mut events = event_samples::all();
    assert!(events.len() > 100);
    // Recorded findings are left out; of a line of unknown type there is nothing to write.
    events.retain(|event| {
        !matches!(
            event.kind,
            EventKind::Finding(_) | EventKind::Unknown | EventKind::Start(_)
        )
    });
    let lines: Vec<_> = std::iter::once(START.to_owned())
        .chain(
            events
                .iter()
                .map(|event| serde_json::to_string(event).unwrap()),
        )
        .collect();
    let spellings = [
        lines.join("\n") + "\n",
        lines.join("\r\n"),
        lines.join("\n\n"),
        format!("[\n{}\n]\n", lines.join(",\n")),
        format!(" [{}]", lines.join(",")),
    ];
    for text in spellings {
        let back: Vec<_> = replay(&text).skip(1).map(|event| event.unwrap()).collect();
        assert_eq!(back, events);
    }
    let pretty: Vec<Value> = lines
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let pretty = serde_json::to_string_pretty(&pretty).unwrap();
    assert_eq!(read(&pretty), (lines.len(), None));
}

#[test]
fn every_event_survives_serde() {
    for event in event_samples::all() {
        let text = serde_json::to_string(&event).unwrap();
        let back: Event = serde_json::from_str(&text).unwrap();
        assert_eq!(back, event, "{text}");
    }
}

#[test]
fn absent_and_null_are_two_things() {
    let line = |field: &str| {
        let text =
            format!(r#"{{"type":"exec","seq":1,"at_ns":1,"task":1,"tid":1,"tgid":1{field}}}"#);
        match replay(&format!("{START}\n{text}\n")).nth(1) {
            Some(Ok(Event {
                kind: EventKind::Exec(exec),
                ..
            })) => exec.build_id,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(line(""), None);
    assert_eq!(line(r#","build_id":null"#), Some(None));
    assert_eq!(line(r#","build_id":"ab""#), Some(Some("ab".into())));
}

#[test]
fn a_trace_that_was_cut_short_is_read_as_far_as_it_goes() {
    let whole = format!("{START}\n{LOST}\n{LOST}\n");
    for length in START.len() + 1..whole.len() {
        let (good, error) = read(&whole[..length]);
        assert_eq!(error, None, "{length}");
        assert!((1..=3).contains(&good));
    }
    assert_eq!(
        read(&format!("{START}\n{LOST}\n{{\"type\":\"lo")),
        (2, None)
    );
    assert_eq!(
        read(&format!("[\n{START},\n{LOST},\n{{\"type\":\"lo")),
        (2, None)
    );
    assert_eq!(read(&format!("[\n{START},\n{LOST}")), (2, None));
}

#[test]
fn garbage_is_said_with_its_line_after_what_came_before() {
    let (good, error) = read(&format!("{START}\n{LOST}\nnonsense\n{LOST}\n"));
    assert_eq!(good, 2);
    assert_eq!(
        error.unwrap(),
        "t.jsonl:3: not a clonespy trace: expected ident"
    );
    let (good, error) = read(&format!("[\n{START},\n{LOST},\n7\n]\n"));
    assert_eq!(good, 2);
    assert_eq!(
        error.unwrap(),
        "t.jsonl:4: not a clonespy trace: no object where one should be"
    );
    let (_, error) = read(&format!("{START}\n{{\"type\":\"lost\"}}\n"));
    assert_eq!(
        error.unwrap(),
        "t.jsonl:2: not a clonespy trace: missing field `seq`"
    );
    let (_, error) = read(&format!("{START}\n{START}\n"));
    assert!(
        error
            .unwrap()
            .ends_with("a second start: two traces in one file")
    );
}

#[test]
fn what_is_no_trace_is_refused_at_once() {
    for (text, why) in [
        ("", "it is empty: no trace was written to it"),
        ("[\n]\n", "it is empty: no trace was written to it"),
        ("{}\n", "the first line is not a trace's start"),
        (LOST, "the first line is not a trace's start"),
        ("\u{1}\u{2}", "the first line is not a trace's start"),
    ] {
        let (good, error) = read(text);
        assert_eq!(good, 0);
        assert_eq!(
            error.unwrap(),
            format!("t.jsonl:1: not a clonespy trace: {why}")
        );
    }
    let newer = r#"{"type":"start","format":2,"clonespy":"9.0","changed":true}"#;
    assert_eq!(
        read(newer).1.unwrap(),
        "t.jsonl:1: not a clonespy trace: written by clonespy 9.0 in format 2; \
         this version reads format 1"
    );
    let half = &START[..START.len() / 2];
    assert_eq!(
        read(half).1.unwrap(),
        "t.jsonl:1: not a clonespy trace: it was cut short within its first line"
    );
}

#[test]
fn what_a_newer_version_adds_is_accepted() {
    let lines = [
        r#"{"type":"weather","rain":true}"#,
        r#"{"type":"lost","seq":1,"what":"copy","count":2,"extra":{"a":[1]}}"#,
        r#"{"type":"task","seq":1,"at_ns":0,"task":1,"tid":1,"tgid":1,"kind":"fibre","comm":"x","how":"magic"}"#,
        r#"{"type":"exit","seq":1,"at_ns":0,"task":1,"tid":1,"tgid":1,"how":"faded","status":{"gone":1},"last":true}"#,
        r#"{"type":"clone","seq":1,"at_ns":0,"task":1,"tid":1,"tgid":1,"comm":"x","abi":"riscv128","call":"clone","sharing":{"mm":"shared","depth":3},"outcome":{"postponed":{}}}"#,
        r#"{"type":"clone","seq":1,"at_ns":0,"task":1,"tid":1,"tgid":1,"comm":"x","abi":"x86_64","call":"clone4","outcome":{"unfinished":{}}}"#,
    ];
    for line in lines {
        assert_eq!(read(&format!("{START}\n{line}\n")), (2, None), "{line}");
    }
    let findings = r#"{"type":"finding","at_ns":1,"task":1,"lint":"l","level":"w","text":"t"}"#;
    assert_eq!(read(&format!("{START}\n{findings}\n{LOST}\n")), (2, None));
}

#[test]
fn memory_is_bounded_by_the_longest_line() {
    struct Endless(&'static [u8], usize);
    impl Read for Endless {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            self.1 += bytes.len();
            assert!(self.1 <= LONGEST + (1 << 20), "read on without end");
            bytes
                .iter_mut()
                .zip(self.0.iter().cycle())
                .for_each(|(to, from)| *to = *from);
            Ok(bytes.len())
        }
    }
    for (begin, name) in [("", "line"), ("[{", "object")] {
        let input = std::io::Cursor::new(begin.as_bytes()).chain(Endless(b"x", 0));
        let mut replay = Replay::read("t", input);
        let error = replay.next().unwrap().unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name} of more than {LONGEST} bytes")),
            "{error}"
        );
        assert!(replay.next().is_none());
    }
}

proptest! {
    #[test]
    fn bytes_of_any_kind_never_panic(bytes in any::<Vec<u8>>(), array in any::<bool>()) {
        let mut input = if array { b"[\n".to_vec() } else { Vec::new() };
        input.extend_from_slice(START.as_bytes());
        input.push(b'\n');
        input.extend_from_slice(&bytes);
        let events = Replay::read("t", std::io::Cursor::new(input)).count();
        prop_assert!(events >= 1);
        let _ = Replay::read("t", std::io::Cursor::new(bytes)).count();
    }

    #[test]
    fn a_damaged_trace_never_panics(at in 0usize..2000, byte in any::<u8>()) {
        let mut input = format!("{START}\n").into_bytes();
        for event in event_samples::all().iter().take(3) {
            input.extend(serde_json::to_vec(event).unwrap());
            input.push(b'\n');
        }
        if let Some(slot) = input.get_mut(at) {
            *slot = byte;
        }
        let _ = Replay::read("t", std::io::Cursor::new(input)).count();
    }
}
