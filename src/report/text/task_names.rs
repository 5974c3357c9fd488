//! What is known of living tasks.

use std::collections::{HashMap, HashSet};

use crate::event::{Event, EventKind, Kind, Outcome, TaskId};

/// Names, and who runs a program of its own.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The names of living tasks: an exec is told under the name that the task had.
    names: HashMap<TaskId, String>,
    /// Living processes that have run no program of their own.
    copies: HashSet<TaskId>,
}

impl Known {
    /// What is known of a task's name, learnt before the line about it is written.
    pub(super) fn learn(&mut self, event: &Event) {
        let comm = match &event.kind {
            EventKind::Task(e) => Some(&e.comm),
            EventKind::Clone(e) => Some(&e.comm),
            EventKind::Exit(e) => e.comm.as_ref(),
            _ => return,
        };
        if let Some(comm) = comm {
            self.names.insert(event.header.task, comm.clone());
        }
        if let EventKind::Clone(call) = &event.kind
            && let Outcome::Created(made) = &call.outcome
        {
            // A newborn has its creator's name until it takes its own.
            self.names.insert(made.task, call.comm.clone());
            if made.kind == Kind::Process {
                self.copies.insert(made.task);
            }
        }
    }

    /// A task has run a program.
    pub(super) fn exec(&mut self, task: TaskId, comm: Option<&str>) {
        self.copies.remove(&task);
        if let Some(comm) = comm {
            self.names.insert(task, comm.to_owned());
        }
    }

    /// What is over with a task, once the line about its end is written.
    pub(super) fn forget(&mut self, task: TaskId) {
        self.names.remove(&task);
        self.copies.remove(&task);
    }

    /// Its name; empty where it is not known.
    pub(super) fn name(&self, task: TaskId) -> String {
        self.names.get(&task).cloned().unwrap_or_default()
    }

    /// Whether it is a process that has run no program of its own.
    pub(super) fn is_copy(&self, task: TaskId) -> bool {
        self.copies.contains(&task)
    }
}
