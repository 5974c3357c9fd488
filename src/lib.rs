//! clonespy: what a program really creates, processes or threads, and how.
//!
//! # The flow
//!
//! ```text
//! argv ─ cli ─► Plan ─► Tracer ─ stops ─► decode + observe ─► Event ─┬─► TaskTree ─► reports
//!                                                                    │
//!                                      a recorded trace (.jsonl) ────┘
//! ```
//!
//! The tracer starts a program, stops it at the few system calls that create tasks, and turns what
//! it sees into [`event::Event`]s: plain data, one line of a trace each. Nothing right of the event
//! knows where it came from: [`run`] takes events from the tracer or from a file ([`replay`]), folds
//! them into the [`tasks::TaskTree`], looks for what deserves attention ([`lint`]), and hands all of
//! it to every [`report::Reporter`].
//!
//! # Who does what
//!
//! * [`abi`] says what the kernel says, as tables, and [`origins`] what libraries ask of it; [`decode`] reads a stopped task by them, through
//!   [`peek::Peek`] alone; [`symbols`], [`proc`] and [`observe`] add what else can be asked of it.
//! * `tracer` makes events and prints nothing; [`report`] prints events and asks nothing; `sys` is
//!   the one place that talks to the kernel unsafely.
//! * [`cli`] turns arguments into a plan, and `main` carries it out.
//!
//! # What it does not do
//!
//! It does not trace other system calls, change what the program does, watch the whole system, or
//! guess: what could not be seen is said to be unseen.

pub mod abi;
pub mod check;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod cli;
#[cfg(not(all(feature = "trace", target_os = "linux")))]
#[path = "cli/elsewhere.rs"]
pub mod cli;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod decode;
pub mod error;
pub mod event;
#[cfg(test)]
mod event_samples;
pub mod explain;
mod layout;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod ledger;
pub mod lint;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod observe;
pub mod origins;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod peek;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod perform;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod proc;
pub mod replay;
pub mod report;
#[cfg(test)]
mod scripted;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod seccomp;
mod suggest;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod symbols;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod sys;
pub mod tasks;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod trace;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod tracer;
#[cfg(test)]
mod watchdog;

use std::io;

pub use check::Expectation;
pub use error::{Error, Result};
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use trace::{Options, Trace, trace};

use event::{End, Event, EventKind};
use lint::Lints;
use report::Reporter;
use tasks::TaskTree;

/// The reporters of a run, and which of them still work.
#[derive(Default)]
pub struct Outputs(Vec<Output>);

struct Output {
    destination: String,
    reporter: Box<dyn Reporter>,
    close: Option<Close>,
    failed: Option<io::Error>,
}

/// Waits until an output has reached its reader; what it says if it did not.
pub type Close = Box<dyn FnOnce() -> io::Result<()>>;

impl Outputs {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more; `destination` names where it goes.
    pub fn add(&mut self, destination: impl Into<String>, reporter: Box<dyn Reporter>) {
        self.0.push(Output {
            destination: destination.into(),
            reporter,
            close: None,
            failed: None,
        });
    }

    /// What is to be called for the last output that was added, when nobody is held up any more:
    /// after the last event and the reporter's last word.
    pub fn close_with(&mut self, close: Close) {
        if let Some(output) = self.0.last_mut() {
            output.close = Some(close);
        }
    }

    /// Waits for all that has not failed.
    fn close(&mut self) {
        for output in self.0.iter_mut().filter(|output| output.failed.is_none()) {
            if let Some(close) = output.close.take() {
                output.failed = close().err();
            }
        }
    }

    /// Calls every reporter that works; one that fails is not called again.
    fn each(&mut self, mut call: impl FnMut(&mut dyn Reporter) -> io::Result<()>) {
        for output in self.0.iter_mut().filter(|output| output.failed.is_none()) {
            output.failed = call(output.reporter.as_mut()).err();
        }
    }

    /// Reports what was found.
    fn tell(&mut self, found: impl IntoIterator<Item = Event>, tree: &TaskTree) {
        for event in found {
            self.each(|reporter| reporter.event(&event, tree));
        }
    }

    /// The destinations that failed, and why.
    fn failures(&mut self) -> Vec<Failure> {
        self.0
            .iter_mut()
            .filter_map(|output| {
                let why = output.failed.take()?;
                Some(Failure {
                    destination: output.destination.clone(),
                    why,
                })
            })
            .collect()
    }
}

/// An output that was lost on the way.
#[derive(Debug)]
pub struct Failure {
    /// Where it went.
    pub destination: String,
    /// The system's words.
    pub why: io::Error,
}

/// What a run leaves.
#[derive(Debug)]
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

/// The middle of the program: folds events into the tree and reports them, and what `lints` find
/// in them.
///
/// A reporter that fails does not stop the run: the traced program is not to suffer from a closed
/// pipe or a full disk. An error among the events ends the run, after every reporter has finished:
/// nothing that was seen is lost.
pub fn run(
    events: impl Iterator<Item = Result<Event>>,
    mut lints: Lints,
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
            let found = lints.event(&event, &tree);
            outputs.tell(found.into_iter().chain(lints.finish()), &tree);
        }
        tree.apply(&event);
        outputs.each(|reporter| reporter.event(&event, &tree));
        match event.kind {
            EventKind::End(last) => end = Some(last),
            _ => outputs.tell(lints.event(&event, &tree), &tree),
        }
    }
    if end.is_none() {
        outputs.tell(lints.finish(), &tree);
    }
    outputs.each(|reporter| reporter.finish(&tree));
    // The events have been dropped, and nobody is traced any more.
    outputs.close();
    let failures = outputs.failures();
    Run {
        tree,
        end,
        failures,
        error,
    }
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|output| &output.destination))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use event::{Header, Lost};

    /// Notes what it is told, and fails at a call of this number.
    struct Note(Rc<RefCell<Vec<&'static str>>>, usize);

    impl Note {
        fn told(&self, what: &'static str) -> io::Result<()> {
            self.0.borrow_mut().push(what);
            match self.0.borrow().len() == self.1 {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        }
    }

    impl Reporter for Note {
        fn event(&mut self, _: &Event, _: &TaskTree) -> io::Result<()> {
            self.told("event")
        }
        fn finish(&mut self, _: &TaskTree) -> io::Result<()> {
            self.told("finish")
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
        let run = run((1..=3).map(lost), Lints::default(), outputs);
        assert_eq!(*bad.borrow(), ["event", "event"]);
        assert_eq!(*good.borrow(), ["event", "event", "event", "finish"]);
        assert_eq!(run.failures.len(), 1);
        assert_eq!(run.failures[0].destination, "bad");
        assert!(run.error.is_none() && run.end.is_none());
    }

    #[test]
    fn an_error_ends_the_run_after_everyone_has_finished() {
        let told = Rc::default();
        let mut outputs = Outputs::new();
        outputs.add("it", Box::new(Note(Rc::clone(&told), 0)));
        let run = run(
            [lost(1), Err(Error::Usage("no".into())), lost(2)].into_iter(),
            Lints::default(),
            outputs,
        );
        assert_eq!(*told.borrow(), ["event", "finish"]);
        assert_eq!(run.error.unwrap().to_string(), "no");
    }
}
