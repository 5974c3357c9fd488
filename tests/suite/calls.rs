//! The calls of a run by their callers, in a form in which two runs can be compared: each caller is
//! named by its place in the tree of creation (`0` is the program, `0.1` the second task that it
//! made), and its calls stand in the order in which it made them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use clonespy::event::{Event, EventKind, Outcome, TaskId};

/// One call, without anything that differs from run to run.
#[derive(Clone, PartialEq, Eq)]
pub struct Made {
    pub call: String,
    /// All bits; `None` where they could not be read.
    pub flags: Option<u64>,
    pub exit_signal: Option<u64>,
    pub result: Result,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Result {
    Created,
    Failed(String),
    Unfinished,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |word: Option<u64>| word.map_or("?".to_owned(), |word| format!("{word:#x}"));
        let (flags, signal) = (hex(self.flags), hex(self.exit_signal));
        write!(
            f,
            "{}({flags}, signal {signal}) = {:?}",
            self.call, self.result
        )
    }
}

/// The calls of each caller.
#[derive(Default)]
pub struct Calls(pub BTreeMap<String, Vec<Made>>);

impl Calls {
    /// From clonespy's events.
    #[track_caller]
    pub fn of_events(events: &[Event]) -> Self {
        let mut names: HashMap<TaskId, String> = HashMap::new();
        let mut children: HashMap<TaskId, usize> = HashMap::new();
        let mut calls = Self::default();
        // A call that failed while its caller's own creation was still being reported may stand
        // before it in the trace, so names first.
        for event in events {
            match &event.kind {
                EventKind::Task(_) => {
                    let root = names.values().filter(|name| !name.contains('.')).count();
                    names.insert(event.header.task, root.to_string());
                }
                EventKind::Clone(call) => {
                    if let Outcome::Created(created) = &call.outcome {
                        let parent = names
                            .get(&event.header.task)
                            .unwrap_or_else(|| panic!("a call of an unknown task: {call:?}"));
                        let index = children.entry(event.header.task).or_default();
                        let name = format!("{parent}.{index}");
                        *index += 1;
                        names.insert(created.task, name);
                    }
                }
                _ => {}
            }
        }
        for event in events {
            if let EventKind::Clone(call) = &event.kind {
                let request = &call.request;
                let made = Made {
                    call: request.call.name().to_owned(),
                    flags: request.flags_raw.map(|word| word.0),
                    exit_signal: request.exit_signal_raw.map(|word| word.0),
                    result: match &call.outcome {
                        Outcome::Created(_) | Outcome::Untraced { .. } => Result::Created,
                        Outcome::Failed { errno, .. } => Result::Failed(errno.clone()),
                        Outcome::Unfinished {} => Result::Unfinished,
                        other => panic!("an unknown outcome: {other:?}"),
                    },
                };
                calls
                    .0
                    .entry(names[&event.header.task].clone())
                    .or_default()
                    .push(made);
            }
        }
        calls
    }

    /// Drops the calls of the descendants of calls with this flag (not the calls with it).
    pub fn without_descendants_of(mut self, flag: u64) -> Self {
        let mut lost = BTreeSet::new();
        for (name, calls) in &self.0 {
            let created = calls.iter().filter(|made| made.result == Result::Created);
            for (index, made) in created.enumerate() {
                if made.flags.is_some_and(|flags| flags & flag != 0) {
                    lost.insert(format!("{name}.{index}"));
                }
            }
        }
        self.0.retain(|name, _| {
            !lost
                .iter()
                .any(|root| name == root || name.starts_with(&format!("{root}.")))
        });
        self
    }

    /// All calls, whoever made them and however often.
    fn all(&self) -> impl Iterator<Item = &Made> {
        self.0.values().flatten()
    }

    /// Fails the test unless each call of the one has its like in the other: the same call with the
    /// same flags, exit signal and outcome. For programs that make so many of them as time allows.
    #[track_caller]
    pub fn expect_alike(&self, other: &Self, what: &str) {
        let mut different = String::new();
        for (who, mine, theirs) in [("clonespy", self, other), ("strace", other, self)] {
            let mut told = Vec::new();
            for made in mine.all() {
                // What was under way at the end of its caller is a matter of the moment.
                let known = told.contains(&made) || made.result == Result::Unfinished;
                if !known && !theirs.all().any(|other| agree(made, other)) {
                    different += &format!("{who} alone saw {made:?}\n");
                    told.push(made);
                }
            }
        }
        assert!(different.is_empty(), "{what}:\n{different}");
    }

