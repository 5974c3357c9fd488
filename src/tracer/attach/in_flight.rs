//! Tasks that were seized while they may have been inside a call that makes a task, which will not
//! be traced.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::abi;
use crate::event::{Call, Tid};
use crate::peek::{Errno, Peek};

use crate::proc::Position;
use crate::proc::stat::{Field, Line};
use crate::tracer::kernel::Kernel;

/// The longest wait for a task to leave its call. Making a task takes far less, except where there
/// is no processor for it.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The same for a task that sleeps in its call.
const LONGEST_WAIT_FOR_SLEEPERS: Duration = Duration::from_millis(20);

/// Tasks of which it is not known yet that they have left the call in which they were seized, each
/// with its time in user mode at that moment.
#[derive(Default)]
pub(in crate::tracer) struct InFlight {
    of: BTreeMap<Tid, Option<u64>>,
    since: Option<Instant>,
}

impl InFlight {
    /// A task that was seized just now.
    pub fn add(&mut self, kernel: &impl Kernel, tid: Tid) {
        self.since = Some(Instant::now());
        self.of.insert(tid, user_time(kernel, tid));
    }

    /// Whether another look at the list of threads is due: some were in doubt.
    pub fn waiting(&mut self, kernel: &impl Kernel) -> bool {
        if self.of.is_empty() {
            return false;
        }
        let since = self.since.map_or(LONGEST_WAIT, |since| since.elapsed());
        self.of
            .retain(|&tid, before| !left(kernel, tid, *before, since));
        if self.of.is_empty() {
            return true;
        }
        if since > LONGEST_WAIT {
            self.of.clear();
        } else {
            thread::sleep(Duration::from_micros(200));
        }
        true
    }
}

/// Whether a task has left the call in which it was seized, if it was in one: it is stopped or has
/// ended, sleeps in another call, or was in user mode since.
fn left(kernel: &impl Kernel, tid: Tid, before: Option<u64>, since: Duration) -> bool {
    let (Ok(stat), Ok(text)) = (own_stat(kernel, tid), kernel.task(tid).proc_file("syscall"))
    else {
        return true;
    };
    let state = Line::of(&stat).and_then(|line| line.state());
    if matches!(state, Some(b't' | b'T' | b'Z' | b'X')) || user_time(kernel, tid) != before {
        return true;
    }
    match Position::parse(&text) {
        Some(Position::Call(nr)) => {
            let abis = abi::arch::of_machine(std::env::consts::ARCH);
            let call = abis.iter().find_map(|abi| abi.call(nr));
            // Who sleeps in clone mostly waits for a child, as in vfork, and has made it.
            let makes_threads = matches!(call, Some(Call::Clone | Call::Clone3));
            !makes_threads || since > LONGEST_WAIT_FOR_SLEEPERS
        }
        Some(Position::Outside) => true,
        Some(Position::Running) | None => false,
    }
}

/// Its own stat: `/proc/TID/stat` adds up the times of all threads, in a time that grows with their
/// number (fs/proc/array.c, do_task_stat).
fn own_stat(kernel: &impl Kernel, tid: Tid) -> Result<Vec<u8>, Errno> {
    kernel.task(tid).proc_file(&format!("task/{tid}/stat"))
}

/// Its time in user mode, in clock ticks.
fn user_time(kernel: &impl Kernel, tid: Tid) -> Option<u64> {
    Line::of(&own_stat(kernel, tid).ok()?)?.number(Field::UserTime)
}
