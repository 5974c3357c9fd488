//! Text for people: a line a call as it happens, the tree at the end.

mod arguments;
mod call;
mod columns;
mod command;
mod errnos;
mod exec;
mod exit;
mod findings;
mod flags;
mod folding;
mod line;
mod notices;
mod phrases;
mod remarks;
mod stats;
mod summary;
mod tree;
mod units;

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use self::columns::Columns;
use self::exec::{Files, arguments, exec};
use self::exit::{end, lived};
use self::findings::{Findings, full, is_said};
use self::flags::Sets;
use self::folding::{Alike, Like, Line, Timed};
use self::line::{remark, who};
use self::summary::Table;
use crate::abi::say;
use crate::event::{
    Appeared, Blind, CloneCall, Detach, Event, EventKind, Exec, Exit, Finding, Header, How, Kind,
    Outcome, Stats, TaskId, Tid,
};
use crate::layout::{Ink, Pen};
use crate::report::filter::Visibility;
use crate::report::said::{list, said};
use crate::report::timestamps::Stamper;
use crate::report::{Destination, Look, Reporter, Summary};
use crate::tasks::TaskTree;

/// The text report.
pub(super) struct Text {
    out: BufWriter<Destination>,
    look: Look,
    stamper: Stamper,
    sets: Sets,
    visibility: Visibility,
    alike: Alike,
    table: Table,
    /// The names of living tasks: an exec is told under the name that the task had.
    names: HashMap<TaskId, String>,
    /// Living processes that have run no program of their own.
    copies: HashSet<TaskId>,
    files: Files,
    /// The launched task, until its first exec: that one is no news.
    launched: Option<TaskId>,
    stats: Option<Stats>,
    found: Findings,
    /// Calls that failed may not have been seen.
    blind: bool,
    /// The last call whose line is not shown, by its position in the trace.
    hidden: Option<u64>,
    /// The last call whose flags were explained, likewise.
    explained: Option<u64>,
    /// Something stands above the tree.
    written: bool,
    /// The heads of the columns stand above the lines.
    headed: bool,
    columns: Columns,
    ended: bool,
}

impl Text {
    pub(super) fn new(out: Destination, mut look: Look) -> Self {
        let stamper = Stamper::new(&look);
        if look.style.cut {
            look.style.width = look.style.width.saturating_sub(stamper.width()).max(20);
        }
        Text {
            out: BufWriter::new(out),
            look,
            stamper,
            sets: Sets::default(),
            visibility: Visibility::default(),
            alike: Alike::default(),
            table: Table::default(),
            names: HashMap::new(),
            copies: HashSet::new(),
            files: Files::default(),
            launched: None,
            stats: None,
            found: Findings::default(),
            blind: false,
            hidden: None,
            explained: None,
            written: false,
            headed: false,
            columns: Columns::default(),
            ended: false,
        }
    }

    /// Writes lines with their times.
    fn write(&mut self, lines: Vec<Timed>) -> io::Result<()> {
        let mut written = false;
        for (at_ns, text) in lines {
            if !self.headed && !text.is_empty() && self.look.summary != Summary::Only {
                self.headed = true;
                let times = " ".repeat(self.stamper.width());
                let heads = call::heads(&self.look, self.columns);
                if !heads.is_empty() {
                    write!(self.out, "{times}{heads}")?;
                }
            }
            let text = self.stamper.stamp(at_ns, text);
            written |= !text.is_empty();
            self.out.write_all(text.as_bytes())?;
        }
        self.written |= written;
        if written { self.out.flush() } else { Ok(()) }
    }

    /// What is known of a task's name, learnt before the line about it is written.
    fn learn(&mut self, event: &Event) {
        let comm = match &event.kind {
            EventKind::Task(e) => Some(&e.comm),
            EventKind::Clone(e) => Some(&e.comm),
            EventKind::Exit(e) => e.comm.as_ref(),
            _ => return,
        };
        if let Some(comm) = comm {
            self.names.insert(event.header.task, comm.clone());
        }
        if let EventKind::Clone(call) = &event.kind
            && let Outcome::Created(made) = &call.outcome
        {
            // A newborn has its creator's name until it takes its own.
            self.names.insert(made.task, call.comm.clone());
            if made.kind == Kind::Process {
                self.copies.insert(made.task);
            }
        }
    }

    /// Makes the columns wide enough for a line about this task.
    fn fit(&mut self, tid: impl Display, name: &str) {
        let (tid, name) = (tid.to_string(), self.look.comm(name));
        self.columns.fit(&self.look.style, &tid, &name);
    }

