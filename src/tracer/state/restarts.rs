//! Calls that are made again.
//!
//! A call that a signal interrupts goes back to its entry (signal(7), restart_syscall(2)), and what
//! the program sees as one call stops more than once. A handler may run in between and make calls
//! of its own, so restarted calls wait on a shelf, the innermost last.

use std::collections::BTreeMap;

use crate::event::Tid;
use crate::peek::Syscall;

use super::pending::Pending;
use super::table::{Table, Tracee};

/// Results of a call that will be made again: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and
/// ERESTART_RESTARTBLOCK (include/linux/errno.h). The program never sees them; we do.
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;

/// Restarted calls of one task that wait for its handlers; a program that jumps out of every
/// handler would leave one behind each time.
const MOST_SHELVED: usize = 16;

/// Calls that will be made again after a handler that makes calls of its own, by tid; the innermost
/// last.
#[derive(Debug, Default)]
pub struct Restarts(BTreeMap<Tid, Vec<Pending>>);

/// Whether a task that enters a call is back at one that is known.
pub struct Entry {
    /// It is, and that is its present call again.
    pub again: bool,
    /// Calls that were left by a jump out of their handlers, or are one too many.
    pub abandoned: Vec<Pending>,
}

impl Restarts {
    /// A task enters a call, perhaps one that waited while a handler ran.
    pub fn enters(&mut self, table: &mut Table, tid: Tid, call: &Syscall) -> Entry {
        let mut shelf = self.close(tid);
        let mut abandoned = Vec::new();
        if let Some(pending) = table.take_call(tid) {
            if pending.restarting {
                shelf.push(pending);
            } else {
                abandoned.push(pending);
            }
        }
        let found = shelf.iter().rposition(|pending| same(pending, call));
        // Those further in were left by a jump out of their handlers.
        let kept = found.map_or(shelf.len(), |index| index + 1);
        abandoned.extend(shelf.split_off(kept));
        if found.is_some()
            && let Some(pending) = shelf.pop()
        {
            table.set_call(tid, pending);
        }
        let most = shelf.len().saturating_sub(MOST_SHELVED);
        abandoned.extend(shelf.drain(..most));
        if !shelf.is_empty() {
            self.0.insert(tid, shelf);
        }
        Entry {
            again: found.is_some(),
            abandoned,
        }
    }

    /// Calls that will not be made again: the task has ended, or runs another program.
    pub fn close(&mut self, tid: Tid) -> Vec<Pending> {
        self.0.remove(&tid).unwrap_or_default()
    }
}

/// Whether a call that returned this will be made again.
pub fn will_be_made_again(result: i64) -> bool {
    RESTARTS.contains(&result)
}

/// Whether a task enters a call that it is known to be in: restarted, or seen at two stops.
pub fn same_call(tracee: &Tracee, call: &Syscall) -> bool {
    tracee.call.as_ref().is_some_and(|known| same(known, call))
}

/// Whether a task's call is one that will be made again.
pub fn restarting(tracee: &Tracee) -> bool {
    tracee.call.as_ref().is_some_and(|call| call.restarting)
}

fn same(pending: &Pending, call: &Syscall) -> bool {
    let was = &pending.syscall;
    pending.odd.is_none()
        && was.nr == call.nr
        && (was.args == call.args || pending.args_now() == call.args)
        && was.sp == call.sp
}