    /// Fails the test unless each caller made the same calls in the same order as far as both go.
    /// For programs that do the same until their time is over; how many calls were compared.
    #[track_caller]
    pub fn expect_same_beginnings(&self, other: &Self, what: &str) -> usize {
        let (mut different, mut compared) = (String::new(), 0);
        for (name, mine) in &self.0 {
            let theirs = other.0.get(name).map_or(&[][..], |theirs| theirs);
            for (index, (a, b)) in mine.iter().zip(theirs).enumerate() {
                compared += 1;
                if !agree(a, b) {
                    different += &format!("{name}, call {index}: {a:?} but strace {b:?}\n");
                }
            }
        }
        assert!(different.is_empty(), "{what}:\n{different}");
        compared
    }

    /// Fails the test unless both are the same, with what differs.
    #[track_caller]
    pub fn expect_same(&self, other: &Self, what: &str) {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let mut different = String::new();
        for name in names {
            let (mine, theirs) = (self.0.get(name), other.0.get(name));
            let (mine, theirs) = (mine.map_or(&[][..], |v| v), theirs.map_or(&[][..], |v| v));
            for index in 0..mine.len().max(theirs.len()) {
                let (a, b) = (mine.get(index), theirs.get(index));
                if !a.is_some_and(|a| b.is_some_and(|b| agree(a, b))) {
                    different += &format!("{name}, call {index}: {a:?} but strace {b:?}\n");
                }
            }
        }
        assert!(different.is_empty(), "{what}:\n{different}");
    }
}

/// What one of the two could not read says nothing.
fn agree(a: &Made, b: &Made) -> bool {
    let same = |a: Option<u64>, b: Option<u64>| a.is_none() || b.is_none() || a == b;
    a.call == b.call
        && same(a.flags, b.flags)
        && same(a.exit_signal, b.exit_signal)
        && a.result == b.result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(call: &str, flags: u64, result: Result) -> Calls {
        let made = Made {
            call: call.to_owned(),
            flags: Some(flags),
            exit_signal: Some(17),
            result,
        };
        Calls(BTreeMap::from([("0".to_owned(), vec![made])]))
    }

    #[test]
    fn each_difference_is_found() {
        let made = || one("clone", 0x100, Result::Created);
        made().expect_same(&made(), "the same");
        for other in [
            one("clone3", 0x100, Result::Created),
            one("clone", 0x101, Result::Created),
            one("clone", 0x100, Result::Failed("EPERM".to_owned())),
            Calls::default(),
        ] {
            let compared = std::panic::catch_unwind(|| made().expect_same(&other, "another"));
            assert!(compared.is_err());
        }
    }

    #[test]
    fn each_call_without_its_like_is_found() {
        let caught = |one: &Calls, other: &Calls| {
            let compare = || one.expect_alike(other, "another");
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(compare)).is_err()
        };
        let made = one("clone", 0x100, Result::Created);
        let mut twice = one("clone", 0x100, Result::Created);
        twice.0.extend([("0.0".to_owned(), twice.0["0"].clone())]);
        made.expect_alike(&twice, "by another caller, and more often");
        made.expect_same_beginnings(&Calls::default(), "nothing to compare");
        let failed = one("clone", 0x100, Result::Failed("EPERM".to_owned()));
        for other in [
            failed,
            one("clone", 0x101, Result::Created),
            Calls::default(),
        ] {
            assert!(caught(&made, &other) && caught(&other, &made));
        }
    }

    #[test]
    fn descendants_are_left_out_by_the_flag_of_the_call_that_made_them() {
        let mut calls = one("clone", 0x80_0000, Result::Created);
        for name in ["0.0", "0.0.3", "0.1"] {
            let more = one("fork", 0, Result::Created);
            calls
                .0
                .extend(more.0.into_values().map(|made| (name.to_owned(), made)));
        }
        let names: Vec<String> = calls
            .without_descendants_of(0x80_0000)
            .0
            .into_keys()
            .collect();
        assert_eq!(names, ["0", "0.1"]);
    }
}
