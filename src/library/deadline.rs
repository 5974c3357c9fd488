//! Ends what a trace made, when its time is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::{Event, EventKind, Kind, Outcome, Tid};
use crate::sys::Pidfd;

/// The processes that a deadline ends, each by a descriptor: a pid may be another's by then.
#[derive(Default)]
pub(super) struct Deadline(Mutex<Processes>);

#[derive(Default)]
struct Processes {
    alive: BTreeMap<Tid, Pidfd>,
    killed: bool,
}

impl Deadline {
    fn state(&self) -> MutexGuard<'_, Processes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new process: what is born after the deadline is ended at once.
    pub fn born(&self, pid: Tid) {
        // One that is gone needs no end.
        if let Ok(process) = Pidfd::open(pid) {
            let mut state = self.state();
            if state.killed {
                process.kill();
            }
            state.alive.insert(pid, process);
        }
    }

    /// Takes in what begins and what ends.
    pub fn note(&self, event: &Event) {
        match &event.kind {
            EventKind::Task(task) if task.kind == Kind::Process => self.born(task.tid),
            EventKind::Clone(call) => match &call.outcome {
                Outcome::Created(made) if made.kind == Kind::Process => self.born(made.tid),
                _ => {}
            },
            EventKind::Exit(exit) if exit.last => {
                self.state().alive.remove(&exit.tgid);
            }
            _ => {}
        }
    }

    /// Whether its time was over before all had ended.
    pub fn killed(&self) -> bool {
        self.state().killed
    }

    /// Ends them all.
    pub fn kill(&self) {
        let mut state = self.state();
        state.killed = true;
        state.alive.values().for_each(Pidfd::kill);
    }
}
