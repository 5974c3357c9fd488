//! What is in view: `-e`, `-z`, `-Z`, `--threads-only` and `--depth` hide lines. What they hide is
//! followed and counted all the same.

use std::collections::HashMap;

use crate::abi::flags::CLONE_THREAD;
use crate::event::{Call, CloneCall, Event, EventKind, Kind, Outcome, TaskId};

/// A choice among the four calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls([bool; 4]);

impl Calls {
    /// All four.
    pub const ALL: Calls = Calls([true; 4]);
    /// None of them.
    pub const NONE: Calls = Calls([false; 4]);

    /// With one more.
    #[must_use]
    pub fn with(self, call: Call) -> Self {
        let mut set = self;
        for (slot, one) in set.0.iter_mut().zip(Call::ALL) {
            *slot |= one == call;
        }
        set
    }

    /// Those that are not in this one.
    #[must_use]
    pub fn inverted(self) -> Self {
        Calls(self.0.map(|on| !on))
    }

    /// Whether the call is among them.
    pub fn contains(self, call: Call) -> bool {
        self.0
            .iter()
            .zip(Call::ALL)
            .any(|(&on, one)| on && one == call)
    }
}

/// Which calls have lines, by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcomes {
    /// All.
    #[default]
    All,
    /// `-z`: those that created a task.
    Successes,
    /// `-Z`: those that failed.
    Failures,
}

/// Which lines are shown. The tree and the totals are of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The calls whose lines are shown.
    pub calls: Calls,
    /// Of these calls, those that succeeded or failed.
    pub outcomes: Outcomes,
    /// `--threads-only`: nothing of processes that were created.
    pub threads_only: bool,
    /// `--depth`: nothing of tasks that are more than so many levels below a first one.
    pub depth: Option<usize>,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            calls: Calls::ALL,
            outcomes: Outcomes::All,
            threads_only: false,
            depth: None,
        }
    }
}

impl Filter {
    fn shows(&self, place: Place) -> bool {
        !(self.threads_only && place.foreign) && self.depth.is_none_or(|most| place.depth <= most)
    }
}

/// Where a living task stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    depth: usize,
    /// It is, or belongs to, a process that was created.
    foreign: bool,
}

/// Where the living tasks stand, and so which lines are shown.
#[derive(Debug, Default)]
pub(super) struct Visibility(HashMap<TaskId, Place>);

impl Visibility {
    /// Takes in a birth. Called for every event, before its line.
    pub(super) fn learn(&mut self, filter: &Filter, event: &Event) {
        if !filter.threads_only && filter.depth.is_none() {
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
    pub(super) fn task(&self, filter: &Filter, task: TaskId) -> bool {
        let place = self.of(task);
        filter.shows(place) && filter.outcomes != Outcomes::Failures
    }

    /// Whether the line of a call is shown.
    pub(super) fn call(&self, filter: &Filter, caller: TaskId, call: &CloneCall) -> bool {
        let kind = match &call.outcome {
            Outcome::Created(made) => made.kind,
            _ if call.request.has(CLONE_THREAD) => Kind::Thread,
            _ => Kind::Process,
        };
        let failed = matches!(call.outcome, Outcome::Failed { .. });
        let outcome = match filter.outcomes {
            Outcomes::All => true,
            Outcomes::Failures => failed,
            Outcomes::Successes => {
                matches!(call.outcome, Outcome::Created(_) | Outcome::Untraced { .. })
            }
        };
        outcome
            && filter.calls.contains(call.request.call)
            && filter.shows(self.below(caller, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_a_set() {
        let forks = Calls::NONE
            .with(Call::Fork)
            .with(Call::Vfork)
            .with(Call::Fork);
        assert!(forks.contains(Call::Fork) && !forks.contains(Call::Clone3));
        assert_eq!(
            forks.inverted(),
            Calls::NONE.with(Call::Clone).with(Call::Clone3)
        );
        assert_eq!(Calls::ALL.inverted(), Calls::NONE);
    }
}
