//! The tree of all tasks, one row a task or a fold of tasks alike.

use super::pen::{Ink, Pen, columns, shorten};
use super::{Look, escape, units};
use crate::event::{Ending, Kind, Status, TaskId, Tid};
use crate::tasks::{Branch, Ended, Fold, Program, Task};

/// Columns of the right-hand side: kind, ending, life.
const RIGHT: usize = 31;
const ENDING: usize = 9;
/// Levels that are drawn; what lies deeper says how many are left out. A chain of ten thousand
/// forks would fill a screen a row.
const LEVELS: usize = 8;

/// A task in the tree, with what its row needs.
struct Node<'a> {
    task: &'a Task,
    fold: Option<&'a Fold>,
    /// The tgid of the task above it.
    above: Option<Tid>,
}

/// Branches in order, and the task that they hang under.
struct Level<'a> {
    branches: std::iter::Peekable<std::slice::Iter<'a, Branch>>,
    above: Option<Tid>,
}

impl<'a> Level<'a> {
    fn new(branches: &'a [Branch], above: Option<Tid>) -> Self {
        Level {
            branches: branches.iter().peekable(),
            above,
        }
    }
}

/// Writes every row, parents first. The way down is kept in a list: a deep tree costs memory for
/// its depth and no stack.
///
/// # Errors
/// What `write` says.
pub(super) fn rows<'a, E>(
    look: &Look,
    roots: &'a [Branch],
    find: impl Fn(TaskId) -> Option<&'a Task>,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut levels = vec![Level::new(roots, None)];
    while let Some(level) = levels.last_mut() {
        let above = level.above;
        let Some(branch) = level.branches.next() else {
            levels.pop();
            continue;
        };
        let (task, fold) = match branch {
            Branch::Task(id) => (find(*id), None),
            Branch::Fold(fold) => (Some(&fold.example), Some(&**fold)),
        };
        let Some(task) = task else { continue };
        let rail = rail(look, &mut levels);
        write(&row(look, &rail, &Node { task, fold, above }))?;
        if !task.children.is_empty() {
            levels.push(Level::new(&task.children, Some(task.tgid)));
        }
    }
    Ok(())
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
        let more = level.branches.peek().is_some();
        out.push_str(match (at + 1 == drawn, more) {
            (true, true) => tee,
            (true, false) => corner,
            (false, true) => bar,
            (false, false) => blank,
        });
    }
    out
}

fn row(look: &Look, rail: &str, node: &Node<'_>) -> String {
    let kind = look.width.min(100).saturating_sub(RIGHT).max(20);
    let mut pen = Pen::new(look);
    pen.ink(rail, Ink::Faint);
    let room = kind.saturating_sub(pen.column() + 1).max(12);
    let many = node.fold.filter(|fold| fold.count > 1);
    match many {
        Some(fold) => pen.put(&folded(look, fold, room)),
        None => pen.put(&single(look, node, room)),
    };
    let noun = node.task.kind.to_string();
    pen.to(kind)
        .put(&units::plural(many.map_or(1, |fold| fold.count), &noun));
    let (text, ink) = ending(look, node.task);
    pen.to(kind + ENDING).ink(&text, ink);
    if let Some(text) = life(look, node) {
        pen.to((kind + RIGHT).saturating_sub(columns(&text)))
            .put(&text);
    }
    pen.end();
    pen.done()
}

/// `48212 worker`, and with whom it shares its memory: a process shares it until it execs.
fn single(look: &Look, node: &Node<'_>, room: usize) -> String {
    let task = node.task;
    let tid = task.tid.to_string();
    let shares = task.via.as_ref().is_some_and(|via| via.shares_memory)
        && task.kind == Kind::Process
        && task.program.is_none();
    let shares = match node.above {
        _ if !shares => String::new(),
        Some(tgid) => format!(", shares memory with {tgid}"),
        None => ", shares its creator's memory".to_owned(),
    };
    let room = room.saturating_sub(tid.len() + 1 + shares.len()).max(8);
    format!("{tid} {}{shares}", name(look, task, &task.comm, room))
}

/// `worker ×20,000   tids 7002–27001`
fn folded(look: &Look, fold: &Fold, room: usize) -> String {
    let glyphs = look.glyphs();
    let count = format!(" {}{}", glyphs.times, units::count(fold.count));
    let (low, high) = fold.tids;
    let tids = if low == high {
        format!("tid {low}, again and again")
    } else {
        format!("tids {low}{}{high}", glyphs.dash)
    };
    let room = room
        .saturating_sub(columns(&count) + 3 + columns(&tids))
        .max(8);
    format!(
        "{}{count}   {tids}",
        name(look, &fold.example, &fold.name, room)
    )
}

/// What a task runs, if it exec'd, else its name.
fn name(look: &Look, task: &Task, comm: &str, room: usize) -> String {
    let text = match &task.program {
        Some(program) => command(look, program),
        None => look.name(comm),
    };
    shorten(&text, room, look)
}

/// A program and its arguments.
pub(super) fn command(look: &Look, program: &Program) -> String {
    let mut words: Vec<_> = program
        .argv
        .iter()
        .map(|word| escape::argument(word, look.unicode))
        .collect();
    if words.is_empty() {
        words.extend(
            program
                .path
                .as_deref()
                .map(|path| escape::argument(path, look.unicode)),
        );
    }
    words.join(" ")
}

