//! One row: who, what kind, how it ended, how long it lived.

use super::super::call::kind;
use super::super::{command, units};
use super::columns::{ENDING, RIGHT, kind_column};
use crate::abi::flags::CLONE_VFORK;
use crate::abi::say;
use crate::event::{Ending, How, Kind, Status, TaskId, Tid};
use crate::layout::{Ink, NARROW, Pen, columns, shorten};
use crate::report::{Lang, Look};
use crate::tasks::{Branch, Fold, Task, Various};

/// Columns by which a long command hangs.
const HANG: usize = 4;

/// A task or fold with what its row needs.
pub(super) struct Row<'a> {
    pub(super) task: &'a Task,
    /// How many there are, of each one above if `each`.
    pub(super) count: u64,
    pub(super) each: bool,
    pub(super) tids: (Tid, Tid),
    pub(super) lived: Option<(u64, u64)>,
    /// The name of all.
    pub(super) name: &'a str,
    /// They follow each other, each created by the one before.
    pub(super) relay: bool,
    pub(super) various: Various,
    pub(super) above: Option<Tid>,
}

impl<'a> Row<'a> {
    pub(super) fn of(
        branch: &'a Branch,
        find: impl Fn(TaskId) -> Option<&'a Task>,
        each: bool,
    ) -> Option<Self> {
        let fold = match branch {
            Branch::Task(id) => return find(*id).map(|task| Row::task(task, each)),
            Branch::Fold(fold) => fold,
        };
        let Fold {
            count,
            tids,
            lived_ns,
            name,
            various,
            example,
            ..
        } = &**fold;
        let mut row = Row::task(example, each);
        if *count > 1 || !row.relay {
            (row.count, row.tids, row.lived) = (*count, *tids, *lived_ns);
            (row.name, row.various) = (name, *various);
            row.relay = false;
        }
        Some(row)
    }

    /// One task, or the generations that it stands for.
    fn task(task: &'a Task, each: bool) -> Self {
        let lived = task
            .end
            .as_ref()
            .and_then(|end| end.lived_ns)
            .map(|ns| (ns, ns));
        let mut row = Row {
            task,
            count: 1,
            each,
            tids: (task.tid, task.tid),
            lived,
            name: &task.comm,
            relay: false,
            various: Various::default(),
            above: None,
        };
        if let Some(all) = &task.generations {
            (row.count, row.tids, row.lived) = (all.count, all.tids, all.lived_ns);
            (row.name, row.various, row.relay) = (&all.name, all.various, true);
        }
        row
    }

    fn many(&self) -> bool {
        self.count > 1 || self.each
    }

    pub(super) fn draw(&self, look: &Look, rail: &(String, String)) -> String {
        if look.style.width < NARROW {
            return self.narrow(look, rail);
        }
        let kind = kind_column(&look.style);
        let mut pen = Pen::new(&look.style);
        pen.ink(&rail.0, Ink::Faint);
        let room = kind.saturating_sub(pen.column() + 1).max(12);
        self.title_and_tids(&mut pen, look, room, &rail.1);
        pen.to(kind).put(&self.noun(look));
        let lived = self
            .lived
            .map(|(low, high)| units::durations(low, high, look.style.unicode));
        let gap = lived.as_ref().map_or(0, |text| columns(text) + 1);
        let (text, ink) = self.ending(look, RIGHT - ENDING - gap.min(RIGHT - ENDING));
        pen.to(kind + ENDING).ink(&text, ink);
        if let Some(text) = lived {
            pen.to((kind + RIGHT).saturating_sub(columns(&text)))
                .put(&text);
        }
        pen.end();
        pen.done()
    }

    /// Without columns: what does not fit beside the name goes under it.
    fn narrow(&self, look: &Look, rail: &(String, String)) -> String {
        let mut pen = Pen::new(&look.style);
        pen.ink(&rail.0, Ink::Faint);
        let room = look.style.width.saturating_sub(pen.column()).max(12);
        self.title_and_tids(&mut pen, look, room, &rail.1);
        let (ending, ink) = self.ending(look, look.style.width);
        let lived = self
            .lived
            .map(|(low, high)| units::durations(low, high, look.style.unicode));
        let noun = (self.noun(look), Ink::Plain);
        let parts = [noun, (ending, ink)];
        let parts = parts
            .into_iter()
            .chain(lived.map(|text| (text, Ink::Plain)));
        let between = look.style.glyphs().dot;
        for (text, ink) in parts {
            if pen.column() + columns(between) + columns(&text) > look.style.width {
                pen.end().ink(&rail.1, Ink::Faint).put("  ");
            } else if pen.column() > columns(&rail.1) + 2 {
                pen.put(between);
            }
            pen.ink(&text, ink);
        }
        pen.end();
        pen.done()
    }

