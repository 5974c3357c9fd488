//! An index of a trace: every task and every call, kept for what lints and checks ask.

use std::collections::BTreeMap;

use crate::event::{
    Appeared, CloneCall, Created, End, Ending, Event, EventKind, Exec, Exit, Extras, Gap, Kind,
    Outcome, Start, Status, TaskId, Tid, Totals,
};
use crate::tasks::TaskTree;

/// A task of a trace, from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskRecord {
    /// clonespy's number.
    pub id: TaskId,
    /// Its tid.
    pub tid: Tid,
    /// Its thread group's id.
    pub tgid: Tid,
    /// Thread or process, as it was created.
    pub kind: Kind,
    /// Its last known name.
    pub name: String,
    /// The `seq` of the call that made it; `None` for the program itself.
    pub clone_seq: Option<u64>,
    /// How the task ended, if that was seen.
    pub how: Option<Ending>,
    /// Its own wait status.
    pub status: Option<Status>,
    /// For the leader of a process: the status of the whole process, when its last thread ended.
    pub process_status: Option<Status>,
    /// It was alive when its process ended, by exit_group, exec or a fatal signal of the group.
    pub cut_off: bool,
    /// It is a process that ended after the program that was started.
    pub outlived: bool,
    /// It has replaced its program; otherwise it is a copy of its creator to its end.
    pub execed: bool,
}

/// A call of a trace.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallRecord {
    /// Its position in the trace.
    pub seq: u64,
    /// The request and the outcome.
    pub call: CloneCall,
}

/// Every task and every call of a trace.
#[derive(Debug, Default)]
pub struct TraceIndex {
    tasks: Vec<TaskRecord>,
    calls: Vec<CallRecord>,
    tree: TaskTree,
    /// By clonespy's number: where in `tasks`.
    index: BTreeMap<TaskId, usize>,
    /// The processes by tgid: where in `tasks` the one stands that was created for them.
    groups: BTreeMap<Tid, usize>,
    root: Option<Tid>,
    root_ended: bool,
    /// What could not be seen, and why.
    blind: Vec<(Gap, String)>,
    /// What was recorded on demand.
    recorded: Extras,
}

