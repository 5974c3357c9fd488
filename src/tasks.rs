//! The model: events folded into thread groups. Live tasks are kept one by one; ended ones only
//! inside folds of tasks alike, so memory grows with what lives and not with what has ended.

use crate::event::{Call, CloneCall, End, Ending, Event, Kind, Start, Status, TaskId, Tid, Totals};

/// A task in the tree: alive, or ended with descendants alive.
#[derive(Clone, Debug)]
pub struct Task {
    /// clonespy's number.
    pub id: TaskId,
    /// Its tid.
    pub tid: Tid,
    /// Its tgid.
    pub tgid: Tid,
    /// Thread or process.
    pub kind: Kind,
    /// Its last known name.
    pub comm: String,
    /// The program that it runs since its last exec (path and arguments), if it exec'd.
    pub program: Option<Program>,
    /// The call that made it; `None` for a task that no seen call made.
    pub via: Option<Via>,
    /// When it was created (`at_ns` of the line that introduced it).
    pub born_ns: u64,
    /// How it ended, if it has.
    pub end: Option<Ended>,
    /// What it created, in order of appearance: folds of ended children, live children.
    pub children: Vec<Branch>,
}

/// What a task runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Program {
    /// The file.
    pub path: Option<String>,
    /// The arguments.
    pub argv: Vec<String>,
}

/// The call behind a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// Which call.
    pub call: Call,
    /// The task that called.
    pub creator: TaskId,
    /// The flags, by name.
    pub flags: Vec<String>,
    /// It is a process that shares its creator's memory (CLONE_VM without CLONE_THREAD).
    pub shares_memory: bool,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Who ended it.
    pub how: Ending,
    /// Its status.
    pub status: Option<Status>,
    /// When.
    pub at_ns: u64,
    /// How long it lived, if its birth was seen.
    pub lived_ns: Option<u64>,
}

/// A child in the tree.
#[derive(Clone, Debug)]
pub enum Branch {
    /// One task, kept whole.
    Task(TaskId),
    /// Ended tasks alike.
    Fold(Box<Fold>),
}

/// Ended tasks that are alike: same creator, kind, flags, name, program, ending and shape of
/// subtree. A fold of one keeps everything of that one.
#[derive(Clone, Debug)]
pub struct Fold {
    /// How many.
    pub count: u64,
    /// The smallest and the largest tid among them.
    pub tids: (Tid, Tid),
    /// The shortest and the longest life among them.
    pub lived_ns: Option<(u64, u64)>,
    /// A member that stands for all (for a fold of one, that one; its `children` are the subtree's
    /// folds, its tids are the first member's).
    pub example: Task,
    /// The name of all, or a pattern that fits all (`worker-*`).
    pub name: String,
}

/// A process: the tasks of one tgid.
#[derive(Clone, Debug)]
pub struct ThreadGroup {
    /// Its id.
    pub tgid: Tid,
    /// The task that leads it now.
    pub leader: TaskId,
    /// The live tasks.
    pub live: Vec<TaskId>,
    /// The most that were alive at once.
    pub peak: u64,
    /// All that ever were.
    pub ever: u64,
}

/// The tree of all tasks.
#[derive(Debug, Default)]
pub struct TaskTree {}

impl TaskTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }
    /// Takes in one event. Events that make no sense (an exit of an unknown task) change counts only.
    pub fn apply(&mut self, event: &Event) {
        let _ = event;
    }
    /// The task of this number, while it is in the tree.
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        let _ = id;
        None
    }
    /// The live thread group of this tgid.
    pub fn group(&self, tgid: Tid) -> Option<&ThreadGroup> {
        let _ = tgid;
        None
    }
    /// The tasks (or folds) that no task in the tree created.
    pub fn roots(&self) -> &[Branch] {
        &[]
    }
    /// Counts so far.
    pub fn totals(&self) -> Totals {
        Totals::default()
    }
    /// The trace's first line.
    pub fn start(&self) -> Option<&Start> {
        None
    }
    /// The trace's last line.
    pub fn end(&self) -> Option<&End> {
        None
    }
}
#[allow(dead_code)]
fn uses(_: &CloneCall) {}
