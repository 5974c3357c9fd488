//! Children that have not yet exec'd, for lints about what a child does before its exec.

use std::collections::BTreeMap;

use crate::event::{CloneCall, Created, Event, EventKind, Header, Kind, Outcome, TaskId};
use crate::lint::definition::Occurrence;

/// An end of a sentence, in English and in Chinese.
pub(super) type Both = (&'static str, &'static str);

/// Children that have not yet exec'd, each with what is to be told if it does not.
#[derive(Default)]
pub(super) struct Children {
    /// By the time at which it is told, and child.
    due: BTreeMap<(u64, TaskId), Occurrence>,
    by_child: BTreeMap<TaskId, u64>,
}

impl Children {
    pub fn add(&mut self, child: &Created, due_ns: u64, occurrence: Occurrence) {
        self.remove(child.task);
        self.by_child.insert(child.task, due_ns);
        self.due.insert((due_ns, child.task), occurrence);
    }

    fn remove(&mut self, child: TaskId) -> Option<Occurrence> {
        let due = self.by_child.remove(&child)?;
        self.due.remove(&(due, child))
    }

    /// The next one whose time has come.
    fn pop(&mut self, now_ns: u64) -> Option<(u64, Occurrence)> {
        let entry = self.due.first_entry()?;
        let (due, child) = *entry.key();
        if due > now_ns {
            return None;
        }
        let occurrence = entry.remove();
        self.by_child.remove(&child);
        Some((due, occurrence))
    }

    /// What ends the wait, and what happens when it is over: `aged` and `busy` finish the sentence of a
    /// child that lives on and of one that creates tasks.
    pub fn event(
        &mut self,
        event: &Event,
        aged: Both,
        busy: Both,
        occurrences: &mut Vec<Occurrence>,
    ) {
        if let Some(now) = event.at_ns() {
            while let Some((due, mut one)) = self.pop(now) {
                one.text.push(aged);
                one.at_ns = due;
                occurrences.push(one);
            }
        }
        let header = &event.header;
        match &event.kind {
            EventKind::Exec(_) | EventKind::Exit(_) | EventKind::Detach(_) => {
                drop(self.remove(header.task));
            }
            EventKind::Clone(call) => {
                // A call of a child's; one that failed changes nothing.
                let made = matches!(call.outcome, Outcome::Created(_) | Outcome::Untraced { .. });
                if made && let Some(mut one) = self.remove(header.task) {
                    one.text.push(busy);
                    one.at_ns = header.at_ns;
                    occurrences.push(one);
                }
            }
            _ => {}
        }
    }
}

/// The process that a call made.
pub(super) fn process(call: &CloneCall) -> Option<&Created> {
    match &call.outcome {
        Outcome::Created(created) if created.kind == Kind::Process => Some(created),
        _ => None,
    }
}

/// When the child began.
pub(super) fn born_ns(header: &Header, call: &CloneCall) -> u64 {
    header.at_ns.saturating_add(call.took_ns.unwrap_or(0))
}
