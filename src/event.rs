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
mod call_fields;
mod exit;
mod gap;
mod header;
mod kind;
mod line;
mod notice;
mod on_demand;
mod read;
mod reasons;
mod sentence;
mod syscall;
mod task;
mod trace;
mod value;

pub use call::{
    ArgsError, CallArgs, Certainty, CloneCall, Cost, Created, Outcome, Place, RawCall, Reason,
    Request, Share, Sharing, Wrote,
};
pub use exit::{Ending, Exit, Status, Unreaped, Usage};
pub use gap::{Cut, Gap, KillReason, NoFilter, Obstacle, Refusal, SystemError};
pub use header::Header;
pub use kind::EventKind;
pub use line::Event;
pub use notice::{Blind, Copied, Detach, Finding, Kill, Lost, Unshared};
pub use on_demand::{Extra, Extras};
pub use reasons::{Circumstance, Explanation, Observation};
pub use syscall::{Call, Stack};
pub use task::{Appeared, Exec, How, InheritedFd, Kind, Linkage};
pub use trace::{End, FORMAT, Intercept, Mode, Start, Stats, Totals};
pub use value::{Hex, TaskId, Tid, Word, hex, lossy};
