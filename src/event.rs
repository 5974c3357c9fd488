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

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of the trace format that this crate writes.
pub const FORMAT: u32 = 1;

/// A thread id as the kernel numbers it, in clonespy's own pid namespace.
pub type Tid = i32;

/// clonespy's number for a task: from 1, in order of appearance, never used again. The kernel's
/// tids are recycled, these are not.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct TaskId(pub u64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.0)
    }
}

/// A 64-bit word that the traced program supplied; in JSON a string such as `"0x3d0f00"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("0x")
            .filter(|digits| !digits.starts_with('+'))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Hex)
            .ok_or_else(|| {
                serde::de::Error::custom(format!("{text:?} is not a hex word such as \"0x11\""))
            })
    }
}

impl JsonSchema for Hex {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hex".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^0x[0-9a-f]{1,16}$",
            "description": "A 64-bit word that the traced program supplied."
        })
    }
}

/// Splits the kernel's bytes into text for people and, where that loses something, the bytes in hex.
pub fn lossy(bytes: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (
            String::from_utf8_lossy(bytes).into_owned(),
            Some(hex(bytes)),
        ),
    }
}

/// Bytes as lower-case hex digits, two a byte.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// Reads a field that is present: `null` becomes `Some(None)`. With `#[serde(default)]` an absent
/// one stays `None`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

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

/// How the trace came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// clonespy started the program.
    Launch,
    /// clonespy seized running tasks.
    Attach,
}

/// How calls are caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
    /// The format's version, [`FORMAT`].
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
    pub mode: Mode,
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
    pub intercept: Intercept,
    /// Why that is not seccomp, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intercept_why: Option<String>,
    /// What that way of catching cannot see.
    #[serde(default)]
    pub blind: Vec<String>,
    /// What the program itself can notice of being traced.
    #[serde(default)]
    pub visible: Vec<String>,
}

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
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// clonespy's number for the task.
    pub task: TaskId,
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
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task, which keeps its number.
    pub task: TaskId,
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
    pub fn unread(task: TaskId, tid: Tid, tgid: Tid) -> Self {
        Exec {
            seq: 0,
            at_ns: 0,
            task,
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

/// Which of the four system calls.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `clone(2)`, the raw system call (`clone2` on ia64 too).
    Clone,
    /// `clone3(2)`.
    Clone3,
    /// `fork(2)`.
    Fork,
    /// `vfork(2)`.
    Vfork,
}

impl Call {
    /// All four, in the order in which reports list them.
    pub const ALL: [Call; 4] = [Call::Clone, Call::Clone3, Call::Fork, Call::Vfork];

    /// The system call's name.
    pub fn name(self) -> &'static str {
        match self {
            Call::Clone => "clone",
            Call::Clone3 => "clone3",
            Call::Fork => "fork",
            Call::Vfork => "vfork",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The rule's name.
    pub rule: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// The rule in words.
    pub text: String,
    /// What was looked at, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, serde_json::Value>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloneCall {
    /// Position in the trace.
    pub seq: u64,
    /// The entry into the call (attach: the event), in monotonic nanoseconds since the start.
    pub at_ns: u64,
    /// From the entry to the outcome; absent where the entry was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ns: Option<u64>,
    /// The caller.
    pub task: TaskId,
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

impl Request {
    /// Whether the flag of this name was passed and takes effect.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|name| name == flag)
    }
}

/// A page that was copied on write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Copied {
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task that touched the page.
    pub task: TaskId,
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
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task.
    pub task: TaskId,
    /// The objects.
    pub what: Vec<String>,
    /// What did it: `exec`, `unshare`.
    pub by: String,
}

/// Events that were missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// Position in the trace.
    pub seq: u64,
    /// The type of the events.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// From here on something about a task cannot be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blind {
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task.
    pub task: TaskId,
    /// Its tid.
    pub tid: Tid,
    /// What cannot be seen, in the words of `start.blind`.
    pub what: Vec<String>,
    /// Why.
    pub why: String,
}

/// A task was let go alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detach {
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task.
    pub task: TaskId,
    /// Its tid.
    pub tid: Tid,
}

/// clonespy ends a process, which is no doing of the program's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kill {
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task that stands for the process.
    pub task: TaskId,
    /// The process.
    pub tgid: Tid,
    /// By this signal.
    pub signal: String,
    /// Why.
    pub why: String,
}

/// Who ended a task.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
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
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task.
    pub task: TaskId,
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
}

/// Something that deserves attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// The task.
    pub task: TaskId,
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

/// What tracing took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
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
    /// Position in the trace.
    pub seq: u64,
    /// Monotonic nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// How the program that was started ended; absent after an attach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why the trace ended before its tasks did: `timeout`, `interrupt`, `main ended`; absent where the last task
    /// had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Counts over the whole trace.
    pub totals: Totals,
}
