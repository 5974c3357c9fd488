//! What the tree holds: tasks, their children, folds of those that are gone, thread groups. A task has
//! children, among them folds, whose example is a task: one file, since none of them goes without the
//! others.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;

use super::likeness::{Traits, Various};
use crate::abi::flags::CLONE_VM;
use crate::event::{Call, CloneCall, Created, Ending, How, Kind, Status, TaskId, Tid};

/// A task in the tree: alive, or gone with descendants alive; also the example of a [`Fold`].
#[derive(Clone, Debug)]
pub struct Task {
    /// clonespy's number.
    pub id: TaskId,
    /// Its tid.
    pub tid: Tid,
    /// Its tgid.
    pub tgid: Tid,
    /// Thread or process, as it is now: a thread that exec'd leads its process.
    pub kind: Kind,
    /// Its last known name.
    pub comm: String,
    /// The program that it runs since its last exec. A process has its creator's until it execs;
    /// a thread that did not exec has none of its own (its [`ThreadGroup`] has).
    pub program: Option<Arc<Program>>,
    /// It exec'd: until then a process runs a copy of what its creator ran.
    pub execed: bool,
    /// The call that made it; `None` for a task that no seen call made.
    pub via: Option<Via>,
    /// How it came into view, where no seen call made it.
    pub how: Option<How>,
    /// Calls of its own whose child was let go untraced.
    pub untraced: u64,
    /// When it was created, in nanoseconds since the start of the trace: the end of the call that made it, where
    /// that was seen, else `at_ns` of the line that introduced it.
    pub born_ns: u64,
    /// How it ended, if it has.
    pub end: Option<Ended>,
    /// When it was let go alive, if it was.
    pub let_go_ns: Option<u64>,
    /// What it created, in order of appearance: folds of children that are gone, and the others. Under
    /// the leader of an attached process stand the threads and child processes that were attached with it,
    /// whoever created them.
    pub children: Children,
    /// This task is the first of several generations, alike, each of which created the next and
    /// ended; `children` are the last generation's. `None` for one alone.
    pub generations: Option<Box<Generations>>,
}

impl Task {
    /// Whether it ended or was let go.
    pub fn is_gone(&self) -> bool {
        self.end.is_some() || self.let_go_ns.is_some()
    }

    /// How many tasks it stands for: itself, or its generations with their folds.
    pub fn own_tasks(&self) -> u64 {
        self.generations.as_ref().map_or(1, |all| all.tasks)
    }
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
    /// The task that called. It may have left the tree.
    pub creator: TaskId,
    /// The flags, by name.
    pub flags: Vec<String>,
    /// It is a process that shares its creator's memory (CLONE_VM without CLONE_THREAD).
    pub shares_memory: bool,
}

