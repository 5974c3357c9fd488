//! A call that asks for a new task, and what came of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::reasons::Explanation;
use super::syscall::{Call, Stack};
use super::task::Kind;
use super::value::{Hex, TaskId, Tid, present};
use crate::abi::CloneFlags;

/// The system call as the registers had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RawCall {
    /// The number in the ABI of the call.
    pub nr: u64,
    /// The six argument registers.
    pub args: [Hex; 6],
}

/// The arguments that a flag makes meaningful.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallArgs {
    /// Legacy clone: the child's initial stack pointer. clone3: the lowest address of the stack.
    /// Absent where the child goes on with a copy of the caller's stack pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Hex>,
    /// Legacy clone: `stack` is the caller's own stack pointer, so that the child goes on as if none
    /// were given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub callers_stack: bool,
    /// clone3: the size of that stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_size: Option<Hex>,
    /// CLONE_SETTLS: the thread pointer (i386: the address of a `struct user_desc`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Hex>,
    /// CLONE_PARENT_SETTID: where the kernel writes the new tid, in the caller's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_tid: Option<Hex>,
    /// CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID: the word in the child's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_tid: Option<Hex>,
    /// CLONE_PIDFD: where the kernel writes the descriptor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pidfd: Option<Hex>,
    /// clone3's set_tid: the wanted tids, innermost pid namespace first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_tid: Option<Vec<Tid>>,
    /// CLONE_INTO_CGROUP: the descriptor of the cgroup's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<Hex>,
    /// clone3: the size of `struct clone_args` that was passed, in bytes; absent where it is not
    /// below 2^53 (`raw` has it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// clone3: the bytes of a struct longer than the 88 that are known, in hex, if any is not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_tail: Option<String>,
}

impl CallArgs {
    /// Which stack the child begins on.
    pub fn begins_on(&self) -> Stack {
        match self.stack {
            None => Stack::Zero,
            Some(_) if self.callers_stack => Stack::Callers,
            Some(_) => Stack::Given,
        }
    }
}

/// Arguments that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArgsError {
    /// The name of the error, such as `EFAULT`.
    pub errno: String,
    /// The address that could not be read.
    pub address: Hex,
    /// What was expected there: `struct clone_args`, `set_tid`.
    pub what: String,
}

/// What the kernel wrote into the caller's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wrote {
    /// CLONE_PARENT_SETTID: the tid, in the caller's pid namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_tid: Option<Tid>,
    /// CLONE_PIDFD: the descriptor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pidfd: Option<i32>,
}

/// How sure a statement is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Certainty {
    /// It follows from what was read.
    Certain,
    /// It fits, and little else does.
    Likely,
    /// It fits, and so may other things.
    Possible,
    /// It was looked at and is not so.
    Excluded,
    /// A value that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Reason {
    /// The rule's name.
    pub rule: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// The rule in words.
    pub text: Explanation,
    /// What was looked at, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, serde_json::Value>,
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// As a line has it: the words are read by the rule that they are about.
        #[derive(Deserialize)]
        struct Recorded {
            rule: String,
            certainty: Certainty,
            text: String,
            #[serde(default)]
            evidence: BTreeMap<String, serde_json::Value>,
        }
        let recorded = Recorded::deserialize(deserializer)?;
        Ok(Reason {
            text: Explanation::read(&recorded.rule, &recorded.text),
            rule: recorded.rule,
            certainty: recorded.certainty,
            evidence: recorded.evidence,
        })
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// A task was created, and is traced.
    Created(Created),
    /// The kernel, or a filter, refused.
    Failed {
        /// The error's name, such as `EINVAL`, or `errno N` for one without a name.
        errno: String,
        /// Its number.
        code: i32,
        /// Why, as far as it is known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<Reason>,
    },
    /// A CLONE_UNTRACED child was created and let go.
    Untraced {
        /// Its tid in the caller's pid namespace, if the return value was seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tid: Option<Tid>,
    },
    /// The caller died inside the call, and no child was seen.
    Unfinished {},
    /// An outcome that this version does not know.
    #[serde(untagged)]
    Other(serde_json::Value),
}

