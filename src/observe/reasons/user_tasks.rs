//! How many tasks a user has, which RLIMIT_NPROC is held against: counted in /proc.

use std::cell::RefCell;

use crate::peek::Peek;
use crate::proc::field;
use crate::proc::text::first;

/// Processes whose status is read for one count, at most.
const MOST_PROCESSES: usize = 16_384;

/// A count is not made anew for so many nanoseconds: a program that is refused tries again.
const FRESH_NS: u64 = 100_000_000;

/// Tasks by user, as they were counted last.
#[derive(Debug, Default)]
pub(super) struct LastCount(RefCell<Option<Count>>);

/// A count of a user's tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    at_ns: u64,
    uid: u64,
    /// The user's tasks, threads included.
    pub tasks: u64,
    /// Every task that was seen.
    pub seen: u64,
    /// All processes were looked at.
    pub whole: bool,
}

/// How many tasks a user has, as far as /proc shows; the last count, where that is fresh enough.
pub(super) fn count(
    task: &dyn Peek,
    last: Option<&LastCount>,
    at_ns: u64,
    uid: u64,
) -> Option<Count> {
    let kept = last.and_then(|last| *last.0.borrow());
    if let Some(kept) =
        kept.filter(|kept| kept.uid == uid && at_ns.saturating_sub(kept.at_ns) < FRESH_NS)
    {
        return Some(kept);
    }
    let names = task.system_list("/proc").ok()?;
    let mut processes: Vec<&String> = names
        .iter()
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    let whole = processes.len() <= MOST_PROCESSES;
    processes.truncate(MOST_PROCESSES);
    let mut count = Count {
        at_ns,
        uid,
        tasks: 0,
        seen: 0,
        whole,
    };
    for process in processes {
        let Ok(status) = task.system_file(&format!("/proc/{process}/status")) else {
            continue;
        };
        let number = |key| first::<u64>(field(&status, key)?);
        let threads = number("Threads").unwrap_or(1);
        count.seen = count.seen.saturating_add(threads);
        if number("Uid") == Some(uid) {
            count.tasks = count.tasks.saturating_add(threads);
        }
    }
    if let Some(last) = last {
        *last.0.borrow_mut() = Some(count);
    }
    Some(count)
}