    /// What is over with a task, once the line about its end is written.
    fn forget(&mut self, event: &Event) {
        let (EventKind::Exit(_) | EventKind::Detach(_)) = event.kind else {
            return;
        };
        let task = event.header.task;
        self.names.remove(&task);
        self.copies.remove(&task);
        self.alike.gone(task);
    }

    fn known(&self, task: TaskId) -> String {
        self.names.get(&task).cloned().unwrap_or_default()
    }

    /// A line about one task, in words.
    fn about(&mut self, tid: impl Display, task: TaskId, text: &str, ink: Ink) -> String {
        let name = self.known(task);
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
        self.alike.line(&self.look, line)
    }

    /// What was found, where the line that it is about would be.
    fn finding(&mut self, header: &Header, finding: &Finding, tree: &TaskTree) -> Vec<Timed> {
        let who = match tree.task(header.task) {
            Some(task) => format!("{} {}", task.tid, self.look.comm(&task.comm)),
            None => self.look.comm(&self.known(header.task)),
        };
        let news = self.found.learn(header, finding, who);
        let shown = finding.clone_seq.is_none() || finding.clone_seq != self.hidden;
        if !news
            || is_said(finding, self.explained)
            || self.look.quiet >= 2
            || !shown
            || !self.visibility.task(&self.look.filter, header.task)
        {
            return Vec::new();
        }
        let text = full(&self.look, finding);
        self.other(header.at_ns, text)
    }

    fn exec(&mut self, header: &Header, event: &Exec, tree: &TaskTree) -> Vec<Timed> {
        self.copies.remove(&header.task);
        let old = self.known(header.task);
        if let Some(comm) = &event.comm {
            self.names.insert(header.task, comm.clone());
        }
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
        self.fit(event.tid, &self.known(header.task));
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
        self.alike.line(&self.look, line)
    }

