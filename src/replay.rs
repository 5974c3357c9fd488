//! A recorded trace, read back into events.
//!
//! Two spellings are read: JSON Lines, and one JSON array of the same objects (laid out in any
//! way). Readers are lenient where the format grows, and strict where a file is not a trace:
//!
//! * unknown fields, line types and values are accepted; recorded findings are left out, because
//!   they are worked out anew;
//! * a trace that stops in the middle of its last line, or without its `end`, was **cut short**:
//!   what is there is a good trace as far as it goes, so the events simply end (and [`crate::run`]
//!   says that no `end` came);
//! * anything else that makes no sense is an [`Error::Garbage`] with file and line, and the last
//!   thing that is read.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::event::{Event, FORMAT, Status};
use crate::{Error, Result};

/// The longest line that is read, in bytes. The longest honest one (an exec with every argument
/// that the kernel takes) is far below it.
pub const LONGEST: usize = 16 << 20;

/// The events of a recorded trace.
pub struct Replay {
    path: PathBuf,
    input: Box<dyn BufRead>,
    /// The line that is being read, from 1.
    line: u64,
    array: Option<Array>,
    begun: bool,
    done: bool,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay")
            .field("path", &self.path)
            .field("line", &self.line)
            .finish()
    }
}

/// Where in an array the reader is: between objects all must be white space and commas.
#[derive(Debug, Default)]
struct Array {
    closed: bool,
}

/// A piece of the input that should be one object.
enum Piece {
    /// Its bytes, and the line on which it began.
    Whole(Vec<u8>, u64),
    /// It has no end: the file stops inside of it.
    Cut(Vec<u8>, u64),
    /// There is no more.
    End,
}

