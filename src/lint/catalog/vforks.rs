//! What a child of vfork does with its creator's memory.

use super::children::{Children, born_ns, process};
use super::site::of_call;
use crate::abi::flags::{CLONE_VFORK, CLONE_VM};
use crate::event::{Event, EventKind};
use crate::lint::definition::{Level, Lint, Occurrence, Watch, words};
use crate::tasks::TaskTree;

/// The rows.
pub(super) static LINTS: &[Lint] = &[Lint {
    id: "vfork-misuse",
    level: Level::Warning,
    default: true,
    meaning: "a child of vfork that creates tasks, or runs for a second: its creator stands still, and \
                  they share memory",
    needs: None,
    watch: || Box::<Vforks>::default(),
}];

/// A child of vfork whose creator stands still for so long.
const LONG_NS: u64 = 1_000_000_000;

/// What a child of vfork does with its creator's memory.
#[derive(Default)]
struct Vforks(Children);

impl Watch for Vforks {
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>) {
        let aged = (
            "it has run for a second, and its creator stands still",
            "它已运行一秒，而创建者一直停着",
        );
        let busy = (
            "it creates tasks, with the memory and the stack of a creator that stands still",
            "它用停着的创建者的内存和栈创建任务",
        );
        self.0.event(event, aged, busy, occurrences);
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
