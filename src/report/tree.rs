//! The tree of all tasks, one row a task or a fold of tasks alike.

use std::iter::Peekable;

use super::pen::{Ink, Pen, columns, shorten};
use super::{Look, escape, units};
use crate::event::{Ending, Kind, Status, TaskId, Tid};
use crate::tasks::{Branch, Fold, Program, Task, TaskTree, Various};

/// Columns of the right-hand side: kind, ending, life.
const RIGHT: usize = 31;
const ENDING: usize = 10;
/// Levels that are drawn; what lies deeper says how many are left out. A chain of ten thousand
/// forks would fill a screen a row.
const LEVELS: usize = 8;

/// One row to be.
enum Item<'a> {
    Branch(&'a Branch),
    /// A branch that each of several generations has.
    OfEach(&'a Branch),
    /// Words about what is not listed.
    Note(String),
}

/// Rows in order, and what they hang under.
struct Level<'a> {
    items: Peekable<Box<dyn Iterator<Item = Item<'a>> + 'a>>,
    /// The tgid above.
    above: Option<Tid>,
    /// What is run above: a task that runs the same has not exec'd.
    program: Option<&'a Program>,
    /// The rows stand for those of several tasks.
    each: bool,
}

/// A task or fold with what its row needs.
struct Row<'a> {
    task: &'a Task,
    /// How many there are, of each one above if `each`.
    count: u64,
    each: bool,
    tids: (Tid, Tid),
    lived: Option<(u64, u64)>,
    /// The name of all.
    name: &'a str,
    /// They follow each other, each created by the one before.
    relay: bool,
    various: Various,
    above: Option<Tid>,
    /// It runs what the task above runs.
    inherited: bool,
}

/// Writes every row, parents first. The way down is kept in a list: a deep tree costs memory for
/// its depth and no stack.
///
/// # Errors
/// What `write` says.
pub(super) fn rows<E>(
    look: &Look,
    tree: &TaskTree,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let roots: Box<dyn Iterator<Item = _>> = Box::new(tree.roots().iter().map(Item::Branch));
    let roots = Level {
        items: roots.peekable(),
        above: None,
        program: None,
        each: false,
    };
    let mut levels = vec![roots];
    while let Some(level) = levels.last_mut() {
        let Some(item) = level.items.next() else {
            levels.pop();
            continue;
        };
        let (above, program, each) = (level.above, level.program, level.each);
        let rail = rail(look, &mut levels);
        let (branch, each) = match item {
            Item::Branch(branch) => (branch, each),
            Item::OfEach(branch) => (branch, true),
            Item::Note(text) => {
                write(&note(look, &rail, &text))?;
                continue;
            }
        };
        let Some(mut row) = Row::of(branch, |id| tree.task(id), each) else {
            continue;
        };
        row.above = above;
        row.inherited = row.task.program.is_none() || row.task.program.as_deref() == program;
        write(&row.draw(look, &rail))?;
        let program = row.task.program.as_deref().or(program);
        levels.push(Level {
            items: below(branch, row.task, row.various).peekable(),
            above: Some(row.task.tgid),
            program,
            each: each || (row.count > 1 && !row.relay),
        });
    }
    Ok(())
}

/// What hangs below a row.
fn below<'a>(
    branch: &'a Branch,
    task: &'a Task,
    various: Various,
) -> Box<dyn Iterator<Item = Item<'a>> + 'a> {
    let counted = match branch {
        Branch::Fold(fold) if fold.only_counted > 0 => Some(unlisted(fold.only_counted)),
        Branch::Fold(fold) if various.subtree => {
            // What the first member created does not stand for the others.
            let more = fold.tasks.saturating_sub(fold.count);
            let note = (more > 0).then(|| Item::Note(unlisted(more)));
            return Box::new(note.into_iter());
        }
        _ => None,
    };
    let each = task
        .generations
        .iter()
        .flat_map(|all| all.each.iter().map(Item::OfEach));
    let children = task.children.iter().map(Item::Branch);
    Box::new(each.chain(children).chain(counted.map(Item::Note)))
}

fn unlisted(tasks: u64) -> String {
    format!("{} more, only counted", units::counted(tasks, "task"))
}

fn note(look: &Look, rail: &str, text: &str) -> String {
    let mut pen = Pen::new(look);
    pen.ink(rail, Ink::Faint).put(text).end();
    pen.done()
}

