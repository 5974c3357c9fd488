//! What events have to say above the tree, a line each or a few.

use std::fmt::Display;

use super::call;
use super::columns::Columns;
use super::exec::{Files, arguments, exec};
use super::exit::{end, lived};
use super::findings::{Findings, in_full, stands_above};
use super::folding::{Folding, Like, Line, Timed};
use super::line::{remark, who};
use super::sets::Sets;
use super::task_names::Known;
use super::{notices, remarks, units};
use crate::abi::say;
use crate::event::{
    Appeared, Blind, CloneCall, Detach, Event, EventKind, Exec, Exit, Finding, Header, How,
    Outcome, TaskId, Tid,
};
use crate::layout::{Ink, Pen};
use crate::report::Look;
use crate::report::filter::Visibility;
use crate::tasks::TaskTree;

/// Makes the lines.
pub(super) struct Lines {
    look: Look,
    sets: Sets,
    visibility: Visibility,
    folding: Folding,
    known: Known,
    files: Files,
    /// The launched task, until its first exec: that one is no news.
    launched: Option<TaskId>,
    findings: Findings,
    /// The last call whose line is not shown, by its position in the trace.
    hidden: Option<u64>,
    /// The last call whose flags were explained, likewise.
    explained: Option<u64>,
    columns: Columns,
}

impl Lines {
    pub(super) fn new(look: Look) -> Self {
        Lines {
            look,
            sets: Sets::default(),
            visibility: Visibility::default(),
            folding: Folding::default(),
            known: Known::default(),
            files: Files::default(),
            launched: None,
            findings: Findings::default(),
            hidden: None,
            explained: None,
            columns: Columns::default(),
        }
    }

    /// What an event has to say, and what follows from it for the lines to come.
    pub(super) fn take(&mut self, event: &Event, tree: &TaskTree) -> Vec<Timed> {
        self.known.learn(event);
        self.visibility.learn(&self.look.filter, event);
        let lines = self.lines(event, tree);
        if let EventKind::Exit(_) | EventKind::Detach(_) = event.kind {
            self.known.forget(event.header.task);
            self.folding.gone(event.header.task);
        }
        self.visibility.forget(event);
        lines
    }

    /// What was withheld.
    pub(super) fn flush(&mut self) -> Vec<Timed> {
        self.folding.flush(&self.look)
    }

    /// What stands in the columns of the lines so far.
    pub(super) fn heads(&self) -> String {
        call::heads(&self.look, self.columns)
    }

    /// The findings, summed up.
    pub(super) fn findings(&self, look: &Look) -> String {
        self.findings.sum(look)
    }

    /// Makes the columns wide enough for a line about this task.
    fn fit(&mut self, tid: impl Display, name: &str) {
        let (tid, name) = (tid.to_string(), self.look.comm(name));
        self.columns.fit(&self.look.style, &tid, &name);
    }

    /// A line about one task, in words.
    fn about(&mut self, tid: impl Display, task: TaskId, text: &str, ink: Ink) -> String {
        let name = self.known.name(task);
        self.about_one(tid, &name, text, ink)
    }

    /// The same, where the name is at hand.
    fn about_one(&mut self, tid: impl Display, name: &str, text: &str, ink: Ink) -> String {
        let tid = tid.to_string();
        self.fit(&tid, name);
        let mut pen = Pen::new(&self.look.style);
        who(&mut pen, &self.look, self.columns, tid, name);
        pen.words(text, ink, self.columns.what()).end();
        pen.done()
    }

    fn call(&mut self, header: &Header, call: &CloneCall, tree: &TaskTree) -> Vec<Timed> {
        if !self.visibility.call(&self.look.filter, header.task, call) {
            self.hidden = Some(header.seq);
            return Vec::new();
        }
        let set = self.sets.find(&call.request);
        if call::explains(&self.look, set.as_ref()) {
            self.explained = Some(header.seq);
        }
        self.fit(call.tid, &call.comm);
        let at = self.columns;
        let text = call::lines(&self.look, at, call, set.as_ref(), tree);
        let made = match &call.outcome {
            Outcome::Created(made) => Some(Ok(made.kind)),
            Outcome::Failed { errno, .. } => Some(Err(errno.clone())),
            _ => None,
        };
        let (Some(made), Some(set), 0, false) = (made, set, self.look.verbose, self.look.all)
        else {
            return self.other(header.at_ns, text);
        };
        let (head, lead) = call::sum(&self.look, at, call, tree);
        let line = Line {
            like: Like::Call {
                call: call.request.call,
                set: set.letter,
                origin: call::origin(&self.look, call),
                made,
                remarks: remarks::remarks(&self.look, call, tree),
            },
            by: header.task,
            born: match &call.outcome {
                Outcome::Created(made) => Some(made.task),
                _ => None,
            },
            at_ns: header.at_ns,
            head,
            lead,
            hang: at.what(),
            text,
        };
        self.folding.line(&self.look, line)
    }

