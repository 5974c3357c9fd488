//! Folds: tasks alike that are gone, as one row with counts and ranges.

use std::mem;

use super::likeness::{Seeds, Traits, Various, common_name};
use super::task::{Generations, Task, widen, widen_known};
use crate::event::Tid;

/// How deep a fold's subtree is kept; below that, tasks are only counted ([`Fold::only_counted`]).
/// It bounds every recursion over folds, their drop included.
pub const MAX_DEPTH: usize = 32;

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

impl Fold {
    /// A fold of one: a task that is gone and whose children are all folds.
    pub(super) fn of_one(task: Task, seeds: &Seeds) -> Fold {
        let own = task.own_tasks();
        let tasks = own.saturating_add(task.children.tasks());
        let below = tasks.saturating_sub(1);
        let life = task.end.as_ref().and_then(|end| end.lived_ns);
        let mut fold = Fold {
            count: 1,
            tids: (task.tid, task.tid),
            lived_ns: life.map(|ns| (ns, ns)),
            name: task.comm.clone(),
            various: Various::default(),
            tasks,
            descendants: (below, below),
            only_counted: 0,
            traits: Traits::of(&task, subtree(&task, seeds), seeds),
            nodes: 1,
            height: 1,
            example: task,
        };
        if let Some(all) = &fold.example.generations {
            fold.tids = all.tids;
            fold.lived_ns = all.lived_ns;
            fold.name.clone_from(&all.name);
        }
        fold.measure();
        fold.limit(MAX_DEPTH);
        fold
    }

    /// Takes in the members of another fold of the same creator. `earlier`: they came first.
    pub(super) fn merge(&mut self, mut other: Fold, earlier: bool) {
        if earlier {
            mem::swap(self, &mut other);
        }
        self.count = self.count.saturating_add(other.count);
        self.tasks = self.tasks.saturating_add(other.tasks);
        self.widen(other);
    }

    /// Widens the ranges by another fold that stands at the same place; counts stay.
    pub(super) fn widen(&mut self, other: Fold) {
        self.tids = widen(self.tids, other.tids);
        self.lived_ns = widen_known(self.lived_ns, other.lived_ns);
        self.descendants = widen(self.descendants, other.descendants);
        self.name = common_name(&self.name, &other.name);
        self.various = self
            .various
            .or(other.various)
            .or(self.traits.differences(&other.traits));
        if self.various.subtree {
            return;
        }
        if self.only_counted != other.only_counted {
            // One of them lost its subtree: ranges over both are not to be had.
            self.cut();
        } else {
            self.example.children.widen(other.example.children);
            if let (Some(mine), Some(theirs)) =
                (&mut self.example.generations, other.example.generations)
            {
                mine.widen(*theirs);
            }
            self.measure();
        }
    }

    /// The folds right below, those of each generation first.
    pub(super) fn below_mut(&mut self) -> impl Iterator<Item = &mut Fold> {
        let Task {
            generations,
            children,
            ..
        } = &mut self.example;
        let each = generations.as_mut().map(|all| all.each.folds_mut());
        each.into_iter().flatten().chain(children.folds_mut())
    }

    /// How many folds are right below.
    pub(super) fn width(&self) -> usize {
        let each = self.example.generations.as_ref();
        self.example.children.len() + each.map_or(0, |all| all.each.len())
    }

    /// Forgets the subtree but for its count.
    pub(super) fn cut(&mut self) {
        let children = mem::take(&mut self.example.children);
        self.only_counted = self.only_counted.saturating_add(children.tasks());
        if let Some(all) = &mut self.example.generations {
            all.each = Default::default();
        }
        self.measure();
    }

    /// Cuts what lies deeper than `depth` levels, this one included.
    fn limit(&mut self, depth: usize) {
        if self.height <= depth {
            return;
        }
        if depth <= 1 {
            self.cut();
            return;
        }
        for fold in self.below_mut() {
            fold.limit(depth - 1);
        }
        self.measure();
    }

    /// Sets `nodes` and `height` anew from the folds right below.
    pub(super) fn measure(&mut self) {
        self.example.children.measure();
        let (mut nodes, mut height) = self.example.children.extent();
        if let Some(all) = &mut self.example.generations {
            all.each.measure();
            let (more, other) = all.each.extent();
            nodes += more;
            height = height.max(other);
        }
        self.nodes = nodes + 1;
        self.height = height + 1;
    }

    /// Sets `nodes` and `height` anew, bottom up. Recurses no deeper than [`MAX_DEPTH`].
    pub(super) fn measure_all(&mut self) {
        for fold in self.below_mut() {
            fold.measure_all();
        }
        self.measure();
    }
}

impl Generations {
    /// Widens the ranges by another relay at the same place; counts stay.
    fn widen(&mut self, other: Generations) {
        self.tids = widen(self.tids, other.tids);
        self.lived_ns = widen_known(self.lived_ns, other.lived_ns);
        self.name = common_name(&self.name, &other.name);
        self.various = self.various.or(other.various);
        if !self.various.subtree {
            if self.each.is_empty() || other.each.is_empty() {
                self.each = Default::default();
            } else {
                self.each.widen(other.each);
            }
        }
    }
}

/// The shape of what hangs below a task.
fn subtree(task: &Task, seeds: &Seeds) -> u64 {
    let relay = task
        .generations
        .as_ref()
        .map(|all| (all.count, all.tasks, all.various, all.each.shape(seeds)));
    seeds.hash((task.children.shape(seeds), relay, task.untraced))
}
