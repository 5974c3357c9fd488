//! What a program created, for questions.

use std::path::Path;

use crate::check::{Expectation, Glob, Mismatch};
use crate::error::Result;
use crate::event::{CloneCall, Cut, Event, Kind, Outcome, Status};
use crate::lint::{Analysis, TaskRecord};
use crate::replay::Replay;
use crate::tasks::TaskTree;

/// What a program created, from its start to the end of its last task.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trace {
    events: Vec<Event>,
    analysis: Analysis,
    /// What the program wrote to a piped standard output.
    pub stdout: Vec<u8>,
    /// What the program wrote to a piped standard error.
    pub stderr: Vec<u8>,
}

impl Trace {
    /// From events, such as those of a recorded trace.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let events: Vec<Event> = events.into_iter().collect();
        Trace {
            analysis: Analysis::of(&events),
            events,
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    /// Reads a recorded trace, as `clonespy --format jsonl` writes it.
    ///
    /// # Errors
    /// It cannot be read, or is no trace. One that was cut short is read as far as it goes.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let events: Vec<Event> = Replay::open(path.as_ref())?.collect::<Result<_>>()?;
        Ok(Self::of(events))
    }

    /// Everything that happened, line by line of a trace file.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The events alone.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// The folded tree of all tasks.
    pub fn tree(&self) -> &TaskTree {
        self.analysis.index().tree()
    }

    /// Every task, the first one of each process included, in order of appearance.
    pub fn threads(&self) -> impl Iterator<Item = &TaskRecord> {
        self.analysis.index().tasks().iter()
    }

    /// The tasks that began as processes of their own.
    pub fn processes(&self) -> impl Iterator<Item = &TaskRecord> {
        self.threads().filter(|task| task.kind == Kind::Process)
    }

    /// The tasks whose last name fits a pattern such as `worker-*`.
    pub fn named(&self, pattern: &str) -> impl Iterator<Item = &TaskRecord> {
        let glob = Glob(pattern.to_owned());
        self.threads().filter(move |task| glob.fits(&task.name))
    }

    /// Every call of clone, clone3, fork and vfork, with its outcome.
    pub fn calls(&self) -> impl Iterator<Item = &CloneCall> {
        self.analysis
            .index()
            .calls()
            .iter()
            .map(|record| &record.call)
    }

    /// The calls that were refused.
    pub fn failed(&self) -> impl Iterator<Item = &CloneCall> {
        self.calls()
            .filter(|call| matches!(call.outcome, Outcome::Failed { .. }))
    }

    /// How the program ended.
    pub fn status(&self) -> Option<&Status> {
        self.analysis.index().status()
    }

    /// The program's exit code, if it exited.
    pub fn exit_code(&self) -> Option<i32> {
        match self.status()? {
            Status::Exited { exited } => Some(*exited),
            Status::Signaled { .. } => None,
        }
    }

    /// It was killed because its time was over.
    pub fn timed_out(&self) -> bool {
        let end = self.analysis.index().end();
        end.and_then(|end| end.cut.as_ref()) == Some(&Cut::Timeout)
    }

    /// Whether the trace is as expected.
    ///
    /// # Errors
    /// All that differs, readable: `unwrap()` and `?` show it.
    pub fn check(&self, expectation: &Expectation) -> std::result::Result<(), Mismatch> {
        expectation.check(&self.analysis)
    }
}