/// A task that a call made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// clonespy's number for it.
    pub task: TaskId,
    /// Its thread id.
    pub tid: Tid,
    /// Its thread group's id.
    pub tgid: Tid,
    /// Thread or process, by its tgid.
    pub kind: Kind,
    /// Its tid in each pid namespace, outermost first, where it lies in a nested one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_tids: Option<Vec<Tid>>,
    /// The task that leads its parent process, only where that is not the caller's process
    /// (CLONE_PARENT); `null` where the parent is outside of the trace.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub parent: Option<Option<TaskId>>,
    /// `cleared`: CLONE_UNTRACED was given, and taken off so that the child stays whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untraced: Option<String>,
    /// `child`: the caller died before its event; the newborn itself told of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_by: Option<String>,
    /// Flags whose effect is not what the kernel did: the arguments were changed during the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags_contradicted: Vec<String>,
}

/// A place in a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The address.
    pub address: Hex,
    /// The file that is mapped there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Bytes from the start of the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Hex>,
    /// The source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Whether creator and child have one object or two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Share {
    /// One object for both.
    #[serde(rename = "shared")]
    Shared,
    /// Each has its own.
    #[serde(rename = "own")]
    Own,
    /// Neither has one yet.
    #[serde(rename = "none yet")]
    NoneYet,
    /// A value that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// What creator and child share, as the kernel says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sharing {
    /// By object: mm, files, fs, sighand, sysvsem, io, thread_group.
    #[serde(flatten)]
    pub objects: BTreeMap<String, Share>,
    /// The namespaces that differ from the caller's.
    #[serde(default)]
    pub namespaces: Vec<String>,
}

/// What a call cost its caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// CPU time of the caller inside the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ns: Option<u64>,
    /// Page tables that the child got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_tables_bytes: Option<u64>,
    /// Memory of the caller that was resident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
}

/// A call of clone, clone3, fork or vfork: the request and the outcome.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CloneCall {
    /// From the entry to the outcome; absent where the entry was not seen.
    #[serde(default, skip_serializing_if = "written_before")]
    pub took_ns: Option<u64>,
    /// The caller's tid.
    pub tid: Tid,
    /// The caller's tgid.
    pub tgid: Tid,
    /// The caller's name.
    pub comm: String,
    /// The bytes of `comm`, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comm_hex: Option<String>,
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// What the kernel wrote into the caller's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrote: Option<Wrote>,
    /// What came of it.
    pub outcome: Outcome,
    /// The C library that the caller runs on, such as `glibc 2.36`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libc: Option<String>,
    /// The cgroup that CLONE_INTO_CGROUP names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup_path: Option<String>,
    /// The library function behind the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// How sure that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_certainty: Option<Certainty>,
    /// Who asked, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caller: Vec<Place>,
    /// What the child will run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Place>,
    /// What creator and child share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// What a call asked for, decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// The system-call ABI, a name from `abi::ABIS`.
    pub abi: String,
    /// Which call.
    pub call: Call,
    /// The call as the registers had it; absent where they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<RawCall>,
    /// The named flags that this call takes; for fork and vfork what the kernel passes on.
    #[serde(default)]
    pub flags: Vec<String>,
    /// All bits of the flags word, without the exit signal; absent where they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags_raw: Option<Hex>,
    /// The bits without a name, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags_unknown: Option<Hex>,
    /// Named bits that this call ignores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags_ignored: Vec<String>,
    /// The name of the exit signal; `null`: none; absent: a number that no signal has.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub exit_signal: Option<Option<String>>,
    /// The exit signal as it was passed; absent where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_signal_raw: Option<Hex>,
    /// The arguments that a flag makes meaningful.
    #[serde(default)]
    pub args: CallArgs,
    /// Arguments that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args_error: Option<ArgsError>,
}

/// In a line the duration stands before the task, where the header is written.
fn written_before(_: &Option<u64>) -> bool {
    true
}

impl Request {
    /// Whether the flag was passed and takes effect.
    pub fn has(&self, flag: CloneFlags) -> bool {
        flag.is_among(&self.flags)
    }

    /// The flags that take effect, as far as they have names here.
    pub fn named_flags(&self) -> CloneFlags {
        CloneFlags::of_names(&self.flags)
    }
}