    /// What stands left of the columns. Where nothing may be shortened and it is too long, it has
    /// lines of its own, and the columns stand in the line below.
    fn title_and_tids(&self, pen: &mut Pen<'_>, look: &Look, room: usize, under: &str) {
        let mut whole = look.clone();
        whole.style.cut &= look.verbose == 0;
        let text = if self.many() {
            self.several(&whole, room)
        } else {
            self.one(&whole, room)
        };
        if columns(&text) <= room {
            pen.put(&text);
            return;
        }
        if look.style.cut && whole.style.cut {
            pen.put(&text);
            return;
        }
        let hang = columns(under) + HANG;
        let lines = if look.style.cut {
            wrapped(look, &text, pen.column(), hang)
        } else {
            vec![text]
        };
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                pen.ink(under, Ink::Faint).to(hang);
            }
            pen.put(line).end();
        }
        pen.ink(under, Ink::Faint);
    }

    /// The row without its numbers.
    pub(super) fn reading(&self, look: &Look) -> String {
        let title = self.title(look, usize::MAX) + &self.odd(look, false);
        format!(
            "{title} {} {}",
            self.noun(look),
            self.ending(look, usize::MAX).0
        )
    }

    fn noun(&self, look: &Look) -> String {
        if self.various.call {
            return match look.lang() {
                Lang::English => units::plural(if self.many() { 2 } else { 1 }, "task"),
                Lang::Chinese => "任务".into(),
            };
        }
        let noun = kind(look, self.task.kind);
        match look.lang() {
            Lang::English => units::plural(if self.many() { 2 } else { 1 }, noun),
            Lang::Chinese => noun.to_owned(),
        }
    }

    /// `48212 worker`, and what is odd about it: with whom it shares its memory (a process shares
    /// it until it execs), that no call made it.
    fn one(&self, look: &Look, room: usize) -> String {
        let task = self.task;
        let tid = task.tid.to_string();
        let rest = |odd: &str| room.saturating_sub(tid.len() + 1 + columns(odd));
        let (long, short) = (self.odd(look, true), self.odd(look, false));
        let fits = rest(&long) >= columns(&look.comm(self.name)).min(8);
        let odd = if fits || !look.style.cut { long } else { short };
        format!("{tid} {}{odd}", self.title(look, rest(&odd).max(8)))
    }

    fn odd(&self, look: &Look, of: bool) -> String {
        let lang = look.lang();
        // Until it execs, a new process runs what its creator runs.
        let fresh = self.task.kind == Kind::Process && !self.task.execed;
        let via = self.task.via.as_ref().filter(|_| fresh);
        let shares = via.is_some_and(|via| via.shares_memory);
        let text = match (&self.task.how, self.above) {
            (Some(How::Orphan), _) => lang.pick(", orphan", "，孤儿"),
            (Some(How::Worker), _) => lang.pick(", made by the kernel", "，由内核创建"),
            (Some(How::Ptrace), _) => lang.pick(", by CLONE_PTRACE", "，经 CLONE_PTRACE"),
            (_, _) if via.is_none() || (self.relay && !shares) => "",
            (_, above) if !shares => return self.copy(look, above.filter(|_| of)),
            (_, Some(tgid)) if self.borrows() => {
                return say!(look, ", in {tgid}'s memory", "，借用 {tgid} 的内存");
            }
            (_, Some(tgid)) => {
                return say!(look, ", shares memory with {tgid}", "，与 {tgid} 共用内存");
            }
            (_, None) => lang.pick(", shares its creator's memory", "，与创建者共用内存"),
        };
        text.to_owned()
    }

    /// It runs what its creator ran when it was made.
    fn copy(&self, look: &Look, above: Option<Tid>) -> String {
        let lang = look.lang();
        match (above, self.above, self.count) {
            (Some(tgid), _, 1) => say!(look, ", copy of {tgid}", "，{tgid} 的副本"),
            (Some(tgid), _, _) => say!(look, ", copies of {tgid}", "，{tgid} 的副本"),
            // The row above is what it is a copy of.
            (None, Some(_), 1) => lang.pick(", copy", "，副本").to_owned(),
            (None, Some(_), _) => lang.pick(", copies", "，副本").to_owned(),
            (None, None, _) => lang
                .pick(", copy of its creator", "，创建者的副本")
                .to_owned(),
        }
    }

    /// It is the child of a vfork: its creator waits until it gives the memory back.
    fn borrows(&self) -> bool {
        let flags = self.task.via.as_ref().map(|via| via.flags.as_slice());
        flags.is_some_and(|flags| CLONE_VFORK.is_among(flags))
    }

    /// `worker ×20,000   tids 7002–27001`
    fn several(&self, look: &Look, room: usize) -> String {
        let glyphs = look.style.glyphs();
        let (low, high) = self.tids;
        let mut text = match self.count {
            1 => look.lang().pick(", one each", "，每个一").into(),
            n => format!(" {}{}", glyphs.times, units::count(n)),
        };
        if self.each && self.count > 1 {
            text = look
                .lang()
                .pick(format!("{text} each"), format!("，每个{text}"));
        }
        if self.relay {
            text.push_str(look.lang().pick(" in a row", " 前后相继"));
        }
        let tids = if low == high {
            format!("   tid {low}")
        } else {
            // Others of these numbers may stand in rows of their own.
            let all = u64::try_from(high.saturating_sub(low)).is_ok_and(|n| n < self.count);
            let (before, after) = match all {
                true => ("", ""),
                false => look.lang().pick(("among ", ""), ("", " 间")),
            };
            format!("   {before}tids {low}{}{high}{after}", glyphs.dash)
        };
        let (long, short) = (self.odd(look, true), self.odd(look, false));
        let name = columns(look.comm(self.name).as_str()).min(8);
        let fits = |odd: &str| columns(&text) + columns(odd) + columns(&tids) + name <= room;
        // With whom memory is shared is worth more than the tids.
        let ending = match (fits(&long), fits(&short)) {
            (true, _) => long + &tids,
            (false, true) => short + &tids,
            _ if look.style.cut => long,
            _ => long + &tids,
        };
        text.push_str(&ending);
        let room = room.saturating_sub(columns(&text)).max(8);
        self.title(look, room) + &text
    }

    /// What a task runs, if it exec'd, else its name.
    fn title(&self, look: &Look, room: usize) -> String {
        let text = match &self.task.program {
            Some(program) if self.task.execed && !self.various.program => {
                let words = if self.various.arguments {
                    1
                } else {
                    usize::MAX
                };
                command::program(&look.style, program, words)
            }
            _ => look.comm(self.name),
        };
        shorten(
            &command::without_directory(text, room, &look.style),
            room,
            &look.style,
        )
    }

    /// How it ended, in so many columns. A process's status is its own, whichever thread brought the
    /// end.
    fn ending(&self, look: &Look, room: usize) -> (String, Ink) {
        let say = |english: &str, chinese: &str, ink| {
            (look.lang().pick(english, chinese).to_owned(), ink)
        };
        if self.various.ending {
            return say("various", "不一", Ink::Odd);
        }
        let Some(end) = &self.task.end else {
            return if self.task.let_go_ns.is_some() {
                say("let go", "已脱离", Ink::Odd)
            } else {
                say("alive", "存活", Ink::Odd)
            };
        };
        match (&end.how, &end.status) {
            (Ending::Replaced, _) => say("replaced", "被取代", Ink::Plain),
            // The signal is its process's, and stands there; or at the thread that it hit.
            (Ending::CutOff, _) if self.task.kind == Kind::Thread => {
                say("cut off", "被迫结束", Ink::Plain)
            }
            (
                _,
                Some(Status::Signaled {
                    signaled,
                    core_dumped,
                }),
            ) => {
                let core = if *core_dumped { " core" } else { "" };
                let signal = look.name(signaled) + core;
                // A bare name might be one that it received and survived.
                let long = say!(look, "killed: {signal}", "死于 {signal}");
                let short = say!(look, "by {signal}", "死于 {signal}");
                let fits = [long, short].into_iter().find(|text| columns(text) <= room);
                (fits.unwrap_or(signal), Ink::Bad)
            }
            (Ending::Signal, None) => say("by a signal", "死于信号", Ink::Bad),
            (_, Some(Status::Exited { exited })) if self.task.kind == Kind::Process => {
                let ink = if *exited == 0 { Ink::Plain } else { Ink::Bad };
                say(&format!("exit {exited}"), &format!("退出 {exited}"), ink)
            }
            (Ending::CutOff, _) => say("cut off", "被迫结束", Ink::Plain),
            (Ending::Itself | Ending::Signal, _) => say("ended", "自行结束", Ink::Plain),
            (Ending::Unknown, _) => say("end unknown", "结束方式不明", Ink::Odd),
            (Ending::Other(word), _) => (look.name(word), Ink::Odd),
        }
    }
}

/// A text in lines that fit: the first begins in this column, the others in that.
fn wrapped(look: &Look, text: &str, first: usize, hang: usize) -> Vec<String> {
    let mut pen = Pen::new(&look.style);
    pen.to(first + 1).words(text, Ink::Plain, hang);
    let lines = pen.done();
    lines.lines().map(|line| line.trim().to_owned()).collect()
}
