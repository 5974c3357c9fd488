//! Text for people: a line a call as it happens, the tree at the end.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use super::alike::{Alike, Like, Line, Timed};
use super::call::{self, WHAT, pid, remark, who};
use super::exec::{arguments, exec};
use super::flagset::Sets;
use super::found::{Findings, full, is_said};
use super::lang::say;
use super::pen::{Ink, Pen};
use super::remarks::{list, remarks, said};
use super::scope::Scope;
use super::stamp::Stamper;
use super::table::Table;
use super::{Destination, Look, Reporter, Summary, stats, tree, units};
use crate::event::{
    Appeared, Blind, CloneCall, Copied, Event, Exec, Finding, How, Intercept, Outcome, Start,
    Stats, TaskId, Unshared, Word,
};
use crate::tasks::TaskTree;

/// The text report.
pub(super) struct Text {
    out: BufWriter<Destination>,
    look: Look,
    stamper: Stamper,
    sets: Sets,
    scope: Scope,
    alike: Alike,
    table: Table,
    /// The names of living tasks: an exec is told under the name that the task had.
    names: HashMap<TaskId, String>,
    /// The launched task, until its first exec: that one is no news.
    launched: Option<TaskId>,
    stats: Option<Stats>,
    found: Findings,
    /// The last call whose line is not shown, by its position in the trace.
    hidden: Option<u64>,
    /// Something stands above the tree.
    written: bool,
    /// The heads of the columns stand above the lines.
    headed: bool,
    ended: bool,
}

impl Text {
    pub(super) fn new(out: Destination, mut look: Look) -> Self {
        let stamper = Stamper::new(&look);
        if look.cut {
            look.width = look.width.saturating_sub(stamper.width()).max(20);
        }
        Text {
            out: BufWriter::new(out),
            look,
            stamper,
            sets: Sets::default(),
            scope: Scope::default(),
            alike: Alike::default(),
            table: Table::default(),
            names: HashMap::new(),
            launched: None,
            stats: None,
            found: Findings::default(),
            hidden: None,
            written: false,
            headed: false,
            ended: false,
        }
    }

