//! The first line of a trace and the last ones.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exit::Status;
use super::gap::{Cut, Gap, NoFilter};
use super::value::Word;

/// The version of the trace format that this crate writes.
pub const FORMAT: u32 = 1;

/// How the trace came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// clonespy started the program.
    Launch,
    /// clonespy seized running tasks.
    Attach,
}

/// How calls are caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Intercept {
    /// A seccomp filter stops the program on the few calls that matter: complete and fast.
    Seccomp,
    /// The kernel's own events only: fast, but blind to failed calls.
    Event,
    /// A stop at every system call: complete and slow.
    Syscall,
}

impl fmt::Display for Intercept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Intercept::Seccomp => "seccomp",
            Intercept::Event => "event",
            Intercept::Syscall => "syscall",
        })
    }
}

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// The format's version, [`FORMAT`](super::FORMAT).
    pub format: u32,
    /// The version of clonespy that wrote the trace.
    pub clonespy: String,
    /// A random name for this trace.
    pub trace_id: String,
    /// The kernel's id of this boot; with `start_ticks` and a tid an identity across the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// The inode of clonespy's own pid namespace, in which all tids are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_ns: Option<u64>,
    /// Started or attached.
    pub mode: Word<Mode>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The bytes of `command`, where any part of it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_hex: Option<Vec<String>>,
    /// The options that clonespy was given.
    #[serde(default)]
    pub options: Vec<String>,
    /// The kernel's release, as `uname -r` gives it.
    pub kernel: String,
    /// The machine, as `uname -m` gives it.
    pub machine: String,
    /// The wall-clock time of the start, RFC 3339.
    pub wall: String,
    /// How calls are caught.
    pub intercept: Word<Intercept>,
    /// Why that is not seccomp, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intercept_why: Option<NoFilter>,
    /// What that way of catching cannot see.
    #[serde(default)]
    pub blind: Vec<Gap>,
    /// What the program itself can notice of being traced.
    #[serde(default)]
    pub visible: Vec<String>,
}

/// What tracing took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// Tasks that calls made.
    pub created: u64,
    /// Reports of stopped and ended tasks, by kind of stop.
    pub stops: BTreeMap<String, u64>,
    /// System calls that clonespy made to trace, by name of call and request.
    pub requests: BTreeMap<String, u64>,
    /// Reads of tracees' memory and of files under /proc, by name.
    pub reads: BTreeMap<String, u64>,
}

/// Counts over a whole trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Distinct thread groups.
    pub processes: u64,
    /// Every task, leaders included, as `ps -eLf` counts.
    pub threads: u64,
    /// Tasks that lead a thread group of their own.
    pub leaders: u64,
    /// Calls by name.
    pub calls: BTreeMap<String, u64>,
    /// Calls that created a task.
    pub created: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Calls whose child was let go untraced.
    pub untraced: u64,
    /// Calls whose caller died inside, without a child that was seen.
    pub unfinished: u64,
}

/// The last line of a trace that ended in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// How the program that was started ended; absent after an attach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why the trace ended before its tasks did: `timeout`, `interrupt`, `main ended`; absent where the last task
    /// had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Counts over the whole trace.
    pub totals: Totals,
}
