//! Starting the program.

use std::ffi::OsString;

use crate::event::Intercept;

/// What to start, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// A path, or a name that PATH finds.
    pub program: OsString,
    /// Its arguments, without the program's own name.
    pub args: Vec<OsString>,
    /// What the program is told as its own name, if not `program`.
    pub argv0: Option<OsString>,
    /// Variables of the environment to set, or (`None`) to take away, in this order.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// The user to run it as.
    pub user: Option<String>,
    /// How to catch calls; `None`: the best that works.
    pub intercept: Option<Intercept>,
    /// Count what tracing takes.
    pub stats: bool,
    /// The options that clonespy was given, for the trace's first line.
    pub options: Vec<String>,
}
