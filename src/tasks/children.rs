//! A task's children in order of appearance, with the folds among them found by likeness.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use super::fold::Fold;
use super::likeness::{Seeds, Traits, Various, looser};
use super::task::Branch;
use crate::event::TaskId;

/// How many different folds one creator has at most; one more, and they are folded less strictly
/// until half as many are left.
pub const MAX_FOLDS: usize = 64;

/// How many folds hang below one creator at most, at all depths; beyond that the deepest are only
/// counted.
pub const MAX_NODES: usize = 4096;

/// Children in order of appearance. A fold stands where its first member stood.
#[derive(Clone, Debug, Default)]
pub struct Children {
    slots: BTreeMap<u64, Branch>,
    /// The folds' slots by likeness, as far as `mask` leaves it.
    index: BTreeMap<Traits, u64>,
    /// What the folds here no longer need to have in common.
    mask: Various,
    next: u64,
    /// Folds in here, at all depths.
    nodes: usize,
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
    pub(super) fn fold(&mut self, slot: u64, fold: Fold) {
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

    /// Takes the tasks out, in order, and leaves the folds.
    pub(super) fn take_open(&mut self) -> Vec<TaskId> {
        let open = self.tasks_kept().collect();
        self.slots
            .retain(|_, branch| matches!(branch, Branch::Fold(_)));
        open
    }
}