/// How it ended. A process's status is its own, whichever thread brought the end.
fn ending(look: &Look, task: &Task) -> (String, Ink) {
    let Some(Ended { how, status, .. }) = &task.end else {
        return ("alive".into(), Ink::Odd);
    };
    match (how, status) {
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
        (_, Some(Status::Exited { exited })) if task.kind == Kind::Process => (
            format!("exit {exited}"),
            if *exited == 0 { Ink::Plain } else { Ink::Bad },
        ),
        (Ending::CutOff, _) => ("cut off".into(), Ink::Plain),
        (Ending::Itself | Ending::Signal, _) => ("ended".into(), Ink::Plain),
        (Ending::Unknown, _) => ("end unknown".into(), Ink::Odd),
        (Ending::Other(word), _) => (look.name(word), Ink::Odd),
    }
}

/// How long it lived.
fn life(look: &Look, node: &Node<'_>) -> Option<String> {
    match node.fold {
        Some(fold) => {
            let (low, high) = fold.lived_ns?;
            Some(units::durations(low, high, look.unicode))
        }
        None => Some(units::duration(
            node.task.end.as_ref()?.lived_ns?,
            look.unicode,
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::event::Call;
    use crate::tasks::Via;

    fn task(id: u64, tid: Tid, kind: Kind, comm: &str) -> Task {
        Task {
            id: TaskId(id),
            tid,
            tgid: if kind == Kind::Process { tid } else { 100 },
            kind,
            comm: comm.into(),
            program: None,
            via: None,
            born_ns: 0,
            end: None,
            children: Vec::new(),
        }
    }

    fn ended(mut task: Task, how: Ending, status: Option<Status>, lived: u64) -> Task {
        task.end = Some(Ended {
            how,
            status,
            at_ns: 1,
            lived_ns: Some(lived),
        });
        task
    }

    fn fold(count: u64, tids: (Tid, Tid), lived: (u64, u64), example: Task) -> Branch {
        let name = example.comm.clone();
        Branch::Fold(Box::new(Fold {
            count,
            tids,
            lived_ns: Some(lived),
            example,
            name,
        }))
    }

    fn draw(look: &Look, roots: &[Branch], live: &HashMap<TaskId, Task>) -> String {
        let mut out = String::new();
        let done: Result<(), ()> = rows(
            look,
            roots,
            |id| live.get(&id),
            |row| {
                out.push_str(row);
                Ok(())
            },
        );
        done.unwrap();
        out
    }

    fn exited(exited: i32) -> Option<Status> {
        Some(Status::Exited { exited })
    }

    #[test]
    fn siblings_folds_and_living_tasks() {
        let worker = ended(
            task(3, 7002, Kind::Thread, "worker"),
            Ending::Itself,
            exited(0),
            19_000,
        );
        let cut = ended(
            task(2, 7001, Kind::Thread, "logger"),
            Ending::CutOff,
            exited(0),
            1_900_000,
        );
        let mut root = ended(
            task(1, 100, Kind::Process, "storm"),
            Ending::Itself,
            exited(3),
            1,
        );
        root.program = Some(Program {
            path: None,
            argv: vec!["./storm".into(), "a b".into()],
        });
        let mut child = task(9, 101, Kind::Process, "sub");
        child.via = Some(Via {
            call: Call::Vfork,
            creator: TaskId(1),
            flags: vec![],
            shares_memory: true,
        });
        child.children = vec![fold(1, (5, 5), (7, 7), cut.clone())];
        root.children = vec![
            fold(20_000, (7002, 27001), (19_000, 840_000), worker),
            Branch::Task(TaskId(9)),
            fold(1, (7001, 7001), (1_900_000, 1_900_000), cut),
        ];
        let live = HashMap::from([(TaskId(9), child)]);
        let roots = [fold(1, (100, 100), (1, 1), root)];
        assert_eq!(
            draw(&Look::default(), &roots, &live),
            "\
100 ./storm 'a b'                                process  exit 3            1 ns
├─ worker ×20,000   tids 7002–27001              threads  ended        19–840 µs
├─ 101 sub, shares memory with 100               process  alive
│  └─ 7001 logger                                thread   cut off           7 ns
└─ 7001 logger                                   thread   cut off         1.9 ms
"
        );
        let ascii = draw(
            &Look {
                unicode: false,
                ..Look::default()
            },
            &roots,
            &live,
        );
        assert!(ascii.is_ascii(), "{ascii}");
        assert!(
            ascii.contains("|- worker x20,000   tids 7002-27001"),
            "{ascii}"
        );
    }

    #[test]
    fn a_deep_tree_needs_no_stack_and_no_width() {
        let depth = 50_000;
        let live: HashMap<_, _> = (1..=depth)
            .map(|id| {
                let mut one = task(id, id as Tid, Kind::Process, "deep");
                if id < depth {
                    one.children = vec![Branch::Task(TaskId(id + 1))];
                }
                (TaskId(id), one)
            })
            .collect();
        let text = draw(&Look::default(), &[Branch::Task(TaskId(1))], &live);
        assert_eq!(text.lines().count() as u64, depth);
        assert!(text.lines().all(|line| columns(line) <= 80));
        assert!(text.lines().last().unwrap().starts_with("+49991 "));
    }

    #[test]
    fn long_and_hostile_names_stay_in_their_column() {
        let mut one = task(1, 100, Kind::Process, "x");
        one.program = Some(Program {
            path: None,
            argv: vec!["\x1b[2J".into(), "工".repeat(100)],
        });
        one.end = Some(Ended {
            how: Ending::Signal,
            status: Some(Status::Signaled {
                signaled: "SIGSEGV".into(),
                core_dumped: true,
            }),
            at_ns: 0,
            lived_ns: None,
        });
        let live = HashMap::from([(TaskId(1), one)]);
        let text = draw(&Look::default(), &[Branch::Task(TaskId(1))], &live);
        assert!(text.starts_with("100 '\\x1b[2J' 工工"), "{text}");
        assert!(text.trim_end().ends_with("process  SIGSEGV core"), "{text}");
        assert!(columns(text.trim_end()) <= 80);
    }
}
