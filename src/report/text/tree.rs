//! The tree of all tasks, one row a task or a fold of tasks alike.

mod columns;
mod notes;
mod row;

use std::iter::Peekable;

use self::notes::{Notes, heads};
use self::row::Row;
use super::units;
use crate::abi::say;
use crate::event::{Kind, Tid};
use crate::layout::{Ink, NARROW, Pen};
use crate::report::Look;
use crate::tasks::{Branch, Task, TaskTree, Various, Via};

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
    /// The rows stand for those of several tasks.
    each: bool,
    /// What its folds read, and how their tasks were made.
    folds: Vec<(String, &'a Via)>,
}

/// Folds of a level that are compared with each other, at most.
const COMPARED: usize = 64;

impl<'a> Level<'a> {
    /// Whether a fold reads like another whose tasks were made in another way.
    fn looks_like_another(&mut self, look: &Look, row: &Row<'a>) -> bool {
        let Some(via) = row.task.via.as_ref().filter(|_| row.count > 1) else {
            return false;
        };
        let text = row.reading(look);
        let differ = |other: &Via| other.call != via.call || other.flags != via.flags;
        let found = self
            .folds
            .iter()
            .any(|(one, other)| *one == text && differ(other));
        if self.folds.len() < COMPARED {
            self.folds.push((text, via));
        }
        found
    }
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
        each: false,
        folds: Vec::new(),
    };
    let mut levels = vec![roots];
    let (mut hidden, mut notes) = (false, Notes::default());
    if look.style.width >= NARROW && !tree.roots().is_empty() {
        write(&heads(look))?;
    }
    while let Some(level) = levels.last_mut() {
        let Some(item) = level.items.next() else {
            levels.pop();
            continue;
        };
        let (above, each) = (level.above, level.each);
        let depth = levels.len() - 1;
        let rail = rail(look, &mut levels);
        let (branch, each) = match item {
            Item::Branch(branch) => (branch, each),
            Item::OfEach(branch) => (branch, true),
            Item::Note(text) => {
                write(&note(look, &rail.0, &text))?;
                continue;
            }
        };
        let Some(mut row) = Row::of(branch, |id| tree.task(id), each) else {
            continue;
        };
        row.above = above;
        write(&row.draw(look, &rail))?;
        notes.learn(&row);
        if let Some(level) = levels.last_mut() {
            notes.alike |= level.looks_like_another(look, &row);
        }
        let seen = |item: &Item<'_>| match (look.filter.depth, item) {
            (Some(most), _) if depth >= most => false,
            (_, Item::Branch(branch) | Item::OfEach(branch)) if look.filter.threads_only => {
                // A thread that exec'd goes on as its own process.
                of(branch, tree)
                    .is_none_or(|task| task.kind != Kind::Process || task.tgid == row.task.tgid)
            }
            _ => true,
        };
        let (items, others): (Vec<_>, Vec<_>) =
            below(look, branch, row.task, row.various).partition(seen);
        hidden |= !others.is_empty();
        let items: Box<dyn Iterator<Item = _>> = Box::new(items.into_iter());
        levels.push(Level {
            items: items.peekable(),
            // Of several, none is the creator of all that is below.
            above: (row.count == 1 && !row.each).then_some(row.task.tgid),
            each: each || (row.count > 1 && !row.relay),
            folds: Vec::new(),
        });
    }
    if hidden {
        write(&left_out(look))?;
    }
    notes.write(look, write)
}

/// A task of those that a branch stands for; all are threads, or all processes.
fn of<'a>(branch: &'a Branch, tree: &'a TaskTree) -> Option<&'a Task> {
    match branch {
        Branch::Task(id) => tree.task(*id),
        Branch::Fold(fold) => Some(&fold.example),
    }
}

/// What is said where options hide tasks.
fn left_out(look: &Look) -> String {
    let mut what = Vec::new();
    if look.filter.threads_only {
        what.push(
            look.lang()
                .pick("processes that were created", "所创建的进程")
                .to_owned(),
        );
    }
    if let Some(depth) = look.filter.depth {
        what.push(say!(
            look,
            "what lies deeper than {depth}",
            "深于 {depth} 层的任务"
        ));
    }
    let what = what.join(look.lang().pick(", ", "、"));
    let mut pen = Pen::new(&look.style);
    let text = say!(
        look,
        "(not shown: {what}; they are counted)",
        "（未显示：{what}；计数包括它们）"
    );
    pen.words(&text, Ink::Faint, 0).end();
    pen.done()
}

/// What hangs below a row.
fn below<'a>(
    look: &Look,
    branch: &'a Branch,
    task: &'a Task,
    various: Various,
) -> Box<dyn Iterator<Item = Item<'a>> + 'a> {
    let counted = match branch {
        Branch::Fold(fold) if fold.only_counted > 0 => Some(unlisted(look, fold.only_counted)),
        Branch::Fold(fold) if various.subtree => {
            // What the first member created does not stand for the others.
            let more = fold.tasks.saturating_sub(fold.count);
            let note = (more > 0).then(|| Item::Note(unlisted(look, more)));
            return Box::new(note.into_iter());
        }
        _ => None,
    };
    let each = task
        .generations
        .iter()
        .flat_map(|all| all.each.iter().map(Item::OfEach));
    let children = task.children.iter().map(Item::Branch);
    let lost = (task.untraced > 0).then(|| untraced(look, task.untraced));
    let notes = lost.into_iter().chain(counted).map(Item::Note);
    Box::new(each.chain(children).chain(notes))
}

fn unlisted(look: &Look, tasks: u64) -> String {
    let many = units::counted(tasks, &units::TASK, look.lang());
    say!(look, "{many} more, only counted", "另有 {many}，只计数")
}

fn untraced(look: &Look, tasks: u64) -> String {
    let many = units::counted(tasks, &units::TASK, look.lang());
    say!(
        look,
        "{many} untraced: let go, not seen",
        "{many}未跟踪：已脱离，看不到"
    )
}

fn note(look: &Look, rail: &str, text: &str) -> String {
    let mut pen = Pen::new(&look.style);
    pen.ink(rail, Ink::Faint).put(text).end();
    pen.done()
}

/// The lines that lead to a row, and those that go on below it. Roots have none.
fn rail(look: &Look, levels: &mut [Level<'_>]) -> (String, String) {
    let [tee, corner, bar, blank] = look.style.glyphs().tree;
    let below = levels.get_mut(1..).unwrap_or_default();
    let most = LEVELS.min(look.style.width / 10);
    let hidden = below.len().saturating_sub(most);
    let mut out = match hidden {
        0 => String::new(),
        n => format!("+{n} "),
    };
    let mut under = " ".repeat(out.len());
    let drawn = below.len() - hidden;
    for (at, level) in below.iter_mut().skip(hidden).enumerate() {
        let more = level.items.peek().is_some();
        let last = at + 1 == drawn;
        out.push_str(match (last, more) {
            (true, true) => tee,
            (true, false) => corner,
            (false, true) => bar,
            (false, false) => blank,
        });
        under.push_str(if more { bar } else { blank });
    }
    (out, under)
}

#[cfg(test)]
mod tests;
