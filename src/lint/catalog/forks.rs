//! A fork while other threads live.

use super::children::{Children, born_ns, process};
use super::site::{listed, of_call};
use crate::abi::flags::CLONE_VM;
use crate::event::{CloneCall, Event, EventKind, TaskId};
use crate::lint::definition::{Level, Lint, Occurrence, Watch, words};
use crate::tasks::TaskTree;

/// The rows.
pub(super) static LINTS: &[Lint] = &[Lint {
    id: "fork-with-threads",
    level: Level::Warning,
    default: true,
    meaning: "a fork while other threads live, whose child goes on without an exec: locks that they \
                  held stay locked in it",
    needs: None,
    watch: || Box::<WithThreads>::default(),
}];

/// A child that has lived so long without an exec means to go on as it is.
const SETTLED_NS: u64 = 50_000_000;

/// Threads that are named, at most.
const NAMED: usize = 4;

/// A copy of one thread of several.
#[derive(Default)]
struct WithThreads(Children);

impl Watch for WithThreads {
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>) {
        let aged = ("no exec in its first 50 ms", "它头 50 毫秒内没有 exec");
        let busy = ("it creates a task itself", "它自己又创建任务");
        self.0.event(event, aged, busy, occurrences);
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
