//! The account of a trace: the first line, the numbers of lines and tasks, the totals, the last line.
//!
//! Any source of events keeps one, whatever it sees events by: it says what happened, and takes from
//! here the lines in the order in which they are to be told.

use std::collections::VecDeque;

use crate::event::{
    Appeared, CloneCall, Cut, End, Event, EventKind, Header, Kind, Outcome, Start, Stats, Status,
    TaskId, Totals,
};

/// The account.
#[derive(Debug)]
pub struct Ledger {
    lines: VecDeque<Event>,
    next_seq: u64,
    next_task: u64,
    totals: Totals,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            lines: VecDeque::new(),
            next_seq: 1,
            next_task: 1,
            totals: Totals::default(),
        }
    }
}

impl Ledger {
    /// The next line that has not been taken yet.
    pub fn take(&mut self) -> Option<Event> {
        self.lines.pop_front()
    }

    /// The lines that have not been taken yet.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Event> {
        self.lines.iter()
    }

    /// The counts until now.
    #[cfg(test)]
    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The number of the next task.
    pub fn new_task(&mut self) -> TaskId {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        id
    }

    /// The first line.
    pub fn start(&mut self, start: Start) {
        self.lines.push_back(start.into());
    }

    /// The first line, as long as nobody has taken it.
    pub fn start_mut(&mut self) -> Option<&mut Start> {
        self.lines.iter_mut().find_map(|line| match &mut line.kind {
            EventKind::Start(start) => Some(start),
            _ => None,
        })
    }

    /// A line about a task. What is counted has a method of its own.
    pub fn tell(&mut self, at_ns: u64, task: TaskId, kind: EventKind) {
        let seq = self.next_seq;
        self.next_seq += 1;
        let header = Header { seq, at_ns, task };
        self.lines.push_back(Event { header, kind });
    }

    /// A task that no seen call made. `new_process`: nothing of its thread group was seen before.
    pub fn unseen_birth(&mut self, at_ns: u64, task: TaskId, line: Appeared, new_process: bool) {
        self.count_task(line.kind, new_process);
        self.tell(at_ns, task, EventKind::Task(line));
    }

    /// A call with its outcome. A task that was told before it was known to be this call's is not
    /// counted again: `known`.
    pub fn call(&mut self, at_ns: u64, task: TaskId, call: Box<CloneCall>, known: bool) {
        let calls = &mut self.totals.calls;
        *calls
            .entry(call.request.call.name().to_owned())
            .or_default() += 1;
        match &call.outcome {
            Outcome::Created(created) => {
                self.totals.created += 1;
                if !known {
                    self.count_task(created.kind, created.kind == Kind::Process);
                }
            }
            Outcome::Failed { .. } => self.totals.failed += 1,
            Outcome::Untraced { .. } => self.totals.untraced += 1,
            _ => self.totals.unfinished += 1,
        }
        self.tell(at_ns, task, EventKind::Clone(call));
    }

    fn count_task(&mut self, kind: Kind, new_process: bool) {
        self.totals.threads += 1;
        self.totals.leaders += u64::from(kind == Kind::Process);
        self.totals.processes += u64::from(new_process);
    }

    /// What tracing took; the number of created tasks is filled in.
    pub fn stats(&mut self, at_ns: u64, stats: Stats) {
        let created = self.totals.created;
        let stats = Stats { created, ..stats };
        self.tell(at_ns, TaskId(0), EventKind::Stats(stats));
    }

    /// The last line. `cut`: why the trace ends before its tasks do.
    pub fn end(&mut self, at_ns: u64, status: Option<Status>, cut: Option<Cut>) {
        let totals = self.totals.clone();
        let end = End {
            status,
            cut,
            totals,
        };
        self.tell(at_ns, TaskId(0), EventKind::End(end));
    }
}
