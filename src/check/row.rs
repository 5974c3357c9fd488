//! One `[[clone]]`: the calls that it means, key by key.

use crate::abi::CloneFlags;
use crate::event::{Call, CloneCall, Kind, Outcome, Status};

use super::library_calls;
use super::values::{Ends, Glob, Range, any_of, status_words};
use crate::lint::{CallRecord, TaskRecord, TraceIndex};

/// A kind of call that is expected, and how often. What is `None` (or empty) may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: Option<usize>,
    /// What a known library calls for one of these: `fork`, `vfork`, `posix_spawn`,
    /// `pthread_create`, `newosproc`.
    pub is: Vec<&'static str>,
    /// Which of the four calls.
    pub call: Vec<Call>,
    /// Exactly these flags.
    pub flags: Option<CloneFlags>,
    /// At least these flags.
    pub require: Option<CloneFlags>,
    /// None of these flags.
    pub forbid: Option<CloneFlags>,
    /// The exit signal: a name, `none`, or a number such as `0x91` that no signal has.
    pub exit_signal: Vec<Glob>,
    /// `created`, an error such as `EINVAL`, `untraced`, `unfinished`; `created` if nothing is keys.
    pub outcome: Vec<Glob>,
    /// What is created.
    pub kind: Option<Kind>,
    /// The last name of what is created.
    pub name: Vec<Glob>,
    /// How what is created ends: a process as a whole, a thread by itself.
    pub exit: Option<Ends>,
    /// How many such calls; one or more, if nothing is keys.
    pub count: Option<Range>,
}

/// A call with the task that it made.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// Its position in the trace.
    pub seq: u64,
    pub call: &'a CloneCall,
    /// Which of how many calls it is, from 1.
    pub number: Option<(usize, usize)>,
    pub child: Option<&'a TaskRecord>,
}

impl<'a> View<'a> {
    pub fn of(index: &'a TraceIndex, CallRecord { seq, call }: &'a CallRecord) -> Self {
        let child = match &call.outcome {
            Outcome::Created(created) => index.task(created.task),
            _ => None,
        };
        let place = index.calls().binary_search_by_key(seq, |call| call.seq);
        View {
            seq: *seq,
            call,
            number: place.ok().map(|place| (place + 1, index.calls().len())),
            child,
        }
    }

    pub fn flags(&self) -> Option<CloneFlags> {
        library_calls::passed(&self.call.request)
    }

    pub fn exit_signal(&self) -> String {
        let request = &self.call.request;
        match (&request.exit_signal, &request.exit_signal_raw) {
            (Some(Some(name)), _) => name.clone(),
            (Some(None), _) => "none".to_owned(),
            (None, Some(raw)) => raw.to_string(),
            (None, None) => "unreadable".to_owned(),
        }
    }

    pub fn outcome(&self) -> &str {
        match &self.call.outcome {
            Outcome::Created(_) => "created",
            Outcome::Failed { errno, .. } => errno,
            Outcome::Untraced { .. } => "untraced",
            Outcome::Unfinished {} => "unfinished",
            Outcome::Other(_) => "unknown",
        }
    }

    /// How what was created ended.
    pub fn ended(&self) -> Option<&'a Status> {
        let child = self.child?;
        match child.kind {
            Kind::Process => child.process_status.as_ref(),
            Kind::Thread => child.status.as_ref(),
        }
    }
}

/// A key of `[[clone]]`: whether a call fits it, and the words for both sides.
pub(super) struct Key {
    pub name: &'static str,
    /// How much a call is another call for differing here.
    pub weight: u32,
    pub fits: fn(&Row, &View) -> bool,
    /// `None`: the row does not say.
    pub expected: fn(&Row) -> Option<String>,
    pub seen: fn(&View) -> String,
}

fn flags_words(view: &View) -> String {
    match view.flags() {
        Some(flags) => flags.to_string(),
        None => "flags that could not be read".to_owned(),
    }
}

/// Nothing is keys, or one of these fits.
fn globs(list: &[Glob], text: impl FnOnce() -> String) -> bool {
    if list.is_empty() {
        return true;
    }
    let text = text();
    list.iter().any(|glob| glob.fits(&text))
}

fn words<T: std::fmt::Display>(list: &[T]) -> Option<String> {
    (!list.is_empty()).then(|| any_of(list))
}