    /// Writes lines with their times.
    fn write(&mut self, lines: Vec<Timed>) -> io::Result<()> {
        let mut written = false;
        for (at_ns, text) in lines {
            if !self.headed && !text.is_empty() {
                self.headed = true;
                let times = " ".repeat(self.stamper.width());
                let heads = call::heads(&self.look);
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
        match event {
            Event::Task(e) => {
                self.names.insert(e.task, e.comm.clone());
            }
            Event::Clone(e) => {
                self.names.insert(e.task, e.comm.clone());
                if let Outcome::Created(made) = &e.outcome {
                    // A newborn has its creator's name until it takes its own.
                    self.names.insert(made.task, e.comm.clone());
                }
            }
            _ => {}
        }
    }

    /// What is over with a task, once the line about its end is written.
    fn forget(&mut self, event: &Event) {
        let task = match event {
            Event::Exit(e) => e.task,
            Event::Detach(e) => e.task,
            _ => return,
        };
        self.names.remove(&task);
        self.alike.gone(task);
    }

    fn known(&self, task: TaskId) -> String {
        self.names.get(&task).cloned().unwrap_or_default()
    }

    /// A line about one task, in words.
    fn about(&self, tid: impl Display, task: TaskId, text: &str, ink: Ink) -> String {
        let mut pen = Pen::new(&self.look);
        who(&mut pen, &self.look, tid, &self.known(task));
        pen.words(text, ink, WHAT).end();
        pen.done()
    }

    fn call(&mut self, call: &CloneCall, tree: &TaskTree) -> Vec<Timed> {
        if !self.scope.call(&self.look, call) {
            self.hidden = Some(call.seq);
            return Vec::new();
        }
        let set = self.sets.find(&call.request);
        let text = call::lines(&self.look, call, set.as_ref(), tree);
        let made = match &call.outcome {
            Outcome::Created(made) => Some(Ok(made.kind)),
            Outcome::Failed { errno, .. } => Some(Err(errno.clone())),
            _ => None,
        };
        let (Some(made), Some(set), 0, false) = (made, set, self.look.verbose, self.look.all)
        else {
            return self.other(call.at_ns, text);
        };
        let line = Line {
            like: Like::Call {
                call: call.request.call,
                set: set.letter,
                origin: call::origin(&self.look, call),
                made,
                remarks: remarks(&self.look, call, tree),
            },
            by: call.task,
            born: match &call.outcome {
                Outcome::Created(made) => Some(made.task),
                _ => None,
            },
            at_ns: call.at_ns,
            head: call::sum(&self.look, call, tree),
            text,
        };
        self.alike.line(&self.look, line)
    }

    /// What was found, where the line that it is about would be.
    fn finding(&mut self, finding: &Finding, tree: &TaskTree) -> Vec<Timed> {
        let who = match tree.task(finding.task) {
            Some(task) => format!("{} {}", task.tid, self.look.name(&task.comm)),
            None => self.look.name(&self.known(finding.task)),
        };
        let news = self.found.learn(finding, who);
        let shown = finding.clone_seq.is_none() || finding.clone_seq != self.hidden;
        if !news
            || is_said(finding)
            || self.look.quiet >= 2
            || !shown
            || !self.scope.task(&self.look, finding.task)
        {
            return Vec::new();
        }
        let text = full(&self.look, finding);
        self.other(finding.at_ns, text)
    }

    fn exec(&mut self, event: &Exec, tree: &TaskTree) -> Vec<Timed> {
        let old = self.known(event.task);
        if let Some(comm) = &event.comm {
            self.names.insert(event.task, comm.clone());
        }
        if self.launched == Some(event.task) {
            self.launched = None;
            if self.look.verbose == 0 {
                return Vec::new();
            }
        }
        if !self.scope.task(&self.look, event.task) {
            return Vec::new();
        }
        let text = exec(&self.look, &old, event);
        let via = tree.task(event.task).and_then(|task| task.via.as_ref());
        let (Some(via), 0, None, false) = (via, self.look.verbose, event.former_tid, self.look.all)
        else {
            return self.other(event.at_ns, text);
        };
        let what = text.get(WHAT..).unwrap_or_default().trim_end();
        let mut head = Pen::new(&self.look);
        who(&mut head, &self.look, event.tid, &old);
        let name = arguments(&self.look, event);
        let name = name.split(' ').next().unwrap_or_default();
        head.put("exec  ")
            .put(name)
            .put(self.look.lang.pick(", ", "，"));
        let line = Line {
            like: Like::Exec { text: what.into() },
            by: via.creator,
            born: None,
            at_ns: event.at_ns,
            head: head.done(),
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

    fn appeared(&mut self, event: &Appeared, tree: &TaskTree) -> String {
        let look = &self.look;
        let of = event.ppid.map(|ppid| pid(look, tree, ppid));
        let what = match (&event.how, of) {
            (How::Launched, _) => {
                self.launched = Some(event.task);
                return String::new();
            }
            (How::Orphan, Some(parent)) => say!(
                look,
                "orphan of process {parent}: its creator died inside the call",
                "进程 {parent} 的孤儿：创建者死于调用之中"
            ),
            (How::Orphan, None) => look
                .lang
                .pick(
                    "orphan: its creator died inside the call",
                    "孤儿：创建者死于调用之中",
                )
                .into(),
            (How::Attached, _) => look.lang.pick("attached", "附着时已在运行").into(),
            (How::Ptrace, _) => look
                .lang
                .pick("handed to us by CLONE_PTRACE", "经 CLONE_PTRACE 交给我们")
                .into(),
            (How::Worker, _) => look
                .lang
                .pick(
                    "made by the kernel itself (io_uring, vhost)",
                    "由内核自己创建（io_uring、vhost）",
                )
                .into(),
            (How::Other(word), _) => look.name(word),
        };
        let tgid = pid(look, tree, event.tgid);
        let text = match event.kind {
            crate::event::Kind::Thread => {
                say!(
                    look,
                    "thread of process {tgid}, {what}",
                    "进程 {tgid} 的线程，{what}"
                )
            }
            crate::event::Kind::Process => say!(look, "process, {what}", "进程，{what}"),
        };
        let ink = if event.how == How::Attached {
            Ink::Plain
        } else {
            Ink::Odd
        };
        self.about(event.tid, event.task, &text, ink)
    }

    /// What an event has to say above the tree.
    fn lines(&mut self, event: &Event, tree: &TaskTree) -> Vec<Timed> {
        let tid = |task: TaskId| {
            tree.task(task)
                .map_or_else(|| task.to_string(), |task| task.tid.to_string())
        };
        let (task, text) = match event {
            Event::Clone(e) => return self.call(e, tree),
            Event::Exec(e) => return self.exec(e, tree),
            Event::Task(e) => (e.task, self.appeared(e, tree)),
            Event::Copy(e) => {
                let text = copied(&self.look, e);
                (e.task, self.about(tid(e.task), e.task, &text, Ink::Plain))
            }
            Event::Unshared(e) => {
                let text = unshared(&self.look, e);
                (e.task, self.about(tid(e.task), e.task, &text, Ink::Plain))
            }
            Event::Detach(e) => {
                let text = self.look.lang.pick("let go, alive", "已放走，仍存活");
                (e.task, self.about(e.tid, e.task, text, Ink::Plain))
            }
            _ => return Vec::new(),
        };
        if !self.scope.task(&self.look, task) {
            return Vec::new();
        }
        self.other(event.at_ns().unwrap_or_default(), text)
    }

    /// What makes the report incomplete: said as long as there is a report at all.
    fn gaps(&mut self, event: &Event) -> Vec<Timed> {
        let text = match event {
            Event::Start(e) => start(&self.look, e),
            Event::Blind(e) => self.blind(e),
            Event::Kill(e) => {
                let (signal, why) = (self.look.name(&e.signal), said(&self.look, &e.why));
                let text = say!(
                    self.look,
                    "clonespy sends {signal}: {why}",
                    "clonespy 发送 {signal}：{why}"
                );
                self.about(e.tgid, e.task, &text, Ink::Odd)
            }
            Event::Lost(e) => {
                let what = self.look.name(&e.what);
                let many = units::counted(e.count, "event", self.look.lang);
                self.note(&say!(
                    self.look,
                    "{many} of type {what} lost",
                    "丢失 {what} 类型的 {many}"
                ))
            }
            _ => return Vec::new(),
        };
        self.other(event.at_ns().unwrap_or_default(), text)
    }

    fn blind(&self, event: &Blind) -> String {
        let (what, why) = (list(&self.look, &event.what), said(&self.look, &event.why));
        let text = say!(
            self.look,
            "from here on not seen: {what} ({why})",
            "此后看不到：{what}（{why}）"
        );
        self.about(event.tid, event.task, &text, Ink::Odd)
    }

    fn note(&self, text: &str) -> String {
        let mut pen = Pen::new(&self.look);
        remark(&mut pen, text);
        pen.done()
    }

    /// The tree and the totals. The stamps have their columns above it alone.
    fn tree(&mut self, tree: &TaskTree) -> io::Result<()> {
        if self.written {
            self.out.write_all(b"\n")?;
        }
        let times = if self.look.cut {
            self.stamper.width()
        } else {
            0
        };
        let look = Look {
            width: self.look.width + times,
            ..self.look.clone()
        };
        let out = &mut self.out;
        tree::rows(&look, tree, |row| out.write_all(row.as_bytes()))?;
        let totals = tree
            .end()
            .map_or_else(|| tree.totals(), |end| end.totals.clone());
        let mut pen = Pen::new(&look);
        pen.parts(&call::totals(&look, &totals), Ink::Plain, 0)
            .end();
        self.out.write_all(pen.done().as_bytes())?;
        let found = self.found.sum(&look);
        self.out.write_all(found.as_bytes())?;
        self.written = true;
        Ok(())
    }

    /// What is said where a trace did not end in order.
    fn cut_short(&self, tree: &TaskTree) -> String {
        let lang = self.look.lang;
        let why = match tree.end().map(|end| end.cut.as_deref()) {
            Some(None) => return String::new(),
            None => lang
                .pick(
                    "the trace was cut short: what came after is not known",
                    "跟踪记录被截断：此后之事不得而知",
                )
                .into(),
            Some(Some("timeout")) => lang
                .pick(
                    "the time was up before the last task ended",
                    "时限已到，尚有任务未结束",
                )
                .into(),
            Some(Some("interrupt")) => lang
                .pick(
                    "tracing was interrupted before the last task ended",
                    "跟踪被中断，尚有任务未结束",
                )
                .into(),
            Some(Some(other)) => self.look.name(other),
        };
        self.note(&why)
    }
}

impl Reporter for Text {
    fn event(&mut self, event: &Event, tree: &TaskTree) -> io::Result<()> {
        match event {
            Event::Start(start) => self.stamper.begin(&start.wall),
            Event::Stats(stats) => self.stats = Some(stats.clone()),
            Event::End(_) => self.ended = true,
            Event::Clone(call) if self.look.summary != Summary::No => self.table.count(call),
            _ => {}
        }
        if self.look.quiet >= 3 || self.look.summary == Summary::Only {
            return Ok(());
        }
        let mut lines = match event {
            Event::Finding(finding) => self.finding(finding, tree),
            _ => self.gaps(event),
        };
        if self.look.quiet < 2 {
            self.learn(event);
            self.scope.learn(&self.look, event);
            lines.extend(self.lines(event, tree));
            self.forget(event);
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

/// How calls are caught, where that is not what was hoped for.
fn start(look: &Look, event: &Start) -> String {
    let mut pen = Pen::new(look);
    if let Some(why) = &event.intercept_why {
        let other;
        let (english, chinese) = match &event.intercept {
            Word::Known(Intercept::Seccomp) => ("by a seccomp filter", "seccomp 过滤器"),
            Word::Known(Intercept::Event) => ("by the kernel's events alone", "仅凭内核事件"),
            Word::Known(Intercept::Syscall) => {
                ("by a stop at every system call", "停在每个系统调用")
            }
            Word::Other(word) => {
                other = look.name(word);
                (other.as_str(), other.as_str())
            }
        };
        let (how, why) = (look.lang.pick(english, chinese), said(look, why));
        remark(
            &mut pen,
            &say!(
                look,
                "calls are caught {how}: {why}",
                "捕获调用的方式：{how}（{why}）"
            ),
        );
    }
    if !event.blind.is_empty() {
        let blind = list(look, &event.blind);
        remark(
            &mut pen,
            &say!(look, "not seen: {blind}", "看不到：{blind}"),
        );
    }
    pen.done()
}

fn copied(look: &Look, event: &Copied) -> String {
    let (access, address) = (look.name(&event.access), event.address);
    let mut text = say!(
        look,
        "page copied: {access} to {address}",
        "复制页面：{access} {address}"
    );
    if let Some(mapping) = &event.mapping {
        let mapping = look.name(mapping);
        text.push_str(&say!(look, " in {mapping}", "，在 {mapping} 中"));
    }
    if let Some(symbol) = &event.symbol {
        text.push_str(&format!(" ({})", look.name(symbol)));
    }
    text
}

fn unshared(look: &Look, event: &Unshared) -> String {
    let (what, by) = (list(look, &event.what), look.name(&event.by));
    say!(
        look,
        "{what} of its own from now on, by {by}",
        "此后自有 {what}（{by}）"
    )
}
