//! What a trace is asked to do.

use std::ffi::OsString;
use std::time::Duration;

use crate::event::{Extras, Intercept, Tid};

/// What is to be started, and how it is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// The program: a path, or a name that PATH finds.
    pub program: OsString,
    /// Its arguments, without the name.
    pub args: Vec<OsString>,
    /// What it is told of its own name; `program`, if nothing else.
    pub argv0: Option<OsString>,
    /// Changes to the environment: set, or (`None`) removed.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// The user as whom it runs, with that user's groups.
    pub user: Option<String>,
    /// How calls are caught; the best that works, if none is asked for.
    pub intercept: Option<Intercept>,
    /// Tell what tracing took.
    pub stats: bool,
    /// What is recorded on demand.
    pub record: Extras,
    /// clonespy's options, for the record.
    pub options: Vec<String>,
    /// Signals, SIGCHLD first, belong to the trace: waits are directed by SIGCHLD, and what would
    /// end this process goes to the program. Only for a program that does nothing else.
    pub own_signals: bool,
    /// The program gets SIGTERM after this time, and everything SIGKILL two seconds later. Only with
    /// `own_signals`.
    pub timeout: Option<Duration>,
    /// The trace ends when the program itself does, and not when its last descendant has.
    pub until_main: bool,
    /// Running tasks to be traced along with it.
    pub attach: Option<Attach>,
}

/// What is to be attached to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attach {
    /// Processes; a thread's tid stands for its process.
    pub pids: Vec<Tid>,
    /// Their descendants too.
    pub descendants: bool,
    /// How calls are caught: by the kernel's events, unless every system call is asked for.
    pub intercept: Option<Intercept>,
    /// Tell what tracing took.
    pub stats: bool,
    /// What is recorded on demand.
    pub record: Extras,
    /// Let everything go after this time.
    pub timeout: Option<Duration>,
    /// clonespy's options, for the record.
    pub options: Vec<String>,
}
