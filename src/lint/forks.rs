//! Lints about what a child does before its exec.

use std::collections::BTreeMap;

use super::calls::of_call;
use super::{Found, Watch, listed, words};
use crate::abi::flags::{CLONE_VFORK, CLONE_VM};
use crate::event::{CloneCall, Created, Event, EventKind, Header, Kind, Outcome, TaskId};
use crate::tasks::TaskTree;

/// A child that has lived so long without an exec means to go on as it is.
const SETTLED_NS: u64 = 50_000_000;

/// A child of vfork whose creator stands still for so long.
const LONG_NS: u64 = 1_000_000_000;

/// Threads that are named, at most.
const NAMED: usize = 4;

/// An end of a sentence, in English and in Chinese.
type Both = (&'static str, &'static str);

/// Children that have not yet exec'd, each with what is to be told if it does not.
#[derive(Default)]
struct Children {
    /// By the time at which it is told, and child.
    due: BTreeMap<(u64, TaskId), Found>,
    by_child: BTreeMap<TaskId, u64>,
}

impl Children {
    fn add(&mut self, child: &Created, due_ns: u64, found: Found) {
        self.remove(child.task);
        self.by_child.insert(child.task, due_ns);
        self.due.insert((due_ns, child.task), found);
    }

    fn remove(&mut self, child: TaskId) -> Option<Found> {
        let due = self.by_child.remove(&child)?;
        self.due.remove(&(due, child))
    }

    /// The next one whose time has come.
    fn pop(&mut self, now_ns: u64) -> Option<(u64, Found)> {
        let entry = self.due.first_entry()?;
        let (due, child) = *entry.key();
        if due > now_ns {
            return None;
        }
        let found = entry.remove();
        self.by_child.remove(&child);
        Some((due, found))
    }

    /// What ends the wait, and what happens when it is over: `aged` and `busy` finish the sentence of a
    /// child that lives on and of one that creates tasks.
    fn event(&mut self, event: &Event, aged: Both, busy: Both, found: &mut Vec<Found>) {
        if let Some(now) = event.at_ns() {
            while let Some((due, mut one)) = self.pop(now) {
                one.text.push(aged);
                one.at_ns = due;
                found.push(one);
            }
        }
        let header = &event.header;
        match &event.kind {
            EventKind::Exec(_) | EventKind::Exit(_) | EventKind::Detach(_) => {
                drop(self.remove(header.task));
            }
            EventKind::Clone(call) => {
                // A call of a child's; one that failed changes nothing.
                let made = matches!(call.outcome, Outcome::Created(_) | Outcome::Untraced { .. });
                if made && let Some(mut one) = self.remove(header.task) {
                    one.text.push(busy);
                    one.at_ns = header.at_ns;
                    found.push(one);
                }
            }
            _ => {}
        }
    }
}

/// The process that a call made.
fn process(call: &CloneCall) -> Option<&Created> {
    match &call.outcome {
        Outcome::Created(created) if created.kind == Kind::Process => Some(created),
        _ => None,
    }
}

/// When the child began.
fn born_ns(header: &Header, call: &CloneCall) -> u64 {
    header.at_ns.saturating_add(call.took_ns.unwrap_or(0))
}

/// A copy of one thread of several.
#[derive(Default)]
pub(super) struct WithThreads(Children);

impl Watch for WithThreads {
    fn event(&mut self, event: &Event, tree: &TaskTree, found: &mut Vec<Found>) {
        let aged = ("no exec in its first 50 ms", "它头 50 毫秒内没有 exec");
        let busy = ("it creates a task itself", "它自己又创建任务");
        self.0.event(event, aged, busy, found);
        let EventKind::Clone(call) = &event.kind else {
            return;
        };
        // With CLONE_VM there is no copy, and who holds a lock can let it go.
        let Some(child) = process(call).filter(|_| !call.request.has(CLONE_VM)) else {
            return;
        };
        let Some((names, chinese)) = others(event.header.task, call, tree) else {
            return;
        };
        let name = call.origin.as_deref();
        let (what, child_tid) = (name.unwrap_or(call.request.call.name()), child.tid);
        let text = words!(
            "{what} of process {child_tid} while other threads lived ({names}): locks that they held \
             stay locked in it; ",
            "{what} 出进程 {child_tid} 时还有别的线程（{chinese}）：它们当时持有的锁在其中永远锁着；"
        );
        let due = born_ns(&event.header, call).saturating_add(SETTLED_NS);
        self.0
            .add(child, due, of_call(&event.header, call, tree, text));
    }
}

/// The other live threads of the caller's process, in words; `None` where there are none.
fn others(caller: TaskId, call: &CloneCall, tree: &TaskTree) -> Option<(String, String)> {
    let group = tree.group(call.tgid)?;
    let others = || group.live.iter().filter(|id| **id != caller);
    let count = others().count();
    if count == 0 {
        return None;
    }
    let names: Vec<String> = others()
        .take(NAMED)
        .filter_map(|id| tree.task(*id))
        .map(|task| format!("{} {}", task.tid, task.comm))
        .collect();
    Some(listed(&names, count))
}

/// What a child of vfork does with its creator's memory.
#[derive(Default)]
pub(super) struct Vforks(Children);

impl Watch for Vforks {
    fn event(&mut self, event: &Event, tree: &TaskTree, found: &mut Vec<Found>) {
        let aged = (
            "it has run for a second, and its creator stands still",
            "它已运行一秒，而创建者一直停着",
        );
        let busy = (
            "it creates tasks, with the memory and the stack of a creator that stands still",
            "它用停着的创建者的内存和栈创建任务",
        );
        self.0.event(event, aged, busy, found);
        let EventKind::Clone(call) = &event.kind else {
            return;
        };
        let borrows = call.request.has(CLONE_VM) && call.request.has(CLONE_VFORK);
        let Some(child) = process(call).filter(|_| borrows) else {
            return;
        };
        let tid = child.tid;
        let text = words!(
            "process {tid} should exec or _exit at once: ",
            "进程 {tid} 应立即 exec 或 _exit："
        );
        let due = born_ns(&event.header, call).saturating_add(LONG_NS);
        self.0
            .add(child, due, of_call(&event.header, call, tree, text));
    }
}
