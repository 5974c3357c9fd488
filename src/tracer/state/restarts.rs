//! Calls that are made again.
//!
//! A call that a signal interrupts goes back to its entry (signal(7), restart_syscall(2)), and what
//! the program sees as one call stops more than once. A handler may run in between and make calls
//! of its own, so restarted calls wait on a shelf, the innermost last.

use crate::decode;
use crate::event::{Outcome, Tid};
use crate::peek::Syscall;

use crate::tracer::Handled;
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::state::table::{Pending, Tracee};

/// Results of a call that will be made again: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and
/// ERESTART_RESTARTBLOCK (include/linux/errno.h). The program never sees them; we do.
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;

/// Restarted calls of one task that wait for its handlers; a program that jumps out of every
/// handler would leave one behind each time.
const MOST_SHELVED: usize = 16;

/// Whether a call that returned this will be made again.
pub(in crate::tracer) fn will_be_made_again(result: i64) -> bool {
    RESTARTS.contains(&result)
}

impl<K: Kernel> Tracer<K> {
    /// A restarted call waits while a handler runs, which may call too. Says whether the task is back
    /// at such a call, and makes that its present one.
    pub(in crate::tracer) fn back_from_handler(&mut self, tid: Tid, call: &Syscall) -> bool {
        let mut shelf = self.table.take_shelved(tid);
        if let Some(pending) = self.table.take_call(tid) {
            if pending.restarting {
                shelf.push(pending);
            } else {
                self.conclude(pending, Outcome::Unfinished {});
            }
        }
        let found = shelf.iter().rposition(|pending| same(pending, call));
        // Those further in were left by a jump out of their handlers.
        let kept = found.map_or(shelf.len(), |index| index + 1);
        for left in shelf.split_off(kept) {
            self.conclude(left, Outcome::Unfinished {});
        }
        if found.is_some()
            && let Some(pending) = shelf.pop()
        {
            self.table.set_call(tid, pending);
        }
        let most = shelf.len().saturating_sub(MOST_SHELVED);
        for oldest in shelf.drain(..most) {
            self.conclude(oldest, Outcome::Unfinished {});
        }
        for pending in shelf {
            self.table.shelve(tid, pending);
        }
        found.is_some()
    }

    /// Calls that will not be made again: the task has ended, or runs another program.
    pub(in crate::tracer) fn close_shelved(&mut self, tid: Tid) {
        for pending in self.table.take_shelved(tid) {
            self.conclude(pending, Outcome::Unfinished {});
        }
    }

    /// A restarted call is one call: it keeps its first entry.
    pub(in crate::tracer) fn enter_again(&mut self, task: &Stopped<K>, call: Syscall) -> Handled {
        let tid = task.tid();
        let Some(mut pending) = self.table.take_call(tid) else {
            return Ok(());
        };
        pending.restarting = false;
        // A handler may have written something else where the arguments point.
        if let Some(decoded) = decode::decode(task.eye(), &call) {
            pending.event.request = decoded.request.clone();
            pending.decoded = decoded;
        }
        let hidden = self.hide_untraced(task, &call, &mut pending);
        self.table.set_call(tid, pending);
        hidden
    }
}

/// Whether a task enters a call that it is known to be in: restarted, or seen at two stops.
pub(in crate::tracer) fn same_call(tracee: &Tracee, call: &Syscall) -> bool {
    tracee.call.as_ref().is_some_and(|known| same(known, call))
}

fn same(pending: &Pending, call: &Syscall) -> bool {
    let was = &pending.syscall;
    pending.odd.is_none()
        && was.nr == call.nr
        && (was.args == call.args || pending.args_now() == call.args)
        && was.sp == call.sp
}

pub(in crate::tracer) fn restarting(tracee: &Tracee) -> bool {
    tracee.call.as_ref().is_some_and(|call| call.restarting)
}
