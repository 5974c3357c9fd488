//! Events made by hand, and what must hold of the tree whatever they are.

mod bounds;
mod lost;
mod random;
mod relays;
mod rules;

use std::collections::BTreeSet;

use super::*;
use crate::event::{
    Appeared, Call, CallArgs, CloneCall, Created, Detach, Ending, Event, EventKind, Exec, Exit,
    Header, How, Kind, Outcome, Request, Status, TaskId, Tid, Totals,
};

/// The flags of a glibc pthread_create, shortened.
pub(super) const THREAD: &[&str] = &["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"];

/// A tree, a clock, and the numbers that were given out.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) tree: TaskTree,
    pub(super) seq: u64,
    pub(super) tasks: u64,
}

impl Trace {
    /// A trace with the launched task T1, tid 100.
    pub(super) fn launched() -> Trace {
        let mut trace = Trace::default();
        trace.appear(1, 100, 100, Kind::Process);
        trace.tasks = 1;
        trace
    }

    /// The next line, of this task.
    fn tell(&mut self, task: TaskId, kind: EventKind) {
        self.seq += 1;
        let header = Header {
            seq: self.seq,
            at_ns: self.seq * 10,
            task,
        };
        self.tree.apply(&Event { header, kind });
    }

    pub(super) fn appear(&mut self, task: u64, tid: Tid, tgid: Tid, kind: Kind) {
        self.appear_as(task, tid, tgid, kind, How::Launched);
    }

    pub(super) fn appear_as(&mut self, task: u64, tid: Tid, tgid: Tid, kind: Kind, how: How) {
        self.tell(
            TaskId(task),
            EventKind::Task(Appeared {
                tid,
                tgid,
                ppid: None,
                kind,
                comm: "main".into(),
                comm_hex: None,
                how,
                start_ticks: None,
                ns_tids: None,
            }),
        );
    }

    /// A call of the task (caller, its tgid) with this outcome.
    pub(super) fn call(
        &mut self,
        caller: (u64, Tid),
        call: Call,
        flags: &[&str],
        outcome: Outcome,
    ) {
        let task = TaskId(caller.0);
        let known = self.tree.task(task);
        let comm = known.map_or_else(|| "main".into(), |task| task.comm.clone());
        self.tell(
            task,
            EventKind::Clone(Box::new(CloneCall {
                took_ns: Some(3),
                tid: caller.1,
                tgid: caller.1,
                comm,
                comm_hex: None,
                request: Request {
                    abi: "x86_64".into(),
                    call,
                    raw: None,
                    flags: flags.iter().map(ToString::to_string).collect(),
                    flags_raw: None,
                    flags_unknown: None,
                    flags_ignored: Vec::new(),
                    exit_signal: None,
                    exit_signal_raw: None,
                    args: CallArgs::default(),
                    args_error: None,
                },
                wrote: None,
                outcome,
                libc: None,
                cgroup_path: None,
                origin: None,
                origin_certainty: None,
                caller: Vec::new(),
                runs: None,
                sharing: None,
                cost: None,
            })),
        );
    }

    pub(super) fn create(
        &mut self,
        caller: (u64, Tid),
        (task, tid, tgid): (u64, Tid, Tid),
        call: Call,
        flags: &[&str],
    ) {
        let kind = if tid == tgid {
            Kind::Process
        } else {
            Kind::Thread
        };
        let created = Outcome::Created(Created {
            task: TaskId(task),
            tid,
            tgid,
            kind,
            ns_tids: None,
            parent: None,
            untraced: None,
            seen_by: None,
            flags_contradicted: Vec::new(),
        });
        self.call(caller, call, flags, created);
    }

    /// The next number, for a thread of tgid; its tid is 99 + its number.
    pub(super) fn thread(&mut self, caller: u64, tgid: Tid) -> u64 {
        self.tasks += 1;
        let task = self.tasks;
        self.create(
            (caller, tgid),
            (task, 99 + task as Tid, tgid),
            Call::Clone3,
            THREAD,
        );
        task
    }

    /// The next number, for a process; its tid is 99 + its number.
    pub(super) fn fork(&mut self, caller: u64) -> u64 {
        self.tasks += 1;
        let task = self.tasks;
        let tid = 99 + task as Tid;
        let tgid = self.tree.task(TaskId(caller)).map_or(0, |task| task.tgid);
        self.create((caller, tgid), (task, tid, tid), Call::Fork, &[]);
        task
    }

    pub(super) fn exec(&mut self, task: u64, tid: Tid, former_tid: Option<Tid>, path: &str) {
        self.tell(
            TaskId(task),
            EventKind::Exec(Exec {
                tid,
                tgid: tid,
                former_tid,
                path: Some(path.into()),
                path_hex: None,
                argv: Some(vec![path.into()]),
                argv_hex: None,
                argv_truncated: None,
                comm: Some(path.trim_start_matches('/').into()),
                comm_hex: None,
                machine: None,
                linkage: None,
                interpreter: None,
                build_id: None,
                stripped: None,
                inherited_fds: None,
            }),
        );
    }