/// The keys by which a call is compared with a row, the most telling first.
pub(super) static KEYS: &[Key] = &[
    Key {
        name: "outcome",
        weight: 3,
        fits: |row, view| match row.outcome.is_empty() {
            true => view.outcome() == "created",
            false => row.outcome.iter().any(|glob| glob.fits(view.outcome())),
        },
        expected: |row| Some(words(&row.outcome).unwrap_or_else(|| "created".to_owned())),
        seen: |view| view.outcome().to_owned(),
    },
    Key {
        name: "kind",
        weight: 3,
        fits: |row, view| {
            row.kind
                .is_none_or(|kind| view.child.is_some_and(|child| child.kind == kind))
        },
        expected: |row| row.kind.map(|kind| kind.to_string()),
        seen: |view| match view.child {
            Some(child) => child.kind.to_string(),
            None => "nothing was created".to_owned(),
        },
    },
    Key {
        name: "is",
        weight: 4,
        fits: |row, view| {
            row.is.is_empty()
                || row
                    .is
                    .iter()
                    .any(|name| library_calls::is(name, &view.call.request))
        },
        expected: |row| words(&row.is),
        seen: |view| match library_calls::name_of(&view.call.request) {
            Some(name) => name.to_owned(),
            None => format!(
                "no known library's way: {} with {}, exit signal {}",
                view.call.request.call,
                flags_words(view),
                view.exit_signal()
            ),
        },
    },
    Key {
        name: "call",
        weight: 3,
        fits: |row, view| row.call.is_empty() || row.call.contains(&view.call.request.call),
        expected: |row| words(&row.call),
        seen: |view| view.call.request.call.to_string(),
    },
    Key {
        name: "flags",
        weight: 3,
        fits: |row, view| row.flags.is_none_or(|flags| view.flags() == Some(flags)),
        expected: |row| row.flags.map(|flags| flags.to_string()),
        seen: flags_words,
    },
    Key {
        name: "require",
        weight: 3,
        fits: |row, view| {
            row.require
                .is_none_or(|flags| view.flags().is_some_and(|all| all.contains(flags)))
        },
        expected: |row| row.require.map(|flags| flags.to_string()),
        seen: flags_words,
    },
    Key {
        name: "forbid",
        weight: 3,
        fits: |row, view| {
            row.forbid
                .is_none_or(|flags| view.flags().is_some_and(|all| !all.intersects(flags)))
        },
        expected: |row| row.forbid.map(|flags| format!("none of {flags}")),
        seen: flags_words,
    },
    Key {
        name: "exit_signal",
        weight: 2,
        fits: |row, view| globs(&row.exit_signal, || view.exit_signal()),
        expected: |row| words(&row.exit_signal),
        seen: |view| view.exit_signal(),
    },
    Key {
        name: "name",
        weight: 1,
        fits: |row, view| match view.child {
            Some(child) => globs(&row.name, || child.name.clone()),
            None => row.name.is_empty(),
        },
        expected: |row| words(&row.name),
        seen: |view| match view.child {
            Some(child) => format!("{:?}", child.name),
            None => "nothing was created".to_owned(),
        },
    },
    Key {
        name: "exit",
        weight: 1,
        fits: |row, view| {
            row.exit
                .as_ref()
                .is_none_or(|ends| ends.contains(view.ended()))
        },
        expected: |row| row.exit.as_ref().map(Ends::to_string),
        seen: |view| status_words(view.ended()),
    },
];

impl Row {
    /// How many calls it asks for.
    pub fn wanted(&self) -> Range {
        self.count.unwrap_or(Range::SOME)
    }

    pub(super) fn fits(&self, view: &View) -> bool {
        KEYS.iter().all(|key| (key.fits)(self, view))
    }

    /// How far a call is from fitting; 0: it fits.
    pub(super) fn distance(&self, view: &View) -> u32 {
        let wrong = KEYS.iter().filter(|key| !(key.fits)(self, view));
        wrong.map(|key| key.weight).sum()
    }

    /// The function that passes exactly what the row asks for.
    fn made_by(&self) -> Option<&'static str> {
        let ([call], Some(flags), [signal]) = (&*self.call, self.flags, &*self.exit_signal) else {
            return None;
        };
        library_calls::name_of_flags(*call, flags, &signal.0)
    }

    /// What it is, in few words.
    pub(super) fn words(&self) -> String {
        let made_by = self.made_by();
        let keys = KEYS.iter().filter_map(|key| {
            let default = key.name == "outcome" && self.outcome.is_empty();
            let words = (key.expected)(self).filter(|_| !default)?;
            match (key.name, made_by) {
                // Nine names, where one says the same.
                ("flags" | "exit_signal", Some(_)) => None,
                ("call", Some(name)) if name != words => {
                    Some(format!("call {words} as {name} does"))
                }
                (key, _) => Some(format!("{key} {words}")),
            }
        });
        let keys: Vec<String> = keys.collect();
        match keys.is_empty() {
            true => "any call that creates a task".to_owned(),
            false => keys.join(", "),
        }
    }
}
