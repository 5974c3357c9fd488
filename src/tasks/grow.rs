//! What each event does to the tree: births, execs, ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::model::{Children, Ended, Fold, Program, Task, ThreadGroup, Via};
use super::tree::{Node, TaskTree};
use crate::event::{
    Appeared, CloneCall, Created, Ending, Event, EventKind, Exec, Exit, Header, How, Kind, Outcome,
    TaskId, Tid,
};

impl TaskTree {
    /// Takes in one event. Events that make no sense (an exit of an unknown task) change counts only.
    pub fn apply(&mut self, event: &Event) {
        let header = &event.header;
        match &event.kind {
            EventKind::Start(start) => {
                self.start.get_or_insert_with(|| start.clone());
            }
            EventKind::End(end) => self.end = Some(end.clone()),
            EventKind::Task(appeared) => self.unseen_birth(header, appeared),
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

    /// A task that no seen call made.
    fn unseen_birth(&mut self, header: &Header, event: &Appeared) {
        let task = Task {
            id: header.task,
            tid: event.tid,
            tgid: event.tgid,
            kind: event.kind,
            comm: event.comm.clone(),
            program: None,
            execed: false,
            via: None,
            how: Some(event.how.clone()),
            untraced: 0,
            born_ns: header.at_ns,
            end: None,
            let_go_ns: None,
            children: Children::default(),
            generations: None,
        };
        if event.how != How::Attached {
            self.introduce(task, None);
            return;
        }
        // Who created what ran before is not known; whose thread or child it is, is.
        let (above, strays) = match event.kind {
            Kind::Thread => (Some(event.tgid), Vec::new()),
            Kind::Process => (event.ppid, self.attached_threads(event.tgid)),
        };
        let above = above.and_then(|tgid| self.group(tgid));
        let leader = above.filter(|group| group.led).map(|group| group.leader);
        self.introduce(task, leader);
        for thread in strays {
            self.hang_under(thread, header.task);
        }
    }

    /// The attached threads of a process whose leader has not been told of.
    fn attached_threads(&self, tgid: Tid) -> Vec<TaskId> {
        let group = self.group(tgid).filter(|group| !group.led);
        let live = group.into_iter().flat_map(|group| &group.live);
        live.copied()
            .filter(|id| {
                let node = self.tasks.get(id).filter(|node| node.parent.is_none());
                node.is_some_and(|node| node.task.how == Some(How::Attached))
            })
            .collect()
    }

    /// Moves a root to the children of another task.
    fn hang_under(&mut self, id: TaskId, parent: TaskId) {
        let Some(slot) = self.tasks.get(&id).map(|node| node.slot) else {
            return;
        };
        if !self.tasks.contains_key(&parent) {
            return;
        }
        self.roots.remove(slot);
        let Some(slot) = self.children_mut(Some(parent)).map(|all| all.push(id)) else {
            return;
        };
        if let Some(node) = self.tasks.get_mut(&id) {
            (node.parent, node.slot) = (Some(parent), slot);
        }
    }

    /// A call, whatever came of it.
    fn called(&mut self, header: &Header, call: &CloneCall) {
        let name = call.request.call.name();
        add(self.totals.calls.entry(name.to_owned()).or_default());
        if let Some(caller) = self.tasks.get_mut(&header.task)
            && !caller.task.is_gone()
        {
            caller.task.comm.clone_from(&call.comm);
        }
        match &call.outcome {
            Outcome::Created(created) => {
                add(&mut self.totals.created);
                self.created(header, call, created);
            }
            Outcome::Failed { .. } => add(&mut self.totals.failed),
            Outcome::Untraced { .. } => {
                add(&mut self.totals.untraced);
                if let Some(caller) = self.tasks.get_mut(&header.task) {
                    add(&mut caller.task.untraced);
                }
            }
            Outcome::Unfinished {} => add(&mut self.totals.unfinished),
            Outcome::Other(_) => {}
        }
    }

    /// A call that made a task.
    fn created(&mut self, header: &Header, call: &CloneCall, created: &Created) {
        if self.claimed(header.task, call, created) {
            return;
        }
        let process = created.kind == Kind::Process;
        let inherited = self
            .group(call.tgid)
            .and_then(|group| group.program.clone())
            .or_else(|| self.task(header.task).and_then(|task| task.program.clone()));
        let task = Task {
            id: created.task,
            tid: created.tid,
            tgid: created.tgid,
            kind: created.kind,
            comm: call.comm.clone(),
            program: inherited.filter(|_| process),
            execed: false,
            via: Some(Via::of(header.task, call, created)),
            how: None,
            untraced: 0,
            born_ns: header.at_ns.saturating_add(call.took_ns.unwrap_or(0)),
            end: None,
            let_go_ns: None,
            children: Children::default(),
            generations: None,
        };
        self.introduce(task, Some(header.task));
    }

    /// A call names as its own a task that appeared as an orphan before: it gets its place below its
    /// creator.
    fn claimed(&mut self, caller: TaskId, call: &CloneCall, created: &Created) -> bool {
        let orphan = |task: &Task| {
            task.how == Some(How::Orphan) && task.via.is_none() && task.tid == created.tid
        };
        let Some(Node { parent, slot, .. }) = self
            .tasks
            .get(&created.task)
            .filter(|node| orphan(&node.task) && !node.task.is_gone())
        else {
            return false;
        };
        let (old, slot) = (*parent, *slot);
        // Nobody is created by its own descendants, whatever a line says.
        let mut above = Some(caller);
        while let Some(id) = above {
            if id == created.task {
                return true;
            }
            above = self.tasks.get(&id).and_then(|node| node.parent);
        }
        let parent = Some(caller).filter(|id| self.tasks.contains_key(id));
        if let Some(siblings) = self.children_mut(old) {
            siblings.remove(slot);
        }
        let slot = self.children_mut(parent).map(|new| new.push(created.task));
        if let (Some(slot), Some(node)) = (slot, self.tasks.get_mut(&created.task)) {
            (node.parent, node.slot) = (parent, slot);
            node.task.via = Some(Via::of(caller, call, created));
        }
        true
    }

    /// Adds a task, as the last child of its creator if that is in the tree.
    fn introduce(&mut self, task: Task, creator: Option<TaskId>) {
        self.make_room(&task);
        add(&mut self.totals.threads);
        if task.kind == Kind::Process {
            add(&mut self.totals.leaders);
        }
        // Looked up only now: to make room, the creator itself may have gone.
        let parent = creator.filter(|id| self.tasks.contains_key(id));
        let id = task.id;
        let Some(siblings) = self.children_mut(parent) else {
            return;
        };
        let slot = siblings.push(id);
        self.join(&task);
        self.by_tid.insert(task.tid, id);
        self.tasks.insert(id, Node { task, parent, slot });
        self.alive = self.alive.saturating_add(1);
        self.peak_alive = self.peak_alive.max(self.alive);
    }

    /// Retires whatever holds the number, the tid or the tgid of a new task: its end was not seen.
    fn make_room(&mut self, new: &Task) {
        if self.tasks.contains_key(&new.id) {
            self.evict(new.id, new.born_ns);
        }
        if let Some(old) = self.by_tid.get(&new.tid).copied() {
            self.retire(old, new.born_ns);
        }
        if new.kind == Kind::Process
            && let Some(group) = self.groups.get(&new.tgid)
            && group.led
        {
            for old in group.live.clone() {
                self.retire(old, new.born_ns);
            }
        }
    }

    /// Ends a live task whose end was not seen.
    fn retire(&mut self, id: TaskId, at_ns: u64) {
        self.mark_lost(id, at_ns);
        self.finish(id);
    }

    /// Takes a task out of the tree, so that its number is free: what it created that is not gone
    /// becomes roots.
    fn evict(&mut self, id: TaskId, at_ns: u64) {
        self.mark_lost(id, at_ns);
        let orphans = match self.tasks.get_mut(&id) {
            Some(node) => node.task.children.take_open(),
            None => return,
        };
        for orphan in orphans {
            let slot = self.roots.push(orphan);
            if let Some(node) = self.tasks.get_mut(&orphan) {
                node.parent = None;
                node.slot = slot;
            }
        }
        self.finish(id);
    }

    fn mark_lost(&mut self, id: TaskId, at_ns: u64) {
        let Some(node) = self.tasks.get_mut(&id) else {
            return;
        };
        if node.task.is_gone() {
            return;
        }
        node.task.end = Some(Ended {
            how: Ending::Unknown,
            status: None,
            at_ns,
            lived_ns: None,
        });
        self.depart(id, false);
    }

    /// Enters a task into its thread group.
    fn join(&mut self, task: &Task) {
        let leads = task.kind == Kind::Process;
        let group = self.groups.entry(task.tgid).or_insert_with(|| {
            add(&mut self.totals.processes);
            ThreadGroup {
                tgid: task.tgid,
                leader: task.id,
                live: BTreeSet::new(),
                peak: 0,
                ever: 0,
                program: None,
                led: false,
            }
        });
        if leads {
            group.leader = task.id;
            group.led = true;
        }
        if group.program.is_none() {
            group.program.clone_from(&task.program);
        }
        group.live.insert(task.id);
        add(&mut group.ever);
        group.peak = group.peak.max(group.live.len() as u64);
    }

    /// A task replaced its program.
    fn execed(&mut self, id: TaskId, event: &Exec) {
        let Some(node) = self.tasks.get_mut(&id) else {
            return;
        };
        let task = &mut node.task;
        if task.is_gone() {
            return;
        }
        if let Some(comm) = &event.comm {
            task.comm.clone_from(comm);
        }
        let program = Some(Arc::new(Program {
            path: event.path.clone(),
            argv: event.argv.clone().unwrap_or_default(),
        }));
        task.program.clone_from(&program);
        task.execed = true;
        if (task.tid, task.tgid) != (event.tid, event.tgid) {
            self.renumber(id, event.tid, event.tgid);
        }
        if let Some(group) = self.groups.get_mut(&event.tgid) {
            group.program = program;
        }
    }

    /// A thread exec'd: it takes over the tid of its leader, and leads. The leader's own end is a
    /// line of its own, before or after this one.
    fn renumber(&mut self, id: TaskId, tid: Tid, tgid: Tid) {
        let Some(node) = self.tasks.get_mut(&id) else {
            return;
        };
        let task = &mut node.task;
        let (old_tid, old_tgid) = (task.tid, task.tgid);
        (task.tid, task.tgid) = (tid, tgid);
        if tid == tgid {
            task.kind = Kind::Process;
        }
        if self.by_tid.get(&old_tid) == Some(&id) {
            self.by_tid.remove(&old_tid);
        }
        self.by_tid.insert(tid, id);
        if old_tgid != tgid {
            // Nothing that the kernel does. Follow what the line says.
            self.leave(old_tgid, id, false);
            if let Some(task) = self.task(id).cloned() {
                self.join(&task);
            }
        }
        if let Some(group) = self.groups.get_mut(&tgid)
            && tid == tgid
        {
            group.leader = id;
            group.led = true;
        }
    }

    /// A task ended.
    fn exited(&mut self, header: &Header, event: &Exit) {
        let Some(node) = self.tasks.get_mut(&header.task) else {
            return;
        };
        let task = &mut node.task;
        if task.is_gone() {
            return;
        }
        if let Some(comm) = &event.comm {
            task.comm.clone_from(comm);
        }
        let seen_born = task.via.is_some();
        let lived_ns = event
            .lived_ns
            .or_else(|| seen_born.then(|| header.at_ns.saturating_sub(task.born_ns)));
        task.end = Some(Ended {
            how: event.how.clone(),
            status: event.status.clone(),
            at_ns: header.at_ns,
            lived_ns,
        });
        self.depart(header.task, event.last);
        self.finish(header.task);
    }

    /// A task was let go alive.
    fn let_go(&mut self, header: &Header) {
        let Some(node) = self.tasks.get_mut(&header.task) else {
            return;
        };
        if node.task.is_gone() {
            return;
        }
        node.task.let_go_ns = Some(header.at_ns);
        self.depart(header.task, false);
        self.finish(header.task);
    }

    /// Takes a task that is gone out of what is kept about live ones.
    fn depart(&mut self, id: TaskId, last: bool) {
        let Some((tid, tgid)) = self.task(id).map(|task| (task.tid, task.tgid)) else {
            return;
        };
        self.alive = self.alive.saturating_sub(1);
        if self.by_tid.get(&tid) == Some(&id) {
            self.by_tid.remove(&tid);
        }
        self.leave(tgid, id, last);
    }

    /// Takes a task out of its thread group, and the group away with its last task.
    fn leave(&mut self, tgid: Tid, id: TaskId, last: bool) {
        if let Some(group) = self.groups.get_mut(&tgid) {
            let was_in = group.live.remove(&id);
            if group.live.is_empty() || (last && was_in) {
                self.groups.remove(&tgid);
            }
        }
    }

    /// Folds a task that is gone into its creator's children, if nothing it created is left, then
    /// its creator likewise, and so on upwards.
    fn finish(&mut self, id: TaskId) {
        let mut next = Some(id);
        while let Some(id) = next {
            let Some(node) = self.tasks.get(&id) else {
                break;
            };
            if !node.task.is_gone() {
                break;
            }
            if node.task.children.open() > 0 {
                self.settle(id);
                break;
            }
            let Some(Node { task, parent, slot }) = self.tasks.remove(&id) else {
                break;
            };
            let fold = Fold::of_one(task, &self.seeds);
            if let Some(siblings) = self.children_mut(parent) {
                siblings.add_fold(slot, fold);
            }
            next = parent;
        }
        self.relieve();
    }
}

/// One more; a count stays at its largest value.
fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}
