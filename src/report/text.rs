//! Text for people: a line a call as it happens, the tree at the end.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use super::call::{self, WHAT, remark, who};
use super::flagset::Sets;
use super::pen::{Ink, Pen, columns, shorten};
use super::{Destination, Look, Reporter, escape, tree, units};
use crate::event::{
    Appeared, Blind, CloneCall, Copied, Event, Exec, How, Intercept, Outcome, Start, Stats, TaskId,
    Unshared,
};
use crate::tasks::TaskTree;

/// The text report.
pub(super) struct Text {
    out: BufWriter<Destination>,
    look: Look,
    sets: Sets,
    /// The names of living tasks: an exec is told under the name that the task had.
    names: HashMap<TaskId, String>,
    /// The launched task, until its first exec: that one is no news.
    launched: Option<TaskId>,
    stats: Option<Stats>,
    /// Something stands above the tree.
    written: bool,
    ended: bool,
}

impl Text {
    pub(super) fn new(out: Destination, look: Look) -> Self {
        Text {
            out: BufWriter::new(out),
            look,
            sets: Sets::default(),
            names: HashMap::new(),
            launched: None,
            stats: None,
            written: false,
            ended: false,
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.written |= !text.is_empty();
        self.out.write_all(text.as_bytes())
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
            Event::Exit(e) => {
                self.names.remove(&e.task);
            }
            Event::Detach(e) => {
                self.names.remove(&e.task);
            }
            _ => {}
        }
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

    fn call(&mut self, call: &CloneCall) -> String {
        if !self.look.calls.contains(call.request.call) {
            return String::new();
        }
        let set = self.sets.find(&call.request);
        call::lines(&self.look, call, set.as_ref())
    }

    fn exec(&mut self, event: &Exec) -> String {
        let old = self.known(event.task);
        if let Some(comm) = &event.comm {
            self.names.insert(event.task, comm.clone());
        }
        if self.launched == Some(event.task) {
            self.launched = None;
            if self.look.verbose == 0 {
                return String::new();
            }
        }
        exec(&self.look, &old, event)
    }

    fn appeared(&mut self, event: &Appeared) -> String {
        let what = match (&event.how, event.ppid) {
            (How::Launched, _) => {
                self.launched = Some(event.task);
                return String::new();
            }
            (How::Orphan, Some(ppid)) => {
                format!("orphan of process {ppid}: its creator died inside the call")
            }
            (How::Orphan, None) => "orphan: its creator died inside the call".into(),
            (How::Attached, _) => "attached".into(),
            (How::Ptrace, _) => "handed to us by CLONE_PTRACE".into(),
            (How::Worker, _) => "made by the kernel itself (io_uring, vhost)".into(),
            (How::Other(word), _) => self.look.name(word),
        };
        let text = match event.kind {
            crate::event::Kind::Thread => format!("thread of process {}, {what}", event.tgid),
            crate::event::Kind::Process => format!("process, {what}"),
        };
        let ink = if event.how == How::Attached {
            Ink::Plain
        } else {
            Ink::Odd
        };
        self.about(event.tid, event.task, &text, ink)
    }

    /// What an event has to say above the tree.
    fn lines(&mut self, event: &Event, tree: &TaskTree) -> String {
        let tid = |task: TaskId| {
            tree.task(task)
                .map_or_else(|| task.to_string(), |task| task.tid.to_string())
        };
        match event {
            Event::Task(e) => self.appeared(e),
            Event::Clone(e) => self.call(e),
            Event::Exec(e) => self.exec(e),
            Event::Copy(e) => {
                let text = copied(&self.look, e);
                self.about(tid(e.task), e.task, &text, Ink::Plain)
            }
            Event::Unshared(e) => {
                let text = unshared(&self.look, e);
                self.about(tid(e.task), e.task, &text, Ink::Plain)
            }
            Event::Detach(e) => {
                let mut pen = Pen::new(&self.look);
                let name = tree.task(e.task).map_or("", |task| &task.comm);
                who(&mut pen, &self.look, e.tid, name);
                pen.put("let go, alive").end();
                pen.done()
            }
            _ => String::new(),
        }
    }

    /// What makes the report incomplete: said as long as there is a report at all.
    fn gaps(&self, event: &Event) -> String {
        match event {
            Event::Start(e) => start(&self.look, e),
            Event::Blind(e) => self.blind(e),
            Event::Kill(e) => {
                let (signal, why) = (self.look.name(&e.signal), self.look.name(&e.why));
                let text = format!("clonespy sends {signal}: {why}");
                self.about(e.tgid, e.task, &text, Ink::Odd)
            }
            Event::Lost(e) => {
                let what = self.look.name(&e.what);
                self.note(&format!(
                    "{} of type {what} lost",
                    units::counted(e.count, "event")
                ))
            }
            _ => String::new(),
        }
    }

    fn blind(&self, event: &Blind) -> String {
        let what: Vec<_> = event.what.iter().map(|word| self.look.name(word)).collect();
        let why = self.look.name(&event.why);
        let text = format!("from here on not seen: {} ({why})", what.join(", "));
        self.about(event.tid, event.task, &text, Ink::Odd)
    }

    fn note(&self, text: &str) -> String {
        let mut pen = Pen::new(&self.look);
        remark(&mut pen, text);
        pen.done()
    }
}

impl Reporter for Text {
    fn event(&mut self, event: &Event, tree: &TaskTree) -> io::Result<()> {
        match event {
            Event::Stats(stats) => self.stats = Some(stats.clone()),
            Event::End(_) => self.ended = true,
            _ => {}
        }
        if self.look.quiet >= 3 {
            return Ok(());
        }
        let mut text = self.gaps(event);
        if self.look.quiet < 2 {
            self.learn(event);
            text.push_str(&self.lines(event, tree));
        }
        if text.is_empty() {
            return Ok(());
        }
        self.write(&text)?;
        self.out.flush()
    }