    pub(super) fn end(&mut self, task: u64, comm: Option<&str>, how: Ending, code: i32) {
        let known = self.tree.task(TaskId(task));
        let (tid, tgid) = known.map_or((0, 0), |task| (task.tid, task.tgid));
        let last = self
            .tree
            .group(tgid)
            .is_some_and(|group| group.live.len() == 1);
        self.tell(
            TaskId(task),
            EventKind::Exit(Exit {
                tid,
                tgid,
                comm: comm.map(str::to_owned),
                comm_hex: None,
                how,
                status: Some(Status::Exited { exited: code }),
                last,
                lived_ns: None,
                usage: None,
                unreaped: None,
            }),
        );
    }

    /// The task ends itself with status 0.
    pub(super) fn exit(&mut self, task: u64) {
        self.end(task, None, Ending::Itself, 0);
    }

    pub(super) fn detach(&mut self, task: u64) {
        self.tell(TaskId(task), EventKind::Detach(Detach { tid: 0 }));
    }

    pub(super) fn task(&self, task: u64) -> &Task {
        self.tree.task(TaskId(task)).unwrap()
    }

    /// The folds of a task's children (0: of the roots).
    pub(super) fn folds(&self, task: u64) -> Vec<&Fold> {
        match task {
            0 => self.tree.roots().folds().collect(),
            task => self.task(task).children.folds().collect(),
        }
    }
}

/// What must hold of every tree.
pub(super) fn audit(tree: &TaskTree) {
    let mut seen = BTreeSet::new();
    let (mut counted, mut nodes, mut live) = (0, 0, 0);
    let mut fits = |children: &Children| {
        for fold in children.folds() {
            nodes += audit_fold(fold, MAX_DEPTH);
        }
        assert!(children.folds().count() <= MAX_FOLDS);
        assert!(children.extent().0 <= MAX_NODES);
        children.tasks()
    };
    counted += fits(tree.roots());
    for (_, visit) in tree.walk() {
        let Visit::Task(task) = visit else { continue };
        assert!(seen.insert(task.id), "{} stands twice", task.id);
        counted += task.own_tasks() + fits(&task.children);
        if let Some(all) = &task.generations {
            fits(&all.each);
            audit_generations(all);
            let exact = all.count * (1 + all.each.tasks());
            assert!(all.various.subtree || all.tasks == exact);
        }
        for child in task.children.tasks_kept() {
            assert_eq!(tree.parent(child), Some(task.id));
        }
        live += u64::from(!task.is_gone());
        assert!(!task.is_gone() || task.children.open() > 0);
    }
    assert_eq!(seen.len(), tree.tasks.len(), "every task can be reached");
    assert_eq!(counted, tree.totals().threads, "no task is lost");
    assert_eq!(live, tree.alive());
    assert!(tree.alive() <= tree.peak_alive());
    assert_eq!(tree.size(), seen.len() + nodes);
    assert!(seen.len() as u64 - live <= 64 * (live + 1), "few are kept");
    for group in tree.groups() {
        assert!(!group.live.is_empty());
        assert!(group.live.len() as u64 <= group.peak && group.peak <= group.ever);
        for id in &group.live {
            assert!(!tree.task(*id).unwrap().is_gone());
        }
    }
    for (tid, id) in &tree.by_tid {
        let task = tree.task(*id).unwrap();
        assert!(!task.is_gone() && task.tid == *tid);
    }
}

/// What must hold of a fold; returns how many folds it is.
fn audit_fold(fold: &Fold, depth: usize) -> usize {
    assert!(depth > 0, "too deep");
    let task = &fold.example;
    assert_eq!(task.children.open(), 0);
    assert!(task.is_gone());
    let one = task.own_tasks() + task.children.tasks() + fold.only_counted;
    let (fewest, most) = fold.descendants;
    if fold.various.subtree {
        assert!((fewest + 1) * fold.count <= fold.tasks && fold.tasks <= (most + 1) * fold.count);
    } else {
        assert_eq!(fold.tasks, fold.count * one);
        assert_eq!((fewest, most), (one - 1, one - 1));
    }
    assert!(fold.tids.0 <= task.tid && task.tid <= fold.tids.1);
    assert!(!fold.various.call);
    let mut nodes = 1;
    if let Some(all) = &task.generations {
        audit_generations(all);
        nodes += each_fold(&all.each, depth);
    }
    nodes += each_fold(&task.children, depth);
    assert_eq!((nodes, true), (fold.nodes, fold.height <= depth));
    nodes
}

fn each_fold(children: &Children, depth: usize) -> usize {
    let folds = children.folds();
    folds.map(|fold| audit_fold(fold, depth - 1)).sum()
}

fn audit_generations(all: &Generations) {
    assert!(all.count > 1 && all.tasks >= all.count);
    if !all.various.subtree && !all.each.is_empty() {
        assert_eq!(all.tasks, all.count * (1 + all.each.tasks()));
    }
}
