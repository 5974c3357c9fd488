//! Who is traced: tasks by tid, thread groups by tgid, and the calls that are under way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::event::{Kind, TaskId, Tid};

use super::pending::{Edit, Pending};

/// A filter of the program's own, while it is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sandboxing {
    /// In the whole thread group.
    pub whole_group: bool,
    /// A positive result names a thread that could not be synchronised, and nothing was installed.
    pub positive_refuses: bool,
}

/// What a traced task is doing, as far as that matters.
#[derive(Debug)]
pub struct Tracee {
    /// clonespy's number.
    pub id: TaskId,
    /// Its tgid.
    pub tgid: Tid,
    /// Thread or process.
    pub kind: Kind,
    /// When it was created; `None` where that was not seen.
    pub born_ns: Option<u64>,
    /// It stops at every system call, because a filter of its own could hide calls from ours.
    pub full: bool,
    /// Its creation was reported, its own first stop not yet.
    pub awaited: bool,
    /// The call that it is in.
    pub call: Option<Box<Pending>>,
    /// It is installing a filter that may hide calls.
    pub sandboxing: Option<Sandboxing>,
    /// Registers to be put back at its first stop.
    pub mend: Option<Edit>,
    /// It lies in a pid namespace below ours.
    pub nested: bool,
    /// It is the init of a pid namespace.
    pub init: bool,
    /// It descends from the program that clonespy started, and so carries the filter, if there is one.
    pub started: bool,
    /// The last signal that it was let go on with.
    pub signal: Option<i32>,
    /// It was told without a creator, whose event may yet come.
    pub orphan: bool,
    /// It was asked to stop before its end, if that is wanted.
    pub stops_before_end: bool,
}

impl Tracee {
    /// A task of which nothing else is known yet: it runs, and was not there from its birth.
    pub fn new(id: TaskId, tgid: Tid, kind: Kind) -> Self {
        Self {
            id,
            tgid,
            kind,
            born_ns: None,
            full: false,
            awaited: false,
            call: None,
            sandboxing: None,
            mend: None,
            nested: false,
            init: false,
            started: false,
            signal: None,
            orphan: false,
            stops_before_end: false,
        }
    }
}

/// What a task hands down to those that it creates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lineage {
    /// It stops at every system call.
    pub full: bool,
    /// It descends from the program that clonespy started.
    pub started: bool,
}

impl From<&Tracee> for Lineage {
    fn from(tracee: &Tracee) -> Self {
        Self {
            full: tracee.full,
            started: tracee.started,
        }
    }
}

/// What is true of either holds.
impl std::ops::BitOr for Lineage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            full: self.full || other.full,
            started: self.started || other.started,
        }
    }
}

/// A live thread group.
#[derive(Debug)]
pub struct Group {
    /// The task that stands for the process: its leader, or the first that was seen.
    pub main: TaskId,
    /// Its living tasks.
    pub members: BTreeSet<Tid>,
    /// The task that made another last; it may have ended since.
    pub creator: Option<Tid>,
}

/// All live tasks.
#[derive(Debug, Default)]
pub struct Table {
    tasks: HashMap<Tid, Tracee>,
    groups: HashMap<Tid, Group>,
    /// Tasks whose tid was given to a newborn before the exec that freed it was reported.
    pub retired: BTreeMap<Tid, Tracee>,
    /// Tasks with a call under way.
    pub calling: BTreeSet<Tid>,
}

impl Table {
    /// How many tasks are alive.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The task of this tid.
    pub fn get(&self, tid: Tid) -> Option<&Tracee> {
        self.tasks.get(&tid)
    }

    /// The task of this tid, to be changed.
    pub fn get_mut(&mut self, tid: Tid) -> Option<&mut Tracee> {
        self.tasks.get_mut(&tid)
    }

    /// The group of this tgid.
    pub fn group(&self, tgid: Tid) -> Option<&Group> {
        self.groups.get(&tgid)
    }

    /// Takes in a task; one of the same tid, which must have ended unseen, is given back.
    pub fn insert(&mut self, tid: Tid, tracee: Tracee) -> Option<Tracee> {
        let old = self.remove(tid);
        let group = self.groups.entry(tracee.tgid).or_insert_with(|| Group {
            main: tracee.id,
            members: BTreeSet::new(),
            creator: None,
        });
        group.members.insert(tid);
        if tid == tracee.tgid {
            group.main = tracee.id;
        }
        if tracee.call.is_some() {
            self.calling.insert(tid);
        }
        self.tasks.insert(tid, tracee);
        old
    }

    /// Takes out a task.
    pub fn remove(&mut self, tid: Tid) -> Option<Tracee> {
        let tracee = self.tasks.remove(&tid)?;
        self.calling.remove(&tid);
        if let Some(group) = self.groups.get_mut(&tracee.tgid) {
            group.members.remove(&tid);
            if group.members.is_empty() {
                self.groups.remove(&tracee.tgid);
            }
        }
        Some(tracee)
    }

    /// Notes that a task has made another.
    pub fn has_created(&mut self, tid: Tid) {
        if let Some(tracee) = self.tasks.get(&tid)
            && let Some(group) = self.groups.get_mut(&tracee.tgid)
        {
            group.creator = Some(tid);
        }
    }

    /// Notes the call that a task is in.
    pub fn set_call(&mut self, tid: Tid, call: Pending) {
        if let Some(tracee) = self.tasks.get_mut(&tid) {
            tracee.call = Some(Box::new(call));
            self.calling.insert(tid);
        }
    }

    /// Takes the call that a task was in.
    pub fn take_call(&mut self, tid: Tid) -> Option<Pending> {
        self.calling.remove(&tid);
        self.tasks.get_mut(&tid)?.call.take().map(|call| *call)
    }

    /// The lineage of a task; nothing is handed down by one that is not known.
    pub fn lineage(&self, tid: Tid) -> Lineage {
        self.get(tid).map(Lineage::from).unwrap_or_default()
    }

    /// The call that a task is in.
    pub fn call(&self, tid: Tid) -> Option<&Pending> {
        self.get(tid)?.call.as_deref()
    }

    /// How many live tasks descend from the program that clonespy started.
    pub fn started(&self) -> usize {
        self.tasks.values().filter(|tracee| tracee.started).count()
    }

    /// The ids of the live thread groups that do.
    pub fn started_tgids(&self) -> BTreeSet<Tid> {
        let started = self.tasks.values().filter(|tracee| tracee.started);
        started.map(|tracee| tracee.tgid).collect()
    }

    /// Every live thread group.
    pub fn tgids(&self) -> impl Iterator<Item = Tid> + '_ {
        self.groups.keys().copied()
    }

    /// Every task, by tid.
    pub fn tids(&self) -> Vec<Tid> {
        let mut tids: Vec<_> = self.tasks.keys().copied().collect();
        tids.sort_unstable();
        tids
    }
}