    fn finish(&mut self, tree: &TaskTree) -> io::Result<()> {
        let totals = tree
            .end()
            .map_or_else(|| tree.totals(), |end| end.totals.clone());
        // A program that never started is an error to tell, and no tree.
        if self.look.quiet < 3 && (self.ended || totals.threads > 0) {
            if self.written {
                self.out.write_all(b"\n")?;
            }
            let out = &mut self.out;
            tree::rows(&self.look, tree, |row| out.write_all(row.as_bytes()))?;
            let totals = tree
                .end()
                .map_or_else(|| tree.totals(), |end| end.totals.clone());
            let mut pen = Pen::new(&self.look);
            pen.parts(&call::totals(&totals), Ink::Plain, 0).end();
            self.out.write_all(pen.done().as_bytes())?;
            if !self.ended {
                let note = self.note("the trace was cut short: what came after is not known");
                self.out.write_all(note.as_bytes())?;
            }
        }
        if let Some(stats) = &self.stats {
            self.out
                .write_all(self::stats(&self.look, stats).as_bytes())?;
        }
        self.out.flush()
    }
}

/// How calls are caught, where that is not what was hoped for.
fn start(look: &Look, event: &Start) -> String {
    let mut pen = Pen::new(look);
    if let Some(why) = &event.intercept_why {
        let how = match event.intercept {
            Intercept::Seccomp => "by a seccomp filter",
            Intercept::Event => "by the kernel's events alone",
            Intercept::Syscall => "by a stop at every system call",
        };
        remark(
            &mut pen,
            &format!("calls are caught {how}: {}", look.name(why)),
        );
    }
    if !event.blind.is_empty() {
        let blind: Vec<_> = event.blind.iter().map(|word| look.name(word)).collect();
        remark(&mut pen, &format!("not seen: {}", blind.join(", ")));
    }
    pen.done()
}

/// A task replaced its program: told under its old name, with the arguments that fit.
fn exec(look: &Look, old: &str, event: &Exec) -> String {
    let mut pen = Pen::new(look);
    who(&mut pen, look, event.tid, old);
    pen.put("exec  ");
    let text = arguments(look, event);
    let room = look.width.saturating_sub(pen.column());
    let (long, short) = file(look, event).unwrap_or_default();
    if look.verbose > 0 {
        pen.words(&text, Ink::Plain, WHAT + 6)
            .words(&long, Ink::Faint, WHAT + 6);
    } else {
        // The arguments are shortened first, but not to nothing.
        let fits = columns(&long) + columns(&text).min(30) <= room;
        let file = shorten(if fits { &long } else { &short }, room / 2, look);
        let room = room.saturating_sub(columns(&file));
        pen.put(&shorten(&text, room, look)).ink(&file, Ink::Faint);
    }
    pen.end();
    if let Some(former) = event.former_tid {
        let text = format!("by thread {former}, which is {} from now on", event.tid);
        remark(&mut pen, &text);
    }
    pen.done()
}

/// The arguments, or the file where there are none.
fn arguments(look: &Look, event: &Exec) -> String {
    let argv = event.argv.as_deref().unwrap_or_default();
    let mut words: Vec<_> = argv
        .iter()
        .map(|word| escape::argument(word, look.unicode))
        .collect();
    if words.is_empty() {
        words.push(match &event.path {
            Some(path) => escape::argument(path, look.unicode),
            None => "a program whose name could not be read".into(),
        });
    }
    if event.argv_truncated == Some(true) {
        words.push(look.glyphs().ellipsis.into());
    }
    words.join(" ")
}

/// The file, with its path and without, where the first argument does not name it (`sh` that is
/// `dash`, a name that lies).
fn file(look: &Look, event: &Exec) -> Option<(String, String)> {
    fn base(path: &str) -> &str {
        path.rsplit('/').next().unwrap_or_default()
    }
    let path = event.path.as_deref()?;
    let first = event.argv.as_deref()?.first()?;
    let named = base(first.strip_prefix('-').unwrap_or(first));
    let show = |file: &str| format!("  ({})", look.name(file));
    (base(path) != named).then(|| (show(path), show(base(path))))
}

fn copied(look: &Look, event: &Copied) -> String {
    let mut text = format!(
        "page copied: {} to {}",
        look.name(&event.access),
        event.address
    );
    if let Some(mapping) = &event.mapping {
        text.push_str(&format!(" in {}", look.name(mapping)));
    }
    if let Some(symbol) = &event.symbol {
        text.push_str(&format!(" ({})", look.name(symbol)));
    }
    text
}

fn unshared(look: &Look, event: &Unshared) -> String {
    let what: Vec<_> = event.what.iter().map(|word| look.name(word)).collect();
    format!(
        "{} of its own from now on, by {}",
        what.join(", "),
        look.name(&event.by)
    )
}

/// What tracing took, in all and for each task that calls made.
fn stats(look: &Look, stats: &Stats) -> String {
    let mut pen = Pen::new(look);
    let mut line = |name: &str, counts: &BTreeMap<String, u64>| {
        let total = counts.values().fold(0u64, |sum, &n| sum.saturating_add(n));
        pen.put(&format!("{name:<9}{:>9}", units::count(total)));
        if let Some(ratio) = ratio(total, stats.created) {
            pen.put(&format!("  {ratio} a new task"));
        }
        let mut kinds: Vec<_> = counts.iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let kinds: Vec<_> = kinds
            .iter()
            .map(|&(kind, &n)| format!("{} {}", look.name(kind), units::count(n)))
            .collect();
        pen.to(36).parts(&kinds, Ink::Faint, 36).end();
    };
    line("stops", &stats.stops);
    line("requests", &stats.requests);
    line("reads", &stats.reads);
    pen.done()
}

/// `3.02`; nothing where nothing was created.
fn ratio(total: u64, created: u64) -> Option<String> {
    let hundredths = (u128::from(total) * 100).checked_div(u128::from(created))?;
    Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
}
