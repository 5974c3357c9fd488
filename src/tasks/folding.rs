//! Folding: a task that is gone joins the fold of those alike, and folds become fewer, less strict or
//! only counted where a creator has too many. What folds a creator's children folds what is in a fold.

use std::collections::BTreeSet;
use std::mem;

use super::likeness::{Seeds, Traits, Various, common_name, looser, pattern};
use super::model::{Branch, Children, Fold, Generations, Task, widen, widen_known};
use crate::event::{How, Kind};

/// How many different folds one creator has at most; one more, and they are folded less strictly
/// until half as many are left.
pub const MAX_FOLDS: usize = 64;

/// How many folds hang below one creator at most, at all depths; beyond that the deepest are only
/// counted.
pub const MAX_NODES: usize = 4096;

/// How deep a fold's subtree is kept; below that, tasks are only counted ([`Fold::only_counted`]).
/// It bounds every recursion over folds, their drop included.
pub const MAX_DEPTH: usize = 32;

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
            traits: traits(&task, subtree(&task, seeds), seeds),
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

/// The sides of a task whose children have this shape.
pub(super) fn traits(task: &Task, subtree: u64, seeds: &Seeds) -> Traits {
    let via = task.via.as_ref();
    let mut flags: Vec<&str> = via
        .map(|via| via.flags.iter().map(String::as_str).collect())
        .unwrap_or_default();
    flags.sort_unstable();
    flags.dedup();
    let made: (Kind, _, _, _) = (
        task.kind,
        via.map(|via| via.call),
        via.is_some_and(|via| via.shares_memory),
        task.how.as_ref().map(How::word),
    );
    let program = task.program.as_deref();
    let end = task.end.as_ref().map(|end| (&end.how, &end.status));
    Traits {
        call: seeds.hash(made),
        // NUL cannot stand in a name, so a real `*` is not taken for digits.
        name: seeds.hash(pattern(&task.comm, '\0')),
        program: seeds.hash((task.execed, program.map(|program| &program.path))),
        arguments: seeds.hash(program.map(|program| &program.argv)),
        flags: seeds.hash(flags),
        ending: seeds.hash((end, task.let_go_ns.is_some())),
        subtree,
    }
}

impl Children {
    /// The shape of what is folded here: equal for equal folds in whatever order.
    pub(super) fn shape(&self, seeds: &Seeds) -> u64 {
        let folds: Vec<_> = self
            .index
            .iter()
            .filter_map(|(key, slot)| match self.slots.get(slot) {
                Some(Branch::Fold(fold)) => Some((key, fold.count, fold.tasks)),
                _ => None,
            })
            .collect();
        seeds.hash((self.mask, folds))
    }

    /// Adds a fold for the task that had this slot: to one alike, or as a new one.
    pub(super) fn add_fold(&mut self, slot: u64, fold: Fold) {
        self.remove(slot);
        self.insert(slot, fold);
        if self.index.len() > MAX_FOLDS {
            self.loosen();
        }
        if self.nodes > MAX_NODES {
            self.trim(MAX_NODES / 2);
        }
    }

    fn insert(&mut self, slot: u64, fold: Fold) {
        let key = fold.traits.masked(self.mask);
        let place = self.index.get(&key).copied();
        let alike = place.and_then(|place| self.slots.remove(&place));
        let (Some(place), Some(Branch::Fold(mut alike))) = (place, alike) else {
            self.nodes += fold.nodes;
            self.slots.insert(slot, Branch::Fold(Box::new(fold)));
            self.index.insert(key, slot);
            return;
        };
        self.nodes = self.nodes.saturating_sub(alike.nodes);
        alike.merge(fold, slot < place);
        self.nodes += alike.nodes;
        let first = slot.min(place);
        self.slots.insert(first, Branch::Fold(alike));
        self.index.insert(key, first);
    }

    /// Lets go of one side of likeness after the other until there are few enough folds. It comes to
    /// an end above zero: kind, call and sharing, which stay, have twenty combinations.
    fn loosen(&mut self) {
        let target = MAX_FOLDS / 2;
        while self.index.len() > target {
            let left = |mask: Various| {
                let keys = self.folds().map(|fold| fold.traits.masked(mask));
                keys.collect::<BTreeSet<_>>().len()
            };
            let Some(mask) = looser(self.mask, target, left) else {
                return;
            };
            self.mask = mask;
            self.refold();
        }
    }

    /// Folds all folds anew under the present mask.
    fn refold(&mut self) {
        let slots: Vec<u64> = self.index.values().copied().collect();
        self.index.clear();
        self.nodes = 0;
        let mut folds: Vec<(u64, Box<Fold>)> = slots
            .into_iter()
            .filter_map(|slot| match self.slots.remove(&slot) {
                Some(Branch::Fold(fold)) => Some((slot, fold)),
                _ => None,
            })
            .collect();
        folds.sort_unstable_by_key(|(slot, _)| *slot);
        for (slot, fold) in folds {
            self.insert(slot, *fold);
        }
    }

    /// Keeps `budget` folds, those nearest to the creator; the rest is only counted.
    fn trim(&mut self, budget: usize) {
        let mut budget = budget;
        let mut level: Vec<&mut Fold> = self.folds_mut().collect();
        while !level.is_empty() {
            budget = budget.saturating_sub(level.len());
            let mut next = Vec::new();
            for fold in level {
                let width = fold.width();
                if next.len() + width > budget {
                    fold.cut();
                } else {
                    next.extend(fold.below_mut());
                }
            }
            level = next;
        }
        for fold in self.folds_mut() {
            fold.measure_all();
        }
        self.measure();
    }

    /// Widens the ranges of the folds by those of another creator's children of the same shape.
    pub(super) fn widen(&mut self, other: Children) {
        for branch in other.slots.into_values() {
            let Branch::Fold(theirs) = branch else {
                continue;
            };
            let place = self.index.get(&theirs.traits.masked(self.mask));
            if let Some(Branch::Fold(mine)) = place.and_then(|place| self.slots.get_mut(place)) {
                mine.widen(*theirs);
            }
        }
        self.measure();
    }
}