impl TraceIndex {
    /// From the events of a trace.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut index = TraceIndex::default();
        for event in events {
            index.apply(event);
        }
        index
    }

    /// Takes in one event.
    pub fn apply(&mut self, event: &Event) {
        self.tree.apply(event);
        self.recorded.note(&event.kind);
        let header = &event.header;
        match &event.kind {
            EventKind::Start(start) => {
                let why = match &start.intercept_why {
                    Some(why) => format!("calls were caught by {}: {why}", start.intercept),
                    None => format!("calls were caught by {}", start.intercept),
                };
                let blind = start.blind.iter().map(|what| (what.clone(), why.clone()));
                self.blind.extend(blind);
            }
            EventKind::Blind(blind) => {
                let why = &blind.why;
                let blind = blind
                    .what
                    .iter()
                    .map(|what| (what.clone(), why.to_string()));
                self.blind.extend(blind);
            }
            EventKind::Task(task) => self.unseen_birth(header.task, task),
            EventKind::Clone(call) => {
                if let Outcome::Created(created) = &call.outcome {
                    self.created(header.seq, call, created);
                }
                self.calls.push(CallRecord {
                    seq: header.seq,
                    call: (**call).clone(),
                });
            }
            EventKind::Exec(exec) => self.execed(header.task, exec),
            EventKind::Exit(exit) => self.exited(header.task, exit),
            _ => {}
        }
    }

    fn add(&mut self, task: TaskRecord) {
        let place = self.tasks.len();
        self.index.insert(task.id, place);
        if task.kind == Kind::Process {
            self.groups.insert(task.tgid, place);
        }
        self.tasks.push(task);
    }

    fn unseen_birth(&mut self, id: TaskId, task: &Appeared) {
        self.root.get_or_insert(task.tgid);
        self.add(TaskRecord {
            id,
            tid: task.tid,
            tgid: task.tgid,
            kind: task.kind,
            name: task.comm.clone(),
            clone_seq: None,
            how: None,
            status: None,
            process_status: None,
            cut_off: false,
            outlived: false,
            execed: false,
        });
    }

    fn created(&mut self, seq: u64, call: &CloneCall, created: &Created) {
        // Until it renames itself it has its creator's name, which is the one at the call.
        self.add(TaskRecord {
            id: created.task,
            tid: created.tid,
            tgid: created.tgid,
            kind: created.kind,
            name: call.comm.clone(),
            clone_seq: Some(seq),
            how: None,
            status: None,
            process_status: None,
            cut_off: false,
            outlived: false,
            execed: false,
        });
    }

    fn task_mut(&mut self, id: TaskId) -> Option<&mut TaskRecord> {
        let place = *self.index.get(&id)?;
        self.tasks.get_mut(place)
    }

    fn execed(&mut self, id: TaskId, exec: &Exec) {
        if let Some(task) = self.task_mut(id) {
            task.execed = true;
            if let Some(comm) = &exec.comm {
                task.name.clone_from(comm);
            }
        }
    }

    fn exited(&mut self, id: TaskId, exit: &Exit) {
        if let Some(task) = self.task_mut(id) {
            if let Some(comm) = &exit.comm {
                task.name.clone_from(comm);
            }
            task.cut_off = exit.how == Ending::CutOff;
            task.how = Some(exit.how.clone());
            task.status.clone_from(&exit.status);
        }
        if !exit.last {
            return;
        }
        let late = self.root_ended;
        self.root_ended |= self.root == Some(exit.tgid);
        if let Some(place) = self.groups.remove(&exit.tgid)
            && let Some(leader) = self.tasks.get_mut(place)
        {
            leader.process_status.clone_from(&exit.status);
            leader.outlived = late;
        }
    }

    /// Every task, in order of appearance.
    pub fn tasks(&self) -> &[TaskRecord] {
        &self.tasks
    }

    /// The task of this number.
    pub fn task(&self, id: TaskId) -> Option<&TaskRecord> {
        self.tasks.get(*self.index.get(&id)?)
    }

    /// Every call, in order of outcome.
    pub fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    /// What was recorded on demand, as far as there was something to record it of.
    pub fn recorded(&self) -> &Extras {
        &self.recorded
    }

    /// The folded tree of the same tasks.
    pub fn tree(&self) -> &TaskTree {
        &self.tree
    }

    /// The trace's first line.
    pub fn start(&self) -> Option<&Start> {
        self.tree.start()
    }

    /// The trace's last line.
    pub fn end(&self) -> Option<&End> {
        self.tree.end()
    }

    /// How the program ended.
    pub fn status(&self) -> Option<&Status> {
        self.end()?.status.as_ref()
    }

    /// Why the trace is not whole, if it is not.
    pub fn cut(&self) -> Option<String> {
        match self.end() {
            None => Some("the trace stops before its end".to_owned()),
            Some(end) => match &end.cut {
                Some(why) => Some(format!("the trace was ended early ({why})")),
                None => self.gap(&end.totals),
            },
        }
    }

    /// In what the lines of the trace do not add up to what its last one counts.
    fn gap(&self, end: &Totals) -> Option<String> {
        let lines = self.tree.totals();
        let counts = [
            ("processes", lines.processes, end.processes),
            ("threads", lines.threads, end.threads),
            ("calls that created a task", lines.created, end.created),
            ("calls that failed", lines.failed, end.failed),
        ];
        let (what, lines, end) = counts.iter().find(|(_, lines, end)| lines != end)?;
        Some(format!(
            "the trace's lines show {lines} {what}, and its end counts {end}: a line is missing, or is of a newer clonespy"
        ))
    }

    /// Why something could not be seen, if it could not: whether a gap hides it is asked of each.
    pub fn blind_to(&self, hidden: fn(&Gap) -> bool) -> Option<&str> {
        let (_, why) = self.blind.iter().find(|(gap, _)| hidden(gap))?;
        Some(why)
    }
}