impl Via {
    /// What a call says of a task that it made.
    pub(super) fn of(creator: TaskId, call: &CloneCall, created: &Created) -> Self {
        Self {
            call: call.request.call,
            creator,
            flags: call.request.flags.clone(),
            shares_memory: created.kind == Kind::Process && call.request.has(CLONE_VM),
        }
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Who ended it.
    pub how: Ending,
    /// Its status.
    pub status: Option<Status>,
    /// When, in nanoseconds since the start of the trace.
    pub at_ns: u64,
    /// How long it lived in nanoseconds, if its birth was seen.
    pub lived_ns: Option<u64>,
}

/// A child in the tree.
#[derive(Clone, Debug)]
pub enum Branch {
    /// One task, kept whole.
    Task(TaskId),
    /// Tasks alike that are gone.
    Fold(Box<Fold>),
}

/// Tasks alike, gone, each created by the one before it: a relay. A daemon that forks and ends a
/// million times is one node of the tree.
#[derive(Clone, Debug)]
pub struct Generations {
    /// How many.
    pub count: u64,
    /// The smallest and the largest tid among them.
    pub tids: (Tid, Tid),
    /// The shortest and the longest known life among them, in nanoseconds.
    pub lived_ns: Option<(u64, u64)>,
    /// The name of all, or a pattern that fits all.
    pub name: String,
    /// In what they differ.
    pub various: Various,
    /// What each created besides the next one (the first, where `various.subtree`). Empty where it
    /// was too much to keep; it is counted in `tasks` then.
    pub each: Children,
    /// How many tasks these are: the generations and all in their folds.
    pub tasks: u64,
}

/// A process: the tasks of one tgid.
#[derive(Clone, Debug)]
pub struct ThreadGroup {
    /// Its id.
    pub tgid: Tid,
    /// The task that leads it now (the first one seen, where the leader never was). It may have
    /// ended before its threads and have left the tree.
    pub leader: TaskId,
    /// The live tasks.
    pub live: BTreeSet<TaskId>,
    /// The most that were alive at once.
    pub peak: u64,
    /// All that ever were.
    pub ever: u64,
    /// The program that it runs, if an exec of it or of the process that it is a copy of was seen.
    pub program: Option<Arc<Program>>,
    /// Whether its leader was seen.
    pub(super) led: bool,
}

/// The range over both.
pub(super) fn widen<T: Ord + Copy>(one: (T, T), other: (T, T)) -> (T, T) {
    (one.0.min(other.0), one.1.max(other.1))
}

/// The range over whichever is known.
pub(super) fn widen_known<T: Ord + Copy>(
    one: Option<(T, T)>,
    other: Option<(T, T)>,
) -> Option<(T, T)> {
    match (one, other) {
        (Some(one), Some(other)) => Some(widen(one, other)),
        (one, other) => one.or(other),
    }
}

/// Tasks alike that are gone: same creator, call, kind, flags, name but for digits, program, ending
/// and shape of subtree (or all but what `various` says). A fold of one keeps everything of that one.
#[derive(Clone, Debug)]
pub struct Fold {
    /// How many.
    pub count: u64,
    /// The smallest and the largest tid among them.
    pub tids: (Tid, Tid),
    /// The shortest and the longest known life among them, in nanoseconds.
    pub lived_ns: Option<(u64, u64)>,
    /// The member that was created first, standing for all. Its `children` are the folds of the
    /// subtree, with counts of *one* member and ranges over all members (of this member alone, where
    /// `various.subtree`).
    pub example: Task,
    /// The name of all, or a pattern that fits all (`worker-*`).
    pub name: String,
    /// In what the members differ: set only where a creator had so many different children that
    /// they were folded less strictly.
    pub various: Various,
    /// How many tasks this is: the members and all of their descendants.
    pub tasks: u64,
    /// The fewest and the most descendants of a member.
    pub descendants: (u64, u64),
    /// Descendants of the example that are counted here and stand nowhere in `example.children`,
    /// because the tree got too deep or too large there. 0, or all of them.
    pub only_counted: u64,
    /// The first member's sides.
    pub(super) traits: Traits,
    /// Folds in here, this one included.
    pub(super) nodes: usize,
    /// Levels of folds in here, this one included.
    pub(super) height: usize,
}

/// Children in order of appearance. A fold stands where its first member stood.
#[derive(Clone, Debug, Default)]
pub struct Children {
    pub(super) slots: BTreeMap<u64, Branch>,
    /// The folds' slots by likeness, as far as `mask` leaves it.
    pub(super) index: BTreeMap<Traits, u64>,
    /// What the folds here no longer need to have in common.
    pub(super) mask: Various,
    pub(super) next: u64,
    /// Folds in here, at all depths.
    pub(super) nodes: usize,
}

/// An iterator over [`Children`].
pub type Iter<'a> = btree_map::Values<'a, u64, Branch>;

impl<'a> IntoIterator for &'a Children {
    type Item = &'a Branch;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Children {
    /// All, in order of appearance.
    pub fn iter(&self) -> Iter<'_> {
        self.slots.values()
    }

    /// How many branches there are; a fold is one.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The first.
    pub fn first(&self) -> Option<&Branch> {
        self.iter().next()
    }

    /// The folds alone.
    pub fn folds(&self) -> impl Iterator<Item = &Fold> {
        self.iter().filter_map(|branch| match branch {
            Branch::Fold(fold) => Some(&**fold),
            Branch::Task(_) => None,
        })
    }

    pub(super) fn folds_mut(&mut self) -> impl Iterator<Item = &mut Fold> {
        self.slots.values_mut().filter_map(|branch| match branch {
            Branch::Fold(fold) => Some(&mut **fold),
            Branch::Task(_) => None,
        })
    }

    /// The tasks that are not in folds.
    pub fn tasks_kept(&self) -> impl Iterator<Item = TaskId> {
        self.iter().filter_map(|branch| match branch {
            Branch::Task(id) => Some(*id),
            Branch::Fold(_) => None,
        })
    }

    /// How many tasks are in the folds here, at all depths.
    pub fn tasks(&self) -> u64 {
        self.folds()
            .fold(0, |sum, fold| sum.saturating_add(fold.tasks))
    }

    /// How many children are not folds.
    pub(super) fn open(&self) -> usize {
        self.slots.len().saturating_sub(self.index.len())
    }

    /// The child that alone is not a fold.
    pub(super) fn only_open(&self) -> Option<TaskId> {
        // There are at most MAX_FOLDS others to look at.
        if self.open() == 1 {
            self.tasks_kept().next()
        } else {
            None
        }
    }

    /// Folds in here at all depths, and levels of them.
    pub(super) fn extent(&self) -> (usize, usize) {
        let height = self.folds().map(|fold| fold.height).max();
        (self.nodes, height.unwrap_or(0))
    }

    /// Counts the folds anew, from what they say.
    pub(super) fn measure(&mut self) {
        self.nodes = self.folds().map(|fold| fold.nodes).sum();
    }

    /// Adds a task at the end; returns its slot.
    pub(super) fn push(&mut self, id: TaskId) -> u64 {
        let slot = self.next;
        self.next += 1;
        self.slots.insert(slot, Branch::Task(id));
        slot
    }

    /// Takes a task out.
    pub(super) fn remove(&mut self, slot: u64) {
        if matches!(self.slots.get(&slot), Some(Branch::Task(_))) {
            self.slots.remove(&slot);
        }
    }

    /// Takes the tasks out, in order, and leaves the folds.
    pub(super) fn take_open(&mut self) -> Vec<TaskId> {
        let open = self.tasks_kept().collect();
        self.slots
            .retain(|_, branch| matches!(branch, Branch::Fold(_)));
        open
    }
}
