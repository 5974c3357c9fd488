//! The trace as JSON: one object a line, or the same objects as one array.

use std::io::{self, Write};

use super::{Destination, Reporter};
use crate::event::{Event, EventKind};
use crate::tasks::TaskTree;

/// The event as one line without its end; `None` for a line of a type that is not known here, of
/// which nothing was kept.
fn line(event: &Event) -> io::Result<Option<Vec<u8>>> {
    if matches!(event.kind, EventKind::Unknown) {
        return Ok(None);
    }
    Ok(Some(serde_json::to_vec(event)?))
}

/// JSON Lines. Each line goes out whole and at once: what was written is readable whatever comes.
pub(super) struct Lines {
    out: Destination,
}

impl Lines {
    pub(super) fn new(out: Destination) -> Self {
        Lines { out }
    }
}

impl Reporter for Lines {
    fn event(&mut self, event: &Event, _: &TaskTree) -> io::Result<()> {
        let Some(mut line) = line(event)? else {
            return Ok(());
        };
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }

    fn finish(&mut self, _: &TaskTree) -> io::Result<()> {
        self.out.flush()
    }
}

/// One JSON document: `[`, the objects one a line, `]`. Written as things happen too: the comma
/// comes with the object after it, so a document that was cut short lacks only its end.
pub(super) struct Document {
    out: Destination,
    begun: bool,
}

impl Document {
    pub(super) fn new(out: Destination) -> Self {
        Document { out, begun: false }
    }
}

impl Reporter for Document {
    fn event(&mut self, event: &Event, _: &TaskTree) -> io::Result<()> {
        let Some(line) = line(event)? else {
            return Ok(());
        };
        let before: &[u8] = if self.begun { b",\n" } else { b"[\n" };
        self.begun = true;
        self.out.write_all(&[before, &line].concat())?;
        self.out.flush()
    }

    fn finish(&mut self, _: &TaskTree) -> io::Result<()> {
        let end: &[u8] = if self.begun { b"\n]\n" } else { b"[\n]\n" };
        self.out.write_all(end)?;
        self.out.flush()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::event::{Header, Lost};

    /// A destination that remembers what was written and how often it was flushed.
    #[derive(Clone, Default)]
    pub(in crate::report) struct Sink(pub Rc<RefCell<(Vec<u8>, usize)>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().0.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.borrow_mut().1 += 1;
            Ok(())
        }
    }

    impl Sink {
        pub(in crate::report) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().0.clone()).unwrap()
        }
    }

    fn lost(seq: u64) -> Event {
        Event {
            header: Header {
                seq,
                ..Header::NONE
            },
            kind: EventKind::Lost(Lost {
                what: "copy\n".into(),
                count: 2,
            }),
        }
    }

    #[test]
    fn a_line_an_event_flushed() {
        let sink = Sink::default();
        let mut lines = Lines::new(Box::new(sink.clone()));
        let tree = TaskTree::new();
        lines.event(&lost(1), &tree).unwrap();
        assert_eq!(
            sink.text(),
            "{\"type\":\"lost\",\"seq\":1,\"what\":\"copy\\n\",\"count\":2}\n"
        );
        assert_eq!(sink.0.borrow().1, 1);
        let unknown = Event {
            kind: EventKind::Unknown,
            ..lost(2)
        };
        lines.event(&unknown, &tree).unwrap();
        assert_eq!(sink.text().lines().count(), 1);
    }

    #[test]
    fn a_document_is_json_at_any_length() {
        for length in 0..3 {
            let sink = Sink::default();
            let mut document = Document::new(Box::new(sink.clone()));
            let tree = TaskTree::new();
            for seq in 0..length {
                document.event(&lost(seq), &tree).unwrap();
            }
            document.finish(&tree).unwrap();
            let events: Vec<Event> = serde_json::from_str(&sink.text()).unwrap();
            assert_eq!(events, (0..length).map(lost).collect::<Vec<_>>());
            assert_eq!(sink.text().lines().count() as u64, length + 2);
        }
    }
}
