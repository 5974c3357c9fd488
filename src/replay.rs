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

use crate::event::{Event, EventKind, FORMAT, Header, Status};
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
            if !matches!(event.kind, EventKind::Finding(_)) {
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
            Ok(Event {
                kind: EventKind::Start(_),
                ..
            }) => Err(self.garbage(line, "a second start: two traces in one file")),
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
            (_, _, Ok(event)) if matches!(event.kind, EventKind::Start(_)) => Ok(event),
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
        return Some(Event {
            header: Header::NONE,
            kind: EventKind::Unknown,
        });
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
mod tests;
