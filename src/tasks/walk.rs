//! Going through the tree without recursion: a chain of live tasks can be as long as pid_max.

use super::children::Iter;
use super::task::{Branch, Task};
use super::{Fold, TaskTree};

/// One stop on a [`Walk`].
#[derive(Clone, Copy, Debug)]
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
    pub(super) fn new(tree: &'a TaskTree) -> Self {
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
