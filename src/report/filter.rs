//! What is in view: `-e`, `-z`, `-Z`, `--threads-only` and `--depth` hide lines. What they hide is
//! followed and counted all the same.

use std::collections::HashMap;

use super::{Look, Outcomes};
use crate::event::{CloneCall, Event, EventKind, Kind, Outcome, TaskId};

/// Where a living task stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    depth: usize,
    /// It is, or belongs to, a process that was created.
    foreign: bool,
}

/// Where the living tasks stand.
#[derive(Debug, Default)]
pub(super) struct Scope(HashMap<TaskId, Place>);

impl Scope {
    /// Takes in a birth. Called for every event, before its line.
    pub(super) fn learn(&mut self, look: &Look, event: &Event) {
        if !look.threads_only && look.depth.is_none() {
            return;
        }
        match &event.kind {
            EventKind::Task(_) => {
                self.0.insert(event.header.task, Place::default());
            }
            EventKind::Clone(call) => {
                if let Outcome::Created(made) = &call.outcome {
                    let place = self.below(event.header.task, made.kind);
                    self.0.insert(made.task, place);
                }
            }
            _ => {}
        }
    }

    /// Takes in an end. Called for every event, after its line.
    pub(super) fn forget(&mut self, event: &Event) {
        if let EventKind::Exit(_) | EventKind::Detach(_) = event.kind {
            self.0.remove(&event.header.task);
        }
    }

    fn of(&self, task: TaskId) -> Place {
        self.0.get(&task).copied().unwrap_or_default()
    }

    /// Where a task stands that this one creates.
    fn below(&self, caller: TaskId, kind: Kind) -> Place {
        let caller = self.of(caller);
        Place {
            depth: caller.depth.saturating_add(1),
            foreign: caller.foreign || kind == Kind::Process,
        }
    }

    /// Whether lines about this task are shown.
    pub(super) fn task(&self, look: &Look, task: TaskId) -> bool {
        let place = self.of(task);
        visible(look, place) && look.outcomes != Outcomes::Failures
    }

    /// Whether the line of a call is shown.
    pub(super) fn call(&self, look: &Look, caller: TaskId, call: &CloneCall) -> bool {
        let kind = match &call.outcome {
            Outcome::Created(made) => made.kind,
            _ if call.request.has("CLONE_THREAD") => Kind::Thread,
            _ => Kind::Process,
        };
        let failed = matches!(call.outcome, Outcome::Failed { .. });
        let outcome = match look.outcomes {
            Outcomes::All => true,
            Outcomes::Failures => failed,
            Outcomes::Successes => {
                matches!(call.outcome, Outcome::Created(_) | Outcome::Untraced { .. })
            }
        };
        outcome && look.calls.contains(call.request.call) && visible(look, self.below(caller, kind))
    }
}

fn visible(look: &Look, place: Place) -> bool {
    !(look.threads_only && place.foreign) && look.depth.is_none_or(|most| place.depth <= most)
}