    /// What was found, where the line that it is about would be.
    pub(super) fn finding(
        &mut self,
        header: &Header,
        finding: &Finding,
        tree: &TaskTree,
    ) -> Vec<Timed> {
        let who = match tree.task(header.task) {
            Some(task) => format!("{} {}", task.tid, self.look.comm(&task.comm)),
            None => self.look.comm(&self.known.name(header.task)),
        };
        let new = self.findings.learn(header, finding, who);
        let shown = finding.clone_seq.is_none() || finding.clone_seq != self.hidden;
        if !new
            || stands_above(finding, self.explained)
            || self.look.quiet >= 2
            || !shown
            || !self.visibility.task(&self.look.filter, header.task)
        {
            return Vec::new();
        }
        let text = in_full(&self.look, finding);
        self.other(header.at_ns, text)
    }

    fn exec(&mut self, header: &Header, event: &Exec, tree: &TaskTree) -> Vec<Timed> {
        let old = self.known.name(header.task);
        self.known.exec(header.task, event.comm.as_deref());
        if self.launched == Some(header.task) {
            self.launched = None;
            if self.look.verbose == 0 {
                return Vec::new();
            }
        }
        if !self.visibility.task(&self.look.filter, header.task) {
            return Vec::new();
        }
        self.fit(event.tid, &old);
        // The name that follows, in the heads already.
        self.fit(event.tid, &self.known.name(header.task));
        let at = self.columns;
        let file = self.files.file(&self.look, event);
        let text = exec(&self.look, at, &old, event, file.as_ref());
        let via = tree.task(header.task).and_then(|task| task.via.as_ref());
        let (Some(via), 0, None, false) = (via, self.look.verbose, event.former_tid, self.look.all)
        else {
            return self.other(header.at_ns, text);
        };
        let mut head = Pen::new(&self.look.style);
        who(&mut head, &self.look, at, event.tid, &old);
        let all = arguments(&self.look, event);
        let name = all.split(' ').next().unwrap_or_default();
        head.put("exec  ");
        let lead = name.to_owned() + self.look.lang().pick(", ", "，");
        let line = Line {
            like: Like::Exec {
                program: event.path.clone(),
                arguments: all,
            },
            by: via.creator,
            born: None,
            at_ns: header.at_ns,
            head: head.done(),
            lead,
            hang: at.what(),
            text,
        };
        self.folding.line(&self.look, line)
    }