    /// A line that is like no other; what was withheld goes before it.
    fn other(&mut self, at_ns: u64, text: String) -> Vec<Timed> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut out = self.alike.flush(&self.look);
        out.push((at_ns, text));
        out
    }

    fn appeared(&mut self, header: &Header, event: &Appeared, tree: &TaskTree) -> Vec<Timed> {
        let Some(what) = notices::appeared(&self.look, event, tree) else {
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
        self.alike(header, event.tid, String::new(), what, text)
    }

    /// The end of a task. What leaves nothing alive needs no line: the tree is next.
    fn exit(&mut self, header: &Header, event: &Exit, tree: &TaskTree) -> Vec<Timed> {
        let last = tree.alive() == 0 && event.tid == event.tgid && self.look.verbose == 0;
        if last || !self.visibility.task(&self.look.filter, header.task) {
            return Vec::new();
        }
        let Some((what, ink)) = end(&self.look, event, self.copies.contains(&header.task)) else {
            return Vec::new();
        };
        let name = self.known(header.task);
        let text = what.clone() + &lived(&self.look, event);
        let text = self.about(event.tid, header.task, &text, ink);
        self.alike(header, event.tid, name, what, text)
    }

    fn detached(&mut self, header: &Header, event: &Detach) -> Vec<Timed> {
        if !self.visibility.task(&self.look.filter, header.task) {
            return Vec::new();
        }
        let what = self.look.lang().pick("let go, alive", "已脱离跟踪，仍存活");
        let text = self.about(event.tid, header.task, what, Ink::Plain);
        self.alike(header, event.tid, String::new(), what.into(), text)
    }

    /// A line about one task, folded with others that say the same of tasks of that name.
    fn alike(
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
            &self.known(header.task),
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
        self.alike.line(&self.look, line)
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
            EventKind::Task(e) => return self.appeared(header, e, tree),
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
    fn gaps(&mut self, event: &Event, tree: &TaskTree) -> Vec<Timed> {
        let name = tree.task(event.header.task).map_or("", |task| &task.comm);
        let text = match &event.kind {
            EventKind::Start(e) => notices::start(&self.look, e),
            EventKind::Blind(e) => self.blind(e, name),
            EventKind::Kill(e) => {
                let (signal, why) = (self.look.name(&e.signal), said(&self.look, &e.why));
                let text = say!(
                    self.look,
                    "gets {signal} from clonespy: {why}",
                    "收到 clonespy 发来的 {signal}：{why}"
                );
                self.about_one(e.tgid, name, &text, Ink::Odd)
            }
            EventKind::Lost(e) => {
                let what = self.look.name(&e.what);
                let many = units::counted(e.count, "event", self.look.lang());
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
        let (what, why) = (list(&self.look, &event.what), said(&self.look, &event.why));
        let text = say!(
            self.look,
            "from here on not seen: {what} ({why})",
            "此后看不到：{what}（{why}）"
        );
        self.about_one(event.tid, name, &text, Ink::Odd)
    }

    fn note(&self, text: &str) -> String {
        let mut pen = Pen::new(&self.look.style);
        remark(&mut pen, text);
        pen.done()
    }

    /// The tree and the totals. The stamps have their columns above it alone.
    fn tree(&mut self, tree: &TaskTree) -> io::Result<()> {
        if self.written {
            self.out.write_all(b"\n")?;
        }
        let times = if self.look.style.cut {
            self.stamper.width()
        } else {
            0
        };
        let mut look = self.look.clone();
        look.style.width += times;
        let out = &mut self.out;
        tree::rows(&look, tree, |row| out.write_all(row.as_bytes()))?;
        let totals = tree
            .end()
            .map_or_else(|| tree.totals(), |end| end.totals.clone());
        let mut pen = Pen::new(&look.style);
        pen.parts(&call::totals(&look, &totals, self.blind), Ink::Plain, 0)
            .end();
        self.out.write_all(pen.done().as_bytes())?;
        let found = self.found.sum(&look);
        self.out.write_all(found.as_bytes())?;
        self.written = true;
        Ok(())
    }

    /// What is said where a trace did not end in order.
    fn cut_short(&self, tree: &TaskTree) -> String {
        notices::cut_short(&self.look, tree).map_or_else(String::new, |why| self.note(&why))
    }
}

/// Whether what is not seen are calls that failed, in the words of `start.blind`.
fn to_failures(what: &[String]) -> bool {
    what.iter().any(|what| what.starts_with("failed calls"))
}

impl Reporter for Text {
    fn event(&mut self, event: &Event, tree: &TaskTree) -> io::Result<()> {
        match &event.kind {
            EventKind::Start(start) => {
                self.stamper.begin(&start.wall);
                self.blind |= to_failures(&start.blind);
            }
            EventKind::Blind(blind) => self.blind |= to_failures(&blind.what),
            EventKind::Stats(stats) => self.stats = Some(stats.clone()),
            EventKind::End(_) => self.ended = true,
            EventKind::Clone(call) if self.look.summary != Summary::No => self.table.count(call),
            _ => {}
        }
        if self.look.quiet >= 3 {
            return Ok(());
        }
        if self.look.summary == Summary::Only {
            // What its counts lack is said of a table, too.
            let lacks = matches!(
                event.kind,
                EventKind::Start(_) | EventKind::Blind(_) | EventKind::Lost(_)
            );
            let lines = if lacks {
                self.gaps(event, tree)
            } else {
                Vec::new()
            };
            return self.write(lines);
        }
        let mut lines = match &event.kind {
            EventKind::Finding(finding) => self.finding(&event.header, finding, tree),
            _ => self.gaps(event, tree),
        };
        if self.look.quiet < 2 {
            self.learn(event);
            self.visibility.learn(&self.look.filter, event);
            lines.extend(self.lines(event, tree));
            self.forget(event);
            self.visibility.forget(event);
        }
        self.write(lines)
    }

    fn finish(&mut self, tree: &TaskTree) -> io::Result<()> {
        let rest = self.alike.flush(&self.look);
        self.write(rest)?;
        // A program that never started is an error to tell, and no tree.
        let begun = self.ended || tree.totals().threads > 0;
        if self.look.quiet < 3 && begun && self.look.summary != Summary::Only {
            self.tree(tree)?;
            let note = self.cut_short(tree);
            self.out.write_all(note.as_bytes())?;
        }
        if self.look.summary != Summary::No && begun {
            if self.written {
                self.out.write_all(b"\n")?;
            }
            let table = self.table.draw(&self.look);
            self.out.write_all(table.as_bytes())?;
            if self.look.summary == Summary::Only {
                let note = self.cut_short(tree);
                self.out.write_all(note.as_bytes())?;
            }
        }
        if let Some(stats) = &self.stats {
            self.out
                .write_all(stats::stats(&self.look, stats).as_bytes())?;
        }
        self.out.flush()
    }
}
