//! Lines alike, folded as they come: the first few are shown, the rest counted and summed up when
//! something else has happened, or after a while. All of it follows from the events alone, so a
//! replay folds the same lines.

use std::collections::HashMap;

use super::lang::say;
use super::pen::{Ink, Pen};
use super::remarks::Remark;
use super::{Look, units};
use crate::event::{Call, Kind, TaskId};

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
    /// Calls of one task (or of tasks that such calls made) with one set of flags and one outcome.
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
pub(super) struct Alike {
    groups: Vec<Group>,
    /// Living tasks that a folded call made, and the group of the call.
    members: HashMap<TaskId, u64>,
    serials: u64,
    others: u64,
    uses: u64,
}

impl Alike {
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
            group.first_ns = line.at_ns;
        }
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
        let any = matches!(line.like, Like::Task { .. });
        group.like == line.like && (any || group.by == line.by || relay())
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
                let time = units::duration(at_ns.saturating_sub(self.first_ns), look.unicode);
                let (n, most) = (units::count(n), units::count(self.peak));
                let mut text = say!(
                    look,
                    "{n} more like this in {time}",
                    "同样的还有 {n} 次，历时 {time}"
                );
                if self.peak == 1 {
                    text.push_str(look.lang.pick(", one at a time", "，每次只有一个存活"));
                } else if self.peak > 0 {
                    text.push_str(&say!(
                        look,
                        ", up to {most} of them at once",
                        "，其中最多 {most} 个同时存活"
                    ));
                }
                self.peak = self.alive;
                let text = std::mem::take(&mut self.lead) + &text;
                let mut pen = Pen::new(look);
                pen.put(&self.head)
                    .words(&text, Ink::Plain, self.hang)
                    .end();
                vec![(at_ns, pen.done())]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(set: &str, by: u64, born: Option<u64>, at_ns: u64) -> Line {
        Line {
            like: Like::Call {
                call: Call::Clone3,
                set: set.into(),
                origin: None,
                made: Ok(Kind::Thread),
                remarks: Vec::new(),
            },
            by: TaskId(by),
            born: born.map(TaskId),
            at_ns,
            head: format!("{set}: "),
            lead: String::new(),
            hang: 15,
            text: format!("{set} {at_ns}\n"),
        }
    }

    fn texts(timed: Vec<Timed>) -> Vec<String> {
        timed.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn the_first_are_shown_and_the_rest_counted() {
        let (look, mut alike) = (Look::default(), Alike::default());
        let mut written = Vec::new();
        for n in 0..20_000 {
            written.extend(alike.line(&look, call("A", 1, Some(10 + n), n)));
            if n >= 3 {
                alike.gone(TaskId(7 + n));
            }
        }
        assert_eq!(written.len() as u64, SHOWN);
        assert_eq!(
            texts(alike.flush(&look)),
            ["A: 19,992 more like this in 19 µs, up to 4 of them at once\n"]
        );
        assert!(alike.flush(&look).is_empty());
        assert_eq!(alike.members.len(), 3);
    }

    #[test]
    fn a_few_are_written_as_they_are() {
        let (look, mut alike) = (Look::default(), Alike::default());
        for n in 0..SHOWN {
            assert_eq!(alike.line(&look, call("A", 1, None, n)).len(), 1);
        }
        assert!(alike.line(&look, call("A", 1, None, 98)).is_empty());
        assert!(alike.line(&look, call("A", 1, None, 99)).is_empty());
        assert_eq!(
            texts(alike.line(&look, call("B", 1, None, 100))),
            ["A 98\n", "A 99\n", "B 100\n"]
        );
        // And from there on they are shown again.
        assert_eq!(alike.line(&look, call("A", 1, None, 101)).len(), 1);
    }

    #[test]
    fn two_kinds_in_turn_are_both_folded() {
        let (look, mut alike) = (Look::default(), Alike::default());
        let mut written = 0;
        for n in 0..100 {
            written += alike.line(&look, call("A", 1, None, 2 * n)).len();
            written += alike.line(&look, call("B", 1, None, 2 * n + 1)).len();
        }
        assert_eq!(written as u64, 2 * SHOWN);
        assert_eq!(
            texts(alike.flush(&look)),
            [
                "A: 92 more like this in 182 ns\n",
                "B: 92 more like this in 182 ns\n"
            ]
        );
    }

    #[test]
    fn many_kinds_out_of_step_are_folded() {
        // A dozen storms, each begun when the one before has shown its first few.
        let (look, mut alike) = (Look::default(), Alike::default());
        let (kinds, rounds) = (12, 200);
        let mut written = 0;
        for n in 0..rounds {
            for kind in 0..kinds.min(1 + n / 3) {
                let line = call(&kind.to_string(), 1, None, n * kinds + kind);
                written += alike.line(&look, line).len() as u64;
            }
        }
        // Those that were withheld when the next began are written: two or a sum, each time.
        assert!(written < kinds * (SHOWN + kinds * FEW), "{written}");
        assert_eq!(alike.flush(&look).len() as u64, kinds);
    }

    #[test]
    fn times_never_run_backwards() {
        let (look, mut alike) = (Look::default(), Alike::default());
        let mut times = Vec::new();
        // Many of one kind, then a few of another beside them, then one of a third.
        for n in 0..100 {
            let kind = if n % 11 == 10 { "B" } else { "A" };
            times.extend(alike.line(&look, call(kind, 1, None, n)));
        }
        times.extend(alike.line(&look, call("C", 1, None, 100)));
        let times: Vec<u64> = times.into_iter().map(|(at_ns, _)| at_ns).collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    #[test]
    fn the_kind_that_was_not_seen_for_longest_is_forgotten() {
        let (look, mut alike) = (Look::default(), Alike::default());
        let mut storm = 0;
        for n in 0..5 * GROUPS as u64 {
            alike.line(&look, call(&format!("other {n}"), 1, None, 2 * n));
            storm += alike.line(&look, call("storm", 1, None, 2 * n + 1)).len();
        }
        let known = |alike: &Alike| alike.groups.iter().any(|group| group.head == "storm: ");
        assert!(storm > 0 && known(&alike));
    }

    #[test]
    fn nothing_is_withheld_for_long() {
        let (look, mut alike) = (Look::default(), Alike::default());
        let mut written = Vec::new();
        for n in 0..40 {
            written.extend(alike.line(&look, call("A", 1, None, n * 1_000_000_000)));
        }
        assert_eq!(written.len() as u64, SHOWN + 2);
    }

    #[test]
    fn a_relay_is_alike_though_each_has_another_caller() {
        let (look, mut alike) = (Look::default(), Alike::default());
        let mut written = 0;
        for n in 0..1000 {
            written += alike.line(&look, call("A", n, Some(n + 1), n)).len();
            alike.gone(TaskId(n));
        }
        assert_eq!(written as u64, SHOWN);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (look, mut alike) = (Look::default(), Alike::default());
        for n in 0..1000 {
            alike.line(&look, call(&n.to_string(), n, None, n));
        }
        assert_eq!(alike.groups.len(), GROUPS);
    }
}
