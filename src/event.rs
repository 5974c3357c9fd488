//! The hinge of the whole program: what happened, as plain data.
//!
//! An [`Event`] is one line of a trace file, version [`FORMAT`]. The tracer makes events, everything
//! else (tree, reports, checks) consumes them, and a recorded trace is nothing but events written
//! down. The rules that the JSON keeps:
//!
//! * **Absent** means not known or not asked for; **`null`** means known to be none. A field that
//!   can say both is an `Option<Option<T>>`.
//! * Words that the traced program supplied are hex strings ([`Hex`]); our own durations and counts
//!   are integers below 2^53, with their unit in the name.
//! * Byte strings of the kernel that are not UTF-8 carry U+FFFD, and `NAME_hex` holds the bytes.
//! * Unknown fields, unknown `type`s and unknown values of enumerations are read without complaint.

mod call;
mod exit;
mod notice;
mod task;
mod trace;
mod value;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use call::{
    ArgsError, Call, CallArgs, Certainty, CloneCall, Cost, Created, Outcome, Place, RawCall,
    Reason, Request, Share, Sharing, Stack, Wrote,
};
pub use exit::{Ending, Exit, Status, Unreaped, Usage};
pub use notice::{Blind, Copied, Detach, Finding, Kill, Lost, Unshared};
pub use task::{Appeared, Exec, How, InheritedFd, Kind, Linkage};
pub use trace::{End, Intercept, Mode, Start, Stats, Totals};
pub use value::{Hex, TaskId, Tid, Word, hex, lossy};

/// The version of the trace format that this crate writes.
pub const FORMAT: u32 = 1;

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The trace begins: what is traced, how, on which machine.
    Start(Start),
    /// A task that no seen call made.
    Task(Appeared),
    /// A task replaced its program.
    Exec(Exec),
    /// A call that asks for a new task, with its outcome.
    Clone(Box<CloneCall>),
    /// A page was copied on write after a fork.
    Copy(Copied),
    /// A task stopped sharing something without creating a task.
    Unshared(Unshared),
    /// Events that were missed, with their number.
    Lost(Lost),
    /// From here on something about a task cannot be seen.
    Blind(Blind),
    /// A task was let go alive.
    Detach(Detach),
    /// clonespy ends a process.
    Kill(Kill),
    /// A task ended.
    Exit(Exit),
    /// Something that deserves attention; derived, so replay works it out anew.
    Finding(Finding),
    /// What tracing took, when asked for.
    Stats(Stats),
    /// The trace ended in order. A trace without this line was cut short.
    End(End),
    /// A line of a type that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// The position of this line in the trace; the start, findings and unknown lines have none.
    pub fn seq(&self) -> Option<u64> {
        match self {
            Event::Task(e) => Some(e.seq),
            Event::Exec(e) => Some(e.seq),
            Event::Clone(e) => Some(e.seq),
            Event::Copy(e) => Some(e.seq),
            Event::Unshared(e) => Some(e.seq),
            Event::Lost(e) => Some(e.seq),
            Event::Blind(e) => Some(e.seq),
            Event::Detach(e) => Some(e.seq),
            Event::Kill(e) => Some(e.seq),
            Event::Exit(e) => Some(e.seq),
            Event::Stats(e) => Some(e.seq),
            Event::End(e) => Some(e.seq),
            Event::Start(_) | Event::Finding(_) | Event::Unknown => None,
        }
    }

    /// Monotonic nanoseconds since the start of the trace.
    pub fn at_ns(&self) -> Option<u64> {
        match self {
            Event::Task(e) => Some(e.at_ns),
            Event::Exec(e) => Some(e.at_ns),
            Event::Clone(e) => Some(e.at_ns),
            Event::Copy(e) => Some(e.at_ns),
            Event::Unshared(e) => Some(e.at_ns),
            Event::Blind(e) => Some(e.at_ns),
            Event::Detach(e) => Some(e.at_ns),
            Event::Kill(e) => Some(e.at_ns),
            Event::Exit(e) => Some(e.at_ns),
            Event::Finding(e) => Some(e.at_ns),
            Event::Stats(e) => Some(e.at_ns),
            Event::End(e) => Some(e.at_ns),
            Event::Start(_) | Event::Lost(_) | Event::Unknown => None,
        }
    }
}
