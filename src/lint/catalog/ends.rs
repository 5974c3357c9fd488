//! Lints about ends of processes and of programs.

use std::collections::BTreeMap;

use super::site::listed;
use crate::event::{Ending, Event, EventKind, Exec, Exit, Extra, Header, InheritedFd, TaskId, Tid};
use crate::lint::definition::{Level, Lint, Needs, Occurrence, Watch, words};
use crate::tasks::TaskTree;

/// The rows.
pub(super) static LINTS: &[Lint] = &[
    Lint {
        id: "threads-cut-off",
        level: Level::Note,
        default: false,
        meaning: "threads that were alive when their process ended",
        needs: None,
        watch: || Box::<CutOff>::default(),
    },
    Lint {
        id: "fd-leak-to-exec",
        level: Level::Note,
        default: false,
        meaning: "a new program that inherits descriptors beyond 0 to 2: they lack close-on-exec",
        needs: Some(Needs {
            extra: Extra::InheritedFds,
            otherwise: "the trace does not hold which descriptors are inherited: record it with \
                        --lint fd-leak-to-exec",
        }),
        watch: || Box::<Inherited>::default(),
    },
    Lint {
        id: "unreaped-children",
        level: Level::Note,
        default: false,
        meaning: "a process that ended without having waited for children that had ended: they were \
                  zombies as long as it lived",
        needs: Some(Needs {
            extra: Extra::Unreaped,
            otherwise: "the trace does not hold which children were not waited for: record it with \
                        --lint unreaped-children",
        }),
        watch: || Box::new(Unreaping),
    },
];

/// Names that are told, at most.
const NAMED: usize = 4;

/// Threads that were alive when their process ended.
#[derive(Default)]
struct CutOff {
    /// By process: how many, and the names of the first.
    cut: BTreeMap<Tid, (u64, Vec<String>)>,
}

impl Watch for CutOff {
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>) {
        match &event.kind {
            EventKind::Exit(exit) if exit.last => {
                if let Some((count, names)) = self.cut.remove(&exit.tgid) {
                    occurrences.push(cut_off(&event.header, exit, tree, count, &names));
                }
            }
            EventKind::Exit(exit) if exit.how == Ending::CutOff => {
                let (count, names) = self.cut.entry(exit.tgid).or_default();
                *count = count.saturating_add(1);
                if names.len() < NAMED {
                    let comm = exit.comm.as_deref().unwrap_or("?");
                    names.push(format!("{} {comm}", exit.tid));
                }
            }
            // Exec ends the others by intent.
            EventKind::Exec(exec) => drop(self.cut.remove(&exec.tgid)),
            _ => {}
        }
    }
}

fn cut_off(
    header: &Header,
    exit: &Exit,
    tree: &TaskTree,
    count: u64,
    names: &[String],
) -> Occurrence {
    let threads = if count == 1 { "thread" } else { "threads" };
    let process = exit.tgid;
    let (names, chinese) = listed(names, usize::try_from(count).unwrap_or(usize::MAX));
    let text = words!(
        "process {process} ended, and with it {count} {threads} that had not: {names}",
        "进程 {process} 结束，尚未结束的 {count} 个线程随之结束：{chinese}"
    );
    Occurrence {
        at_ns: header.at_ns,
        task: header.task,
        text,
        clone_seq: None,
        site: program(header.task, exit, tree),
    }
}

/// Children that their parent did not wait for.
struct Unreaping;

impl Watch for Unreaping {
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>) {
        let EventKind::Exit(exit) = &event.kind else {
            return;
        };
        let children = exit.unreaped.as_deref().unwrap_or_default();
        if children.is_empty() {
            return;
        }
        let names: Vec<String> = children
            .iter()
            .take(NAMED)
            .map(|child| format!("{} {}", child.pid, child.comm))
            .collect();
        let (process, count) = (exit.tgid, children.len());
        let (names, chinese) = listed(&names, count);
        let text = words!(
            "process {process} ended without having waited for {names}: zombies as long as it lived",
            "进程 {process} 结束时没有等待过 {chinese}：它活着时它们一直是僵尸"
        );
        occurrences.push(Occurrence {
            at_ns: event.header.at_ns,
            task: event.header.task,
            text,
            clone_seq: None,
            site: program(event.header.task, exit, tree),
        });
    }
}

/// What the process ran.
fn program(task: TaskId, exit: &Exit, tree: &TaskTree) -> String {
    let program = tree
        .task(task)
        .and_then(|task| task.program.as_ref()?.path.clone());
    program.or_else(|| exit.comm.clone()).unwrap_or_default()
}

/// Descriptors that a new program inherits.
#[derive(Default)]
struct Inherited {
    /// What the program that we started had from the beginning: that it hands on is not its doing.
    given: Option<Vec<InheritedFd>>,
}

impl Watch for Inherited {
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>) {
        let EventKind::Exec(exec) = &event.kind else {
            return;
        };
        let all = exec.inherited_fds.clone().unwrap_or_default();
        if tree
            .task(event.header.task)
            .is_none_or(|task| task.via.is_none())
            && self.given.is_none()
        {
            self.given = Some(all);
            return;
        }
        let given = self.given.as_deref().unwrap_or_default();
        let open: Vec<InheritedFd> = all.into_iter().filter(|fd| !given.contains(fd)).collect();
        if open.is_empty() {
            return;
        }
        let names: Vec<String> = open
            .iter()
            .take(NAMED)
            .map(|one| match &one.path {
                Some(path) => format!("{} {path}", one.fd),
                None => one.fd.to_string(),
            })
            .collect();
        let program = name(exec);
        let (names, chinese) = listed(&names, open.len());
        let text = words!(
            "{program} inherits descriptors beyond 0 to 2: {names}",
            "{program} 继承了 0 到 2 之外的描述符：{chinese}"
        );
        occurrences.push(Occurrence {
            at_ns: event.header.at_ns,
            task: event.header.task,
            text,
            clone_seq: None,
            site: site(exec, &open),
        });
    }
}

fn name(exec: &Exec) -> &str {
    let path = exec.path.as_deref().or(exec.comm.as_deref());
    path.unwrap_or("the new program")
}

/// The program, and what it inherits but for the numbers of pipes and sockets.
fn site(exec: &Exec, open: &[InheritedFd]) -> String {
    let files: Vec<String> = open
        .iter()
        .map(|one| {
            let path = one.path.as_deref().unwrap_or_default();
            format!("{} {}", one.fd, path.split(':').next().unwrap_or_default())
        })
        .collect();
    format!("{} {}", name(exec), files.join(" "))
}
