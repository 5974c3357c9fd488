//! The tree of all tasks, and going through it.

use std::collections::BTreeMap;

use super::likeness::Seeds;
use super::model::{Branch, Children, Fold, Iter, Task, ThreadGroup};
use crate::event::{End, Start, TaskId, Tid, Totals};

/// The tree of all tasks.
#[derive(Debug, Default)]
pub struct TaskTree {
    pub(super) seeds: Seeds,
    pub(super) tasks: BTreeMap<TaskId, Node>,
    pub(super) roots: Children,
    pub(super) groups: BTreeMap<Tid, ThreadGroup>,
    /// The live tasks by tid.
    pub(super) by_tid: BTreeMap<Tid, TaskId>,
    pub(super) totals: Totals,
    pub(super) alive: u64,
    pub(super) peak_alive: u64,
    pub(super) start: Option<Start>,
    pub(super) end: Option<End>,
}

/// A task and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub task: Task,
    /// Whose child it is; `None` for a root.
    pub parent: Option<TaskId>,
    /// Where among that one's children.
    pub slot: u64,
}

impl TaskTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
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
    pub(super) fn children_mut(&mut self, parent: Option<TaskId>) -> Option<&mut Children> {
        match parent {
            Some(id) => self.tasks.get_mut(&id).map(|node| &mut node.task.children),
            None => Some(&mut self.roots),
        }
    }
}

/// One stop on a [`Walk`], which goes through the tree without recursion: a chain of live tasks can be as
/// long as pid_max.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Visit<'a> {
    /// A task kept whole.
    Task(&'a Task),
    /// A fold; those in its example's children follow one level deeper.
    Fold(&'a Fold),
}

/// Everything in the tree with its depth (roots: 0), creators before what they created.
/// [`Generations::each`](super::Generations) is not entered.
#[derive(Debug)]
pub struct Walk<'a> {
    tree: &'a TaskTree,
    open: Vec<Iter<'a>>,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a TaskTree) -> Self {
        let open = vec![tree.roots.iter()];
        Walk { tree, open }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (usize, Visit<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(branch) = self.open.last_mut()?.next() else {
                self.open.pop();
                continue;
            };
            let depth = self.open.len() - 1;
            let (visit, children) = match branch {
                Branch::Fold(fold) => (Visit::Fold(fold), &fold.example.children),
                Branch::Task(id) => match self.tree.task(*id) {
                    Some(task) => (Visit::Task(task), &task.children),
                    None => continue,
                },
            };
            self.open.push(children.iter());
            return Some((depth, visit));
        }
    }
}
