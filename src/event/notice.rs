//! What else is told about tasks, and what could not be seen of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::Place;
use super::gap::{Gap, KillReason, Obstacle};
use super::value::{Hex, Tid};

/// A page that was copied on write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Copied {
    /// The fork that had shared it.
    pub clone_seq: u64,
    /// The address that was touched.
    pub address: Hex,
    /// `write`, or a kind of access that this version does not know.
    pub access: String,
    /// The mapping's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
    /// The variable at that address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// The code that touched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Place>,
    /// `child` or `parent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A task stopped sharing something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unshared {
    /// The objects.
    pub what: Vec<String>,
    /// What did it: `exec`, `unshare`.
    pub by: String,
}

/// Events that were missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// The type of the events.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// From here on something about a task cannot be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blind {
    /// Its tid.
    pub tid: Tid,
    /// What cannot be seen, in the words of `start.blind`.
    pub what: Vec<Gap>,
    /// Why.
    pub why: Obstacle,
}

/// A task was let go alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detach {
    /// Its tid.
    pub tid: Tid,
}

/// clonespy ends a process, which is no doing of the program's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kill {
    /// The process.
    pub tgid: Tid,
    /// By this signal.
    pub signal: String,
    /// Why.
    pub why: KillReason,
}

/// Something that deserves attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Finding {
    /// The lint's name.
    pub lint: String,
    /// How grave it is.
    pub level: String,
    /// What was found.
    pub text: String,
    /// The same in Chinese. It is not recorded: findings are worked out anew.
    #[serde(skip)]
    pub chinese: String,
    /// The call that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clone_seq: Option<u64>,
    /// How often it was found at this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}
