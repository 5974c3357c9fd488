//! Lines alike, folded as they come: the first few are shown, the rest counted and summed up when
//! something else has happened, or after a while. All of it follows from the events alone, so a
//! replay folds the same lines.

use std::collections::HashMap;

use super::remarks::Remark;
use super::units;
use crate::abi::say;
use crate::event::{Call, Kind, TaskId};
use crate::layout::{Ink, Pen};
use crate::report::Look;

/// Lines alike that are shown before they are folded: a pool of threads is seen whole.
const SHOWN: u64 = 8;
/// So many lines of other kinds between two alike, and counting begins anew.
const APART: u64 = 8;
/// Kinds of lines that are folded side by side: a shell's loop makes two, a fork and an exec; a few
/// processes that each make threads and children, some of which fail, make dozens.
const GROUPS: usize = 64;
/// So many left over are written as they are: a sum would save nothing.
const FEW: u64 = 2;
/// Lines are not withheld for longer than this.
const PATIENCE_NS: u64 = 10_000_000_000;

/// What makes two lines alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Like {
    /// Calls of one task (or of tasks that calls alike made) with one set of flags and one outcome.
    Call {
        call: Call,
        set: String,
        origin: Option<String>,
        made: Result<Kind, String>,
        /// What else there is to say of each.
        remarks: Vec<Remark>,
    },
    /// The same program with the same arguments.
    Exec {
        program: Option<String>,
        arguments: String,
    },
    /// Tasks of one name (or of any) that ended in one way, or were attached to: whoever made them.
    Task { name: String, text: String },
}

/// A line, and what is needed to fold it.
pub(super) struct Line {
    pub like: Like,
    /// Who did it: the caller, or the creator of who exec'd.
    pub by: TaskId,
    /// The task that it made.
    pub born: Option<TaskId>,
    pub at_ns: u64,
    /// The beginning of the line that sums up, and its first words.
    pub head: String,
    pub lead: String,
    /// The column in which its words hang.
    pub hang: usize,
    pub text: String,
}

#[derive(Debug)]
struct Group {
    serial: u64,
    like: Like,
    by: TaskId,
    /// The group of the calls that made those who do it, if they were made by calls alike.
    family: Option<u64>,
    /// Who did what is withheld: the first, and whether others did as well.
    caller: TaskId,
    several: bool,
    shown: u64,
    /// Lines of other kinds that had been written when the last of this one came.
    seen: u64,
    /// When the last of this kind came, in lines that were taken in.
    used: u64,
    alive: u64,
    peak: u64,
    hidden: u64,
    first_ns: u64,
    last_ns: u64,
    head: String,
    lead: String,
    hang: usize,
    /// The lines themselves, while they are few.
    few: Vec<Timed>,
}

/// A text to be written, and its time.
pub(super) type Timed = (u64, String);

/// The lines that are being folded.
#[derive(Debug, Default)]
pub(super) struct Folding {
    groups: Vec<Group>,
    /// Living tasks that a folded call made, and the group of the call.
    members: HashMap<TaskId, u64>,
    serials: u64,
    others: u64,
    uses: u64,
}

impl Folding {
    /// Takes in a line; returns what is to be written now.
    pub(super) fn line(&mut self, look: &Look, line: Line) -> Vec<Timed> {
        let at = self.groups.iter().position(|group| self.fits(group, &line));
        let at = match at {
            Some(at) => at,
            None => {
                let out = self.other(look, None);
                self.open(&line);
                self.enter(self.groups.len() - 1, line.born);
                return [out, vec![(line.at_ns, line.text)]].concat();
            }
        };
        self.enter(at, line.born);
        let others = self.others;
        self.uses += 1;
        let uses = self.uses;
        let Some(group) = self.groups.get_mut(at) else {
            return Vec::new();
        };
        group.used = uses;
        if others - group.seen > APART {
            (group.shown, group.peak) = (0, group.alive);
        }
        group.seen = others;
        if group.shown < SHOWN {
            group.shown += 1;
            let serial = group.serial;
            let mut out = self.other(look, Some(serial));
            out.push((line.at_ns, line.text));
            return out;
        }
        if group.hidden == 0 {
            (group.first_ns, group.caller, group.several) = (line.at_ns, line.by, false);
        }
        group.several |= group.caller != line.by;
        group.hidden += 1;
        if group.hidden <= FEW {
            group.few.push((line.at_ns, line.text));
        } else {
            group.few.clear();
        }
        (group.head, group.lead, group.hang) = (line.head, line.lead, line.hang);
        group.last_ns = group.last_ns.max(line.at_ns);
        if line.at_ns.saturating_sub(group.first_ns) >= PATIENCE_NS {
            return group.sum_up(look, true);
        }
        Vec::new()
    }

