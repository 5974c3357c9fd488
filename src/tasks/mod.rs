//! The model: events folded into thread groups. Live tasks are kept one by one; ended ones only
//! inside folds of tasks alike, so memory grows with what lives and not with what has ended.
//!
//! * A task that has ended, and all of whose children are folds, becomes a fold of its creator's
//!   ([`Fold`]), with others alike. A creator has at most [`MAX_FOLDS`] of them, [`MAX_NODES`] with
//!   those in them, [`MAX_DEPTH`] levels deep; what goes beyond is folded less strictly
//!   ([`Various`]) or only counted, never dropped from the counts.
//! * A task that has ended while descendants live stays in the tree. A relay of such tasks, each
//!   the creator of the next, is one task with [`Generations`].
//!
//! So the tree's size is at most some constant times the number of live tasks.

mod children;
mod fold;
mod grow;
mod likeness;
mod relay;
mod task;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

pub use self::children::{Children, Iter, MAX_FOLDS, MAX_NODES};
pub use self::fold::{Fold, MAX_DEPTH};
pub use self::likeness::Various;
pub use self::task::{Branch, Ended, Generations, Program, Task, ThreadGroup, Via};
pub use self::walk::{Visit, Walk};

use self::likeness::Seeds;
use crate::event::{End, Event, EventKind, Start, TaskId, Tid, Totals};

/// The tree of all tasks.
#[derive(Debug, Default)]
pub struct TaskTree {
    seeds: Seeds,
    tasks: BTreeMap<TaskId, Node>,
    roots: Children,
    groups: BTreeMap<Tid, ThreadGroup>,
    /// The live tasks by tid.
    by_tid: BTreeMap<Tid, TaskId>,
    totals: Totals,
    alive: u64,
    peak_alive: u64,
    start: Option<Start>,
    end: Option<End>,
}

/// A task and its place.
#[derive(Debug)]
struct Node {
    task: Task,
    /// Whose child it is; `None` for a root.
    parent: Option<TaskId>,
    /// Where among that one's children.
    slot: u64,
}

impl TaskTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one event. Events that make no sense (an exit of an unknown task) change counts only.
    pub fn apply(&mut self, event: &Event) {
        let header = &event.header;
        match &event.kind {
            EventKind::Start(start) => {
                self.start.get_or_insert_with(|| start.clone());
            }
            EventKind::End(end) => self.end = Some(end.clone()),
            EventKind::Task(appeared) => self.appeared(header, appeared),
            EventKind::Clone(call) => self.called(header, call),
            EventKind::Exec(exec) => self.execed(header.task, exec),
            EventKind::Exit(exit) => self.exited(header, exit),
            EventKind::Detach(_) => self.let_go(header),
            EventKind::Copy(_)
            | EventKind::Unshared(_)
            | EventKind::Lost(_)
            | EventKind::Blind(_)
            | EventKind::Kill(_)
            | EventKind::Finding(_)
            | EventKind::Stats(_)
            | EventKind::Unknown => {}
        }
    }

    /// The task of this number, while it is in the tree.
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(&id).map(|node| &node.task)
    }

    /// The task among whose children this one stands: its creator, or the first of its creator's
    /// generations; of an attached task its process's or parent
    /// process's leader; `None` for a root.
    pub fn parent(&self, id: TaskId) -> Option<TaskId> {
        self.tasks.get(&id).and_then(|node| node.parent)
    }

    /// The live task with this tid.
    pub fn by_tid(&self, tid: Tid) -> Option<&Task> {
        self.by_tid.get(&tid).and_then(|id| self.task(*id))
    }

    /// The live thread group of this tgid.
    pub fn group(&self, tgid: Tid) -> Option<&ThreadGroup> {
        self.groups.get(&tgid)
    }

    /// The live thread groups, by tgid.
    pub fn groups(&self) -> impl Iterator<Item = &ThreadGroup> {
        self.groups.values()
    }

    /// The tasks (or folds) that no task in the tree created.
    pub fn roots(&self) -> &Children {
        &self.roots
    }

    /// Counts so far.
    pub fn totals(&self) -> Totals {
        self.totals.clone()
    }

    /// How many tasks are alive.
    pub fn alive(&self) -> u64 {
        self.alive
    }

    /// The most tasks that were alive at once.
    pub fn peak_alive(&self) -> u64 {
        self.peak_alive
    }

    /// The trace's first line.
    pub fn start(&self) -> Option<&Start> {
        self.start.as_ref()
    }

    /// The trace's last line.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Tasks and folds that the tree holds, at all depths: what its memory goes by.
    pub fn size(&self) -> usize {
        let kept = self.tasks.values().map(|node| {
            let each = node.task.generations.as_ref();
            1 + node.task.children.extent().0 + each.map_or(0, |all| all.each.extent().0)
        });
        self.roots.extent().0 + kept.sum::<usize>()
    }

    /// Everything in the tree, creators before what they created, in order of appearance.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(self)
    }

    /// The children of a task, or the roots.
    fn children_mut(&mut self, parent: Option<TaskId>) -> Option<&mut Children> {
        match parent {
            Some(id) => self.tasks.get_mut(&id).map(|node| &mut node.task.children),
            None => Some(&mut self.roots),
        }
    }
}
