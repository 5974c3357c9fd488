//! How tasks end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Tid;

/// Who ended a task.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// It ended itself.
    #[serde(rename = "self")]
    Itself,
    /// exit_group, exec or a fatal signal of its group ended it.
    CutOff,
    /// A signal ended it.
    Signal,
    /// Another thread of its group exec'd and took its tid.
    Replaced,
    /// It is not known.
    Unknown,
    /// A value that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// A wait status, as the parent sees it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged)]
pub enum Status {
    /// It exited with this code.
    Exited {
        /// The exit code, 0 to 255.
        exited: i32,
    },
    /// A signal killed it.
    Signaled {
        /// The signal's name, such as `SIGKILL`.
        signaled: String,
        /// The kernel says that it dumped core.
        #[serde(default)]
        core_dumped: bool,
    },
}

/// What a task used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// CPU time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ns: Option<u64>,
    /// Page faults that needed no I/O.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor_faults: Option<u64>,
    /// Page faults that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_faults: Option<u64>,
    /// Context switches because it waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voluntary_switches: Option<u64>,
    /// Context switches because another had its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub involuntary_switches: Option<u64>,
}

/// A task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exit {
    /// Its tid.
    pub tid: Tid,
    /// Its tgid.
    pub tgid: Tid,
    /// Its last name, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comm: Option<String>,
    /// The bytes of `comm`, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comm_hex: Option<String>,
    /// Who ended it.
    pub how: Ending,
    /// Its wait status; absent for `replaced` and where it was not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// It is the thread group's final exit; only there is the status the process's.
    pub last: bool,
    /// From its creation, as far as it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lived_ns: Option<u64>,
    /// What it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// With `last`: the children that had ended and were not waited for. Absent: not looked at, which
    /// `--lint unreaped-children` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreaped: Option<Vec<Unreaped>>,
}

/// A child that its parent left behind as a zombie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unreaped {
    /// Its process id.
    pub pid: Tid,
    /// Its name.
    pub comm: String,
}
