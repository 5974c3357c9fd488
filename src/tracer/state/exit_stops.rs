//! Children that nobody waited for. A zombie is given to another parent before its own parent's end is
//! reported (kernel/exit.c, exit_notify), so a process is looked at before that: when the last of its
//! threads stops on its way out (PTRACE_EVENT_EXIT, which is asked for only where this is).

use std::collections::BTreeMap;

use crate::event::{TaskId, Tid, Unreaped, lossy};
use crate::peek::Peek;
use crate::proc::stat::{Field, Line};
use crate::proc::text::numbers;
use crate::sys::Request;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::Handled;
use crate::tracer::kernel::tracee::Stopped;

use super::table::Table;

/// How tasks are asked for the stop.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What was started may live on when the trace has ended.
    pub until_main: bool,
}

/// Tasks on their way out.
#[derive(Debug, Default)]
pub struct ExitStops {
    /// `None`: nobody is asked for the stop, as until the program's exec: a host that waits for a
    /// child whose exec has failed would take it (wait4 asks for the tracees of all threads).
    pub options: Option<Options>,
    /// Who has stopped on its way out. A tid may be another task's by the time that it is asked for.
    stopped: BTreeMap<Tid, TaskId>,
    /// By process: the children that were zombies when its last thread stopped.
    found: BTreeMap<Tid, Vec<Unreaped>>,
}

impl ExitStops {
    /// EVENT_EXIT: the task is still whole, and will not run again.
    pub fn stop<K: Kernel>(&mut self, kernel: &K, table: &Table, task: Stopped<K>) -> Handled {
        let tid = task.tid();
        if let Some(tracee) = table.get(tid) {
            let tgid = tracee.tgid;
            self.stopped.insert(tid, tracee.id);
            if let Some(threads) = self.all_stopped(kernel, table, tgid) {
                let zombies = zombies(task.peek(), table, tgid, &threads);
                self.found.insert(tgid, zombies);
            }
        }
        task.resume(Request::Cont, 0)
    }

    /// A task has ended: the children of its process, if it was the last of that and was looked at.
    pub fn ended(&mut self, tid: Tid, tgid: Tid, last: bool) -> Option<Vec<Unreaped>> {
        self.stopped.remove(&tid);
        if last { self.found.remove(&tgid) } else { None }
    }

    /// The threads of a process, if all of them have stopped on their way out.
    fn all_stopped(&self, kernel: &impl Kernel, table: &Table, tgid: Tid) -> Option<Vec<Tid>> {
        let threads = kernel.threads(tgid).ok()?;
        let leaves = |tid: &Tid| {
            let id = table.get(*tid).map(|tracee| tracee.id);
            id.is_some() && self.stopped.get(tid).copied() == id
        };
        threads.iter().all(leaves).then_some(threads)
    }
}

/// The zombies among the children. One whose end has not been told is not the parent's yet: its
/// tracer comes first.
fn zombies(task: &dyn Peek, table: &Table, tgid: Tid, threads: &[Tid]) -> Vec<Unreaped> {
    let listed: Option<Vec<Tid>> = threads
        .iter()
        .map(|tid| task.proc_file(&format!("task/{tid}/children")).ok())
        .collect::<Option<Vec<_>>>()
        .map(|lists| numbers(&String::from_utf8_lossy(&lists.join(&b' '))).collect());
    // Some kernels have no such list (CONFIG_PROC_CHILDREN).
    let pids = listed.unwrap_or_else(|| {
        let names = task.system_list("/proc").unwrap_or_default();
        names.iter().filter_map(|name| name.parse().ok()).collect()
    });
    let mut zombies: Vec<Unreaped> = pids
        .into_iter()
        .filter(|pid| table.get(*pid).is_none())
        .filter_map(|pid| {
            let stat = task.system_file(&format!("/proc/{pid}/stat")).ok()?;
            let comm = zombie_of(tgid, &stat)?;
            Some(Unreaped { pid, comm })
        })
        .collect();
    zombies.sort_unstable_by_key(|zombie| zombie.pid);
    zombies
}

/// The name of a zombie whose parent is `parent`, from its `stat`.
fn zombie_of(parent: Tid, stat: &[u8]) -> Option<String> {
    let line = Line::of(stat)?;
    let zombie = line.state() == Some(b'Z');
    let child = line.number(Field::Parent) == Some(parent);
    (zombie && child).then(|| lossy(line.name).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zombie_is_known_by_its_state_and_its_parent() {
        let stat = b"31 (a) Z 7) Z 12 31 1 0 -1 4227084 0 0";
        assert_eq!(zombie_of(12, stat).as_deref(), Some("a) Z 7"));
        assert_eq!(zombie_of(7, stat), None);
        assert_eq!(zombie_of(12, b"31 (a) S 12 31 1"), None);
        assert_eq!(zombie_of(12, b"31 (a) Z"), None);
        assert_eq!(zombie_of(12, b""), None);
    }
}