    /// A line of another kind is about to be written: what was withheld goes before it.
    pub(super) fn flush(&mut self, look: &Look) -> Vec<Timed> {
        self.other(look, None)
    }

    /// A task ended or was let go.
    pub(super) fn gone(&mut self, task: TaskId) {
        if let Some(serial) = self.members.remove(&task)
            && let Some(group) = self.groups.iter_mut().find(|group| group.serial == serial)
        {
            group.alive = group.alive.saturating_sub(1);
        }
    }

    fn fits(&self, group: &Group, line: &Line) -> bool {
        let relay = || self.members.get(&line.by) == Some(&group.serial);
        // Each of a thousand children makes one of its own.
        let same_family = || group.family.is_some() && group.family == self.family(line);
        let any = matches!(line.like, Like::Task { .. });
        group.like == line.like && (any || group.by == line.by || relay() || same_family())
    }

    fn family(&self, line: &Line) -> Option<u64> {
        self.members.get(&line.by).copied()
    }

    fn open(&mut self, line: &Line) {
        let longest = self.groups.iter().enumerate();
        if self.groups.len() >= GROUPS
            && let Some((at, _)) = longest.min_by_key(|(_, group)| group.used)
        {
            self.groups.remove(at);
        }
        self.serials += 1;
        self.uses += 1;
        self.groups.push(Group {
            serial: self.serials,
            like: line.like.clone(),
            by: line.by,
            family: self.family(line),
            caller: line.by,
            several: false,
            shown: 1,
            seen: self.others,
            used: self.uses,
            alive: 0,
            peak: 0,
            hidden: 0,
            first_ns: 0,
            last_ns: 0,
            head: String::new(),
            lead: String::new(),
            hang: line.hang,
            few: Vec::new(),
        });
    }

    fn enter(&mut self, at: usize, born: Option<TaskId>) {
        if let (Some(task), Some(group)) = (born, self.groups.get_mut(at)) {
            self.members.insert(task, group.serial);
            group.alive += 1;
            group.peak = group.peak.max(group.alive);
        }
    }

    /// Something else is written, but for a line of the group of this number. That is a line that may
    /// be folded soon as well: kinds that come in turn must not make each other begin anew.
    fn other(&mut self, look: &Look, but: Option<u64>) -> Vec<Timed> {
        if but.is_none() {
            self.others += 1;
        }
        let rest = self
            .groups
            .iter_mut()
            .filter(|group| Some(group.serial) != but);
        let mut out: Vec<_> = rest
            .flat_map(|group| group.sum_up(look, but.is_none()))
            .collect();
        // Times never run backwards: a sum has that of the last line in it.
        out.sort_by_key(|(at_ns, _)| *at_ns);
        out
    }
}

impl Group {
    /// What was withheld, and `anew`: whether those to come are shown again where it was a few.
    fn sum_up(&mut self, look: &Look, anew: bool) -> Vec<Timed> {
        let hidden = std::mem::take(&mut self.hidden);
        let at_ns = std::mem::take(&mut self.last_ns);
        match hidden {
            0 => Vec::new(),
            1..=FEW => {
                // A few are no crowd: they are written, and those to come are again.
                if anew {
                    self.shown = 0;
                }
                std::mem::take(&mut self.few)
            }
            n => {
                let time = units::duration(at_ns.saturating_sub(self.first_ns), look.style.unicode);
                let (n, most) = (units::count(n), units::count(self.peak));
                let mut text = say!(
                    look,
                    "{n} more like this in {time}",
                    "同样的还有 {n} 次，历时 {time}"
                );
                if self.several && matches!(self.like, Like::Call { .. }) {
                    text.push_str(look.lang().pick(", by several callers", "，由多个任务调用"));
                }
                if self.peak == 1 {
                    text.push_str(look.lang().pick(", one at a time", "，每次只有一个存活"));
                } else if self.peak > 0 {
                    text.push_str(&say!(
                        look,
                        ", up to {most} of them at once",
                        "，其中最多 {most} 个同时存活"
                    ));
                }
                self.peak = self.alive;
                let text = std::mem::take(&mut self.lead) + &text;
                let mut pen = Pen::new(&look.style);
                pen.put(&self.head)
                    .words(&text, Ink::Plain, self.hang)
                    .end();
                vec![(at_ns, pen.done())]
            }
        }
    }
}

#[cfg(test)]
mod tests;
