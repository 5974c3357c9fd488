//! What most lines of a trace begin with, and which lines have what of it.

use super::value::TaskId;

/// When and of which task something is told. What the kind of line does not carry is zero here;
/// the accessors of [`Event`](super::Event) tell the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// clonespy's number for the task.
    pub task: TaskId,
}

impl Header {
    /// That of a line that carries none.
    pub const NONE: Header = Header {
        seq: 0,
        at_ns: 0,
        task: TaskId(0),
    };
}

/// Which fields of the header a kind of line carries; time and task with their meaning there, in
/// the words of the JSON Schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carries {
    pub seq: bool,
    pub at_ns: Option<&'static str>,
    pub task: Option<&'static str>,
}

/// What `seq` means, on every line that has it.
pub(super) const SEQ: &str = "Position in the trace.";
/// What `at_ns` means, on most lines that have it.
pub(super) const AT_NS: &str = "Monotonic nanoseconds since the start of the trace.";

impl Carries {
    /// Nothing.
    pub(super) const NOTHING: Carries = Carries {
        seq: false,
        at_ns: None,
        task: None,
    };
    /// Its position alone.
    pub(super) const SEQ: Carries = Carries {
        seq: true,
        ..Carries::NOTHING
    };
    /// Position and time.
    pub(super) const TIME: Carries = Carries {
        at_ns: Some(AT_NS),
        ..Carries::SEQ
    };

    /// Position, time and task, which is so described.
    pub(super) const fn all(task: &'static str) -> Carries {
        Carries {
            task: Some(task),
            ..Carries::TIME
        }
    }
}
