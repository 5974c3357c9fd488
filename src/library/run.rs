//! The middle of clonespy: events from any source, folded into the tree, looked at by lints, reported.

use crate::error::{Error, Result};
use crate::event::{End, Event, EventKind};
use crate::lint::Linter;
use crate::output::{self, Failure};
use crate::report::Reporter;
use crate::tasks::TaskTree;

/// The reports of a run, each with where it goes.
pub type Outputs = output::Outputs<dyn Reporter>;

/// What a run leaves.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run {
    /// Every task.
    pub tree: TaskTree,
    /// The last line of the trace; `None` where it was cut short.
    pub end: Option<End>,
    /// Outputs that failed. They were muted; the run went on.
    pub failures: Vec<Failure>,
    /// What ended the events early.
    pub error: Option<Error>,
}

/// The middle of the program: folds events into the tree and reports them, and what `linter`
/// finds in them.
///
/// A reporter that fails does not stop the run: the traced program is not to suffer from a closed
/// pipe or a full disk. An error among the events ends the run, after every reporter has finished:
/// nothing that was seen is lost.
pub fn run(
    events: impl Iterator<Item = Result<Event>>,
    mut linter: Linter,
    mut outputs: Outputs,
) -> Run {
    let mut tree = TaskTree::new();
    let mut end = None;
    let mut error = None;
    for event in events {
        let event = match event {
            Ok(event) => event,
            Err(why) => {
                error = Some(why);
                break;
            }
        };
        if matches!(event.kind, EventKind::End(_)) {
            // It stays the last line.
            let found = linter.event(&event, &tree);
            report(
                &mut outputs,
                found.into_iter().chain(linter.finish()),
                &tree,
            );
        }
        tree.apply(&event);
        outputs.each(|reporter| reporter.event(&event, &tree));
        match event.kind {
            EventKind::End(last) => end = Some(last),
            _ => report(&mut outputs, linter.event(&event, &tree), &tree),
        }
    }
    if end.is_none() {
        report(&mut outputs, linter.finish(), &tree);
    }
    outputs.each(|reporter| reporter.finish(&tree));
    // The events have been dropped, and nobody is traced any more.
    let failures = outputs.close();
    Run {
        tree,
        end,
        failures,
        error,
    }
}

/// Reports what was found.
fn report(outputs: &mut Outputs, findings: impl IntoIterator<Item = Event>, tree: &TaskTree) {
    for event in findings {
        outputs.each(|reporter| reporter.event(&event, tree));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;

    use super::*;
    use crate::event::{Header, Lost};

    /// Notes what it is called for, and fails at a call of this number.
    struct Note(Rc<RefCell<Vec<&'static str>>>, usize);

    impl Note {
        fn note(&self, what: &'static str) -> io::Result<()> {
            self.0.borrow_mut().push(what);
            match self.0.borrow().len() == self.1 {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        }
    }

    impl Reporter for Note {
        fn event(&mut self, _: &Event, _: &TaskTree) -> io::Result<()> {
            self.note("event")
        }
        fn finish(&mut self, _: &TaskTree) -> io::Result<()> {
            self.note("finish")
        }
    }

    fn lost(seq: u64) -> Result<Event> {
        Ok(Event {
            header: Header {
                seq,
                ..Header::NONE
            },
            kind: EventKind::Lost(Lost {
                what: "copy".into(),
                count: 1,
            }),
        })
    }

    #[test]
    fn a_reporter_that_fails_is_muted_and_the_run_goes_on() {
        let (good, bad) = (Rc::default(), Rc::default());
        let mut outputs = Outputs::new();
        outputs.add("bad", Box::new(Note(Rc::clone(&bad), 2)));
        outputs.add("good", Box::new(Note(Rc::clone(&good), 0)));
        let run = run((1..=3).map(lost), Linter::default(), outputs);
        assert_eq!(*bad.borrow(), ["event", "event"]);
        assert_eq!(*good.borrow(), ["event", "event", "event", "finish"]);
        assert_eq!(run.failures.len(), 1);
        assert_eq!(run.failures[0].destination, "bad");
        assert!(run.error.is_none() && run.end.is_none());
    }

    #[test]
    fn an_error_ends_the_run_after_everyone_has_finished() {
        let calls = Rc::default();
        let mut outputs = Outputs::new();
        outputs.add("it", Box::new(Note(Rc::clone(&calls), 0)));
        let run = run(
            [lost(1), Err(Error::Usage("no".into())), lost(2)].into_iter(),
            Linter::default(),
            outputs,
        );
        assert_eq!(*calls.borrow(), ["event", "finish"]);
        assert_eq!(run.error.unwrap().to_string(), "no");
    }
}
