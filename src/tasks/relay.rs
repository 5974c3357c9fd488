//! Relays: tasks that ended while what they created lives on, each the creator of the next.
//!
//! Ended tasks with two unfinished children or more are fewer than the live tasks (each branch ends
//! in one). Those with a single one form chains, which could grow without end; so neighbours
//! in a chain become one node ([`Generations`]): where they are alike at once, and where they are
//! not as soon as too many of them have piled up.

use std::mem;

use super::folding::traits;
use super::likeness::{Traits, Various, common_name, looser};
use super::model::{Generations, Task, widen, widen_known};
use super::tree::{Node, TaskTree};
use crate::event::TaskId;

/// Ended tasks that are kept for each live one, at most.
const MAX_GONE: u64 = 64;

/// To how many nodes a chain is brought down when there are more.
const CHAIN: usize = 8;

impl TaskTree {
    /// Makes one node of a task that is gone and its neighbours in a relay, if they are alike.
    pub(super) fn settle(&mut self, id: TaskId) {
        let mut id = id;
        while let Some(above) = self.parent(id) {
            if !self.alike(above, id) {
                break;
            }
            self.absorb(above, id);
            id = above;
        }
        while let Some(below) = self.heir(id) {
            if !self.alike(id, below) {
                break;
            }
            self.absorb(id, below);
        }
    }

    /// The one unfinished child of a task that is gone.
    fn heir(&self, id: TaskId) -> Option<TaskId> {
        let task = self.task(id)?;
        if task.is_gone() {
            task.children.only_open()
        } else {
            None
        }
    }

    /// Whether one is the only unfinished child of the other, both are links of a relay, and alike.
    fn alike(&self, above: TaskId, below: TaskId) -> bool {
        if self.heir(above) != Some(below) || self.heir(below).is_none() {
            return false;
        }
        let (Some(one), Some(other)) = (self.task(above), self.task(below)) else {
            return false;
        };
        let mask = various(one).or(various(other));
        let complete =
            |task: &Task| task.generations.is_none() || task.children.len() == 1 || mask.subtree;
        complete(one)
            && complete(other)
            && self.link(one).masked(mask) == self.link(other).masked(mask)
    }

    /// What a link of a relay has in common with others: `subtree` is what it made besides the next.
    fn link(&self, task: &Task) -> Traits {
        let each = task.generations.as_ref().map(|all| &all.each);
        let shape = each.unwrap_or(&task.children).shape(&self.seeds);
        traits(task, shape, &self.seeds)
    }

    /// Makes a task a further generation of its parent. Both are links of a relay.
    fn absorb(&mut self, above: TaskId, below: TaskId) {
        let (Some(one), Some(other)) = (self.task(above), self.task(below)) else {
            return;
        };
        let differences = self.link(one).differences(&self.link(other));
        let Some(mut gone) = self.tasks.remove(&below) else {
            return;
        };
        let Some(Node { task, .. }) = self.tasks.get_mut(&above) else {
            return;
        };
        let (mut all, _) = generations(task);
        let (more, heirs) = generations(&mut gone.task);
        all.join(*more, differences);
        task.generations = Some(all);
        let places: Vec<_> = heirs
            .into_iter()
            .map(|heir| (heir, task.children.push(heir)))
            .collect();
        for (heir, slot) in places {
            if let Some(node) = self.tasks.get_mut(&heir) {
                node.parent = Some(above);
                node.slot = slot;
            }
        }
    }

    /// Shortens the relays if too many tasks that are gone are kept for those that live. What that costs
    /// is paid for by the tasks that leave the tree.
    pub(super) fn relieve(&mut self) {
        let gone = (self.tasks.len() as u64).saturating_sub(self.alive);
        if gone <= MAX_GONE.saturating_mul(self.alive.saturating_add(1)) {
            return;
        }
        let is_link = |id: &TaskId| self.heir(*id).is_some();
        let heads: Vec<TaskId> = self
            .tasks
            .iter()
            .filter(|(id, node)| is_link(id) && !node.parent.as_ref().is_some_and(is_link))
            .map(|(id, _)| *id)
            .collect();
        for head in heads {
            self.shorten(head);
        }
    }

    /// Brings the chain that begins here down to a few nodes.
    fn shorten(&mut self, head: TaskId) {
        let mut chain = Vec::new();
        let mut next = Some(head);
        while let Some(id) = next {
            next = self.heir(id);
            if next.is_some()
                && let Some(task) = self.task(id)
            {
                chain.push((id, self.link(task)));
            }
        }
        let mask = chain_mask(&chain);
        let mut links = chain.into_iter();
        let Some((mut above, mut traits)) = links.next() else {
            return;
        };
        for (id, other) in links {
            if traits.masked(mask) == other.masked(mask) {
                self.absorb(above, id);
            } else {
                (above, traits) = (id, other);
            }
        }
    }
}

/// What has to be let go of, so that few enough runs of neighbours alike are left.
fn chain_mask(chain: &[(TaskId, Traits)]) -> Various {
    let runs = |mask: Various| {
        let changes = chain
            .iter()
            .zip(chain.iter().skip(1))
            .filter(|((_, one), (_, other))| one.masked(mask) != other.masked(mask));
        1 + changes.count()
    };
    let mut mask = Various::default();
    while runs(mask) > CHAIN {
        match looser(mask, CHAIN, runs) {
            Some(wider) => mask = wider,
            None => {
                mask.call = true;
                break;
            }
        }
    }
    mask
}

fn various(task: &Task) -> Various {
    let all = task.generations.as_ref();
    all.map_or_else(Various::default, |all| all.various)
}

/// Takes a link of a relay apart: as generations, and its unfinished children.
fn generations(task: &mut Task) -> (Box<Generations>, Vec<TaskId>) {
    let mut each = mem::take(&mut task.children);
    let heirs = each.take_open();
    let extra = each.tasks();
    let all = match task.generations.take() {
        Some(mut all) => {
            all.various.subtree |= extra > 0;
            all.tasks = all.tasks.saturating_add(extra);
            all
        }
        None => {
            let life = task.end.as_ref().and_then(|end| end.lived_ns);
            Box::new(Generations {
                count: 1,
                tids: (task.tid, task.tid),
                lived_ns: life.map(|ns| (ns, ns)),
                name: task.comm.clone(),
                various: Various::default(),
                each,
                tasks: extra.saturating_add(1),
            })
        }
    };
    (all, heirs)
}

impl Generations {
    /// Adds later generations, which differ from these in what `differences` says.
    fn join(&mut self, later: Generations, differences: Various) {
        self.count = self.count.saturating_add(later.count);
        self.tasks = self.tasks.saturating_add(later.tasks);
        self.tids = widen(self.tids, later.tids);
        self.lived_ns = widen_known(self.lived_ns, later.lived_ns);
        self.name = common_name(&self.name, &later.name);
        self.various = self.various.or(later.various).or(differences);
        if !self.various.subtree {
            self.each.widen(later.each);
        }
    }
}