    /// A line that is like no other; what was withheld goes before it.
    fn other(&mut self, at_ns: u64, text: String) -> Vec<Timed> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut out = self.folding.flush(&self.look);
        out.push((at_ns, text));
        out
    }

    fn unseen_birth(&mut self, header: &Header, event: &Appeared, tree: &TaskTree) -> Vec<Timed> {
        let Some(what) = notices::unseen_birth(&self.look, event, tree) else {
            self.launched = Some(header.task);
            return Vec::new();
        };
        if !self.visibility.task(&self.look.filter, header.task) {
            return Vec::new();
        }
        if event.how != How::Attached {
            let text = self.about(event.tid, header.task, &what, Ink::Odd);
            return self.other(header.at_ns, text);
        }
        let text = self.about(event.tid, header.task, &what, Ink::Plain);
        // The threads of a process, whatever their names are.
        self.folded(header, event.tid, String::new(), what, text)
    }

    /// The end of a task. What leaves nothing alive needs no line: the tree is next.
    fn exit(&mut self, header: &Header, event: &Exit, tree: &TaskTree) -> Vec<Timed> {
        let last = tree.alive() == 0 && event.tid == event.tgid && self.look.verbose == 0;
        if last || !self.visibility.task(&self.look.filter, header.task) {
            return Vec::new();
        }
        let Some((what, ink)) = end(&self.look, event, self.known.is_copy(header.task)) else {
            return Vec::new();
        };
        let name = self.known.name(header.task);
        let text = what.clone() + &lived(&self.look, event);
        let text = self.about(event.tid, header.task, &text, ink);
        self.folded(header, event.tid, name, what, text)
    }

    fn detached(&mut self, header: &Header, event: &Detach) -> Vec<Timed> {
        if !self.visibility.task(&self.look.filter, header.task) {
            return Vec::new();
        }
        let what = self.look.lang().pick("let go, alive", "已脱离跟踪，仍存活");
        let text = self.about(event.tid, header.task, what, Ink::Plain);
        self.folded(header, event.tid, String::new(), what.into(), text)
    }

    /// A line about one task, folded with others that say the same of tasks of that name.
    fn folded(
        &mut self,
        header: &Header,
        tid: Tid,
        name: String,
        what: String,
        text: String,
    ) -> Vec<Timed> {
        if self.look.verbose > 0 || self.look.all {
            return self.other(header.at_ns, text);
        }
        let mut head = Pen::new(&self.look.style);
        who(
            &mut head,
            &self.look,
            self.columns,
            tid,
            &self.known.name(header.task),
        );
        let lead = what.clone() + self.look.lang().pick(", ", "，");
        let line = Line {
            like: Like::Task { name, text: what },
            by: header.task,
            born: None,
            at_ns: header.at_ns,
            head: head.done(),
            lead,
            hang: self.columns.what(),
            text,
        };
        self.folding.line(&self.look, line)
    }

    /// What an event has to say above the tree.
    fn lines(&mut self, event: &Event, tree: &TaskTree) -> Vec<Timed> {
        let tid = |task: TaskId| {
            tree.task(task)
                .map_or_else(|| task.to_string(), |task| task.tid.to_string())
        };
        let header = &event.header;
        let text = match &event.kind {
            EventKind::Clone(e) => return self.call(header, e, tree),
            EventKind::Exec(e) => return self.exec(header, e, tree),
            EventKind::Exit(e) => return self.exit(header, e, tree),
            EventKind::Task(e) => return self.unseen_birth(header, e, tree),
            EventKind::Detach(e) => return self.detached(header, e),
            EventKind::Copy(e) => notices::copied(&self.look, e),
            EventKind::Unshared(e) => notices::unshared(&self.look, e),
            _ => return Vec::new(),
        };
        let text = self.about(tid(header.task), header.task, &text, Ink::Plain);
        if !self.visibility.task(&self.look.filter, header.task) {
            return Vec::new();
        }
        self.other(header.at_ns, text)
    }

    /// What makes the report incomplete: said as long as there is a report at all, also where nobody
    /// learns the names of tasks.
    pub(super) fn gaps(&mut self, event: &Event, tree: &TaskTree) -> Vec<Timed> {
        let name = tree.task(event.header.task).map_or("", |task| &task.comm);
        let text = match &event.kind {
            EventKind::Start(e) => notices::start(&self.look, e),
            EventKind::Blind(e) => self.blind(e, name),
            EventKind::Kill(e) => {
                let (signal, why) = (
                    self.look.name(&e.signal),
                    self.look.sentence(|lang| e.why.text(lang)),
                );
                let text = say!(
                    self.look,
                    "gets {signal} from clonespy: {why}",
                    "收到 clonespy 发来的 {signal}：{why}"
                );
                self.about_one(e.tgid, name, &text, Ink::Odd)
            }
            EventKind::Lost(e) => {
                let what = self.look.name(&e.what);
                let many = units::counted(e.count, &units::EVENT, self.look.lang());
                self.note(&say!(
                    self.look,
                    "{many} of type {what} lost",
                    "丢失 {what} 类型的 {many}"
                ))
            }
            _ => return Vec::new(),
        };
        self.other(event.header.at_ns, text)
    }

    fn blind(&mut self, event: &Blind, name: &str) -> String {
        let look = &self.look;
        let what = look.row(
            event
                .what
                .iter()
                .map(|gap| look.sentence(|lang| gap.text(lang))),
        );
        let why = look.sentence(|lang| event.why.text(lang));
        let text = say!(
            self.look,
            "from here on not seen: {what} ({why})",
            "此后看不到：{what}（{why}）"
        );
        self.about_one(event.tid, name, &text, Ink::Odd)
    }

    pub(super) fn note(&self, text: &str) -> String {
        let mut pen = Pen::new(&self.look.style);
        remark(&mut pen, text);
        pen.done()
    }
}
