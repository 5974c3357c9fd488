//! Tasks: what they are, how they come into view, and the programs that they run.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::{Tid, present};

/// A thread of an existing process, or a process of its own; by tgid, as the kernel has it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It belongs to its creator's thread group.
    Thread,
    /// It leads a thread group of its own.
    Process,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Thread => "thread",
            Kind::Process => "process",
        })
    }
}

/// How a task came into view that no seen call made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// clonespy started it.
    Launched,
    /// clonespy seized it while it ran.
    Attached,
    /// Its creator died inside the call; which thread it was is not known.
    Orphan,
    /// Its creator passed CLONE_PTRACE, which handed it to us without an event.
    Ptrace,
    /// The kernel made it (io_uring, vhost).
    Worker,
    /// A way that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl How {
    /// The word for it in JSON.
    pub fn word(&self) -> &str {
        match self {
            How::Launched => "launched",
            How::Attached => "attached",
            How::Orphan => "orphan",
            How::Ptrace => "ptrace",
            How::Worker => "worker",
            How::Other(word) => word,
        }
    }
}

/// A task that no seen call made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Appeared {
    /// Its thread id.
    pub tid: Tid,
    /// Its thread group's id.
    pub tgid: Tid,
    /// The tgid of its parent process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppid: Option<Tid>,
    /// Thread or process.
    pub kind: Kind,
    /// Its name (`/proc/TID/comm`).
    pub comm: String,
    /// The bytes of `comm`, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comm_hex: Option<String>,
    /// How it came into view.
    pub how: How,
    /// When the kernel started it, in clock ticks since boot (field 22 of `/proc/TID/stat`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ticks: Option<u64>,
    /// Its tid in each pid namespace, outermost first, where it lies in a nested one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_tids: Option<Vec<Tid>>,
}

/// How a program is linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Linkage {
    /// It names an interpreter that loads its libraries.
    Dynamic,
    /// It is complete in itself.
    Static,
    /// Position-independent and complete in itself.
    StaticPie,
    /// A value that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// A task replaced its program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exec {
    /// Its tid from now on, which is its tgid.
    pub tid: Tid,
    /// Its thread group's id.
    pub tgid: Tid,
    /// The tid that it had before, only where a thread that is not the leader exec'd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_tid: Option<Tid>,
    /// The file that runs now (the interpreter, for a script), if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The bytes of `path`, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_hex: Option<String>,
    /// Its arguments, if they could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// The bytes of `argv`, where any of it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argv_hex: Option<Vec<String>>,
    /// There were more arguments than were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argv_truncated: Option<bool>,
    /// Its new name (`/proc/TID/comm`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comm: Option<String>,
    /// The bytes of `comm`, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comm_hex: Option<String>,
    /// The machine that the file is built for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// How the file is linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linkage: Option<Linkage>,
    /// The ELF interpreter; `null` where the file names none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub interpreter: Option<Option<String>>,
    /// The file's build id; `null` where it has none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub build_id: Option<Option<String>>,
    /// The file has no symbol table (`.symtab`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripped: Option<bool>,
    /// The descriptors above 2 that the program inherits, by number, if that was asked for; the first 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherited_fds: Option<Vec<InheritedFd>>,
}

/// A descriptor that lacked close-on-exec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InheritedFd {
    /// Its number.
    pub fd: i32,
    /// What it stands for, as `/proc/TID/fd` has it: a path, `pipe:[N]`, `socket:[N]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Exec {
    /// An exec of which nothing has been read yet.
    pub fn unread(tid: Tid, tgid: Tid) -> Self {
        Exec {
            tid,
            tgid,
            former_tid: None,
            path: None,
            path_hex: None,
            argv: None,
            argv_hex: None,
            argv_truncated: None,
            comm: None,
            comm_hex: None,
            machine: None,
            linkage: None,
            interpreter: None,
            build_id: None,
            stripped: None,
            inherited_fds: None,
        }
    }
}