impl Replay {
    /// Opens a file; `-` is the standard input.
    ///
    /// # Errors
    /// [`Error::Input`] where it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::read("(stdin)", std::io::stdin()));
        }
        match std::fs::File::open(path) {
            Ok(file) => Ok(Self::read(path, file)),
            Err(why) => Err(Error::Input {
                path: path.to_owned(),
                why,
            }),
        }
    }

    /// Reads from anything; `path` names it in errors.
    pub fn read(path: impl Into<PathBuf>, input: impl Read + 'static) -> Self {
        Replay {
            path: path.into(),
            input: Box::new(BufReader::with_capacity(1 << 16, input)),
            line: 0,
            array: None,
            begun: false,
            done: false,
        }
    }

    fn garbage(&self, line: u64, why: impl Into<String>) -> Error {
        Error::Garbage {
            path: self.path.clone(),
            line: line.max(1),
            why: why.into(),
        }
    }

    fn broken(&self, why: std::io::Error) -> Error {
        Error::Input {
            path: self.path.clone(),
            why,
        }
    }

    /// The next byte, without taking it.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) => return Err(self.broken(why)),
            }
        }
    }

    /// Reads on to the end of a line, its `\n` included if there is one.
    fn line(&mut self) -> Result<Piece> {
        let mut bytes = Vec::new();
        let mut limited = (&mut self.input).take(LONGEST as u64 + 1);
        let read = limited.read_until(b'\n', &mut bytes);
        self.line += 1;
        match read {
            Err(why) => Err(self.broken(why)),
            Ok(0) => Ok(Piece::End),
            Ok(_) if bytes.last() == Some(&b'\n') => Ok(Piece::Whole(bytes, self.line)),
            Ok(n) if n > LONGEST => {
                Err(self.garbage(self.line, format!("a line of more than {LONGEST} bytes")))
            }
            Ok(_) => Ok(Piece::Cut(bytes, self.line)),
        }
    }

    /// Reads the next object of an array, wherever its lines break.
    fn element(&mut self) -> Result<Piece> {
        loop {
            let Some(byte) = self.peek()? else {
                return Ok(Piece::End);
            };
            let closed = self.array.as_ref().is_some_and(|array| array.closed);
            match byte {
                b'{' if !closed => return self.object(),
                b']' if !closed => self.array = Some(Array { closed: true }),
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                b',' if !closed => {}
                _ => return Err(self.garbage(self.line, "no object where one should be")),
            }
            self.input.consume(1);
        }
    }

    /// Reads from a `{` to the `}` that closes it.
    fn object(&mut self) -> Result<Piece> {
        let (mut bytes, begin) = (Vec::new(), self.line);
        let (mut depth, mut quoted, mut escaped) = (0u64, false, false);
        while self.peek()?.is_some() {
            let chunk = self.input.fill_buf().map_err(|why| Error::Input {
                path: self.path.clone(),
                why,
            })?;
            let mut used = 0;
            let mut whole = false;
            for &byte in chunk {
                used += 1;
                match byte {
                    b'\n' => self.line += 1,
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    b'{' if !quoted => depth += 1,
                    b'}' if !quoted => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 {
                    whole = true;
                    break;
                }
            }
            bytes.extend(chunk.iter().take(used));
            self.input.consume(used);
            if whole {
                return Ok(Piece::Whole(bytes, begin));
            }
            if bytes.len() > LONGEST {
                return Err(self.garbage(begin, format!("an object of more than {LONGEST} bytes")));
            }
        }
        Ok(Piece::Cut(bytes, begin))
    }

    /// Decides by the first byte which spelling it is.
    fn begin(&mut self) -> Result<()> {
        while let Some(byte) = self.peek()? {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                b'[' => {
                    self.array = Some(Array::default());
                    self.line += 1;
                    self.input.consume(1);
                    return Ok(());
                }
                _ => return Ok(()),
            }
            self.input.consume(1);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Event>> {
        let first = !self.begun;
        if first {
            self.begin()?;
            self.begun = true;
        }
        loop {
            let piece = match self.array {
                Some(_) => self.element()?,
                None => self.line()?,
            };
            let event = match piece {
                Piece::End if first => {
                    return Err(self.garbage(1, "it is empty: no trace was written to it"));
                }
                Piece::End => return Ok(None),
                Piece::Whole(bytes, _) if bytes.iter().all(u8::is_ascii_whitespace) => continue,
                Piece::Whole(bytes, line) => self.event(&bytes, line, first)?,
                Piece::Cut(bytes, line) => match self.event(&bytes, line, first) {
                    Ok(event) => event,
                    Err(_) if !first => return Ok(None),
                    Err(_) if bytes.starts_with(b"{\"type\":\"start\"") && unclosed(&bytes) => {
                        return Err(self.garbage(line, "it was cut short within its first line"));
                    }
                    Err(error) => return Err(error),
                },
            };
            if !matches!(event, Event::Finding(_)) {
                return Ok(Some(event));
            }
        }
    }

    fn event(&self, bytes: &[u8], line: u64, first: bool) -> Result<Event> {
        let parsed = match serde_json::from_slice(bytes) {
            Ok(event) => Ok(event),
            Err(why) => lenient(bytes).ok_or_else(|| self.garbage(line, say(&why))),
        };
        if first {
            return self.first(bytes, line, parsed);
        }
        match parsed {
            Ok(Event::Start(_)) => {
                Err(self.garbage(line, "a second start: two traces in one file"))
            }
            other => other,
        }
    }

    /// The first line must be a start, in a version that is known.
    fn first(&self, bytes: &[u8], line: u64, parsed: Result<Event>) -> Result<Event> {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let text = |name| value.get(name).and_then(Value::as_str);
        let format = value.get("format").and_then(Value::as_u64);
        match (text("type"), format, parsed) {
            (Some("start"), Some(format), _) if format > u64::from(FORMAT) => {
                let by = text("clonespy").unwrap_or("a newer version");
                Err(self.garbage(
                    line,
                    format!(
                        "written by clonespy {by} in format {format}; \
                         this version reads format {FORMAT}"
                    ),
                ))
            }
            (Some("start"), Some(0), _) => Err(self.garbage(line, "there is no format 0")),
            (_, _, Ok(Event::Start(start))) => Ok(Event::Start(start)),
            (Some("start"), _, Err(error)) => Err(error),
            _ => Err(self.garbage(line, "the first line is not a trace's start")),
        }
    }
}

impl Iterator for Replay {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        self.done = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}

/// Whether this is the beginning of an object, and no more than that.
fn unclosed(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_err_and(|why| why.is_eof())
}

/// What serde says, without a position inside of the line, in one line.
fn say(why: &serde_json::Error) -> String {
    let text = why.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}

/// Enumerations that have no room for a value of the future: where it stands, and what is known.
static CLOSED: &[(&str, &[&str])] = &[
    ("/kind", &["thread", "process"]),
    ("/call", &["clone", "clone3", "fork", "vfork"]),
];

/// A line that does not fit because a newer clonespy wrote it: what cannot be held of it is left
/// out (a wait status of a new kind, a new sort of fact about sharing); a call or kind of task that
/// is not known makes the line one of unknown type. `None` where the line is simply wrong.
fn lenient(bytes: &[u8]) -> Option<Event> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    value.get("type")?.as_str()?;
    let unknown = CLOSED.iter().any(|(at, known)| {
        value
            .pointer(at)
            .and_then(Value::as_str)
            .is_some_and(|word| !known.contains(&word))
    });
    if unknown {
        return Some(Event::Unknown);
    }
    let status = value.get("status");
    if status.is_some_and(|one| one.is_object() && Status::deserialize(one).is_err()) {
        value.as_object_mut()?.remove("status");
    }
    if let Some(objects) = value.get_mut("sharing").and_then(Value::as_object_mut) {
        objects.retain(|name, one| one.is_string() || name == "namespaces");
    }
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
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
        events
            .retain(|event| !matches!(event, Event::Finding(_) | Event::Unknown | Event::Start(_)));
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
                Some(Ok(Event::Exec(exec))) => exec.build_id,
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
}