/// The lines that lead to a row. Roots have none.
fn rail(look: &Look, levels: &mut [Level<'_>]) -> String {
    let [tee, corner, bar, blank] = look.glyphs().tree;
    let below = levels.get_mut(1..).unwrap_or_default();
    let hidden = below.len().saturating_sub(LEVELS);
    let mut out = match hidden {
        0 => String::new(),
        n => format!("+{n} "),
    };
    let drawn = below.len() - hidden;
    for (at, level) in below.iter_mut().skip(hidden).enumerate() {
        let more = level.items.peek().is_some();
        out.push_str(match (at + 1 == drawn, more) {
            (true, true) => tee,
            (true, false) => corner,
            (false, true) => bar,
            (false, false) => blank,
        });
    }
    out
}

impl<'a> Row<'a> {
    fn of(
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
            inherited: false,
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

    fn draw(&self, look: &Look, rail: &str) -> String {
        let kind = look.width.min(100).saturating_sub(RIGHT).max(20);
        let mut pen = Pen::new(look);
        pen.ink(rail, Ink::Faint);
        let room = kind.saturating_sub(pen.column() + 1).max(12);
        pen.put(&if self.many() {
            self.several(look, room)
        } else {
            self.one(look, room)
        });
        let noun = if self.various.call {
            "task".into()
        } else {
            self.task.kind.to_string()
        };
        pen.to(kind)
            .put(&units::plural(if self.many() { 2 } else { 1 }, &noun));
        let (text, ink) = self.ending(look);
        pen.to(kind + ENDING).ink(&text, ink);
        if let Some((low, high)) = self.lived {
            let text = units::durations(low, high, look.unicode);
            pen.to((kind + RIGHT).saturating_sub(columns(&text)))
                .put(&text);
        }
        pen.end();
        pen.done()
    }

    /// `48212 worker`, and with whom it shares its memory: a process shares it until it execs.
    fn one(&self, look: &Look, room: usize) -> String {
        let task = self.task;
        let tid = task.tid.to_string();
        let shares = task.via.as_ref().is_some_and(|via| via.shares_memory)
            && task.kind == Kind::Process
            && self.inherited;
        let shares = match self.above {
            _ if !shares => String::new(),
            Some(tgid) => format!(", shares memory with {tgid}"),
            None => ", shares its creator's memory".to_owned(),
        };
        let room = room.saturating_sub(tid.len() + 1 + shares.len()).max(8);
        format!("{tid} {}{shares}", self.title(look, room))
    }

    /// `worker ×20,000   tids 7002–27001`
    fn several(&self, look: &Look, room: usize) -> String {
        let glyphs = look.glyphs();
        let (low, high) = self.tids;
        let mut text = match self.count {
            1 => ", one each".into(),
            n => format!(" {}{}", glyphs.times, units::count(n)),
        };
        if self.each && self.count > 1 {
            text.push_str(" each");
        }
        if self.relay {
            text.push_str(" in a row");
        }
        text.push_str(&if low == high {
            format!("   tid {low}")
        } else {
            format!("   tids {low}{}{high}", glyphs.dash)
        });
        let room = room.saturating_sub(columns(&text)).max(8);
        self.title(look, room) + &text
    }

    /// What a task runs, if it exec'd, else its name.
    fn title(&self, look: &Look, room: usize) -> String {
        let text = match &self.task.program {
            Some(program) if !self.inherited && !self.various.program => {
                let words = if self.various.arguments {
                    1
                } else {
                    usize::MAX
                };
                command(look, program, words)
            }
            _ => look.name(self.name),
        };
        shorten(&text, room, look)
    }

    /// How it ended. A process's status is its own, whichever thread brought the end.
    fn ending(&self, look: &Look) -> (String, Ink) {
        if self.various.ending {
            return ("various".into(), Ink::Odd);
        }
        let Some(end) = &self.task.end else {
            let text = if self.task.let_go_ns.is_some() {
                "let go"
            } else {
                "alive"
            };
            return (text.into(), Ink::Odd);
        };
        match (&end.how, &end.status) {
            (Ending::Replaced, _) => ("replaced".into(), Ink::Plain),
            (
                _,
                Some(Status::Signaled {
                    signaled,
                    core_dumped,
                }),
            ) => {
                let core = if *core_dumped { " core" } else { "" };
                (format!("{}{core}", look.name(signaled)), Ink::Bad)
            }
            (Ending::Signal, None) => ("by a signal".into(), Ink::Bad),
            (_, Some(Status::Exited { exited })) if self.task.kind == Kind::Process => (
                format!("exit {exited}"),
                if *exited == 0 { Ink::Plain } else { Ink::Bad },
            ),
            (Ending::CutOff, _) => ("cut off".into(), Ink::Plain),
            (Ending::Itself | Ending::Signal, _) => ("ended".into(), Ink::Plain),
            (Ending::Unknown, _) => ("end unknown".into(), Ink::Odd),
            (Ending::Other(word), _) => (look.name(word), Ink::Odd),
        }
    }
}

/// A program and its arguments, so many words of it.
fn command(look: &Look, program: &Program, words: usize) -> String {
    let all: Vec<_> = match (program.argv.as_slice(), &program.path) {
        ([], Some(path)) => vec![escape::argument(path, look.unicode)],
        (argv, _) => argv
            .iter()
            .map(|word| escape::argument(word, look.unicode))
            .collect(),
    };
    let mut text: Vec<_> = all.iter().take(words).map(String::as_str).collect();
    if text.len() < all.len() {
        text.push(look.glyphs().ellipsis);
    }
    text.join(" ")
}

#[cfg(test)]
mod tests;
